internal import Digest
internal import JSON
internal import Reporting

extension AuditRecord {
    /// The fields of its journal entry: MESSAGE, PRIORITY, MESSAGE_ID and one field per column that has a value.
    public var journalFields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = [
            ("MESSAGE", sentence), ("PRIORITY", String(priority)), ("MESSAGE_ID", event.event.messageID),
            ("SYSLOG_IDENTIFIER", "migrated"),
        ]
        for column in AuditColumn.allCases {
            guard let bytes = self[column] else { continue }
            fields.append((column.journalField, AuditRecord.text(bytes, column.form)))
        }
        return fields
    }

    /// The severity of its journal entry: that of its event, but for a lock that a stranger holds, behind which nothing runs.
    public var priority: Int {
        event.event == .skipped && event.reason == AuditEvent.lockedByOtherRole ? 3 : event.event.priority
    }

    /// A column's value for people and machines that read text.
    public static func text(_ bytes: [UInt8], _ form: AuditColumn.Form) -> String {
        switch form {
        case .text: String(decoding: bytes, as: UTF8.self)
        case .integer, .small: String(CanonicalForm.integer(bytes))
        case .uuid: UUID(bytes: bytes)?.description ?? Hex.text(bytes)
        case .time: Timestamp(microseconds: CanonicalForm.integer(bytes)).description
        case .bytes: Hex.text(bytes)
        }
    }

    /// One sentence for a person who is paged: what happened to what, and why.
    public var sentence: String {
        let what = event.name ?? event.version ?? "migrated"
        let took = event.durationUS.map { " in \(TimeSpan(microseconds: $0).brief)" } ?? ""
        let why = event.reason.map { ": " + $0.replacingUnderscores } ?? ""
        let about = event.object.map { " \($0)" } ?? ""
        let rows = event.rowCount.map { " (\($0) rows)" } ?? ""
        var text =
            switch event.event {
            case .started: "started \(what)" + (event.direction == .down ? " (rollback)" : "")
            case .applied: "applied \(what)\(took)\(settings)"
            case .failed, .rollbackFailed: failure(what)
            case .interrupted: "interrupted \(what)\(why)"
            case .skipped: "skipped \(what)\(why)\(about)"
            case .deferred: "deferred \(what)\(why)\(about)"
            case .statementApplied: "applied part \(part) of \(what)\(took)\(settings)"
            case .orphansDeleted: "deleted orphans of\(about) for \(what)\(rows)"
            case .orphansNullified: "set orphan references to null in\(about) for \(what)\(rows)"
            case .orphansRestored: "restored orphans of\(about) for \(what)\(rows)"
            case .constraintAdded:
                "added constraint\(about) for \(what)" + (event.reason.map { " (\($0.replacingUnderscores))" } ?? "")
            case .indexCreated: "created index\(about) for \(what)"
            case .invalidIndexDropped: "dropped invalid index\(about) of \(what)"
            case .rolledBack: "rolled back \(what)\(took)"
            case .resolved: "resolved \(what)\(why)"
            case .adopted: "adopted \(what)\(why)"
            case .driftDetected: "drift detected: " + (event.message ?? "\(what)\(why)\(about)")
            case .daemonStarted: "daemon started\(why)"
            case .daemonStopped: "daemon stopped\(why)"
            case .anchorGap: "anchor gap\(why)"
            case .acknowledged where event.object != nil: "acknowledged another history\(about)\(why)"
            case .acknowledged: "acknowledged that the history does not go on from its anchors\(why)"
            }
        text = Printable.line(text, limit: 2048)
        return text
    }

    private var part: String {
        [event.detail["segment"]?.integer, event.detail["segments"]?.integer].compactMap { $0.map(String.init) }.joined(
            separator: "/")
    }

    /// What it has left to later sessions.
    private var settings: String {
        let told = (event.detail["lasting_settings"]?.array ?? []).map { setting in
            "\(setting["reset"] == true ? "resets" : "sets") \(setting["setting"]?.string.map { "'\($0)'" } ?? "every setting") of \(setting["of"]?.string ?? "")"
        }
        return told.isEmpty ? "" : ", which for every later session \(told.joined(separator: ", "))"
    }

    private func failure(_ what: String) -> String {
        let place = [event.detail["line"]?.integer, event.detail["column"]?.integer].compactMap { $0.map(String.init) }
        let at = place.isEmpty ? "" : " at line " + place.joined(separator: ", column ")
        let state = event.sqlstate.map { " (SQLSTATE \($0))" } ?? ""
        let verb = event.event == .failed ? "failed" : "rollback failed of"
        return "\(verb) \(what)\(at): \(event.message ?? event.reason?.replacingUnderscores ?? "unknown error")\(state)"
    }
}

extension String {
    fileprivate var replacingUnderscores: String {
        String(decoding: utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }
}
