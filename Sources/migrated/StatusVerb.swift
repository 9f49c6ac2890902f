internal import ArgumentParser
internal import JSON
internal import Reporting
internal import Runner

/// `migrated status`: one screen of where the database stands; nothing is changed.
struct StatusVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract:
            "Shows on one screen what is applied, pending and failed and why, who is at work, and what it waits for.",
        discussion: """
            Exit status: 0 unless something stands in the way, as for 'plan'. The history's side alone, for whoever may only read it, is \
            shown by 'auditctl status'.
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        let workplace = try Workplace(common, quiet: true)
        let engine = try workplace.engine()
        let overview = try engine.overview()
        engine.disconnect()
        switch common.output {
        case .table: overview.lines.forEach { Terminal.print($0) }
        case .json: Terminal.print(overview.json)
        }
        if overview.summary.exitStatus != .done { throw overview.summary.exitStatus.code }
    }
}
