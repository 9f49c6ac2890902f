internal import ArgumentParser
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated acknowledge`: an operator accepts that the history does not go on from its anchors.
struct AcknowledgeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acknowledge",
        abstract: "Records that a part of the history is lost, so that migrated goes on without it.",
        discussion: """
            After a restored backup, or a failover that lost the last events, migrated refuses to go on (exit status 78). This runs nothing: it \
            records who accepts the loss and why, with the old and the new head, and begins new anchors. Run it as the daemon's user and with \
            its state directory.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var lock: LockOptions
    @Option(name: .long, help: ArgumentHelp("Why, for the auditor.", valueName: "text"))
    var reason: String

    func run() throws {
        try ResolveVerb.refuseEmpty(reason)
        let workplace = try Workplace(common)
        defer { workplace.reporter.flush(until: .now() + .seconds(1)) }
        let accepted = try workplace.engine().acknowledge(reason: reason, lockPatience: try lock.patience())
        Terminal.print("acknowledged: \(Printable.line(accepted))")
    }
}
