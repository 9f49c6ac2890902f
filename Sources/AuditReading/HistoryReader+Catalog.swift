internal import Audit
internal import Digest
internal import Postgres
internal import Reporting

/// What tells two series of readings apart, in constant memory: each is fed with the event and the digest of a reading after the other.
struct ReadingSum: Equatable, Sendable {
    private(set) var count = 0
    private var hash: [UInt8] = []

    mutating func add(event: some Sequence<UInt8>, digest: [UInt8]) {
        count += 1
        hash = SHA256.hash(hash + event + digest)
    }
}

extension HistoryReader {
    /// The first version of the history's schema that keeps readings of the catalog.
    static let catalogVersion = 5
    /// The first one that knows of objects that are left out, and which server has printed a reading.
    static let ignoredVersion = 8

    /// Holds the readings of the catalog against the events that vouch for them, and what is kept of each object against its reading's
    /// digest, all computed here.
    func readCatalog(into check: inout Verification) throws(PostgresError) {
        var sum = ReadingSum()
        var expected: Int64 = 1
        var wrong: Int64?
        let (readings, definitions) = ("\(quoted).catalog_reading", "\(quoted).catalog_definition")
        let version = try connection.query("SELECT h.schema_version FROM \(quoted).audit_head AS h").integer(0, 0)
        let ignored =
            version ?? 0 >= HistoryReader.ignoredVersion ? "array_to_json(nullif(r.ignored, '{}'))::text" : "NULL"
        try connection.run(
            """
            DECLARE readings NO SCROLL CURSOR FOR SELECT r.id, r.event_id::text, encode(r.digest, 'hex'), \(ignored) FROM \(readings) AS r ORDER BY r.id;
            DECLARE definitions NO SCROLL CURSOR FOR SELECT d.reading, d.class, d.object, d.definition FROM \(definitions) AS d
             ORDER BY d.reading, d.class COLLATE pg_catalog."C", d.object COLLATE pg_catalog."C"
            """)
        var objects = Fetched(connection, "definitions")
        while true {
            let page = try connection.query("FETCH 1000 FROM readings")
            if page.rows.isEmpty { break }
            for row in page.rows.indices {
                guard let id = page.integer(row, 0), let event = page.text(row, 1).flatMap({ UUID($0) }),
                    let digest = page.text(row, 2)
                else { continue }
                var bytes: [UInt8] = []
                while let (result, place) = try objects.current(), let reading = result.integer(place, 0),
                    reading <= id
                {
                    if reading < id { wrong = wrong ?? reading }
                    for column in 1...3 {
                        let cell = result.rows[place][column]
                        bytes += CanonicalForm.small(cell.map { Int32($0.count) } ?? -1) + (cell ?? [])
                    }
                    objects.advance()
                }
                if let patterns = page.rows[row][3] { bytes += CanonicalForm.small(Int32(patterns.count)) + patterns }
                if id != expected || SHA256.hex(bytes) != digest { wrong = wrong ?? id }
                expected = id &+ 1
                sum.add(event: event.bytes, digest: Array(digest.utf8))
            }
        }
        if try objects.current() != nil { wrong = wrong ?? expected }
        try connection.run("CLOSE readings; CLOSE definitions")
        if let wrong {
            check.foundCatalog(.edited, nil, "what reading \(wrong) of the catalog has kept is not what was read")
        }
        guard sum != check.readings else { return }
        let (seq, what) = try firstUnvouched(readings)
        check.foundCatalog(
            what == nil ? .removed : .edited, seq,
            what ?? "the reading of the catalog that event \(seq ?? 0) vouches for is not kept any more")
    }

    /// The first reading that no event vouches for, in words, or else the first event whose reading is not there.
    private func firstUnvouched(_ readings: String) throws(PostgresError) -> (Int64?, String?) {
        let alone = try connection.query(
            """
            SELECT r.id, e.seq FROM \(readings) AS r LEFT JOIN \(table) AS e ON e.event_id = r.event_id
             WHERE coalesce(position('"sha256":"' || encode(r.digest, 'hex') IN e.detail), 0) = 0 ORDER BY r.id LIMIT 1
            """)
        if !alone.rows.isEmpty {
            return (alone.integer(0, 1), "no event vouches for reading \(alone.integer(0, 0) ?? 0) of the catalog")
        }
        let gone = try connection.query(
            """
            SELECT min(e.seq) FROM \(table) AS e WHERE e.detail LIKE '%"catalog":{"changes":%'
               AND NOT EXISTS (SELECT FROM \(readings) AS r WHERE r.event_id = e.event_id)
            """)
        return (gone.integer(0, 0), nil)
    }

    /// Whether the objects of the database are as migrations left them, a note for each that is not. What cannot be compared is a note, too.
    public func catalogLines() throws(HistoryError) -> [IntegrityLine] {
        do throws(HistoryError) {
            return try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
                try compareCatalog()
            }
        } catch {
            guard connection.isAlive else { throw error }
            return [IntegrityLine(.note, .catalog, nil, "objects cannot be compared: \(error.complaint.message)")]
        }
    }

    private func compareCatalog() throws(PostgresError) -> [IntegrityLine] {
        func notCompared(_ why: String) -> [IntegrityLine] {
            [IntegrityLine(.note, .catalog, nil, "objects were not compared: \(why)")]
        }
        let version = try connection.query("SELECT h.schema_version FROM \(quoted).audit_head AS h").integer(0, 0)
        guard version ?? 0 >= HistoryReader.catalogVersion else { return notCompared("the history's schema is older") }
        let knowsServer = version ?? 0 >= HistoryReader.ignoredVersion
        let state = try connection.query(
            "SELECT s.seq, s.is_last_word\(knowsServer ? ", s.server, s.server_now" : "") FROM \(quoted).catalog_state AS s"
        )
        guard !state.rows.isEmpty, let seq = state.integer(0, 0) else {
            return notCompared("no run of migrated has read the catalog yet")
        }
        guard state.isTrue(0, 1) else {
            return notCompared("a migration is under way or was cut off since event \(seq)")
        }
        if knowsServer, let before = state.integer(0, 2), let now = state.integer(0, 3), before != now {
            return notCompared(
                "the newest reading is from PostgreSQL \(before), and this is \(now), which prints them in other words; the next run reads them again"
            )
        }
        let view = version ?? 0 >= HistoryReader.rowValueVersion ? "catalog_outside_change" : "catalog_change"
        let found = try connection.query(
            """
            SELECT c.class, c.object, c.before IS NULL, c.now IS NULL, count(*) OVER ()
              FROM \(quoted).\(view) AS c ORDER BY c.class, c.object LIMIT 50
            """)
        guard !found.rows.isEmpty else {
            return [IntegrityLine(.pass, .catalog, nil, "every object is as event \(seq) left it", count: 0)]
        }
        var lines = found.rows.indices.map { row in
            let change = found.isTrue(row, 2) ? "added" : found.isTrue(row, 3) ? "removed" : "changed"
            return IntegrityLine(
                .note, .catalog, found.text(row, 1),
                "\(found.text(row, 0) ?? "object") was \(change) outside of migrated since event \(seq)")
        }
        let further = (found.integer(0, 4) ?? 0) - Int64(lines.count)
        if further > 0 { lines.append(IntegrityLine(.note, .catalog, nil, "so were \(further) more", count: further)) }
        return lines
    }
}

/// Rows of a cursor, one after the other.
private struct Fetched {
    private let connection: Connection
    private let cursor: String
    private var page: QueryResult?
    private var place = 0

    init(_ connection: Connection, _ cursor: String) {
        self.connection = connection
        self.cursor = cursor
    }

    /// The row that is next; nil after the last.
    mutating func current() throws(PostgresError) -> (QueryResult, Int)? {
        if let page, place < page.rows.count { return (page, place) }
        if let page, page.rows.isEmpty { return nil }
        let next = try connection.query("FETCH 1000 FROM \(cursor)")
        page = next
        place = 0
        return next.rows.isEmpty ? nil : (next, 0)
    }

    mutating func advance() { place += 1 }
}
