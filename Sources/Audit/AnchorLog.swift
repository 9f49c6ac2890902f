internal import Digest

/// What an anchor file says: anchors, and since which decision of an operator they count.
public struct AnchorLog: Sendable, Equatable {
    /// In the order in which they were kept.
    public private(set) var anchors: [Anchor] = []
    /// Heads that were about to be committed. Whether they were the database knows.
    public private(set) var intended: [ChainHead] = []
    /// Counts the files that were begun for this history: 1, and one more with each loss that an operator has acknowledged.
    public private(set) var epoch = 1
    /// The event by which this epoch was begun.
    public private(set) var acknowledgedBy: Int64?

    /// The log in these lines; a line that is none of ours is left out.
    public init(lines: [String]) {
        for line in lines {
            if let anchor = Anchor(line: line) {
                anchors.append(anchor)
            } else if let head = AnchorLog.intended(line) {
                intended.append(head)
            } else if line.hasPrefix("epoch ") {
                let words = line.split(separator: " ")
                guard words.count >= 2, let number = Int(words[1]) else { continue }
                epoch = number
                for word in words.dropFirst(2) where word.hasPrefix("event=") {
                    acknowledgedBy = Int64(word.dropFirst("event=".count))
                }
            }
        }
    }

    /// The anchor with the highest seq; of several, the one that was kept last.
    public var newest: Anchor? { newest(through: .max) }

    /// The same of the anchors with at most that seq.
    public func newest(through last: Int64) -> Anchor? {
        anchors.reduce(nil) { best, anchor in
            guard anchor.head.seq <= last else { return best }
            guard let best else { return anchor }
            return anchor.head.seq >= best.head.seq ? anchor : best
        }
    }

    /// The line that announces a head before its commit: who finds it committed later knows that it was this host's.
    public static func announcing(_ head: ChainHead) -> String { "intended \(head.seq) \(Hex.text(head.hash))" }

    private static func intended(_ line: String) -> ChainHead? {
        let words = line.split(separator: " ")
        guard words.count >= 3, words[0] == "intended", let seq = Int64(words[1]), let hash = Hex.bytes(words[2]),
            hash.count == 32
        else { return nil }
        return ChainHead(seq: seq, hash: hash)
    }

    /// The first line of a file that begins an epoch: the event that begins it, and the head that was given up.
    public static func heading(epoch: Int, event: Int64, lost: ChainHead) -> String {
        "epoch \(epoch) event=\(event) lost=\(lost.seq):\(Hex.text(lost.hash))"
    }

    /// The name of the file with the anchors of the history in `schema`, and of what is left of an earlier epoch.
    public static func fileName(schema: String, epoch: Int? = nil) -> String {
        fileName("anchors", schema: schema) + (epoch.map { ".epoch\($0)" } ?? "")
    }

    /// The name of a file about the history in `schema`.
    static func fileName(_ stem: String, schema: String) -> String {
        guard schema != "migrated" else { return stem }
        let escaped = schema.utf8.map { byte in
            let isPlain =
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            return isPlain ? String(UnicodeScalar(byte)) : "%" + Hex.text([byte])
        }
        return "\(stem)-" + escaped.joined()
    }

    /// The lines that are kept where a file has grown too large: the heading, the newest thousand, and at most half of the older ones,
    /// evenly spaced over the whole history; what was announced is done with, but for what is newer than all.
    ///
    /// Each anchor stands for everything before it, so that what is found stays the same; only the place where a rewriting began
    /// is told less exactly. Where anchors are signed, those without a signature go first.
    public static func thinned(_ lines: [String], newest: Int = 1000) -> [String] {
        let anchored = lines.compactMap { line in Anchor(line: line).map { (line: line, anchor: $0) } }
        guard anchored.count > newest else { return lines }
        let heading = lines.first.flatMap { $0.hasPrefix("epoch ") ? $0 : nil }
        let older = Array(anchored.dropLast(newest))
        let signed = older.filter { $0.anchor.signature != nil }
        let pool = signed.isEmpty ? older : signed
        var kept = pool
        var stride: Int64 = 1
        while kept.count * 2 > older.count, kept.count > 1 {
            stride *= 2
            kept = pool.indices.filter { index in
                // The last one of each stretch of that length.
                index == pool.count - 1
                    || pool[index].anchor.head.seq / stride != pool[index + 1].anchor.head.seq / stride
            }.map { pool[$0] }
        }
        // Another process may be in the middle of its commit.
        let last = anchored.last?.anchor.head.seq ?? 0
        let open = lines.filter { line in intended(line).map { $0.seq > last } ?? false }
        return (heading.map { [$0] } ?? []) + kept.map(\.line) + anchored.suffix(newest).map(\.line) + open
    }
}
