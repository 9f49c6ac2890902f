/// What is looked for. The codes and names are stable: they stand in files (`-- migrated: allow=M041 reason=…`) and on code hosts.
public enum Rule: String, CaseIterable, Sendable {
    // The file and its place in the line.
    case invalidFile = "M001"
    case duplicateVersion = "M002"
    case unparsed = "M003"
    case notRun = "M004"
    case ambiguousOrder = "M005"
    case unsafePermissions = "M006"
    case editedAfterApply = "M007"
    case badAllowance = "M008"
    case alikeNames = "M009"

    // What the statements of all files together make.
    case createdTwice = "M010"
    case usedBeforeCreated = "M011"

    // How a statement runs.
    case notRepeatable = "M020"
    case concurrentlyInTransaction = "M021"
    case newEnumValue = "M022"
    case ownTimeout = "M023"
    case lastingSetting = "M024"
    case nothingToDo = "M025"
    case transactionControl = "M026"

    // Whom it keeps waiting.
    case tableRewrite = "M030"
    case tableScan = "M031"
    case blockingIndex = "M032"
    case foreignKeyScan = "M033"
    case requiredColumn = "M034"

    // What it destroys.
    case dropTable = "M040"
    case dropColumn = "M041"
    case truncate = "M042"
    case deleteEverything = "M043"
    case updateEverything = "M044"

    // What it gives away.
    case secretInFile = "M050"

    /// The rule that is meant by a code or a name, in any case.
    public init?(codeOrName text: some StringProtocol) {
        let wanted = text.lowercased()
        guard let rule = Rule.allCases.first(where: { $0.rawValue.lowercased() == wanted || $0.name == wanted }) else {
            return nil
        }
        self = rule
    }

    /// The stable code.
    public var code: String { rawValue }

    /// The stable name.
    public var name: String { facts.name }

    /// What is found, as a sentence.
    public var summary: String { facts.summary }

    /// How much it matters where nothing speaks for less.
    public var severity: Severity { facts.severity }

    /// Whether `allow=` can silence it: not where the file cannot run, and not what is said of `allow=` itself.
    public var canBeAllowed: Bool {
        switch self {
        case .invalidFile, .duplicateVersion, .concurrentlyInTransaction, .unsafePermissions, .badAllowance: false
        default: true
        }
    }

    /// Whether it is about the statements of a file: once they have run, nobody can change them.
    var isAboutText: Bool {
        switch self {
        case .invalidFile, .duplicateVersion, .notRun, .ambiguousOrder, .unsafePermissions, .editedAfterApply,
            .alikeNames:
            false
        default: true
        }
    }

    private var facts: (name: String, severity: Severity, summary: String) {
        switch self {
        case .invalidFile: ("invalid-file", .error, "The file cannot be run.")
        case .duplicateVersion: ("duplicate-version", .error, "Two files claim one version.")
        case .unparsed: ("unparsed", .error, "The grammar cannot read the file: a slip, or syntax of a newer server.")
        case .notRun: ("not-run", .warning, "An SQL file lies in the directory and is not run.")
        case .ambiguousOrder:
            ("ambiguous-order", .warning, "Two versions of the layout's tool would run the files in different orders.")
        case .unsafePermissions: ("exposed-file", .error, "Others could write the file.")
        case .editedAfterApply:
            ("edited-after-apply", .error, "A file was changed or taken away after it had been applied.")
        case .badAllowance: ("bad-allowance", .warning, "An allow line allows nothing, or gives no reason.")
        case .alikeNames:
            ("alike-names", .warning, "Two names differ only in the case or the Unicode form of their letters.")
        case .createdTwice: ("created-twice", .error, "An object is created that an earlier statement has created.")
        case .usedBeforeCreated:
            ("used-before-created", .error, "An object is used before a later statement creates it.")
        case .notRepeatable: ("not-repeatable", .error, "A statement of a repeatable file fails when it runs again.")
        case .concurrentlyInTransaction:
            ("concurrently-in-transaction", .error, "A statement stands in a transaction block that refuses it.")
        case .newEnumValue:
            ("new-enum-value", .error, "A new value of an enumeration is used in the transaction that adds it.")
        case .ownTimeout: ("own-timeout", .warning, "The file overrides a timeout that the daemon sets.")
        case .lastingSetting:
            ("lasting-setting", .note, "A setting is given to every later session of a role, a database or the server.")
        case .nothingToDo: ("nothing-to-do", .note, "A file holds nothing to run.")
        case .transactionControl:
            ("transaction-control", .note, "The file's own transaction control does something else than it seems to.")
        case .tableRewrite: ("table-rewrite", .warning, "A table is rewritten while nobody can read it.")
        case .tableScan: ("table-scan", .warning, "A table is scanned while nobody can read it.")
        case .blockingIndex: ("blocking-index", .warning, "An index is built while nobody can write to its table.")
        case .foreignKeyScan:
            ("foreign-key-scan", .note, "A foreign key is checked while nobody can write to its tables.")
        case .requiredColumn:
            ("required-column", .warning, "A required column without a default is added to an existing table.")
        case .dropTable: ("drop-table", .warning, "A table is dropped with its rows.")
        case .dropColumn: ("drop-column", .warning, "A column is dropped with its values.")
        case .truncate: ("truncate", .warning, "A table is emptied.")
        case .deleteEverything: ("delete-everything", .warning, "Every row of a table is deleted.")
        case .updateEverything: ("update-everything", .warning, "Every row of a table is updated.")
        case .secretInFile: ("secret-in-file", .warning, "A password or another secret stands in the file.")
        }
    }
}
