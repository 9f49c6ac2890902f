public import Digest

/// A head of the chain that is kept outside of the database, in the state directory or in the journal: what the chain is held against.
public struct Anchor: Sendable, Equatable {
    /// The event's number and hash.
    public var head: ChainHead
    /// The timeline of the server that it was committed on, where it was known; see "Timelines" in PostgreSQL's manual, chapter 26.3.5.
    public var timeline: UInt32?
    /// Whether it was made later than right after the commit, from what the database said then.
    public var isLate: Bool
    /// Whether the event is none that this host has announced before its commit: seen in the database, written by somebody else.
    public var isForeign: Bool
    /// The signature over the head, where the daemon has a key.
    public var signature: AnchorSignature?

    /// An anchor from its parts.
    public init(
        _ head: ChainHead, timeline: UInt32? = nil, isLate: Bool = false, isForeign: Bool = false,
        signature: AnchorSignature? = nil
    ) {
        self.head = head
        self.timeline = timeline
        self.isLate = isLate
        self.isForeign = isForeign
        self.signature = signature
    }

    /// The anchor in a line of the anchor file; nil where the line is none.
    public init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count >= 2, let seq = Int64(words[0]), let hash = Hex.bytes(words[1]), hash.count == 32 else {
            return nil
        }
        self.init(ChainHead(seq: seq, hash: hash))
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=", maxSplits: 1)
            switch (parts[0], parts.count) {
            case ("late", 1): isLate = true
            case ("foreign", 1): isForeign = true
            case ("timeline", 2): timeline = UInt32(parts[1])
            case ("signature", 2): signature = AnchorSignature(parts[1])
            // A later version's word.
            default: break
            }
        }
    }

    /// Its line in the anchor file: `seq hash`, and behind them `timeline=N`, `late`, `foreign`, `signature=KEY:HEX` where they are known.
    public var line: String {
        var words = ["\(head.seq)", Hex.text(head.hash)]
        if let timeline { words.append("timeline=\(timeline)") }
        if isLate { words.append("late") }
        if isForeign { words.append("foreign") }
        if let signature { words.append("signature=\(signature)") }
        return words.joined(separator: " ")
    }
}

/// An Ed25519 signature over a head of the chain, with the name of the key that made it.
public struct AnchorSignature: Sendable, Equatable, CustomStringConvertible {
    /// The key, as `PublicKey.id` names it.
    public var key: String
    /// 64 bytes.
    public var bytes: [UInt8]

    /// Signs `head` of the history in `database`.
    public init(of head: ChainHead, database: String, by key: SigningKey) {
        self.key = key.publicKey.id
        bytes = key.sign(AnchorSignature.message(head, database: database))
    }

    /// The signature that `text` writes; nil where it is none.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let bytes = Hex.bytes(parts[1]), bytes.count == 64 else { return nil }
        key = String(parts[0])
        self.bytes = bytes
    }

    /// The key's name, a colon, and 128 hexadecimal digits.
    public var description: String { "\(key):\(Hex.text(bytes))" }

    /// Whether the private half of `key` has signed that head of the history in `database`.
    public func holds(for head: ChainHead, database: String, by key: PublicKey) -> Bool {
        key.verifies(bytes, of: AnchorSignature.message(head, database: database))
    }

    /// Separates these signatures from any other use of the key.
    public static let domain = "migrated-anchor-v1"

    /// The bytes that are signed: four lines, each ended by a line feed: the domain, the database (its system identifier, a minus sign and
    /// its oid), the seq in decimal digits, the hash in 64 lower-case hexadecimal digits.
    ///
    /// A shell writes them with `printf '%s\n'`, so that `openssl pkeyutl -verify -rawin` is a second verifier.
    public static func message(_ head: ChainHead, database: String) -> [UInt8] {
        Array("\(domain)\n\(database)\n\(head.seq)\n\(Hex.text(head.hash))\n".utf8)
    }
}
