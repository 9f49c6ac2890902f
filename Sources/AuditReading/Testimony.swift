internal import Audit
internal import Digest
internal import JSON

/// What the anchors outside of the database say of a chain: events are fed in the order of `seq`, findings and warnings come out.
public struct Testimony: Sendable {
    /// How many anchors there are in the state directory, in the journal, made late, and with a signature that holds.
    public private(set) var inStateDirectory = 0
    public private(set) var inJournal = 0
    public private(set) var late = 0
    public private(set) var signed = 0
    /// The newest event that an anchor of each required source vouches for; where none is required, that any anchor does.
    public var lastAnchored: Int64? { lastFit?.seq }
    /// The hash of that event.
    var lastHash: [UInt8]? { lastFit?.hash }
    /// Losses that an operator has acknowledged in this chain: the event that says so, and the events that were lost.
    public private(set) var acknowledged: [(event: Int64, lost: ClosedRange<Int64>)] = []

    /// An anchor with its place among those of the journal, oldest first.
    private struct Numbered {
        var witness: WitnessedHead
        var order: Int
    }
    private var open: [Int64: [Numbered]] = [:]
    private var contradictions: [Numbered] = []
    /// The events whose anchors fit, in their order.
    private var fits: [Int64] = []
    private var acknowledgedAt: [Int64: Int] = [:]
    private var broken: [WitnessedHead] = []
    private var journalSeqs: [Int64] = []
    /// Events that somebody has found, and those that somebody has written.
    private var found: Set<Int64> = []
    private var written: Set<Int64> = []
    private let required: Set<AnchorSource>
    /// The newest event that anchors of each source fit.
    private var lastFits: [AnchorSource: ChainHead] = [:]
    private var newestFit: ChainHead?
    /// Anchors that do not count and have not been seen to fit.
    private var uncounted: [Int64: [WitnessedHead]]

    /// - Parameters:
    ///   - witnesses: the anchors; those of the journal in its order.
    ///   - required: the sources that each have to vouch for the history.
    ///   - uncounted: anchors that can neither vouch for it nor speak against it, because who made them is not known.
    public init(_ witnesses: [WitnessedHead], required: Set<AnchorSource> = [], uncounted: [WitnessedHead] = []) {
        self.required = required
        self.uncounted = Dictionary(grouping: uncounted, by: \.head.seq)
        for (order, witness) in witnesses.enumerated() {
            if witness.place == .journal {
                inJournal += 1
                journalSeqs.append(witness.head.seq)
            } else {
                inStateDirectory += 1
            }
            if witness.isLate { late += 1 }
            if witness.isForeign { found.insert(witness.head.seq) } else { written.insert(witness.head.seq) }
            switch witness.seal {
            case .none: break
            case .valid: signed += 1
            case .broken: broken.append(witness)
            }
            open[witness.head.seq, default: []].append(Numbered(witness: witness, order: order))
        }
    }

    /// Whether there is any anchor.
    public var isEmpty: Bool { inStateDirectory + inJournal == 0 }

    private var lastFit: ChainHead? {
        guard !required.isEmpty else { return newestFit }
        let fits = required.map { lastFits[$0] }
        return fits.contains { $0 == nil } ? nil : fits.compactMap(\.self).min { $0.seq < $1.seq }
    }

    /// The hosts whose anchors do not count and do not fit, either. Events that an operator has given up are no news.
    public var contradictingHosts: Set<String> {
        let open = uncounted.filter { seq, _ in !acknowledged.contains { $0.lost.contains(seq) } }
        return Set(open.values.joined().map { $0.host ?? "" })
    }

    /// The next event of the chain was read.
    mutating func read(_ row: HistoryRow, hash: [UInt8]) {
        let seq = row.seq
        uncounted[seq]?.removeAll { $0.head.hash == hash }
        let witnesses = open.isEmpty ? nil : open.removeValue(forKey: seq)
        for numbered in witnesses ?? [] {
            guard numbered.witness.head.hash == hash else {
                contradictions.append(numbered)
                continue
            }
            if fits.last != seq { fits.append(seq) }
            newestFit = numbered.witness.head
            lastFits[numbered.witness.place == .journal ? .journal : .state] = numbered.witness.head
            if numbered.witness.seal == .valid { lastFits[.signature] = numbered.witness.head }
        }
        guard row.isAcknowledgement, let from = row.detail["lost_from"]?.integer,
            let to = row.detail["lost_to"]?.integer, from > 0, from <= to
        else { return }
        acknowledged.append((seq, from...to))
        let entry = witnesses?.first { $0.witness.place == .journal && $0.witness.head.hash == hash }
        acknowledgedAt[seq] = entry?.order
    }

    /// What speaks against a chain that ends at `last` and whose own first flaw is at `flaw`.
    func findings(last: Int64, flaw: Int64?) -> [Finding] {
        var findings = broken.map { witness in
            Finding(
                .edited, witness.head.seq,
                "the anchor of event \(witness.head.seq) in \(witness.origin) has a signature that the key did not make"
            )
        }
        let against = contradictions.filter { !isAcknowledged($0) }.sorted { $0.witness.head.seq < $1.witness.head.seq }
        if let first = against.first?.witness {
            findings.append(judgement(first, others: against.count, flaw: flaw))
        }
        let beyond = open.values.joined().filter { $0.witness.head.seq > last && !isAcknowledged($0) }
        if let lost = beyond.max(by: { $0.witness.head.seq < $1.witness.head.seq })?.witness {
            findings.append(
                Finding(
                    .truncated, last &+ 1,
                    "\(Verification.events(last &+ 1, lost.head.seq)) missing at the end: \(lost.origin) has an anchor of event \(lost.head.seq)"
                ))
        }
        return findings
    }

    /// What the first anchor that does not fit means.
    private func judgement(_ first: WitnessedHead, others: Int, flaw: Int64?) -> Finding {
        let seq = first.head.seq
        if let flaw, flaw <= seq {
            return Finding(.edited, seq, "event \(seq) has another hash than its anchor in \(first.origin)")
        }
        // Alone, an anchor in the middle could as well be that of a fork.
        if fits.isEmpty, seq == 1 || others > 1 {
            return Finding(
                .rebuilt, 1,
                "no anchor fits this history: it was written anew from its first event (event \(seq) has another hash than its anchor in \(first.origin))"
            )
        }
        return fork(from: (fits.last { $0 < seq } ?? 0) &+ 1, first)
    }

    private func fork(from: Int64, _ first: WitnessedHead) -> Finding {
        Finding(
            .fork, from,
            "from event \(from) on this is another history than the one that was anchored: event \(first.head.seq) has another hash than its anchor in \(first.origin), \(Hex.text(first.head.hash))"
        )
    }

    /// Whether an anchor is of what an operator has acknowledged as lost: older in the journal than the acknowledgement itself, which has its
    /// own anchor there. The anchor file begins anew with each acknowledgement, and needs no such excuse.
    private func isAcknowledged(_ numbered: Numbered) -> Bool {
        guard numbered.witness.place == .journal else { return false }
        return acknowledged.contains { event, lost in
            lost.contains(numbered.witness.head.seq) && (acknowledgedAt[event].map { numbered.order < $0 } ?? false)
        }
    }

    /// What is no tampering and yet makes the evidence weaker; `head` is the newest event.
    public func warnings(head: Int64) -> [String] {
        if isEmpty {
            return [
                "anchors missing: none was found outside of the database; a tail that was cut off, or rewritten to its end, would not be seen"
            ]
        }
        var warnings: [String] = []
        if required.contains(.signature), signed == 0 { warnings.append("anchors missing: none is signed by the key") }
        let foreign = found.subtracting(written).sorted()
        if !foreign.isEmpty {
            let shown = foreign.prefix(10).map(String.init).joined(separator: ", ")
            let further = foreign.count > 10 ? " and \(foreign.count - 10) more" : ""
            warnings.append(
                "\(foreign.count == 1 ? "event" : "events") \(shown)\(further): found in the database by the host that keeps the anchors, and not written by it"
            )
        }
        let first = journalSeqs.min() ?? 0
        if first > 1 { warnings.append("anchors missing: those in the journal begin at event \(first)") }
        if first > 0 {
            let known = Set(journalSeqs)
            let missing = (first...max(first, head)).filter { !known.contains($0) }
            if let from = missing.first, let to = missing.last {
                warnings.append(
                    "anchors missing: the journal lacks \(missing.count) between event \(from) and event \(to)")
            }
        }
        return warnings
    }
}
