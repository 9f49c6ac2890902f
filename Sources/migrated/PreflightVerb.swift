internal import ArgumentParser
internal import JSON
internal import Reporting
internal import Runner

/// `migrated preflight`: what pending files would meet in the database; nothing is changed.
struct PreflightVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preflight",
        abstract:
            "Says what pending files would meet: foreign keys with their orphans, missing tables, sessions in the way.",
        discussion: """
            Reads alone. Each key of a pending file is told with the number of its orphans and what would become of them under \
            the file's policy. What depends on earlier pending statements is said so. Exit status: 0 nothing would fail, 1 something would.
            """)

    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: ArgumentHelp("The last version that is looked at.", valueName: "version"))
    var to: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Tell of sessions whose transactions hold locks for longer (default: 1min).", valueName: "time"))
    var sessionAge: String?

    func run() throws {
        let age = sessionAge.map { TimeSpan($0) } ?? .seconds(60)
        guard let age else { throw Complaint(.usage, "--session-age '\(sessionAge ?? "")' is no length of time") }
        let workplace = try Workplace(common, quiet: true)
        let engine = try workplace.engine()
        let preflight = try engine.preflight(limit: to, sessionAge: age)
        engine.disconnect()
        switch common.output {
        case .table:
            preflight.lines.forEach { Terminal.print($0) }
            preflight.summary.complaints.forEach(Terminal.tell)
        case .json: Terminal.print(preflight.json)
        }
        if preflight.exitStatus != .done { throw preflight.exitStatus.code }
    }
}
