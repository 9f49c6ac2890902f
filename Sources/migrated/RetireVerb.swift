internal import ArgumentParser
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated retire`: applied migrations whose files are gone for good.
struct RetireVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire", abstract: "Records that the files of applied migrations are gone for good.",
        discussion: """
            For a squash: delete the old files, add the one that replaces them, and name both here. The folder as it is now is built in a \
            scratch database, up to the last applied file: where that makes what is there, the replacement counts as applied from then on, and a \
            new database runs it alone. Runs nothing in the real one.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var lock: LockOptions
    @Argument(help: "The versions or names of applied migrations.")
    var versions: [String]
    @Option(name: .long, help: ArgumentHelp("The migration that replaces them.", valueName: "version"))
    var replacedBy: String?
    @Option(name: .long, help: ArgumentHelp("Why, for the auditor.", valueName: "text"))
    var reason: String
    @OptionGroup var proof: ProofOptions

    func run() throws {
        try ResolveVerb.refuseEmpty(reason)
        let workplace = try Workplace(common, quiet: true)
        defer { workplace.reporter.flush(until: .now() + .seconds(1)) }
        let engine = try workplace.engine()
        let report = try engine.retire(
            versions, replacedBy: replacedBy, reason: reason, try proof.choice(), accepted: proof.acceptDifferences,
            lockPatience: try lock.patience())
        engine.disconnect()
        switch common.output {
        case .table: report.lines.forEach { Terminal.print($0) }
        case .json: Terminal.print(report.json)
        }
        if let refusal = report.refusal { throw refusal }
    }
}
