internal import ArgumentParser
internal import Reporting

/// The verbs.
struct Auditctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Program.name,
        abstract: "Ask questions of the history that migrated writes. Nothing is ever changed.",
        discussion: """
            Exit status: 0 done; 1 the check found something, or there is no such event; 2 verify cannot tell; 64 usage; \
            69 database unavailable; 74 input or output; 77 permission; 78 configuration.
            """,
        version: "auditctl (migrated) \(Release.version)",
        subcommands: [
            LogCommand.self, ShowCommand.self, StatusCommand.self, SourceCommand.self, OrphansCommand.self,
            IntegrityCommand.self, VerifyCommand.self, ExportCommand.self, ReportCommand.self,
            StatsCommand.self,
        ],
        defaultSubcommand: LogCommand.self)
}
