import Audit
import Digest
import JSON
import Reporting
import Testing

@Suite struct `An event in the chain` {
    static let actor = AuditEvent.Actor(
        initiatedBy: "alice", host: "web1", dbUser: "migrated", pid: 77,
        invocationID: "0123456789abcdef0123456789abcdef")
    static let genesis = ChainHead(seq: 0, hash: [UInt8](repeating: 7, count: 32))

    static func full(_ kind: EventKind) throws -> AuditEvent {
        let id = try #require(UUID("00000000-0000-4000-8000-000000000001"))
        var event = AuditEvent(kind, by: actor, id: id)
        event.attemptID = UUID("00000000-0000-4000-8000-000000000002")
        event.version = "024a"
        event.name = "024a_créate"
        event.checksum = "sha256:" + SHA256.hex([])
        event.direction = .up
        event.reason = "object_exists"
        event.object = "public.t.c"
        event.rowCount = 5
        event.durationUS = 13_000
        event.sqlstate = "42703"
        event.message = "no column \"x\""
        event.detail = ["line": 3, "column": 9, "hint": "none"]
        return event
    }

    @Test(arguments: EventKind.allCases)
    func `has a journal field for every column that has a value`(kind: EventKind) throws {
        let record = AuditRecord(try Self.full(kind), after: Self.genesis, recordedAt: 0)
        let columns = record.columns
        #expect(columns.count == AuditColumn.allCases.count)
        #expect(columns[.event].map { String(decoding: $0, as: UTF8.self) } == kind.rawValue)
        let fields = record.journalFields
        #expect(Set(fields.map(\.name)).count == fields.count)
        let values = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) })
        for column in AuditColumn.allCases {
            let bytes = try #require(columns[column])
            #expect(values[column.journalField] == AuditRecord.text(bytes, column.form))
        }
        #expect(values["MESSAGE_ID"] == kind.messageID)
        #expect(values["PRIORITY"] == String(kind.priority))
        #expect(values["MESSAGE"]?.contains("\n") == false)
        for field in fields {
            // systemd.journal-fields(7): upper case, digits and underscores, not longer than 64, no underscore in front.
            #expect(field.name.utf8.count <= 64 && field.name.first?.isLetter == true)
            #expect(field.name.allSatisfy { $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_") })
        }
    }

    @Test func `a column without a value has no field and no bytes`() {
        let record = AuditRecord(AuditEvent(.daemonStarted, by: Self.actor), after: Self.genesis, recordedAt: 0)
        let absent: [AuditColumn] = [
            .attemptID, .version, .name, .checksum, .direction, .reason, .object, .rowCount, .durationUS, .sqlstate,
            .message, .detail,
        ]
        for column in absent {
            #expect(record.columns[column] == nil)
            #expect(!record.journalFields.contains { $0.name == column.journalField })
        }
    }

    @Test func `has a message id of its own for each of the 22 kinds`() {
        let all = EventKind.allCases.map(\.messageID)
        #expect(all.count == 22 && Set(all).count == 22)
        for id in all {
            #expect(id.utf8.count == 32)
            #expect(id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
    }

    @Test func `has the hash that was fixed when the chain was made`() throws {
        let record = AuditRecord(try Self.full(.failed), after: Self.genesis, recordedAt: -1)
        #expect(Hex.text(record.hash) == "38b7c5cf238ef0f95f3d7dddb6e05fd0d62e37a2964534fe8ada4791919189ac")
        let bare = Chain.hash(seq: 1, prevHash: Self.genesis.hash, fields: AuditColumn.hashed.map { _ in nil })
        // The same bytes put together by hand: 0x01, the domain, seq, the genesis, 20 times the length of a null.
        var bytes: [UInt8] = [1] + Array("migrated-audit-v1".utf8) + [0, 0, 0, 0, 0, 0, 0, 1]
        bytes += [UInt8](repeating: 7, count: 32) + [UInt8](repeating: 0xFF, count: 80)
        #expect(bare == SHA256.hash(bytes))
    }

    @Test func `another value in any column gives another hash`() throws {
        let record = AuditRecord(try Self.full(.failed), after: Self.genesis, recordedAt: 5)
        let fields = AuditColumn.hashed.map { record.columns[$0] }
        #expect(Chain.hash(seq: 1, prevHash: record.prevHash, fields: fields) == record.hash)
        #expect(Chain.hash(seq: 2, prevHash: record.prevHash, fields: fields) != record.hash)
        for index in fields.indices {
            var other = fields
            other[index] = nil
            #expect(Chain.hash(seq: 1, prevHash: record.prevHash, fields: other) != record.hash)
            other[index] = (fields[index] ?? []) + [0]
            #expect(Chain.hash(seq: 1, prevHash: record.prevHash, fields: other) != record.hash)
        }
    }

    @Test func `a null is not an empty text`() throws {
        var event = try Self.full(.failed)
        event.reason = nil
        let without = AuditRecord(event, after: Self.genesis, recordedAt: 5)
        event.reason = ""
        #expect(AuditRecord(event, after: Self.genesis, recordedAt: 5).hash != without.hash)
    }

    @Test func `keeps a message within its bound and on one line`() throws {
        var event = try Self.full(.failed)
        event.message = "one\ntwo \u{1b}[2J" + String(repeating: "é", count: 5000)
        let message = try #require(AuditRecord(event, after: Self.genesis, recordedAt: 0).columns[.message])
        #expect(message.count <= AuditEvent.messageLimit)
        #expect(String(decoding: message, as: UTF8.self).hasPrefix(#"one\ntwo \u{1b}[2Jéé"#))
    }

    @Test func `drops the largest members of a detail that is too large, and says which`() throws {
        var event = try Self.full(.failed)
        event.detail["notices"] = .string(String(repeating: "x", count: 70_000))
        event.detail["blockers"] = .string(String(repeating: "y", count: 60_000))
        let detail = try #require(AuditRecord(event, after: Self.genesis, recordedAt: 0).columns[.detail])
        #expect(detail.count <= AuditEvent.detailLimit)
        let tape = try JSONTape(detail)
        let value = tape.value(tape.root)
        #expect(value["dropped"]?.array == ["notices"])
        #expect(value["line"]?.integer == 3)
        #expect(value["blockers"]?.string?.count == 60_000)
    }
}

@Suite struct `A moment` {
    @Test(
        arguments: [
            (0, "2000-01-01T00:00:00.000000Z"), (-1, "1999-12-31T23:59:59.999999Z"),
            (823_212_309_123_456, "2026-01-31T22:05:09.123456Z"), (-946_684_800_000_000, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000 - 946_684_800_000_000, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_400_000_000 - 946_684_800_000_000, "2100-03-01T00:00:00.000000Z"),
            (252_455_615_999_999_999, "9999-12-31T23:59:59.999999Z"),
            (-62_135_596_800_000_000 - 946_684_800_000_000, "0001-01-01T00:00:00.000000Z"),
        ] as [(Int64, String)])
    func `is written as RFC 3339`(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
    }
}

@Suite struct `A uuid` {
    @Test func `is read with and without hyphens and written with them`() throws {
        let text = "0123abcd-4567-489a-bcde-f0123456789a"
        #expect(try #require(UUID(text)).description == text)
        #expect(UUID(text.filter { $0 != "-" }) == UUID(text.uppercased()))
        #expect(UUID("0123") == nil && UUID(String(repeating: "g", count: 32)) == nil)
    }

    @Test func `made anew has the version and variant bits of RFC 9562`() {
        let all = (0..<100).map { _ in UUID() }
        #expect(Set(all).count == 100)
        #expect(all.allSatisfy { $0.bytes[6] >> 4 == 4 && $0.bytes[8] >> 6 == 2 })
    }
}
