internal import ArgumentParser
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated resolve`: an operator decides the state of a version.
struct ResolveVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Records that a version is applied, or that nothing of it is there.",
        discussion: "Runs nothing. Who decided it and why is an event of the history.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var lock: LockOptions
    @Argument(help: "The version or name.")
    var version: String
    @Flag(name: .long, help: "Its effects are there, whoever made them.")
    var applied = false
    @Flag(name: .long, help: "Nothing of it is there: it is tried again.")
    var rolledBack = false
    @Option(name: .long, help: ArgumentHelp("Why, for the auditor.", valueName: "text"))
    var reason: String

    func run() throws {
        guard applied != rolledBack else {
            throw Complaint(
                .usage, "resolve wants either --applied or --rolled-back", hint: "See 'migrated resolve --help'.")
        }
        try ResolveVerb.refuseEmpty(reason)
        let workplace = try Workplace(common)
        defer { workplace.reporter.flush(until: .now() + .seconds(1)) }
        try workplace.engine().resolve(
            version, as: applied ? .applied : .rolledBack, reason: reason, lockPatience: try lock.patience())
    }

    /// Throws `.usage` where a reason says nothing.
    static func refuseEmpty(_ reason: String) throws(Complaint) {
        guard reason.allSatisfy(\.isWhitespace) else { return }
        throw Complaint(.usage, "--reason is empty", hint: "Say in a sentence why, for the auditor.")
    }
}

/// `migrated retry`: asks for another attempt.
struct RetryVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Asks for another attempt at what has failed, without a change of the file.",
        discussion: "A running daemon tries at once; otherwise the next 'apply' does.")

    @OptionGroup var common: CommonOptions
    @Argument(help: "The version or name (default: everything that has failed).")
    var version: String?
    @Option(name: .long, help: ArgumentHelp("Why, for the auditor.", valueName: "text"))
    var reason: String?
    @Flag(name: .long, help: "Run the whole file again, parts that are committed included.")
    var fromStart = false

    func run() throws {
        if fromStart, version == nil {
            throw Complaint(.usage, "--from-start needs a version", hint: "See 'migrated retry --help'.")
        }
        let workplace = try Workplace(common)
        defer { workplace.reporter.flush(until: .now() + .seconds(1)) }
        let names = try workplace.engine().retry(version, reason: reason, fromStart: fromStart)
        Terminal.print(
            "retry asked for: \(names.isEmpty ? "nothing has failed" : Printable.line(names.joined(separator: ", ")))")
    }
}

/// How long a verb that is run by hand waits for another process.
struct LockOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("How long to wait for another process that is migrating (default: 5s).", valueName: "time"))
    var lockWait: String?

    func patience() throws(Complaint) -> TimeSpan {
        guard let lockWait else { return .seconds(5) }
        guard let span = TimeSpan(lockWait) else {
            throw Complaint(.usage, "--lock-wait '\(lockWait)' is no time span", hint: "Write it as '5s' or '1min'.")
        }
        return span
    }
}
