internal import ArgumentParser
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated wait`: the gate that an application waits at.
struct WaitVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Waits until every migration that is in the directory now is applied, by whomever.",
        discussion: "Applies nothing by itself. Ends with 0 once that is so, with 75 where the time is over before.")

    @OptionGroup var common: CommonOptions
    @Option(name: .customLong("for"), help: "Wait for that version alone, whether its file is there yet or not.")
    var version: String?
    @Option(name: .long, help: ArgumentHelp("How long to wait (default: without a limit).", valueName: "time"))
    var timeout: String?

    func run() throws {
        var limit: TimeSpan?
        if let timeout {
            guard let span = TimeSpan(timeout) else {
                throw Complaint(.usage, "--timeout '\(timeout)' is no time span", hint: "Write it as '30s' or '5min'.")
            }
            limit = span
        }
        let workplace = try Workplace(common, quiet: true)
        try workplace.engine().wait(for: version, limit: limit) { Terminal.print($0) }
    }
}
