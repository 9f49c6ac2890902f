import Audit
import AuditReading
import Digest
import Testing

@Suite struct `Anchors beside a chain` {
    private let genesis = [UInt8](repeating: 1, count: 32)
    private let actor = AuditEvent.Actor(initiatedBy: "a", host: "b", dbUser: "c", pid: 1, invocationID: nil)

    /// So many records, each named `name`; the last of them an acknowledgement of a loss, where there is one.
    private func chain(
        _ count: Int, from start: ChainHead? = nil, name: String = "a", lost: ClosedRange<Int64>? = nil
    ) -> [AuditRecord] {
        var head = start ?? ChainHead(seq: 0, hash: genesis)
        return (1...count).map { number in
            var event = AuditEvent(lost != nil && number == count ? .acknowledged : .daemonStarted, by: actor)
            event.name = name
            if let lost, number == count {
                event.detail = ["lost_from": .integer(lost.lowerBound), "lost_to": .integer(lost.upperBound)]
            }
            let record = AuditRecord(event, after: head, recordedAt: 0)
            head = record.head
            return record
        }
    }

    private func examine(
        _ records: [AuditRecord], _ witnesses: [WitnessedHead], required: Set<AnchorSource> = [],
        uncounted: [WitnessedHead] = []
    )
        -> Examination
    {
        var check = Verification(
            head: .init(genesis: genesis, seq: records.last?.seq ?? 0, hash: records.last?.hash ?? genesis),
            Testimony(witnesses, required: required, uncounted: uncounted))
        for record in records { check.read(HistoryRow(record)) }
        check.readAllEvents()
        let verdict = check.finish()
        return Examination(verdict, check.testimony, warnings: check.testimony.warnings(head: records.last?.seq ?? 0))
    }

    private func kept(_ records: some Sequence<AuditRecord>, _ place: WitnessedHead.Place = .stateDirectory)
        -> [WitnessedHead]
    {
        records.map { WitnessedHead($0.head, place) }
    }

    private func first(_ examination: Examination) -> String {
        guard case .tampered(let findings) = examination.verdict, let first = findings.first else {
            return examination.word
        }
        return "\(first.kind.rawValue) \(first.seq ?? 0)"
    }

    @Test func `say how far it is vouched for`() {
        let records = chain(6)
        #expect(first(examine(records, kept(records))) == "intact")
        #expect(examine(records, kept(records)).warnings.isEmpty)
        let early = examine(records, kept(records.prefix(4)))
        #expect(early.word == "intact_up_to_anchor" && early.testimony.lastAnchored == 4)
        let none = examine(records, [])
        #expect(none.word == "intact" && none.warnings.count == 1)
    }

    @Test func `tell a cut tail, another ending, and another history`() {
        let records = chain(6)
        #expect(first(examine(Array(records.prefix(4)), kept(records))) == "truncated 5")
        let forked = Array(records.prefix(3)) + chain(5, from: records[2].head, name: "b")
        #expect(first(examine(forked, kept(records))) == "fork 4")
        // As exactly as the anchors stand close.
        #expect(first(examine(forked, kept([records[1], records[5]]))) == "fork 3")
        #expect(first(examine(chain(6, name: "b"), kept(records))) == "rebuilt 1")
        #expect(first(examine(chain(6, name: "b"), kept([records[3]]))) == "fork 1")
        #expect(first(examine(chain(2, name: "b"), kept(records))) == "rebuilt 1")
        #expect(first(examine([], kept(records))) == "truncated 1")
    }

    @Test func `of two places that differ make a fork, whichever the chain agrees with`() {
        let records = chain(4)
        let other = chain(2, from: records[1].head, name: "b")
        #expect(first(examine(records, kept(records) + kept(other, .journal))) == "fork 3")
        #expect(first(examine(Array(records.prefix(2)) + other, kept(records) + kept(other, .journal))) == "fork 3")
    }

    @Test func `of what an operator has given up do not count, and others do`() {
        let lost = chain(6)
        let rest = Array(lost.prefix(3))
        let ack = chain(1, from: rest[2].head, lost: 4...6)
        let after = chain(4, from: ack[0].head, name: "later")
        let records = rest + ack + after
        let journal = kept(lost, .journal) + kept(ack + after, .journal)
        let whole = examine(records, journal + kept(records))
        #expect(first(whole) == "intact", "\(whole)")
        #expect(whole.testimony.acknowledged.map(\.lost) == [4...6])
        // Without an anchor of its own an acknowledgement is nothing but a row.
        #expect(first(examine(records, kept(lost, .journal))) == "fork 4")
        // What was anchored behind it is not excused, though it has numbers that were lost once.
        let rewritten = Array(records.prefix(5)) + chain(1, from: records[4].head, name: "c")
        #expect(first(examine(rewritten, journal)) == "fork 6")
        #expect(first(examine(rewritten, kept(records))) == "fork 6")
    }

    @Test func `must be signed where a key is asked for`() {
        let records = chain(5)
        var witnesses = kept(records)
        witnesses[1].seal = .valid
        let signed = examine(records, witnesses, required: [.signature])
        #expect(signed.word == "intact_up_to_anchor" && signed.testimony.lastAnchored == 2)
        witnesses[4].seal = .valid
        #expect(examine(records, witnesses, required: [.signature]).word == "intact")
        witnesses[2].seal = .broken
        #expect(first(examine(records, witnesses, required: [.signature])) == "edited 3")
        #expect(examine(records, kept(records), required: [.signature]).warnings.count == 1)
    }

    @Test func `vouch as far as each of those does that must`() {
        let records = chain(6)
        let some = kept(records) + kept(records.prefix(4), .journal)
        #expect(examine(records, some).word == "intact")
        let both = examine(records, some, required: [.journal, .state])
        #expect(both.word == "intact_up_to_anchor" && both.testimony.lastAnchored == 4)
        #expect(examine(records, kept(records), required: [.journal]).testimony.lastAnchored == nil)
        // What speaks against the history does so whether it was required or not.
        let other = kept(chain(6, name: "b"), .journal)
        #expect(first(examine(records, kept(records) + other, required: [.state])).hasSuffix(" 1"))
    }

    @Test func `of a host that is not known neither accuse nor vouch, and are told where they do not fit`() {
        let records = chain(4)
        func of(_ host: String, _ records: some Sequence<AuditRecord>) -> [WitnessedHead] {
            records.map { WitnessedHead($0.head, .journal, host: host) }
        }
        let longer = chain(2, from: records[3].head)
        let cut = examine(records, kept(records), uncounted: of("web2", records + longer) + of("web3", records))
        #expect(cut.word == "intact" && cut.testimony.contradictingHosts == ["web2"])
        let forged = examine(records, kept(records), uncounted: of("web2", chain(4, name: "b")))
        #expect(forged.word == "intact" && forged.testimony.contradictingHosts == ["web2"])
        #expect(examine(records, [], uncounted: of("web2", records)).testimony.lastAnchored == nil)
        // Among those that fit.
        let mixed = of("web2", [records[1]]) + of("web3", [chain(2, name: "b")[1]])
        #expect(examine(records, [], uncounted: mixed).testimony.contradictingHosts == ["web3"])
        // An operator has given that up.
        let rest = Array(records.prefix(2))
        let acknowledged = rest + chain(1, from: rest[1].head, lost: 3...4)
        let known = examine(acknowledged, kept(acknowledged), uncounted: of("web2", [records[3]]))
        #expect(known.testimony.contradictingHosts.isEmpty)
        let named = examine(Array(records.prefix(2)), of("web1", records))
        guard case .tampered(let findings) = named.verdict else { return #expect(Bool(false), "\(named)") }
        #expect(findings[0].what.contains("the journal of host 'web1' has an anchor of event 4"))
    }

    @Test func `that the journal lost are missed, and no more than that`() {
        let records = chain(10)
        let journal = kept(records[2..<5] + records[7...], .journal)
        let found = examine(records, journal)
        #expect(found.word == "intact")
        #expect(
            found.warnings == [
                "anchors missing: those in the journal begin at event 3",
                "anchors missing: the journal lacks 2 between event 6 and event 7",
            ])
    }

    @Test func `beside an edited event leave its own place first`() {
        let records = chain(5)
        var check = Verification(
            head: .init(genesis: genesis, seq: 5, hash: records[4].hash), Testimony(kept(records)))
        for record in records {
            var cells = AuditColumn.allCases.map { record.columns[$0] }
            if record.seq == 3 { cells[3] = Array("applied".utf8) }
            check.read(HistoryRow(cells: cells))
        }
        check.readAllEvents()
        #expect(first(Examination(check.finish())) == "edited 3")
    }
}
