internal import Reporting
internal import Runner
internal import Systemd

/// The line at the end of a terminal's screen that says how far a run has come, drawn again and again in its place and gone at the end.
///
/// Only where stderr is a terminal that can take a line back; it has no colours.
final class ProgressLine {
    private var isShown = false
    private var drawn: Instant?
    /// More than ten a second nobody can read.
    private static let interval = TimeSpan.milliseconds(100)

    /// Has the reporter's progress drawn while `body` runs.
    static func shown<Value, Failure: Error>(
        by reporter: Reporter, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let terminal = Process.environment("TERM") ?? ""
        guard Process.isTerminal(2), terminal != "dumb", !terminal.isEmpty else { return try body() }
        let line = ProgressLine()
        reporter.onProgress = { line.draw($0) }
        reporter.onLine = { line.remove() }
        defer {
            line.remove()
            reporter.onProgress = nil
            reporter.onLine = nil
        }
        return try body()
    }

    private func draw(_ progress: Progress) {
        let now = Instant.now()
        if let drawn, now < drawn + ProgressLine.interval { return }
        drawn = now
        // The last column stays free: a full line would wrap.
        let width = (Process.terminalWidth(2) ?? 80) - 1
        let meter = progress.share.map { Meter.text($0) + "  " } ?? ""
        let shown = width >= meter.utf8.count + 20 ? meter : ""
        // To the line's begin, and what stands behind it erased (ECMA-48, EL).
        write(
            "\r" + shown + TextWidth.clipped(Printable.line(progress.text), max(1, width - shown.utf8.count))
                + "\u{1B}[K")
        isShown = true
    }

    private func remove() {
        guard isShown else { return }
        isShown = false
        write("\r\u{1B}[K")
    }

    private func write(_ text: String) {
        do {
            try Process.write(Array(text.utf8), to: 2)
        } catch {
            // Nobody looks any more.
        }
    }
}
