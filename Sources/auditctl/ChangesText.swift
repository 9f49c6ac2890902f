internal import AuditReading
internal import Reporting

/// The words for what an attempt has changed: each object, and below it the lines that went and that came.
struct ChangesText {
    let lines: [String]

    init(_ changes: VouchedChanges?) {
        guard let changes else {
            lines = []
            return
        }
        var lines = changes.changes.isEmpty ? [] : ["changed:"]
        if !changes.isVouched {
            lines = ["changed (what is kept is not what the event vouches for: see 'auditctl verify'):"]
        }
        for change in changes.changes {
            lines.append(Printable.line("  \(change.kind) \(change.object) was \(change.word)"))
            lines += change.difference.map { "    " + Printable.line($0) }
        }
        self.lines = lines
    }
}
