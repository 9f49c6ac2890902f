public import Migrations
public import Reporting
internal import SQLLexing
public import SQLParsing

/// Looks through the files of a line, one after the other in the order in which they run, and finds what will go wrong.
///
/// It needs no database, and knows only what the files say: a table that no file creates may exist already, and nothing is found about
/// it. A file's syntax tree is needed only while it is added; what is kept of it is a few facts for each object.
public struct Review: Sendable {
    private var ledger = ObjectLedger()
    private var drafts: [Draft] = []
    private var allowances: [Int: Allowances] = [:]
    /// The places of allow lines, for findings about them.
    private var paths: [String] = []
    private var names: [String] = []
    private var fileOfPath: [String: Int] = [:]
    /// Files that a history knows as applied.
    private var applied: Set<Int> = []
    /// How many files cannot be run, and the exit status of the first.
    private var unusable: [ExitStatus] = []
    /// Whether the order of names is open between the tools' versions, and `order =` would pin it.
    private var orderIsOpen = false

    /// A review of no files yet.
    public init() {}

    /// Adds the next file of the line.
    ///
    /// - Parameter repeatable: whether it runs again whenever its text changes.
    public mutating func add(_ migration: Migration, script: Script, repeatable: Bool = false) {
        let file = begin(migration)
        if var warning = script.unparsed {
            // It runs all the same, but far more often it is a slip that no server reads.
            warning.hint =
                "Mend it; or where the server is newer and reads it, write '-- migrated: allow=\(Rule.unparsed.code) reason=…'."
            add(warning, as: .unparsed, file: file)
        }
        var reading = FileReading(script, file: file, repeatable: repeatable)
        reading.run(&ledger)
        drafts += reading.drafts
        allowances[file] = reading.allowances
        ledger.endFile()
    }

    /// Adds a file that runs instead of those that it stands for: it could be parsed, and its statements are not looked at.
    public mutating func add(baseline migration: Migration) { _ = begin(migration) }

    /// Adds the next file of the line, which cannot be run.
    public mutating func add(_ migration: Migration, unusable complaint: Complaint) {
        let file = begin(migration)
        unusable.append(complaint.status)
        add(complaint, as: Rule(of: complaint), file: file)
    }

    /// Adds what is wrong with the file that undoes a migration; it keeps no migration from being applied.
    ///
    /// - Parameter unparsed: whether it runs all the same, unless it is a slip.
    public mutating func add(undoing migration: Migration, _ complaint: Complaint, unparsed: Bool = false) {
        add(complaint, as: unparsed ? .unparsed : Rule(of: complaint), file: nil)
    }

    /// Adds what is wrong with the script that verifies a migration: without it the migration is not applied.
    public mutating func add(verifying migration: Migration, _ complaint: Complaint) {
        unusable.append(complaint.status)
        add(complaint, as: Rule(of: complaint), file: fileOfPath[migration.path])
    }

    /// Adds the file that undoes a migration, which runs only where somebody rolls back: its secrets, and whether it does anything.
    public mutating func add(undoing migration: Migration, script: Script) {
        if script.isEmpty {
            let finding = CheckFinding(
                .nothingToDo, place: Place(file: migration.path), "nothing is undone: the file holds nothing to run",
                hint: Script.emptyHint)
            drafts.append(Draft(finding: finding, file: nil))
        }
        for note in script.notes {
            let finding = CheckFinding(
                .transactionControl, place: script.place(at: note.offset), note.message, hint: note.hint)
            drafts.append(Draft(finding: finding, file: nil))
        }
        for secret in script.firstSecrets {
            let finding = CheckFinding(
                .secretInFile, .note, place: script.place(at: secret.range.lowerBound), secret.words,
                hint: Script.secretHint)
            drafts.append(Draft(finding: finding, file: nil))
        }
    }

    /// Adds what keeps the directory from being put in order at all.
    public mutating func add(directory complaint: Complaint) {
        unusable.append(complaint.status)
        let isTwin = MigrationSet.isNameClash(complaint)
        let rule: Rule =
            isTwin ? .alikeNames : MigrationSet.isVersionClash(complaint) ? .duplicateVersion : Rule(of: complaint)
        add(complaint, as: rule, isTwin ? .error : nil, file: nil)
    }

    /// Adds why the manifest that is demanded lets nothing run; `isLapsed` where it once did, and may have done its work.
    public mutating func add(manifest complaint: Complaint, isLapsed: Bool) {
        if !isLapsed { unusable.append(complaint.status) }
        var complaint = complaint
        complaint.place = complaint.place ?? Place(file: Manifest.fileName)
        add(complaint, as: .invalidFile, isLapsed ? .warning : .error, file: nil)
        for note in complaint.notes {
            add(Complaint(complaint.status, note, place: complaint.place), as: .invalidFile, .error, file: nil)
        }
    }

    /// Adds what the layout has to say about the directory. After the files, which it may be about.
    public mutating func add(_ finding: Finding) {
        let file = fileOfPath[finding.path] ?? fileOfPath[finding.path + "/migration.sql"]
        let rule: Rule
        switch finding.reason {
        case .ambiguousOrder:
            rule = .ambiguousOrder
            orderIsOpen = true
        case .unknownFile, .notInJournal, .downWithoutUp: rule = .notRun
        case .unsafePermissions: rule = .unsafePermissions
        case .alikeNames: rule = .alikeNames
        default: rule = .invalidFile
        }
        // What keeps a migration from running has been said with it.
        if file != nil, rule == .invalidFile || rule == .unsafePermissions { return }
        // What is ignored, or is not there, stops nothing.
        let isWarning = finding.reason == .unknownSetting || finding.reason == .notVerified
        add(finding.complaint, as: rule, isWarning ? .warning : nil, file: file)
    }

    /// Adds that a history knows the file as applied: its statements have run, and nobody can change them. After the files.
    public mutating func add(applied path: String) {
        if let file = fileOfPath[path] { applied.insert(file) }
    }

    /// Adds that an applied file was edited, which only a history can tell; with the first line that differs, where the old text was kept, and in what
    /// it differs where that is line ends or the like.
    public mutating func add(
        editedAfterApply path: String, line: Int? = nil, excerpt: String? = nil, difference: String? = nil
    ) {
        add(applied: path)
        let finding = CheckFinding(
            .editedAfterApply, place: Place(file: path, line: line),
            line == nil
                ? "the file was changed after it had been applied"
                : "the file was changed after it had been applied, \(difference ?? "from this line on")",
            hint:
                "Put its old text back ('auditctl source' prints it), and write the change as a migration of its own.",
            excerpt: excerpt)
        drafts.append(Draft(finding: finding, file: fileOfPath[path]))
    }

    /// Adds that a file which a history knows as applied is not there any more.
    public mutating func add(goneAfterApply name: String) {
        let finding = CheckFinding(
            .editedAfterApply, place: Place(file: "."), "'\(name)' is applied, and its file is not there",
            hint: "Put the file back ('auditctl source' prints its text): a new database would lack what it does.")
        drafts.append(Draft(finding: finding, file: nil))
    }

    /// Everything that was found.
    public consuming func report() -> CheckReport {
        var found: [(file: Int, offset: Int, finding: CheckFinding)] = []
        var allowed: [CheckReport.Allowed] = []
        for draft in drafts + ledger.drafts + earlyUses() {
            if draft.finding.rule.isAboutText, let file = draft.file, applied.contains(file) { continue }
            if draft.finding.rule.canBeAllowed, let file = draft.file,
                let reason = allowances[file]?.reason(for: draft.finding.rule, at: draft.offset)
            {
                allowed.append(CheckReport.Allowed(finding: draft.finding, reason: reason))
            } else {
                found.append((draft.file ?? .max, draft.offset ?? -1, draft.finding))
            }
        }
        found += unusedAllowances()
        // The order of the line, then of the text, then of the rules; what is found of one place stays in one order.
        let findings = found.enumerated().sorted { left, right in
            let one = (left.element.file, left.element.offset, left.element.finding.rule.code, left.offset)
            let other = (right.element.file, right.element.offset, right.element.finding.rule.code, right.offset)
            return one < other
        }.map(\.element.finding)
        return CheckReport(findings: findings, allowed: allowed, files: paths.count, unusable: unusable)
    }

    private mutating func begin(_ migration: Migration) -> Int {
        fileOfPath[migration.path] = paths.count
        paths.append(migration.path)
        names.append(migration.name)
        return paths.count - 1
    }

    private mutating func add(_ complaint: Complaint, as rule: Rule, _ severity: Severity? = nil, file: Int?) {
        var finding = CheckFinding(
            rule, severity, place: complaint.place ?? Place(file: file.map { paths[$0] } ?? "."), complaint.message,
            hint: complaint.hint, excerpt: complaint.excerpt)
        finding.caret = complaint.caret
        drafts.append(Draft(finding: finding, file: file))
    }

    private mutating func unusedAllowances() -> [(file: Int, offset: Int, finding: CheckFinding)] {
        allowances.filter { !applied.contains($0.key) }.sorted { $0.key < $1.key }.flatMap { file, allowance in
            allowance.lines.filter { !$0.isUsed }.map { line in
                let finding = CheckFinding(
                    .badAllowance, .note, place: line.place,
                    "\(line.rule.code) is allowed here, and nothing here needs it", hint: "Remove the line.")
                return (file, line.offset, finding)
            }
        }
    }

    // MARK: Order

    private func earlyUses() -> [Draft] {
        let order = FileOrder(count: paths.count, needs: ledger.needs)
        return ledger.earlyUses.map { early in
            let what = early.object.text(early.word)
            let finding = CheckFinding(
                .usedBeforeCreated, early.mayHaveExisted ? .note : .error, place: early.use.place,
                "\(what) is used before '\(early.creation.place.text)' creates it", hint: hint(early, order),
                related: [.init(place: early.creation.place, message: "created here")])
            return Draft(finding: finding, file: early.use.file, offset: early.use.offset)
        }
    }

    private func hint(_ early: ObjectLedger.EarlyUse, _ order: FileOrder) -> String {
        let user = early.use.file
        let creator = early.creation.file
        if user == creator { return "Move the statement that creates it up." }
        guard order.canOrder(user, creator) else {
            return "No order of the files works, as each needs the other: move the statement that creates it."
        }
        let works = "'\(names[creator])' before '\(names[user])' is the order that works"
        if orderIsOpen, names[creator].utf8.lexicographicallyPrecedes(names[user].utf8) {
            return works + ": 'order = \"bytes\"' sorts these two so, or rename one of them."
        }
        return works + ": rename one of them."
    }
}

extension Rule {
    /// What a file's own complaint is called.
    init(of complaint: Complaint) {
        if complaint.status == .permission {
            self = .unsafePermissions
        } else if complaint.message.hasSuffix("cannot run inside a transaction") {
            self = .concurrentlyInTransaction
        } else {
            self = .invalidFile
        }
    }
}
