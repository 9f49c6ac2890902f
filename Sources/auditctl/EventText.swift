internal import Audit
internal import AuditReading
internal import JSON
internal import Reporting
internal import Systemd

/// The words for one event. Everything that comes out is one line, safe for a terminal.
struct EventText {
    let row: HistoryRow
    init(_ row: HistoryRow) { self.row = row }

    /// `2026-03-01 14:05:09` of local time.
    static func localTime(_ moment: Timestamp) -> String { String(WallClock.localText(moment.microseconds).prefix(19)) }

    /// Name and facts, for a line that already shows event and version.
    var summary: String {
        var text = facts
        if let name = row.text(.name), name != row.text(.version) { text = text.isEmpty ? name : "\(name): \(text)" }
        if text.isEmpty { text = actor }
        return Printable.line(text)
    }

    /// What happened beyond the kind of event: reason, object, numbers, place and message.
    var facts: String {
        var parts: [String] = []
        if row.text(.direction) == "down" { parts.append("down") }
        if row.kind == .statementApplied, let part { parts.append(part) }
        if let reason = row.text(.reason) { parts.append(reason) }
        if let object = row.text(.object) { parts.append(object) }
        if let rows = row.integer(.rowCount) { parts.append(rows == 1 ? "1 row" : "\(rows) rows") }
        if let duration = row.integer(.durationUS) { parts.append(TimeSpan(microseconds: duration).brief) }
        if let failure { parts.append(failure) }
        return Printable.line(parts.joined(separator: ", "))
    }

    /// Which part of a file that is not one transaction.
    private var part: String? {
        let detail = row.detail
        guard let part = detail["segment"]?.integer, let parts = detail["segments"]?.integer else { return nil }
        return "part \(part) of \(parts)"
    }

    /// The failure's place, message and error code.
    private var failure: String? {
        guard let message = row.text(.message) else { return row.text(.sqlstate).map { "SQLSTATE \($0)" } }
        let detail = row.detail
        let numbers = [("line", detail["line"]?.integer), ("column", detail["column"]?.integer)]
        let place = numbers.compactMap { name, number in number.map { "\(name) \($0)" } }.joined(separator: ", ")
        let state = row.text(.sqlstate).map { " (SQLSTATE \($0))" } ?? ""
        return (place.isEmpty ? "" : place + ": ") + message + state
    }

    /// Who, where and in which process.
    var actor: String {
        var parts = ["by \(row.text(.initiatedBy) ?? "?")"]
        if let host = row.text(.host) { parts.append("on \(host)") }
        if let pid = row.integer(.pid) { parts.append("(pid \(pid))") }
        return Printable.line(parts.joined(separator: " "))
    }

    /// Who has signed the file of an attempt, and with which manifest; nil where nobody had to, and for events that begin none.
    var signer: String? {
        guard row.kind == .started, let signature = row.detail["signature"], let signer = signature["signer"]?.string
        else { return nil }
        let key = signature["key"]?.string.map { " with key \($0)" } ?? ""
        let file = signature["file"]?.string.map { " in \($0)" } ?? ""
        let serial = row.detail["manifest"]?["serial"]?.integer.map { ", serial \($0)" } ?? ""
        return Printable.line("signed by \(signer)\(key)\(file)\(serial)")
    }

    /// Columns that have a value, as `name: value`, without those in `hidden`.
    func columns(hiding hidden: Set<AuditColumn> = []) -> [String] {
        AuditColumn.allCases.filter { !hidden.contains($0) && $0 != .detail }.compactMap { column in
            guard let text = row.text(column) else { return nil }
            let more =
                switch column {
                case .recordedAt: " (\(EventText.localTime(row.recordedAt)) here)"
                case .durationUS: " (\(TimeSpan(microseconds: row.integer(.durationUS) ?? 0).brief))"
                default: ""
                }
            return "\(column.rawValue): \(Printable.line(text))\(more)"
        }
    }

    /// The members of `detail`, as indented `name: value` lines.
    var details: [String] { EventText.lines(row.detail, indent: "") }

    private static func lines(_ value: JSONValue, indent: String) -> [String] {
        guard case .object(let members) = value else {
            return value == .null ? [] : [indent + "detail: " + JSONText.safe(plain(value))]
        }
        return members.sorted { $0.key < $1.key }.flatMap { key, value -> [String] in
            let name = indent + Printable.line(key) + ":"
            switch value {
            // The numbers of a table's columns: for restoring, not for reading.
            case .object where key == "columns": return ["\(name) \(flat(value))"]
            case .object(let inner) where !inner.isEmpty: return [name] + lines(value, indent: indent + "  ")
            case .array(let elements) where elements.contains { $0["verdict"] != nil && $0["what"] != nil }:
                return [name] + elements.map { indent + "  " + remark($0) }
            case .array(let elements) where key == "sample_keys":
                return [name] + elements.map { indent + "  - " + flat($0) }
            case .array(let elements) where key == "difference":
                return [name] + elements.map { indent + "  " + plain($0) }
            case .array(let elements) where elements.contains(where: \.isNested):
                return [name]
                    + elements.flatMap { element in
                        element.isNested
                            ? [indent + "  -"] + lines(element, indent: indent + "    ")
                            : [indent + "  - " + plain(element)]
                    }
            default: return ["\(name) \(plain(value))"]
            }
        }
    }

    /// The members of an object in one line.
    private static func flat(_ value: JSONValue) -> String {
        guard case .object(let members) = value else { return plain(value) }
        return members.sorted { $0.key < $1.key }.map { "\(Printable.line($0.key)): \(plain($0.value))" }.joined(
            separator: ", ")
    }

    /// One remark of a preflight, as the command of that name tells it.
    private static func remark(_ value: JSONValue) -> String {
        func text(_ key: String) -> String? { value[key]?.string }
        let verdict = text("verdict") ?? ""
        let word = verdict + String(repeating: " ", count: max(0, 4 - verdict.count))
        let line = value["line"]?.integer.map { "line \($0)" }
        return Printable.line(
            word + " " + [line, text("object"), text("what")].compactMap(\.self).joined(separator: ": "))
    }

    private static func plain(_ value: JSONValue) -> String {
        if let string = value.string { return Printable.line(string) }
        if let elements = value.array { return elements.map(plain).joined(separator: ", ") }
        return JSONText.safe(value.text)
    }
}

extension JSONValue {
    /// Whether it holds members of its own.
    fileprivate var isNested: Bool {
        guard case .object(let members) = self else { return false }
        return !members.isEmpty
    }
}
