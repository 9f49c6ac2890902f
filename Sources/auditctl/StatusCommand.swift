internal import ArgumentParser
internal import AuditReading
internal import JSON
internal import Reporting

/// `status`: the newest state of every version, the end of the chain, and who is at work.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what is applied, what failed, and who holds the lock.",
        discussion: "json is one object with everything; ndjson and csv are the versions, one a line.")

    @OptionGroup var history: HistoryOptions
    @OptionGroup var form: OutputOptions

    func run() throws {
        let status = try history.reader().status()
        let output = Output()
        switch form.output {
        case .table: for line in lines(status, output) { try output.line(line) }
        case .json: try output.line(JSONText.safe(status.json.text))
        case .ndjson: for version in status.versions { try output.line(JSONText.safe(version.json.text)) }
        case .csv, .exactCSV:
            let columns = HistoryStatus.Version.columns
            try output.line(columns.joined(separator: ","))
            for version in status.versions {
                try output.record(columns.map { version.values[$0] }, form.output)
            }
        }
        try output.flush()
    }

    private func lines(_ status: HistoryStatus, _ output: Output) -> [String] {
        let head = status.head
        let when = head.recordedAt.map { ", recorded \(EventText.localTime($0))" } ?? ""
        let counts = status.counts
        let known = HistoryStatus.states.compactMap { state in
            counts[state].flatMap { $0 > 0 || state == "applied" || state == "failed" ? "\($0) \(state)" : nil }
        }
        var lines = [
            "database:  \(Printable.line(status.database)), schema \(Printable.line(status.schema))",
            "versions:  \(known.joined(separator: ", "))",
            head.seq == 0
                ? "head:      no event yet" : "head:      event \(head.seq)\(when), hash \(head.hash.prefix(16))…",
        ]
        // What is under way is told by its open attempt below.
        let open = Set(status.openAttempts.map(\.seq))
        for version in status.versions
        where !["applied", "rolled_back"].contains(version.status) && !open.contains(version.seq) {
            let text = StateText(version)
            lines.append("           " + output.coloured(text.sentence, text.colour))
        }
        for attempt in status.openAttempts {
            let what = attempt.name ?? attempt.version ?? attempt.attemptID
            let place = [attempt.host.map { "on \($0)" }, attempt.pid.map { "pid \($0)" }].compactMap(\.self)
            lines.append(
                Printable.line(
                    "open:      \(what) since \(EventText.localTime(attempt.startedAt)) \(place.joined(separator: ", "))"
                        + " (event \(attempt.seq))"))
        }
        for key in status.deferredKeys {
            let text = Printable.line(
                "deferred:  \(key.object ?? "a key") of \(key.name ?? key.version ?? "?") waits for \(key.missing)"
                    + " (event \(key.seq))")
            lines.append(output.coloured(text, .yellow))
        }
        if status.lockHolders.isEmpty { lines.append("lock:      nobody holds it") }
        for holder in status.lockHolders {
            let since = holder.connectedAt.map { ", connected \(EventText.localTime($0))" } ?? ""
            let role = holder.role.map { " as '\($0)'" } ?? ""
            lines.append(
                Printable.line(
                    "lock:      held by '\(holder.applicationName)'\(role), backend \(holder.backendPID)\(since)"))
        }
        return lines
    }
}
