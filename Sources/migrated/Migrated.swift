internal import ArgumentParser
internal import Reporting
internal import Systemd

/// The program `migrated`: the daemon and the verbs that are run by hand.
@main
struct Migrated: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrated",
        abstract: "Applies PostgreSQL migrations unattended, with a history that an auditor can trust.",
        discussion: """
            Every attempt, skip and cleanup is a row of migration_rollback_audit and an entry of the journal; 'auditctl' asks
            questions of them. Exit codes: 0 done, 1 a migration failed or a check found something, 64 usage, 65 bad migration file,
            69 database unavailable, 70 a bug, 74 input or output, 75 try later, 77 permission, 78 configuration.
            """,
        version: "migrated \(Release.version)",
        subcommands: [
            RunVerb.self, InitVerb.self, ApplyVerb.self, PlanVerb.self, PreflightVerb.self, StatusVerb.self,
            CheckVerb.self,
            WaitVerb.self,
            RollbackVerb.self,
            ResolveVerb.self,
            RetryVerb.self, RetireVerb.self, RestoreOrphansVerb.self, AdoptVerb.self, AcknowledgeVerb.self,
            ManifestVerb.self, KeygenVerb.self,
        ])

    static func main() {
        Process.ignoreBrokenPipes()
        do {
            let arguments = VerbFirst.arranged(
                Array(CommandLine.arguments.dropFirst()),
                verbs: Set(configuration.subcommands.compactMap { $0.configuration.commandName }),
                flags: [
                    "--all", "--dry-run", "--applied", "--rolled-back",
                    "--record-without-down-file", "--from-start",
                    "--restore-orphans", "--write",
                    "--no-restore-orphans", "--help", "-h",
                    "--version",
                ])
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch let failure as any Complaining {
            end(failure.complaint)
        } catch let complaint as Complaint {
            end(complaint)
        } catch {
            if exitCode(for: error).isSuccess { exit(withError: error) }
            // An exit code alone has none.
            let message = fullMessage(for: error)
            if !message.isEmpty { Terminal.tell(message) }
            exit(withError: exitCode(for: error))
        }
    }

    private static func end(_ complaint: Complaint) -> Never {
        Terminal.tell(complaint)
        exit(withError: ExitCode(complaint.status.rawValue))
    }
}

extension ExitStatus {
    /// The code as the argument parser ends the program with it.
    var code: ExitCode { ExitCode(rawValue) }
}
