public import Reporting

/// What flags on the command line say instead of the configuration file. Each is the text as it was given; nil where it was not.
///
/// Relative paths stay as they are: they are meant from the working directory.
public struct SettingsOverrides: Sendable, Equatable {
    /// `--database`
    public var database: String?
    /// `--audit-database`
    public var auditDatabase: String?
    /// `--directory`
    public var directory: String?
    /// `--schema`
    public var schema: String?
    /// `--state-directory`
    public var stateDirectory: String?
    /// `--layout`
    public var layout: String?
    /// `--late`
    public var late: String?
    /// `--settle`
    public var settle: String?
    /// `--rescan`
    public var rescan: String?
    /// `--statement-timeout`
    public var statementTimeout: String?
    /// `--lock-timeout`
    public var lockTimeout: String?
    /// `--idle-in-transaction-timeout`
    public var idleTimeout: String?
    /// `--deadline`
    public var deadline: String?

    /// No flag given.
    public init() {}

    /// Each flag's key with what was given for it.
    var given: [(key: String, text: String?)] {
        [
            ("database", database), ("audit.database", auditDatabase), ("directory", directory), ("schema", schema),
            ("state-directory", stateDirectory),
            ("layout", layout), ("late", late), ("settle", settle), ("rescan", rescan),
            ("statement-timeout", statementTimeout),
            ("lock-timeout", lockTimeout), ("idle-in-transaction-timeout", idleTimeout), ("deadline", deadline),
        ]
    }

    /// `settings` with what the flags say in place of what the file says.
    ///
    /// - Throws: a usage complaint (64) that names the first flag with a value that its key does not accept. It holds no secret.
    public func applied(to settings: Settings) throws(Complaint) -> Settings {
        var settings = settings
        // Another database than the file's keeps its own history, or the record would go astray.
        if database != nil { settings.auditDatabase = nil }
        for (name, text) in given {
            guard let text else { continue }
            guard let key = SettingKey.named(name) else {
                preconditionFailure("every flag of SettingsOverrides is a key; a test reads the list against the table")
            }
            guard key.store(.flag(text), &settings) else {
                throw key.refusal(of: .flag(text), as: "--" + key.flag, status: .usage)
            }
        }
        return settings
    }
}

extension SettingsOverrides: CustomStringConvertible, CustomReflectable {
    /// The flags that were given, without the values of secret ones.
    public var description: String {
        "SettingsOverrides(" + shown.map { "--\($0.label ?? ""): \($0.value)" }.joined(separator: ", ") + ")"
    }
    /// Reflection shows what `description` shows.
    public var customMirror: Mirror { Mirror(self, children: shown, displayStyle: .struct) }

    private var shown: [(label: String?, value: Any)] {
        given.compactMap { key, text in
            text.map { (SettingKey.named(key)?.flag ?? key, (SettingKey.named(key)?.isSecret ?? true) ? "hidden" : $0) }
        }
    }
}
