internal import Audit
internal import Checks
internal import Configuration
internal import ForeignKeys
internal import JSON
internal import Migrations
internal import Reporting
internal import SQLParsing

/// A pending file, parsed and cut, ready to run.
struct PreparedFile {
    let file: MigrationFile
    let script: Script
    /// The version under which it is recorded.
    let version: String
    /// Up for the migration itself, down for the file that undoes it.
    let direction: AuditEvent.Direction
    /// Why it is to run; nil for a down file.
    let cause: PlanStep.Cause?
    /// Whether it runs again whenever its text changes.
    let repeatable: Bool
    /// The applied version that it sorts before, where it is late.
    let lateBefore: String?
    /// The migration that has the same text and was applied before.
    let copyOf: String?
    /// What says whether it has done what it should; nil where nothing does, and for a down file.
    let verification: Verification?
    /// What the records of its committed parts say; nil for a file of one part, which leaves none.
    let parts: FileParts?
    /// The first segment to run; those before it are committed already.
    let firstSegment: Int
    /// What `started` says of who has signed it.
    var signature: [String: JSONValue] = [:]

    var migration: Migration { file.migration }
    /// Whether what runs of it leaves something behind in the session.
    var changesSettings: Bool { script.changesSettings || verification?.script.changesSettings == true }

    /// Parses a file. Throws `.badFile` where it cannot be run at all.
    ///
    /// - Parameters:
    ///   - verification: what is to be run behind it.
    ///   - committing: names of procedures that end transactions.
    init(
        step: PlanStep, file: MigrationFile, version: String, settings: Settings, verification: Verification?,
        committing: Set<String> = []
    ) throws(Complaint) {
        self.file = file
        self.version = version
        direction = .up
        guard case .pending(let position, let cause) = step.action else {
            preconditionFailure("only what is pending is prepared")
        }
        self.cause = cause
        repeatable = step.repeatable
        lateBefore = step.lateBefore
        copyOf = step.copyOf
        self.verification = verification
        let script = try PreparedFile.script(of: file, .up, settings: settings, committing: committing)
        try OtherDirection.refuse(script, of: file)
        // What is verified behind its only part may be committed without being applied.
        let isResumable = script.segments.count > 1 || verification != nil
        (self.script, firstSegment, parts) = PreparedFile.resumed(script, position, isResumable)
    }

    /// Parses an applied file again, for the keys that it left deferred.
    init(deferred file: MigrationFile, version: String, settings: Settings) throws(Complaint) {
        self.file = file
        self.version = version
        direction = .up
        cause = nil
        repeatable = false
        lateBefore = nil
        copyOf = nil
        script = try PreparedFile.script(of: file, .up, settings: settings)
        verification = nil
        parts = nil
        firstSegment = 0
    }

    /// Parses the file that undoes a migration, of which these parts are committed. Throws `.badFile` where one of them has changed.
    init(down file: MigrationFile, version: String, committed: [CommittedPart], settings: Settings) throws(Complaint) {
        self.file = file
        self.version = version
        direction = .down
        cause = nil
        repeatable = false
        lateBefore = nil
        copyOf = nil
        let script = try PreparedFile.script(of: file, .down, settings: settings)
        var position = ResumePosition.start
        if !committed.isEmpty {
            switch FileParts(script).position(behind: committed) {
            case .success(let found): position = found
            case .failure(let changed): throw Discrepancy.changedDown(file.migration, part: changed.index + 1)
            }
        }
        verification = nil
        (self.script, firstSegment, parts) = PreparedFile.resumed(script, position, script.segments.count > 1)
    }

    /// The script cut where it goes on.
    private static func resumed(
        _ script: Script, _ position: ResumePosition, _ isResumable: Bool
    ) -> (Script, Int, FileParts?) {
        var script = script
        var first = 0
        var left = position.statements
        while left > 0, first < script.segments.count {
            let count = max(script.segments[first].statements.count, 1)
            if count > left { script = script.cutting(segment: first, at: left) }
            left -= min(count, left)
            first += 1
        }
        return (script, first, isResumable ? FileParts(script) : nil)
    }

    /// Parses what a file says of one way, and cuts it into segments. Throws `.badFile` where it cannot be run at all.
    static func script(
        of file: MigrationFile, _ way: MigrationFile.Way, settings: Settings, committing: Set<String> = []
    ) throws(Complaint) -> Script {
        let path = file.migration.path
        // Where there is nothing to undo an empty down file is how that is said.
        if way == .up { try refuseEmpty(file) }
        var options = ScriptOptions(
            breakpoints: file.migration.breakpoints, noTransaction: file.withoutTransaction(for: way),
            sizeLimit: settings.sizeLimit)
        options.committingProcedures = committing
        if let note = file.markerNote { options.notes = [note] }
        let script = try Script(file.text(for: way), file: path, options: options)
        guard way == .up, (file.directives.foreignKeys ?? settings.foreignKeys.way) == .stepwise else { return script }
        return script.separating(
            Set(ForeignKeyStatement.all(in: script).lazy.filter(\.standsAlone).map(\.statement)))
    }

    /// Refuses a file without a word. To run one would hide a copy that broke off.
    static func refuseEmpty(_ file: MigrationFile) throws(Complaint) {
        guard file.bytes.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) else { return }
        if file.bytes.isEmpty, file.migration.mayBeEmpty { return }
        throw Complaint(
            .badFile, "the file is empty",
            hint:
                "It may be a copy that broke off. Where it is to do nothing, write '-- nothing' or 'SELECT 1;' in it.",
            place: Place(file: file.migration.path, line: 1, column: 1))
    }

    /// How its foreign keys are treated: as its head says, else as the configuration does. A down file is run as it is.
    func foreignKeyPolicy(_ settings: Settings) -> ForeignKeyPolicy {
        guard direction == .up else { return ForeignKeyPolicy() }
        var policy = settings.foreignKeys
        let directives = file.directives
        policy.orphans = directives.orphans ?? policy.orphans
        policy.limit = directives.orphanLimit ?? policy.limit
        policy.proof = directives.proveRestore ?? policy.proof
        policy.missingTable = directives.missingTable ?? policy.missingTable
        policy.indexes = directives.indexForeignKeys ?? policy.indexes
        if existing(settings) != .fail { policy.skipsExisting = true }
        policy.way = directives.foreignKeys ?? policy.way
        // Where keys are looked after at all, one that stands already is no mistake.
        policy.skipsExisting =
            policy.skipsExisting || policy.orphans == .clean || policy.missingTable == .skip
            || policy.way == .stepwise
        return policy
    }

    /// What becomes of statements whose objects exist: as its head says, else as the configuration does. A down file is run as it is.
    func existing(_ settings: Settings) -> Existing {
        direction == .up ? file.directives.existing ?? settings.existing : .fail
    }

    /// What `started` says of it.
    func detail(layout: LayoutName, from segment: Int) -> [String: JSONValue] {
        var detail: [String: JSONValue] = [
            "layout": .string(layout.rawValue), "path": .string(migration.path),
            "statements": .integer(Int64(script.statements.count)), "segments": .integer(Int64(script.segments.count)),
            "bytes": .integer(Int64(file.bytes.count)),
        ]
        if segment > 0 { detail["resumed_at_segment"] = .integer(Int64(segment + 1)) }
        if repeatable { detail["repeatable"] = true }
        if let before = lateBefore { detail["late_before"] = .string(before) }
        if let original = copyOf { detail["copy_of"] = .string(original) }
        if let warning = script.unparsed { detail["unparsed"] = .string(warning.message) }
        return detail.merging(signature) { own, _ in own }
    }
}
