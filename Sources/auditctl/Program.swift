internal import ArgumentParser
internal import Glibc
internal import Reporting
internal import Systemd

/// The program: words in, answers on standard output, complaints on standard error, an exit status of `ExitStatus`.
@main enum Program {
    /// The name by which it complains.
    static let name = "auditctl"

    static func main() {
        Process.ignoreBrokenPipes()
        exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    private static func run(_ arguments: [String]) -> ExitStatus {
        do {
            if let complaint = KernelFlags.complaint(arguments) { throw complaint }
            let verbs = Auditctl.configuration.subcommands.compactMap { $0.configuration.commandName }
            let arranged = VerbFirst.arranged(
                arguments, verbs: Set(verbs),
                flags: [
                    "--failed", "--rows", "--all", "--no-pager", "--journal", "--reverse", "-r", "--follow", "-f",
                    "--help", "-h",
                    "--version",
                ])
            var command = try Auditctl.parseAsRoot(arranged)
            try command.run()
            return .done
        } catch let ending as Ending {
            return ending.status
        } catch let complaint as Complaint {
            complain(complaint)
            return complaint.status
        } catch let error as any Complaining {
            complain(error.complaint)
            return error.complaint.status
        } catch {
            return parserSaid(error)
        }
    }

    /// Help and version go to standard output; wrong words become a complaint of ours.
    private static func parserSaid(_ error: any Error) -> ExitStatus {
        if Auditctl.exitCode(for: error) == .success {
            let text = Auditctl.fullMessage(for: error)
            _ = try? Process.write(Array((text + "\n").utf8), to: 1)
            return .done
        }
        let message = Auditctl.message(for: error)
        let sentence = message.prefix(1).lowercased() + message.dropFirst()
        complain(Complaint(.usage, sentence.trimmingStop, hint: "See 'auditctl --help'."))
        return .usage
    }

    /// Prints a complaint, each line safe for a terminal.
    static func complain(_ complaint: Complaint) {
        var lines = complaint.lines
        lines[0] = "\(name): \(lines[0])"
        // Where standard error is gone too there is nobody left to tell.
        _ = try? Process.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: 2)
    }
}

/// The orderly end of a verb whose answer is an exit status, or whose reader has gone away.
struct Ending: Error {
    var status: ExitStatus
}

extension String {
    fileprivate var trimmingStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
