internal import Audit
internal import Checks
internal import Configuration
internal import Digest
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
    /// A digest of each segment's text: a retry goes on behind the segments that are committed, even where the rest was mended.
    let digests: [String]

    var migration: Migration { file.migration }

    /// Parses a file. Throws `.badFile` where it cannot be run at all.
    ///
    /// - Parameter committing: names of procedures that end transactions.
    init(
        step: PlanStep, file: MigrationFile, version: String, settings: Settings, committing: Set<String> = []
    ) throws(Complaint) {
        self.file = file
        self.version = version
        direction = .up
        if case .pending(_, let cause) = step.action { self.cause = cause } else { cause = nil }
        repeatable = step.repeatable
        lateBefore = step.lateBefore
        let script = try PreparedFile.script(of: file, .up, settings: settings, committing: committing)
        try OtherDirection.refuse(script, of: file)
        self.script = script
        digests = script.segments.map { PreparedFile.digest(of: $0, in: script) }
    }

    /// Parses an applied file again, for the keys that it left deferred.
    init(deferred file: MigrationFile, version: String, settings: Settings) throws(Complaint) {
        self.file = file
        self.version = version
        direction = .up
        cause = nil
        repeatable = false
        lateBefore = nil
        script = try PreparedFile.script(of: file, .up, settings: settings)
        digests = []
    }

    /// Parses the file that undoes a migration.
    init(down file: MigrationFile, version: String, settings: Settings) throws(Complaint) {
        self.file = file
        self.version = version
        direction = .down
        cause = nil
        repeatable = false
        lateBefore = nil
        let script = try PreparedFile.script(of: file, .down, settings: settings)
        self.script = script
        digests = script.segments.map { PreparedFile.digest(of: $0, in: script) }
    }

    /// The digest of a segment's text and of the rows that it copies.
    private static func digest(of segment: Segment, in script: Script) -> String {
        let text = SHA256.hex(script.text, in: segment.range)
        let rows = script.rows(of: segment.statements).map { SHA256.hex(script.rowBytes, in: $0) }
        return rows.isEmpty ? text : SHA256.hex(Array((text + rows.joined()).utf8))
    }

    /// Parses what a file says of one way, and cuts it into segments. Throws `.badFile` where it cannot be run at all.
    static func script(
        of file: MigrationFile, _ way: MigrationFile.Way, settings: Settings, committing: Set<String> = []
    ) throws(Complaint) -> Script {
        let path = file.migration.path
        // Where there is nothing to undo an empty down file is how that is said. To apply one would hide a copy that broke off.
        if way == .up, file.bytes.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) {
            throw Complaint(
                .badFile, "the file is empty",
                hint: "It may be a copy that broke off. A migration that is to do nothing says so in a comment.",
                place: Place(file: path, line: 1, column: 1))
        }
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

    /// How many leading segments are committed already, going by the digests of those that are.
    func segmentsDone(_ done: [String]) -> Int {
        var count = 0
        for digest in digests {
            guard count < done.count, done[count] == digest else { break }
            count += 1
        }
        return count
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
        if let warning = script.unparsed { detail["unparsed"] = .string(warning.message) }
        return detail
    }
}
