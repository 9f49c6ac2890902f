internal import ArgumentParser
internal import JSON
internal import Reporting
internal import Runner

/// `migrated plan`: the directory against the history; nothing is changed.
struct PlanVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Says what would be applied, in which order and in which segments.")

    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: ArgumentHelp("The last version that would be applied.", valueName: "version"))
    var to: String?

    func run() throws { try PlanVerb.show(common, to: to) }

    static func show(_ common: CommonOptions, to limit: String?) throws {
        let workplace = try Workplace(common, quiet: true)
        let engine = try workplace.engine()
        let outlook = try engine.outlook(limit: limit)
        engine.disconnect()
        switch common.output {
        case .table:
            outlook.lines.forEach { Terminal.print($0) }
            outlook.summary.complaints.forEach(Terminal.tell)
        case .json: Terminal.print(outlook.json)
        }
        if outlook.summary.exitStatus != .done { throw outlook.summary.exitStatus.code }
    }
}
