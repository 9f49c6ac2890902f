internal import ArgumentParser
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated restore-orphans`: puts back what a cleanup took out, without a rollback.
struct RestoreOrphansVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore-orphans",
        abstract: "Puts back the rows and references that an attempt's cleanup took out.",
        discussion: "What cannot come back any more is reported with the reason. 'auditctl orphans' lists the attempts."
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var lock: LockOptions
    @Argument(help: "The attempt's id.")
    var attempt: String

    func run() throws {
        let workplace = try Workplace(common, quiet: true)
        defer { workplace.reporter.flush(until: .now() + .seconds(1)) }
        let sentences = try workplace.engine().restoreOrphans(attempt: attempt, lockPatience: try lock.patience())
        if sentences.isEmpty { Terminal.print("nothing is left to restore") }
        sentences.forEach { Terminal.print($0) }
    }
}
