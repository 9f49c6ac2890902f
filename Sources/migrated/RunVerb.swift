internal import ArgumentParser
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated run`: the daemon.
struct RunVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Watches the directory and applies what arrives, until it is stopped.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        let workplace = try Workplace(common)
        let notifier = Notifier()
        if let watchdog = Watchdog(notifier: notifier) { workplace.loop.add(watchdog) }
        let daemon = try Daemon(
            workplace.settings, identity: .current, loop: workplace.loop, signals: workplace.signals,
            notifier: notifier,
            reporter: workplace.reporter, reload: { () throws(Complaint) in try common.settings() })
        let status = daemon.run()
        if status != .done { throw status.code }
    }
}
