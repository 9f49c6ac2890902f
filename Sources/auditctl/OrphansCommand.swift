internal import ArgumentParser
internal import Audit
internal import AuditReading
internal import JSON
internal import Reporting

/// `orphans`: what cleanups of foreign keys took out, and what of it came back.
struct OrphansCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orphans", abstract: "Show which rows were deleted or changed for foreign keys.",
        discussion: """
            One line for each cleanup: when, by which migration and attempt, what was done to how many rows of which table and \
            column, and how many came back. --rows shows the rows themselves as they were before.
            """)

    @OptionGroup var history: HistoryOptions
    @OptionGroup var form: OutputOptions
    @Option(name: .long, help: ArgumentHelp("Of the migration with this version or name.", valueName: "version"))
    var migration: String?
    @Option(name: .long, help: ArgumentHelp("Of this attempt.", valueName: "uuid"))
    var attempt: String?
    @Flag(name: .long, help: "Show the kept rows.")
    var rows = false

    func run() throws {
        var filter = OrphanFilter(migration: migration)
        if let attempt {
            guard let id = UUID(attempt) else { throw Complaint(.usage, "--attempt '\(attempt)' is no uuid") }
            filter.attempt = id
        }
        let reader = try history.reader()
        if rows { return try printRows(reader, filter) }
        try printCleanups(try reader.cleanups(filter))
    }

    // MARK: Cleanups

    private func printCleanups(_ cleanups: [OrphanCleanup]) throws {
        let output = form.opened()
        switch form.output {
        case .table: try table(cleanups, output)
        case .json: try output.line(JSONText.safe(JSONValue.array(cleanups.map(\.json)).text))
        case .ndjson: for cleanup in cleanups { try output.line(JSONText.safe(cleanup.json.text)) }
        case .csv, .exactCSV:
            try output.line(OrphanCleanup.columns.joined(separator: ","))
            for cleanup in cleanups { try output.record(cleanup.fields, form.output) }
        }
        try output.flush()
    }

    private func table(_ cleanups: [OrphanCleanup], _ output: Output) throws {
        guard !cleanups.isEmpty else { return try output.line("no row was deleted or changed for a foreign key") }
        let lines = cleanups.map { cleanup -> [String] in
            [
                EventText.localTime(cleanup.recordedAt), String(cleanup.seq), Printable.line(cleanup.version ?? "-"),
                cleanup.action, String(cleanup.rowCount), String(cleanup.restored),
                Printable.line(cleanup.object ?? "-"), Printable.line(cleanup.attemptID ?? "-"),
            ]
        }
        let titles = ["TIME", "SEQ", "VERSION", "ACTION", "ROWS", "RESTORED", "COLUMN", "ATTEMPT"]
        try output.columns(titles, lines, right: [1, 4, 5])
    }

    // MARK: Rows

    private func printRows(_ reader: HistoryReader, _ filter: OrphanFilter) throws {
        let output = form.opened()
        if [.csv, .exactCSV].contains(form.output) { try output.line(KeptOrphan.columns.joined(separator: ",")) }
        if form.output == .json { try output.bytes(Array("[".utf8)) }
        var last: Int64 = 0
        var isFirst = true
        while true {
            let page = try reader.keptOrphans(filter, after: last)
            for row in page {
                switch form.output {
                case .table: try output.line(sentence(row))
                case .json: try output.bytes(Array(((isFirst ? "\n" : ",\n") + row.json).utf8))
                case .ndjson: try output.line(row.json)
                case .csv, .exactCSV: try output.record(row.fields, form.output)
                }
                isFirst = false
            }
            guard let newest = page.last?.id else { break }
            last = newest
        }
        if form.output == .json { try output.line(isFirst ? "]" : "\n]") }
        if form.output == .table, isFirst { try output.line("no row is kept") }
        try output.flush()
        let altered = try reader.alteredCleanups(filter)
        guard let first = altered.first else { return }
        let further = altered.count > 1 ? " and \(altered.count - 1) more" : ""
        throw Complaint(
            .failed, "the rows kept for event \(first)\(further) are not those that it was recorded with",
            hint: "Somebody has changed them: 'auditctl verify' says what it finds.")
    }

    private func sentence(_ row: KeptOrphan) -> String {
        let outcome = row["outcome"].map { " (\($0))" } ?? ""
        let content = row["old_row"] ?? row["old_text"] ?? ""
        return Printable.line(
            "event \(row["seq"] ?? "?")  \(row["action"] ?? "?") from \(row["table"] ?? "?")\(outcome): \(content)")
    }
}
