internal import ArgumentParser
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated acknowledge`: an operator accepts that the history does not go on from its anchors, or that another one has applied the same files.
struct AcknowledgeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acknowledge",
        abstract: "Records that a part of the history is lost, or that there is another one, so that migrated goes on.",
        discussion: """
            After a restored backup, or a failover that lost the last events, migrated refuses to go on (exit status 78). This runs nothing: it \
            records who accepts the loss and why, with the old and the new head, and begins new anchors. Run it as the daemon's user and with \
            its state directory.

            With another 'schema' in the configuration every file is pending again. Where the history in another schema of the database has applied \
            some of them, migrated refuses to run them (exit status 78) until --history names that schema.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var lock: LockOptions
    @Option(name: .long, help: ArgumentHelp("Why, for the auditor.", valueName: "text"))
    var reason: String
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Another history of this database: files that it has applied may run again.", valueName: "schema"))
    var history: String?

    func run() throws {
        try ResolveVerb.refuseEmpty(reason)
        let workplace = try Workplace(common)
        defer { workplace.reporter.flush(until: .now() + .seconds(1)) }
        let engine = try workplace.engine()
        let patience = try lock.patience()
        let accepted =
            if let history {
                try engine.acknowledge(history: history, reason: reason, lockPatience: patience)
            } else { try engine.acknowledge(reason: reason, lockPatience: patience) }
        Terminal.print("acknowledged: \(Printable.line(accepted))")
    }
}
