internal import ArgumentParser
internal import JSON
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated apply`: what the daemon would do now, once.
struct ApplyVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Applies what is pending, once, and says where the line stands.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var lock: LockOptions
    @Option(name: .long, help: ArgumentHelp("The last version to apply.", valueName: "version"))
    var to: String?
    @Flag(name: .long, help: "Only say what would be done, as 'plan' does.")
    var dryRun = false
    func run() throws {
        if dryRun { return try PlanVerb.show(common, to: to) }
        let workplace = try Workplace(common, quiet: common.output == .json)
        let engine = try workplace.engine()
        defer { workplace.reporter.flush(until: .now() + .seconds(1)) }
        let patience = try lock.patience()
        let summary = try ProgressLine.shown(by: workplace.reporter) { () throws(RunFailure) in
            try engine.applyPatiently(limit: to, lockPatience: patience)
        }
        engine.disconnect()
        switch common.output {
        case .table: Terminal.print(summary.status)
        case .json: Terminal.print(summary.json)
        }
        summary.complaints.forEach(Terminal.tell)
        if summary.exitStatus != .done { throw summary.exitStatus.code }
    }
}

extension RunSummary {
    /// What a run came to, for machines.
    var json: JSONValue {
        [
            "applied": .array(applied.map(JSONValue.string)), "applied_total": .integer(Int64(appliedCount)),
            "pending_total": .integer(Int64(pendingCount)), "failed_total": .integer(Int64(failedCount)),
            "complaints": .array(complaints.map(\.json)),
        ]
    }
}

extension Complaint {
    /// A complaint for machines.
    var json: JSONValue {
        [
            "message": .string(message), "hint": JSONValue(hint), "file": JSONValue(place?.file),
            "line": JSONValue(place?.line),
            "column": JSONValue(place?.column), "sqlstate": JSONValue(sqlstate),
            "status": .integer(Int64(status.rawValue)),
        ]
    }
}
