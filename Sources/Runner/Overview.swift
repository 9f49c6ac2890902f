internal import AuditReading
internal import Configuration
public import JSON
internal import Migrations
internal import Postgres
internal import Reporting

/// Where a database stands, for one screen: what is applied, what is pending or failed and why, who is at work, and what it waits for.
public struct Overview: Sendable {
    let outlook: Outlook
    let history: HistoryStatus?
    let activities: [Activity]

    /// Where the line stands, which gives the exit status.
    public var summary: RunSummary { outlook.summary }

    /// The screen.
    public var lines: [String] {
        var lines: [String] = []
        if let history {
            let when = history.head.recordedAt.map { ", the newest of \($0)" } ?? ""
            lines.append(
                "database  \(Printable.line(history.database)), history in schema '\(Printable.line(history.schema))' with \(history.head.seq) events\(when)"
            )
        } else {
            lines.append("database  no history yet")
        }
        lines.append("files     \(Printable.line(outlook.directory)), layout \(outlook.layout.rawValue)")
        lines.append("line      \(outlook.summary.status)")
        for entry in outlook.entries {
            let state = entry.state
            guard state.word != "applied" && state.word != "covered" || state.why != nil else { continue }
            let why = state.why.map { "  (\(Printable.line($0)))" } ?? ""
            lines.append("\(padded(state.word))\(Printable.line(entry.step.migration.name))\(why)")
            if let message = message(of: entry) { lines.append("          \(Printable.line(message, limit: 200))") }
        }
        lines += outlook.missing.map { "missing   \(Printable.line($0))  (applied, and its file is not there)" }
        lines += outlook.vanished.map { "missing   \(Printable.line($0))" }
        for key in history?.deferredKeys ?? [] {
            lines.append(Printable.line("deferred  \(key.object ?? "a key") waits for \(key.missing)"))
        }
        for holder in history?.lockHolders ?? [] {
            lines.append(Printable.line("lock      held by '\(holder.applicationName)', backend \(holder.backendPID)"))
        }
        return lines + activities.map(\.line)
    }

    /// The same for machines.
    public var json: JSONValue {
        [
            "status": .string(outlook.summary.status), "plan": outlook.json,
            "history": history?.json ?? .null, "running": .array(activities.map(\.json)),
        ]
    }

    /// The failure's own words, where the version's newest state is a failure.
    private func message(of entry: Outlook.Entry) -> String? {
        guard case .waitsForMending = entry.step.action else { return nil }
        let version = history?.versions.last { $0.name == entry.step.migration.name }
        return version?.values["message"]
    }

    private func padded(_ word: String) -> String { word + String(repeating: " ", count: max(1, 10 - word.count)) }
}

extension Engine {
    /// Looks at directory, history and sessions; changes nothing.
    public func overview() throws(RunFailure) -> Overview {
        let outlook = try outlook()
        let connection = try sessions.books()
        let activities = try sessions.run(connection, Activity.question(serverVersion: connection.serverVersion))
            .last.map { result in result.rows.indices.map { Activity(result, $0) } }
        var status: HistoryStatus?
        if try store.installedVersion(connection) != nil {
            do throws(HistoryError) {
                status = try HistoryReader(connection, schema: settings.schema).status()
            } catch {
                throw .complaint(error.complaint)
            }
        }
        return Overview(outlook: outlook, history: status, activities: activities ?? [])
    }
}
