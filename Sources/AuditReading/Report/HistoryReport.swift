internal import Audit
internal import JSON
public import Reporting

/// What happened to a database in a stretch of time, as an auditor asks for it.
public struct HistoryReport: Sendable, Equatable {
    /// One event, as far as a report tells of it.
    public struct Entry: Sendable, Equatable {
        public var seq: Int64
        public var moment: Timestamp
        /// The word in the column `event`.
        public var event: String
        public var version: String?
        public var name: String?
        public var checksum: String?
        public var reason: String?
        public var object: String?
        public var rowCount: Int64?
        public var durationUS: Int64?
        public var sqlstate: String?
        public var message: String?
        /// `line 3, column 8`.
        public var place: String?
        public var by: String?
        public var host: String?
        /// `table changed`, where an object was changed by others than migrations.
        public var change: String?
        /// The lines of it that went, behind a minus sign, and those that came, behind a plus sign; the first few.
        public var difference: [String] = []

        /// What it is about: the whole name, else the version.
        public var title: String { name ?? version ?? object ?? "-" }
    }

    /// A version that failed, from its first failure until it was mended.
    public struct Incident: Sendable, Equatable {
        public var first: Entry
        public var last: Entry
        /// Failures.
        public var count: Int
        /// The event that ended it; nil while it is open.
        public var mended: Entry?
        /// Whether the first failure lies before the reported time.
        public var beganBefore: Bool

        /// How long it was open, in microseconds of the server's clock; nil while it is.
        public var lasted: Int64? {
            guard let mended else { return nil }
            let (span, overflow) = mended.moment.microseconds.subtractingReportingOverflow(first.moment.microseconds)
            return overflow ? nil : max(0, span)
        }
    }

    /// The same thing left out for the same reason, once or several times.
    public struct Skip: Sendable, Equatable {
        public var first: Entry
        public var last: Entry
        public var count: Int
    }

    /// Entries of one kind: as many as a page can hold, and how many there are.
    public struct List<Element: Sendable & Equatable>: Sendable, Equatable {
        public var shown: [Element] = []
        public var count = 0
        /// So many are kept.
        public static var limit: Int { 10_000 }

        mutating func add(_ element: Element) {
            count += 1
            if shown.count < Self.limit { shown.append(element) }
        }
    }

    /// What an event is counted as in the timeline.
    public enum Category: UInt8, Sendable, CaseIterable { case changed, failed, skipped, rows, drifted }

    /// The reported time; nil for an open end.
    public var since: Timestamp?
    public var until: Timestamp?
    /// Events in that time, and the first and last of them.
    public var count: Int64 = 0
    public var first: Entry?
    public var last: Entry?
    /// How many events of each kind there are.
    public var kinds: [String: Int64] = [:]
    /// Applied, rolled back, adopted, resolved.
    public var changes = List<Entry>()
    public var incidents: [Incident] = []
    public var skips: [Skip] = []
    /// Skips that had no room in the list.
    public var furtherSkips = 0
    /// Cleanups of orphans, and what was put back.
    public var rows = List<Entry>()
    /// Drift and gaps of the anchors.
    public var drift = List<Entry>()
    /// Who caused how many changes.
    public var actors: [String: Int64] = [:]
    /// When something of each category happened, for the timeline.
    public var moments: [(moment: Int64, category: Category)] = []

    /// Migrations that were brought in, by a run or as an operator decided.
    public var applied: Int64 { kinds[EventKind.applied.rawValue] ?? 0 }
    /// Rows that cleanups deleted or set to null.
    public var rowsTakenOut: Int64 = 0
    /// Rows that were put back.
    public var rowsRestored: Int64 = 0
    /// Incidents without an end.
    public var open: Int { incidents.count { $0.mended == nil } }

    public static func == (left: HistoryReport, right: HistoryReport) -> Bool {
        left.count == right.count && left.kinds == right.kinds && left.changes == right.changes
            && left.incidents == right.incidents && left.skips == right.skips && left.rows == right.rows
            && left.drift == right.drift && left.actors == right.actors
    }
}

extension HistoryReport.Entry {
    /// An event as its row has it, with texts of its own.
    public init(_ row: HistoryRow) {
        let detail = row.detail
        let numbers = [("line", detail["line"]?.integer), ("column", detail["column"]?.integer)]
        let place = numbers.compactMap { name, number in number.map { "\(name) \($0)" } }.joined(separator: ", ")
        self.init(
            seq: row.seq, moment: row.recordedAt, event: row.text(.event) ?? "?", version: row.text(.version),
            name: row.text(.name), checksum: row.text(.checksum), reason: row.text(.reason), object: row.text(.object),
            rowCount: row.integer(.rowCount), durationUS: row.integer(.durationUS), sqlstate: row.text(.sqlstate),
            message: row.text(.message), place: place.isEmpty ? nil : place, by: row.text(.initiatedBy),
            host: row.text(.host))
        if let kind = detail["class"]?.string, let word = detail["change"]?.string { change = "\(kind) \(word)" }
        let lines = detail["difference"]?.array?.compactMap(\.string) ?? []
        difference = lines.prefix(4).map { Printable.bounded($0, 160) }
        if lines.count > difference.count { difference.append("…") }
    }
}
