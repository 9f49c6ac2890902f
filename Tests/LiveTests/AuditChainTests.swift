import Audit
import AuditReading
import Digest
import JSON
import LiveSupport
import Postgres
import Testing

/// Splitmix64: the same numbers in every run.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct `The chain in the database` {
    private func random(_ generator: inout Seeded) throws -> AuditEvent {
        func word() -> String? {
            let scalars: [Unicode.Scalar] = ["a", "é", "日", "🦀", "'", "\"", "\\", "\n", "\u{1}", " ", "{", "\u{301}"]
            guard Bool.random(using: &generator) else { return nil }
            let length = Int.random(in: 0...12, using: &generator)
            return String(
                String.UnicodeScalarView((0..<length).compactMap { _ in scalars.randomElement(using: &generator) }))
        }
        func number() -> Int64? {
            Bool.random(using: &generator)
                ? nil : [0, 1, .max, Int64.random(in: 0...1 << 40, using: &generator)].randomElement(using: &generator)
        }
        let actor = AuditEvent.Actor(
            initiatedBy: word() ?? "", host: word() ?? "", dbUser: word() ?? "",
            pid: .random(in: .min ... .max, using: &generator),
            invocationID: word())
        let kind = try #require(EventKind.allCases.filter { $0 != .applied }.randomElement(using: &generator))
        var event = AuditEvent(kind, by: actor, id: UUID(using: &generator))
        event.attemptID = Bool.random(using: &generator) ? UUID(using: &generator) : nil
        event.version = word()
        event.name = word()
        event.checksum = word().map { "sha256:" + SHA256.hex(Array($0.utf8)) }
        event.direction = [nil, .up, .down].randomElement(using: &generator) ?? nil
        event.reason = word()
        event.object = word()
        event.rowCount = number()
        event.durationUS = number()
        event.sqlstate = word()
        event.message = word()
        if let text = word() { event.detail = [text: .string(text), "n": JSONValue(number())] }
        return event
    }

    @Test func `has the hash that Swift computes, for events of every shape`() throws {
        var generator = Seeded(state: 20_260_131)
        let history = try RecordedHistory()
        for _ in 0..<500 {
            // Before the year 2000 the microseconds are negative; the ends are PostgreSQL's own.
            let moment = Int64.random(in: -211_813_488_000_000_000...9_223_371_331_199_999_999, using: &generator)
            try history.append(try random(&generator), at: moment)
        }
        let found = try history.database.query(
            """
            SELECT count(*), count(*) FILTER (WHERE a.hash = migrated.event_hash(a)), h.seq, encode(h.hash, 'hex')
              FROM migrated.migration_rollback_audit AS a, migrated.audit_head AS h GROUP BY h.seq, h.hash
            """)
        #expect(found == "500|500|500|\(Hex.text(history.head.hash))")
        let reader = HistoryReader(history.connection, schema: "migrated")
        var pages = try reader.log(HistoryFilter())
        var rows: [HistoryRow] = []
        while let page = try pages.next() { rows += page }
        #expect(rows == history.records.map { HistoryRow($0) })
        // The chain holds; only the files that these events name were never kept.
        guard case .tampered(let findings) = reader.verify().verdict else {
            Issue.record("some of these events name a file")
            return
        }
        #expect(findings.allSatisfy { $0.kind == .removed })
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch { return (error as? PostgresError)?.sqlstate }
    }

    private func applied(_ version: String, checksum: String? = nil, reason: String? = nil) -> AuditEvent {
        var event = AuditEvent(.applied, by: RecordedHistory.actor)
        event.version = version
        event.name = "\(version)_x"
        event.direction = .up
        event.reason = reason
        event.checksum = checksum
        return event
    }

    @Test func `refuses what does not follow its head or does not have its hash`() throws {
        let history = try RecordedHistory()
        try history.append(applied("1"))
        let event = AuditEvent(.deferred, by: RecordedHistory.actor)
        let early = AuditRecord(event, after: ChainHead(seq: 0, hash: history.head.hash), recordedAt: 0)
        #expect(refusal { try history.send(early) } == "MG001")
        let late = AuditRecord(event, after: ChainHead(seq: 2, hash: history.head.hash), recordedAt: 0)
        #expect(refusal { try history.send(late) } == "MG001")
        let astray = AuditRecord(event, after: ChainHead(seq: 1, hash: SHA256.hash([])), recordedAt: 0)
        #expect(refusal { try history.send(astray) } == "MG001")
        var columns = AuditRecord(event, after: history.head, recordedAt: 0).columns
        columns[.host] = Array("elsewhere".utf8)
        #expect(refusal { try history.send(columns) } == "MG002")
        try history.append(event)
    }

    @Test func `takes what one call holds as one: all of it, in order, or nothing`() throws {
        let history = try RecordedHistory()
        let first = AuditRecord(applied("1"), after: history.head, recordedAt: 0)
        let second = AuditRecord(AuditEvent(.started, by: RecordedHistory.actor), after: first.head, recordedAt: 0)
        #expect(refusal { try history.send([second, first]) } == "MG001")
        #expect(refusal { try history.send([first, first]) } == "MG001")
        // Two applications of one version would not see each other in the table.
        let again = AuditRecord(applied("1"), after: first.head, recordedAt: 0)
        #expect(refusal { try history.send([first, again]) } == "MG003")
        try history.send([first, second])
        let third = AuditRecord(applied("1"), after: second.head, recordedAt: 0)
        #expect(refusal { try history.send(third) } == "MG003")
    }

    @Test func `refuses a second application, but not after a rollback or of a changed repeatable file`() throws {
        let history = try RecordedHistory()
        let one = "sha256:" + SHA256.hex([1])
        let two = "sha256:" + SHA256.hex([2])
        try history.append(applied("1", checksum: one))
        #expect(refusal { try history.append(applied("1", checksum: one)) } == "MG003")
        #expect(refusal { try history.append(applied("1", checksum: two)) } == "MG003")
        #expect(refusal { try history.append(applied("1", checksum: one, reason: "repeatable")) } == "MG003")
        try history.append(applied("1", checksum: two, reason: "repeatable"))
        var renamed = applied("2", checksum: one)
        renamed.name = "1_x"
        #expect(refusal { try history.append(renamed) } == "MG003")
        var back = AuditEvent(.rolledBack, by: RecordedHistory.actor)
        back.version = "1"
        back.name = "1_x"
        back.direction = .down
        try history.append(back)
        try history.append(applied("1", checksum: one))
        let reader = HistoryReader(history.connection, schema: "migrated")
        #expect(reader.verify().verdict == .intact(count: 4, head: history.head.hash))
    }

    @Test(arguments: [
        "UPDATE migrated.migration_rollback_audit SET host = 'x'", "DELETE FROM migrated.migration_rollback_audit",
        "TRUNCATE migrated.migration_rollback_audit", "UPDATE migrated.migration_source SET source = ''",
        "DELETE FROM migrated.migration_source", "TRUNCATE migrated.migration_source",
        "SET session_replication_role = replica; DELETE FROM migrated.migration_rollback_audit",
    ])
    func `refuses to change or remove what was recorded, even for a superuser`(sql: String) throws {
        let history = try RecordedHistory()
        try history.attempt("1")
        #expect(refusal { try history.connection.run(sql) } == "MG004")
    }

    @Test func `the reader can write nothing and leaves no transaction behind`() throws {
        let history = try RecordedHistory()
        try history.attempt("1")
        let reader = HistoryReader(history.connection, schema: "migrated")
        _ = try reader.status()
        #expect(history.connection.transactionStatus == .idle)
        #expect(throws: HistoryError.self) { try reader.source(try #require(ChecksumText("0000"))) }
        var broken = HistoryFilter()
        broken.grep = "("
        var pages = try reader.log(broken, newestFirst: true)
        #expect(throws: HistoryError.self) { _ = try pages.next() }
        #expect(history.connection.transactionStatus == .idle)
        #expect(try history.connection.query("SHOW default_transaction_read_only").text(0, 0) == "off")
    }
}
