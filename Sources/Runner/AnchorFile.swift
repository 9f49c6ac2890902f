internal import Audit
internal import Configuration
internal import Digest
internal import Reporting
internal import Systemd

/// The anchor outside of the database: a file in the state directory that only grows, one line `seq hash` for the head after each run.
///
/// It shows what the chain alone cannot: a tail that was cut off, or rewritten to its end. Each line is on disk when `keep` returns. A
/// state directory that cannot be written holds up no migration; that is told once.
final class AnchorFile {
    private let directory: StateDirectory?
    private let reporter: Reporter
    private var kept: Int64 = 0
    private var hasComplained = false

    /// The file's name; `auditctl verify` reads it under the same one.
    static let name = "anchors"

    init(_ settings: Settings, _ reporter: Reporter) {
        directory = try? StateDirectory.locate(option: settings.stateDirectory)
        self.reporter = reporter
    }

    /// Keeps the head of the chain for the database with that identity, unless it is the one that was kept last.
    func keep(_ head: ChainHead, database identity: String) {
        guard head.seq > kept, let directory else { return }
        do throws(SystemFailure) {
            try directory.subdirectory(identity).append("\(head.seq) \(Hex.text(head.hash))", to: AnchorFile.name)
            kept = head.seq
        } catch {
            guard !hasComplained else { return }
            hasComplained = true
            var complaint = error.complaint
            complaint.hint = "Migrations go on; mend the state directory, or the history has one witness less."
            reporter.say(4, complaint)
        }
    }
}
