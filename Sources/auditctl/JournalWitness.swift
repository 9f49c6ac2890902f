internal import Audit
internal import AuditReading
internal import Digest
internal import Reporting
internal import Systemd

/// What a journal says of one history, and what of it counts.
struct JournalWitness {
    /// Whose entries count.
    struct Trust {
        /// Of these users: anybody may send an entry, and the kernel says who it was.
        var users: Set<UInt32>
        /// Of these hosts; nil for all.
        var hosts: Set<String>?
        /// Whether a person has named the hosts. The history's own word can be that of whoever has shortened it.
        var isHostGiven: Bool
    }

    let place: JournalFiles.Place
    let trust: Trust
    private(set) var files: JournalFiles
    /// The anchors that count, in the order in which journald got them.
    private(set) var heads: [WitnessedHead] = []
    /// Anchors of hosts that the history does not name.
    private(set) var uncounted: [WitnessedHead] = []
    /// Entries that claim to be of this history and do not count, by user and by host.
    private(set) var ignored: [UInt32: Int] = [:]
    private(set) var ignoredHosts: [String: Int] = [:]
    /// The units and hosts that the entries which count come from, as the journal saw them.
    private(set) var units: Set<String> = []
    private(set) var hosts: Set<String> = []
    /// How many entries claim to be of this history and do not count.
    var countIgnored: Int { ignored.values.reduce(0, +) + ignoredHosts.values.reduce(0, +) }
    /// Why it could not be read to its end.
    private(set) var failure: SystemFailure?

    private static let fields = [
        "_UID", "_SYSTEMD_UNIT", "_HOSTNAME", "MIGRATED_SEQ", "MIGRATED_HASH", "MIGRATED_ANCHOR", "MIGRATED_SIGNATURE",
    ]

    /// Reads the journal at `place` for the databases that have, or had, the history, each up to its last event that is this history's. A file
    /// that journald renames meanwhile would be missed: then it is read again.
    init(
        _ place: JournalFiles.Place, databases: [HistoryIdentity.Predecessor], schema: String, _ trust: Trust,
        _ key: PublicKey?
    ) {
        var witness = JournalWitness(place, trust)
        for _ in 1...5 {
            witness.read(databases, schema, key)
            let after = JournalWitness(place, trust)
            if after.files.isSame(as: witness.files) { break }
            witness = after
        }
        self = witness
    }

    private init(_ place: JournalFiles.Place, _ trust: Trust) {
        self.place = place
        self.trust = trust
        files = JournalFiles(place)
    }

    private mutating func read(_ databases: [HistoryIdentity.Predecessor], _ schema: String, _ key: PublicKey?) {
        var moments: [UInt64] = []
        for one in databases {
            let matches = [("MIGRATED_DATABASE_ID", one.database), ("MIGRATED_SCHEMA", schema)]
            do throws(SystemFailure) {
                try JournalReader.read(files, matches: matches, fields: JournalWitness.fields) { entry in
                    guard let head = witnessed(entry, one, key) else { return }
                    heads.append(head)
                    moments.append(entry.receivedAt)
                }
            } catch {
                failure = error
            }
        }
        guard files.areOfSeveralSenders || databases.count > 1 else { return }
        // Each host's and each database's come in one go, and it is asked which of two was kept first.
        heads = zip(heads, moments).enumerated().sorted {
            ($0.element.1, $0.offset) < ($1.element.1, $1.offset)
        }.map(\.element.0)
    }

    /// The anchor in an entry, where it counts.
    private mutating func witnessed(
        _ entry: JournalReader.Entry, _ database: HistoryIdentity.Predecessor, _ key: PublicKey?
    ) -> WitnessedHead? {
        func text(_ name: String) -> String? { entry.fields[name].map { String(decoding: $0, as: UTF8.self) } }
        guard let seq = text("MIGRATED_SEQ").flatMap({ Int64($0) }),
            let hash = text("MIGRATED_HASH").flatMap({ Hex.bytes($0) }), hash.count == 32, seq <= database.through
        else { return nil }
        let user = text("_UID").flatMap { UInt32($0) } ?? .max
        guard trust.users.contains(user) else {
            ignored[user, default: 0] += 1
            return nil
        }
        let host = entry.sender ?? text("_HOSTNAME")
        let head = ChainHead(seq: seq, hash: hash)
        let signature = text("MIGRATED_SIGNATURE").flatMap { AnchorSignature($0) }
        let witnessed = WitnessedHead(
            head, .journal, isLate: text("MIGRATED_ANCHOR") == "late",
            isForeign: text("MIGRATED_ANCHOR") == "foreign",
            seal: WitnessedHead.Seal(signature, head, database.database, key), host: host)
        guard trust.hosts?.contains(host ?? "") != false else {
            ignoredHosts[host ?? "", default: 0] += 1
            if !trust.isHostGiven { uncounted.append(witnessed) }
            return nil
        }
        if let host { hosts.insert(host) }
        if let unit = text("_SYSTEMD_UNIT") { units.insert(unit) }
        return witnessed
    }
}
