internal import Audit
internal import Reporting
internal import Systemd

/// The file that node_exporter's textfile collector reads: replaced as a whole whenever something has happened.
final class MetricsFile {
    let path: String
    private let reporter: Reporter
    private var metrics = Metrics(database: "")
    private var written = ""
    private var hasFailed = false

    init(_ path: String, _ reporter: Reporter) {
        self.path = path
        self.reporter = reporter
    }

    /// Counts an event.
    func happened(_ record: AuditRecord) { metrics.happened(record) }

    /// Writes where the line stands; a file that cannot be written is told of once, and hinders nothing.
    func write(_ summary: RunSummary, database: String) {
        metrics.database = database
        metrics.stands(summary)
        let text = metrics.text
        guard text != written else { return }
        do throws(SystemFailure) {
            try NewFile.put(path, Array(text.utf8), mode: 0o644)
            written = text
            hasFailed = false
        } catch {
            guard !hasFailed else { return }
            hasFailed = true
            var complaint = error.complaint
            complaint.hint = "The metrics are not written; migrations go on. See 'metrics-file' in migrated.toml(5)."
            reporter.say(4, complaint)
        }
    }
}
