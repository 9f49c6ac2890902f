internal import AuditReading
internal import Reporting

/// The words for the newest state of a version. Every line is safe for a terminal.
struct StateText {
    let version: HistoryStatus.Version
    init(_ version: HistoryStatus.Version) { self.version = version }

    /// Version, name, state and checksum, one a line.
    var header: [String] {
        let rows = [
            ("version", version.version), ("name", version.name), ("state", version.status),
            ("since", "event \(version.seq)"), ("checksum", version.values["checksum"]),
        ]
        return rows.compactMap { name, value in
            value.map { TextWidth.padded(name + ":", 10) + Printable.line($0) }
        }
    }

    /// What went wrong or why it waits, with the event to look at.
    var sentence: String {
        let values = version.values
        let why = [values["reason"], values["message"]].compactMap(\.self).joined(separator: ": ")
        let state = values["sqlstate"].map { " (SQLSTATE \($0))" } ?? ""
        let name = version.name ?? version.version
        return Printable.line(
            "\(version.status) \(name) (event \(version.seq))" + (why.isEmpty ? "" : ": " + why) + state)
    }

    /// The colour of its state.
    var colour: Colour? {
        switch version.status {
        case "failed", "interrupted": .red
        case "skipped", "deferred", "started": .yellow
        default: nil
        }
    }
}
