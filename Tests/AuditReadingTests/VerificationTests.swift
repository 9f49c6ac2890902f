import Audit
import AuditReading
import Digest
import Testing

@Suite struct `The check of a chain` {
    private let genesis = [UInt8](repeating: 1, count: 32)

    private func chain(_ count: Int, from start: ChainHead? = nil, name: String = "a") -> [AuditRecord] {
        var head = start ?? ChainHead(seq: 0, hash: genesis)
        let actor = AuditEvent.Actor(initiatedBy: "a", host: "b", dbUser: "c", pid: 1, invocationID: nil)
        return (0..<count).map { _ in
            var event = AuditEvent(.started, by: actor)
            event.name = name
            event.checksum = "sha256:" + SHA256.hex([])
            let record = AuditRecord(event, after: head, recordedAt: 0)
            head = record.head
            return record
        }
    }

    private func verdict(
        _ records: [AuditRecord], head: ChainHead, sources: [String] = [SHA256.hex([])], anchors: [ChainHead] = []
    ) -> Verdict {
        var check = Verification(
            head: .init(genesis: genesis, seq: head.seq, hash: head.hash),
            Testimony(anchors.map { WitnessedHead($0, .stateDirectory) }))
        for record in records { check.read(HistoryRow(record)) }
        check.readAllEvents()
        for digest in sources { check.readSource("sha256:" + SHA256.hex([]), digest: digest) }
        return check.finish()
    }

    private func first(_ verdict: Verdict) -> (kind: Finding.Kind, seq: Int64?)? {
        guard case .tampered(let findings) = verdict, let first = findings.first else { return nil }
        return (first.kind, first.seq)
    }

    @Test func `an empty one and a whole one are intact`() {
        #expect(verdict([], head: ChainHead(seq: 0, hash: genesis)) == .intact(count: 0, head: genesis))
        let records = chain(3)
        #expect(verdict(records, head: records[2].head) == .intact(count: 3, head: records[2].hash))
    }

    @Test func `a gap, a cut tail and a foreign end are told with their first place`() {
        let records = chain(6)
        let gap = first(verdict([records[0], records[1], records[4], records[5]], head: records[5].head))
        #expect(gap?.kind == .removed && gap?.seq == 3)
        let cut = first(verdict(Array(records.prefix(4)), head: records[5].head))
        #expect(cut?.kind == .truncated && cut?.seq == 5)
        let beyond = first(verdict(records, head: records[3].head))
        #expect(beyond?.kind == .inserted && beyond?.seq == 5)
    }

    @Test func `a tail that was written anew is told at the place where it forks`() {
        let records = chain(5)
        let other = chain(3, from: records[1].head, name: "b")
        let forked = first(verdict([records[0], records[1], other[0], records[3], records[4]], head: records[4].head))
        #expect(forked?.kind == .edited && forked?.seq == 3)
        // With the head made to fit, the chain alone cannot know: that is what anchors outside are for.
        let rebuilt = Array(records.prefix(2)) + other
        #expect(verdict(rebuilt, head: other[2].head) == .intact(count: 5, head: other[2].hash))
    }

    @Test func `what the chain alone cannot know is held against anchors from outside`() {
        let records = chain(5)
        let anchors = [records[1].head, records[3].head]
        #expect(verdict(records, head: records[4].head, anchors: anchors) == .intact(count: 5, head: records[4].hash))
        let rewritten = Array(records.prefix(2)) + chain(3, from: records[1].head, name: "b")
        let forked = first(verdict(rewritten, head: rewritten[4].head, anchors: anchors))
        #expect(forked?.kind == .fork && forked?.seq == 3)
        // The tail is cut, and the head made to fit.
        let cut = first(verdict(Array(records.prefix(3)), head: records[2].head, anchors: anchors))
        #expect(cut?.kind == .truncated && cut?.seq == 4)
    }

    @Test func `a chain that begins elsewhere is told at its first event`() {
        let records = chain(2, from: ChainHead(seq: 0, hash: [UInt8](repeating: 2, count: 32)))
        let found = first(verdict(records, head: records[1].head))
        #expect(found?.kind == .edited && found?.seq == 1)
    }

    @Test func `a file that is missing or altered is told with the first event that names it`() {
        let records = chain(2)
        let missing = first(verdict(records, head: records[1].head, sources: []))
        #expect(missing?.kind == .removed && missing?.seq == 1)
        let altered = first(verdict(records, head: records[1].head, sources: [SHA256.hex([1])]))
        #expect(altered?.kind == .edited && altered?.seq == 1)
    }

    @Test func `the finding with the lowest place comes first, the table as a whole last`() {
        let records = chain(4)
        var check = Verification(head: .init(genesis: genesis, seq: 4, hash: records[3].hash))
        for record in [records[0], records[1], records[3]] { check.read(HistoryRow(record)) }
        check.readAllEvents()
        check.foundUnprotected("t", "is a view")
        guard case .tampered(let findings) = check.finish() else {
            Issue.record("a gap is a finding")
            return
        }
        #expect(findings.map(\.seq) == [1, 3, nil])
    }
}
