public import Audit
internal import Digest

/// What a check of an export found.
public struct ExportVerdict: Sendable, Equatable {
    /// How it ends.
    public enum Outcome: Sendable, Equatable {
        /// Every event of the history is there, as it was written.
        case intact
        /// Somebody changed the file, or the history before it was exported.
        case tampered
        /// What is there holds, and does not show that nothing was left out; or it is no export at all.
        case cannotTell(String)
    }

    public var outcome: Outcome
    /// What is wrong, the lowest seq first.
    public var findings: [Finding]
    /// Events that were read.
    public var count: Int64
    /// Links from one event to the next that were recomputed.
    public var links: Int64
    /// The newest event that an anchor outside of the file vouches for.
    public var anchored: Int64?
    public var trailer: ExportTrailer?

    /// The verdict as one stable word: that of its first finding, where there is one.
    public var word: String {
        switch outcome {
        case .intact: "intact"
        case .tampered: findings.first?.kind.rawValue ?? "edited"
        case .cannotTell: "cannot_tell"
        }
    }
}

/// The check of one export, with nothing but the export: items are fed in the order of the file, a verdict comes out.
public struct ExportVerification: Sendable {
    private var findings: [Finding] = []
    private var trailer: ExportTrailer?
    private var count: Int64 = 0
    private var links: Int64 = 0
    private var previous: (row: HistoryRow, accused: Bool)?
    /// Stretches of the chain that were seen, in ascending order; beyond the limit they are not kept.
    private var stretches: [ClosedRange<Int64>] = []
    private var isFragmented = false
    /// The first event that stands behind one of higher seq, and behind one of lower seq, each with its line.
    private var falling: (seq: Int64, after: Int64, line: Int)?
    private var rising: (seq: Int64, after: Int64, line: Int)?
    private var beginning: [UInt8]?
    private var newest: (seq: Int64, hash: [UInt8])?
    private var first: Int64?
    private var last: Int64?
    private var behind: Int?
    /// Whether the file was not read to its end.
    private var isUnread = false
    private var anchors: [Int64: [UInt8]]
    private var anchored: Int64?

    private static let limit = 100
    private static let mostStretches = 100_000

    /// - Parameter anchors: heads that were kept outside of the database and of the file, where there are some.
    public init(anchors: [ChainHead] = []) {
        self.anchors = Dictionary(anchors.map { ($0.seq, $0.hash) }, uniquingKeysWith: { first, _ in first })
    }

    /// The next item was read, from that line.
    public mutating func read(_ item: ExportReader.Item, line: Int) {
        if trailer != nil {
            if behind == nil { behind = line }
            return
        }
        switch item {
        case .event(let row): read(row, line)
        case .trailer(let trailer): self.trailer = trailer
        case .unreadable(let what, let column):
            find(.edited, (previous?.row.seq).map { $0 &+ 1 }, "line \(line), column \(column): \(what)")
        case .endless:
            isUnread = true
            let limit = ExportReader.longest
            find(
                .edited, (previous?.row.seq).map { $0 &+ 1 },
                "line \(line), column \(limit + 1): a line of more than \(limit >> 20) MiB; nothing behind it was read")
        }
    }

    private mutating func read(_ row: HistoryRow, _ line: Int) {
        count += 1
        let seq = row.seq
        let hash = row[.hash] ?? []
        if first == nil { first = seq }
        last = seq
        guard seq > 0 else {
            find(.inserted, seq, "event \(seq) stands before the first place of the chain")
            return
        }
        let holds = row.computedHash == hash
        if !holds { find(.edited, seq, "event \(seq) does not have the content that its hash was made of") }
        if let anchor = anchors[seq] {
            if anchor == hash {
                anchored = max(anchored ?? seq, seq)
            } else {
                find(
                    .edited, seq, "event \(seq) has another hash than the anchor that was kept outside of the database")
            }
        }
        if let (before, accused) = previous {
            link(before, row, accused || !holds)
            if seq < before.seq, falling == nil { falling = (seq, before.seq, line) }
            if seq > before.seq, rising == nil { rising = (seq, before.seq, line) }
        }
        if seq == 1 { beginning = row[.prevHash] }
        if seq >= newest?.seq ?? seq { newest = (seq, hash) }
        cover(seq, line)
        previous = (row, !holds)
    }

    /// Checks the link between two neighbours of the chain, whichever of them comes first in the file.
    private mutating func link(_ one: HistoryRow, _ other: HistoryRow, _ isAccused: Bool) {
        let (earlier, later) = one.seq < other.seq ? (one, other) : (other, one)
        guard later.seq == earlier.seq &+ 1 else { return }
        if later.slice(.prevHash) == earlier.slice(.hash) {
            links += 1
        } else if !isAccused {
            find(.edited, earlier.seq, "event \(earlier.seq) was rewritten: event \(later.seq) follows another hash")
        }
    }

    /// Notes that an event was seen.
    private mutating func cover(_ seq: Int64, _ line: Int) {
        if let last = stretches.indices.last, stretches[last].upperBound &+ 1 == seq {
            stretches[last] = stretches[last].lowerBound...seq
            return
        }
        if let first = stretches.first, first.lowerBound &- 1 == seq {
            stretches[0] = seq...first.upperBound
            return
        }
        if stretches.contains(where: { $0.contains(seq) }) {
            return find(.inserted, seq, "event \(seq) stands in the file again, at line \(line)")
        }
        guard stretches.count < ExportVerification.mostStretches else {
            isFragmented = true
            return
        }
        let place = stretches.firstIndex { $0.lowerBound > seq } ?? stretches.count
        stretches.insert(seq...seq, at: place)
    }

    /// The verdict, after everything was fed; `isCutOff` where the file ends in the middle of a line.
    public mutating func finish(isCutOff: Bool) -> ExportVerdict {
        guard let trailer else {
            let next = newest.map { $0.seq &+ 1 }
            if count == 0 {
                let first = findings.first.map { ": " + $0.what } ?? ""
                return verdict(
                    .cannotTell((isCutOff ? "the file holds no whole line" : "the file holds no event") + first))
            }
            if isUnread { return verdict(.tampered) }
            find(
                .truncated, next,
                isCutOff ? "the file ends in the middle of a line" : "the file ends without its trailer")
            return verdict(.tampered)
        }
        if let behind { find(.inserted, nil, "line \(behind) stands behind the trailer") }
        if isCutOff, behind == nil { find(.inserted, nil, "something stands behind the trailer") }
        checkOrder(trailer)
        if trailer.count != count {
            find(
                trailer.count > count ? .removed : .inserted, nil,
                "the file has \(count) events and its trailer counts \(trailer.count)")
        }
        if trailer.isComplete { checkCompleteness(trailer) }
        checkEnds(trailer)
        if let newest, newest.seq > trailer.origin.head.seq {
            let next = trailer.origin.head.seq &+ 1
            find(.inserted, next, "event \(next) stands behind the head of the chain")
        } else if let newest, newest.seq == trailer.origin.head.seq, newest.hash != trailer.origin.head.hash {
            find(.edited, newest.seq, "event \(newest.seq) does not have the hash that the trailer has for the head")
        }
        if let beginning, beginning != trailer.origin.genesis {
            find(.edited, 1, "event 1 does not begin at the genesis that the trailer has")
        }
        guard findings.isEmpty else { return verdict(.tampered) }
        guard !trailer.isComplete else { return verdict(.intact) }
        return verdict(
            .cannotTell(
                "this is a part of a history of \(trailer.origin.head.seq) events: \(count) events have the content of "
                    + "their hashes and \(links) links between neighbours hold, which does not show whether others were "
                    + "left out or all were rewritten"))
    }

    private mutating func checkOrder(_ trailer: ExportTrailer) {
        guard let wrong = trailer.isNewestFirst ? rising : falling else { return }
        find(
            .edited, min(wrong.seq, wrong.after),
            "the lines are not in their order: event \(wrong.seq) at line \(wrong.line) stands behind event \(wrong.after)"
        )
    }

    private mutating func checkCompleteness(_ trailer: ExportTrailer) {
        var expected: Int64 = 1
        for stretch in stretches {
            if stretch.lowerBound > expected { missing(expected, stretch.lowerBound - 1) }
            expected = max(expected, stretch.upperBound &+ 1)
        }
        if isFragmented { find(.removed, nil, "the file has more gaps than can be listed") }
        if expected <= trailer.origin.head.seq {
            find(
                .truncated, expected,
                "\(Verification.events(expected, trailer.origin.head.seq)) missing at the end")
        }
    }

    private mutating func missing(_ first: Int64, _ last: Int64) {
        find(.removed, first, "\(Verification.events(first, last)) missing")
    }

    /// An export begins and ends where its trailer says.
    private mutating func checkEnds(_ trailer: ExportTrailer) {
        if trailer.first != first {
            find(
                trailer.isComplete ? .edited : .removed, trailer.first,
                "the file does not begin with the event that its trailer names")
        }
        if trailer.last != last {
            find(
                trailer.isComplete ? .edited : .removed, trailer.last,
                "the file does not end with the event that its trailer names")
        }
    }

    private func verdict(_ outcome: ExportVerdict.Outcome) -> ExportVerdict {
        let ordered = findings.enumerated().sorted {
            ($0.element.seq ?? .max, $0.offset) < ($1.element.seq ?? .max, $1.offset)
        }
        return ExportVerdict(
            outcome: outcome, findings: ordered.map(\.element), count: count, links: links, anchored: anchored,
            trailer: trailer)
    }

    private mutating func find(_ kind: Finding.Kind, _ seq: Int64?, _ what: String) {
        if findings.count < ExportVerification.limit { findings.append(Finding(kind, seq, what)) }
    }
}
