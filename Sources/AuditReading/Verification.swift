internal import Audit
internal import Digest

/// What a check of the history found.
public enum Verdict: Sendable, Equatable {
    /// All of it is as it was written, so far as the chain can tell.
    case intact(count: Int64, head: [UInt8])
    /// Somebody changed it. The first finding is the one with the lowest seq.
    case tampered([Finding])
    /// The history could not be read to the end.
    case cannotTell(HistoryError)
}

/// One thing that is not as the daemon left it.
public struct Finding: Sendable, Equatable {
    /// What kind of change it is, as a stable word.
    public enum Kind: String, Sendable {
        /// An event or a kept file differs from what was written.
        case edited
        /// Events are missing from the middle.
        case removed
        /// Events are missing at the end.
        case truncated
        /// An event stands where none was written.
        case inserted
        /// From some event on it is another history than the one that was anchored outside of the database.
        case fork
        /// The same from its first event on.
        case rebuilt
        /// What keeps the history append-only is not in place.
        case unprotected
    }

    public var kind: Kind
    /// The position it is about; nil for the table as a whole.
    public var seq: Int64?
    /// What is wrong, as a clause without a final stop.
    public var what: String

    /// A finding from its parts.
    public init(_ kind: Kind, _ seq: Int64?, _ what: String) {
        self.kind = kind
        self.seq = seq
        self.what = what
    }
}

/// The check of one history: facts are fed in the order of `seq`, a verdict comes out. No input or output of its own.
public struct Verification: Sendable {
    /// The row of `audit_head`.
    public struct Head: Sendable, Equatable {
        public var genesis: [UInt8]
        public var seq: Int64
        public var hash: [UInt8]
        public init(genesis: [UInt8], seq: Int64, hash: [UInt8]) {
            self.genesis = genesis
            self.seq = seq
            self.hash = hash
        }
    }

    private let head: Head
    private var findings: [Finding] = []
    private var previous: (seq: Int64, hash: [UInt8], accused: Bool)
    private var count: Int64 = 0
    /// Checksums of attempted files whose bytes were not seen yet, each with the first event that names it.
    private var wanted: [String: Int64] = [:]
    private var named: [String: Int64] = [:]
    /// The texts with values of rows that events vouch for and that were not seen yet, by event and field.
    private var wantedValues: [String: (seq: Int64, digest: String)] = [:]

    /// The cleanups and restorations whose rows were not seen yet, by the event's id: what each says of them.
    private var wantedRows: [[UInt8]: CountedRows] = [:]

    /// The readings of the catalog that events vouch for.
    private(set) var readings = ReadingSum()

    /// What the anchors outside of the database say.
    public private(set) var testimony: Testimony

    /// So many findings are kept; further ones add nothing to the verdict.
    static let limit = 100

    /// Begins the check of a chain that should run from the head's genesis to its hash.
    public init(head: Head, _ testimony: Testimony = Testimony([])) {
        self.head = head
        self.testimony = testimony
        previous = (0, head.genesis, false)
    }

    /// The next event of the chain was read.
    public mutating func read(_ row: HistoryRow) {
        count += 1
        let seq = row.seq
        let hash = row[.hash] ?? []
        let expected = previous.seq &+ 1
        if seq < expected {
            find(.inserted, seq, "event \(seq) stands before the first place of the chain")
            return
        }
        if seq > expected { find(.removed, expected, "\(Verification.events(expected, seq - 1)) missing") }
        testimony.read(row, hash: hash)
        let ownHashHolds = row.computedHash == hash
        if !ownHashHolds {
            find(.edited, seq, "event \(seq) does not have the content that its hash was made of")
        } else if seq == expected, row.slice(.prevHash) != previous.hash[...], !previous.accused {
            // Its own content is as it was written, so what came before it was another event.
            if previous.seq == 0 {
                find(.edited, seq, "event \(seq) does not begin at the genesis of this chain")
            } else {
                find(
                    .edited, previous.seq,
                    "event \(previous.seq) was rewritten: event \(seq) follows another hash")
            }
        }
        previous = (seq, hash, !ownHashHolds)
        if row.mayVouch, let digest = row.catalogDigest {
            readings.add(event: row.slice(.eventID) ?? [], digest: digest)
        }
        for (field, digest) in row.rowValueDigests {
            let event = row[.eventID].flatMap(UUID.init(bytes:))?.description ?? ""
            wantedValues["\(event) \(field)"] = (seq, digest)
        }
        if let counted = row.countedRows { wantedRows[row[.eventID] ?? []] = counted }
        if row.isStarted, let checksum = row.text(.checksum), named[checksum] == nil {
            named[checksum] = seq
            wanted[checksum] = seq
        }
    }

    /// The last event of the chain was read.
    public mutating func readAllEvents() {
        for finding in testimony.findings(last: previous.seq, flaw: findings.compactMap(\.seq).min()) {
            // What the database's own head knows to be missing is told once.
            if finding.kind == .truncated, previous.seq < head.seq { continue }
            find(finding.kind, finding.seq, finding.what)
        }
        if previous.seq < head.seq {
            let next = previous.seq &+ 1
            find(.truncated, next, "\(Verification.events(next, head.seq)) missing at the end")
        } else if previous.seq > head.seq {
            let next = head.seq &+ 1
            find(.inserted, next, "event \(next) stands behind the head of the chain")
        } else if previous.hash != head.hash, !previous.accused {
            find(.edited, head.seq, "event \(head.seq) does not have the hash that the head of the chain has")
        }
    }

    /// The bytes kept under `checksum` were read; their digest is `digest`, 64 digits.
    public mutating func readSource(_ checksum: String, digest: String) {
        wanted[checksum] = nil
        if checksum != "sha256:" + digest {
            let event = named[checksum].map { ", which event \($0) names," } ?? ""
            find(.edited, named[checksum], "the file kept under '\(checksum)'\(event) has another checksum")
        }
    }

    /// A text with values of rows was read: `name` is its event and field, `digest` that of its salt and bytes.
    public mutating func readRowValue(_ name: String, digest: String) {
        guard let wanted = wantedValues.removeValue(forKey: name) else {
            return find(.inserted, nil, "the row values '\(name)' belong to no event")
        }
        if wanted.digest != digest {
            find(.edited, wanted.seq, "the row values kept for event \(wanted.seq) are not those that it names")
        }
    }

    /// All rows of one event were read from `table`.
    mutating func readRows(of event: [UInt8], in table: String, _ digest: RowsDigest) {
        guard let counted = wantedRows.removeValue(forKey: event) else {
            let name = UUID(bytes: event)?.description ?? ""
            return find(.inserted, nil, "table '\(table)' has rows of '\(name)', which is no event that keeps any")
        }
        if let count = counted.count, count != digest.count {
            find(
                count < digest.count ? .inserted : .removed, counted.seq,
                "table '\(table)' has \(digest.count) rows of event \(counted.seq), which counts \(count)")
        } else if let root = counted.root, root != digest.root {
            find(
                .edited, counted.seq,
                "the rows of event \(counted.seq) in table '\(table)' are not those that it was recorded with")
        }
    }

    /// What keeps `table` append-only was looked at: `problem` says what is not in place.
    public mutating func foundUnprotected(_ table: String, _ problem: String) {
        find(.unprotected, nil, "table '\(table)' \(problem)")
    }

    /// The history's schema was held against this program's: `clause` says what differs.
    public mutating func foundDeviation(_ clause: String) { find(.unprotected, nil, clause) }

    /// What is kept of the catalog was held against the events: `clause` says what differs.
    mutating func foundCatalog(_ kind: Finding.Kind, _ seq: Int64?, _ clause: String) { find(kind, seq, clause) }

    /// The verdict, after everything was fed.
    public mutating func finish() -> Verdict {
        for (checksum, seq) in wanted.sorted(by: { $0.value < $1.value }) {
            find(.removed, seq, "the file '\(checksum)', which event \(seq) names, is not kept any more")
        }
        for (seq, _) in wantedValues.values.sorted(by: { $0.seq < $1.seq }) {
            find(.removed, seq, "the row values that event \(seq) names are not kept any more")
        }
        // Version 1 of the history's schema counted rows and kept none.
        for counted in wantedRows.values.filter({ $0.root != nil }).sorted(by: { $0.seq < $1.seq }) {
            find(
                .removed, counted.seq,
                "the rows of event \(counted.seq), which counts \(counted.count ?? 0), are not kept any more")
        }
        guard !findings.isEmpty else { return .intact(count: count, head: head.hash) }
        let ordered = findings.enumerated().sorted {
            ($0.element.seq ?? .max, $0.offset) < ($1.element.seq ?? .max, $1.offset)
        }
        return .tampered(ordered.map(\.element))
    }

    private mutating func find(_ kind: Finding.Kind, _ seq: Int64?, _ what: String) {
        if findings.count < Verification.limit { findings.append(Finding(kind, seq, what)) }
    }

    static func events(_ first: Int64, _ last: Int64) -> String {
        first == last ? "event \(first) is" : "events \(first) to \(last) are"
    }
}
