internal import Digest

/// What a state directory knows of a history beside its anchors: which one it is, where it was reached, and in which databases it was before.
public struct HistoryIdentity: Sendable, Equatable {
    /// A database that had the history before, as after a restore or an upgrade of the server.
    public struct Predecessor: Sendable, Equatable {
        /// As the system identifier and the oid name it.
        public var database: String
        /// The last event that both have; anchors of it that are newer are none of this history.
        public var through: Int64

        /// A predecessor from its parts.
        public init(database: String, through: Int64) {
            self.database = database
            self.through = through
        }
    }

    /// The genesis of its chain, 64 hexadecimal digits; several where an operator has accepted another history in its place.
    public var geneses: [String] = []
    /// The database's names, and the addresses of its server.
    public var names: [String] = []
    public var addresses: [String] = []
    /// Oldest first.
    public var predecessors: [Predecessor] = []

    /// What these lines say; a later version's line is left out.
    public init(lines: [String] = []) {
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "genesis": geneses.append(words[1])
            case "name": HistoryIdentity.text(words[1]).map { names.append($0) }
            case "address": HistoryIdentity.text(words[1]).map { addresses.append($0) }
            case "after" where words.count == 3:
                guard let through = Int64(words[2]) else { continue }
                // A backup that was restored since may have lost some of what came from there.
                let before = predecessors.firstIndex { $0.database == words[1] }.map { predecessors.remove(at: $0) }
                predecessors.append(
                    Predecessor(database: words[1], through: min(through, before?.through ?? through)))
            default: break
            }
        }
    }

    /// Its lines; names and addresses as the hexadecimal digits of their bytes.
    public var lines: [String] {
        geneses.map { "genesis \($0)" } + names.map { "name \(Hex.text(Array($0.utf8)))" }
            + addresses.map { "address \(Hex.text(Array($0.utf8)))" }
            + predecessors.map { "after \($0.database) \($0.through)" }
    }

    private static func text(_ digits: String) -> String? {
        Hex.bytes(digits).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// What is kept of the databases that had the history of `database` before, however long ago: their anchors as far as they are of this history.
    ///
    /// `lines` reads a file of one database.
    public static func earlier<Failure>(
        than database: String, schema: String,
        lines: (_ database: String, _ file: String) throws(Failure) -> [String]
    ) throws(Failure) -> [(predecessor: Predecessor, anchors: [Anchor])] {
        var found: [(predecessor: Predecessor, anchors: [Anchor])] = []
        var open = [Predecessor(database: database, through: .max)]
        while let next = open.popLast() {
            let identity = HistoryIdentity(lines: try lines(next.database, fileName(schema: schema)))
            for predecessor in identity.predecessors {
                // A database that was restored in the place of its own successor.
                guard predecessor.database != database,
                    !found.contains(where: { $0.predecessor.database == predecessor.database })
                else { continue }
                let through = min(predecessor.through, next.through)
                let log = AnchorLog(lines: try lines(predecessor.database, AnchorLog.fileName(schema: schema)))
                let reached = Predecessor(database: predecessor.database, through: through)
                found.append((reached, log.anchors.filter { $0.head.seq <= through }))
                open.append(reached)
            }
        }
        return found
    }

    /// The name of the file of the history in `schema`.
    public static func fileName(schema: String) -> String { AnchorLog.fileName("identity", schema: schema) }
}
