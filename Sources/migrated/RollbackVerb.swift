internal import ArgumentParser
internal import JSON
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated rollback`: undoes applied migrations by their down files.
struct RollbackVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Undoes applied migrations by their down files, the last one first.",
        discussion:
            "What was rolled back stays so: the daemon does not apply the same text again before 'migrated retry'.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var lock: LockOptions
    @Option(
        name: .long, help: ArgumentHelp("Undo everything that was applied after this version.", valueName: "version"))
    var to: String?
    @Option(name: .long, help: ArgumentHelp("Undo that many, the one applied last first.", valueName: "count"))
    var last: Int?
    @Flag(
        inversion: .prefixedNo,
        help:
            "Whether the rows and references that the migration's cleanup took out come back; they do unless --no-restore-orphans is given."
    )
    var restoreOrphans = true
    @Flag(name: .long, help: "Record a version without a down file as undone; nothing is run for it.")
    var recordWithoutDownFile = false
    @Option(name: .long, help: ArgumentHelp("Why, for the auditor.", valueName: "text"))
    var reason: String?

    func run() throws {
        let goal: RollbackGoal
        switch (to, last) {
        case (let version?, nil): goal = .to(version)
        case (nil, let count?) where count > 0: goal = .last(count)
        default:
            throw Complaint(
                .usage, "rollback wants either --to VERSION or --last N", hint: "See 'migrated rollback --help'.")
        }
        let workplace = try Workplace(common, quiet: common.output == .json)
        defer { workplace.reporter.flush(until: .now() + .seconds(1)) }
        let engine = try workplace.engine()
        let patience = try lock.patience()
        let summary = try ProgressLine.shown(by: workplace.reporter) { () throws(RunFailure) in
            try engine.rollback(
                goal, reason: reason, recordWithoutDownFile: recordWithoutDownFile, restoresOrphans: restoreOrphans,
                lockPatience: patience)
        }
        switch common.output {
        case .table: Terminal.print("rolled back \(summary.rolledBack.count) migration(s)")
        case .json:
            Terminal.print([
                "rolled_back": .array(summary.rolledBack.map(JSONValue.string)),
                "complaints": .array(summary.complaint.map { [$0.json] } ?? []),
            ])
        }
        if let complaint = summary.complaint {
            Terminal.tell(complaint)
            throw complaint.status.code
        }
    }
}
