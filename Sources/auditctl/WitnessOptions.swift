internal import ArgumentParser
internal import Audit
internal import AuditReading
internal import Configuration
internal import Digest
internal import Reporting
internal import Systemd

/// What the history is held against beside its own chain.
struct WitnessOptions: ParsableArguments {
    @Flag(name: .long, help: "Hold the history against this machine's journal too.")
    var journal = false

    @Option(name: .long, help: ArgumentHelp("The same with journal files of another place.", valueName: "dir"))
    var journalDirectory: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Whose journal entries count, by name or number; may stand several times (default: root and migrated).",
            valueName: "user"))
    var journalUser: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Check the signatures of anchors with this key, and rely on signed ones alone.", valueName: "file"))
    var publicKey: String?

    /// What was found.
    struct Found {
        var testimony: Testimony
        var key: PublicKey?
        var log: AnchorLog
        /// Entries of the journal that claim to be of this history and were written by somebody who is not trusted, by user.
        var ignored: [UInt32: Int] = [:]
        /// The units that the trusted entries come from, as the journal saw them.
        var units: Set<String> = []
    }

    /// The key that signatures are checked with, where there is one.
    func key(_ history: HistoryOptions) throws -> PublicKey? {
        try (publicKey ?? history.settings().publicKey).map(WitnessOptions.key)
    }

    /// Everything that is kept of the history in `database` outside of it.
    func found(_ history: HistoryOptions, database: String) throws -> Found {
        let settings = try history.settings()
        let key = try key(history)
        let log = try history.anchors(of: database)
        var found = Found(testimony: Testimony([]), key: key, log: log)
        var witnesses = log.anchors.map { anchor in
            WitnessedHead(
                anchor.head, .stateDirectory, isLate: anchor.isLate,
                seal: WitnessOptions.seal(anchor.signature, anchor.head, database, key))
        }
        if journal || journalDirectory != nil {
            try readJournal(database, schema: settings.schema, key, into: &witnesses, &found)
        }
        found.testimony = Testimony(witnesses, needsSignature: key != nil)
        return found
    }

    private func readJournal(
        _ database: String, schema: String, _ key: PublicKey?, into witnesses: inout [WitnessedHead],
        _ found: inout Found
    ) throws {
        let trusted = try trustedUsers()
        let matches = [("MIGRATED_DATABASE_ID", database), ("MIGRATED_SCHEMA", schema)]
        let fields = [
            "_UID", "_SYSTEMD_UNIT", "MIGRATED_SEQ", "MIGRATED_HASH", "MIGRATED_ANCHOR", "MIGRATED_SIGNATURE",
        ]
        try JournalReader.read(directory: journalDirectory, matches: matches, fields: fields) { entry in
            func text(_ name: String) -> String? { entry[name].map { String(decoding: $0, as: UTF8.self) } }
            guard let seq = text("MIGRATED_SEQ").flatMap({ Int64($0) }),
                let hash = text("MIGRATED_HASH").flatMap({ Hex.bytes($0) }), hash.count == 32
            else { return }
            // Anybody may send such an entry; the kernel says who it was.
            let user = text("_UID").flatMap { UInt32($0) } ?? .max
            guard trusted.contains(user) else {
                found.ignored[user, default: 0] += 1
                return
            }
            if let unit = text("_SYSTEMD_UNIT") { found.units.insert(unit) }
            let head = ChainHead(seq: seq, hash: hash)
            let signature = text("MIGRATED_SIGNATURE").flatMap { AnchorSignature($0) }
            witnesses.append(
                WitnessedHead(
                    head, .journal, isLate: text("MIGRATED_ANCHOR") == "late",
                    seal: WitnessOptions.seal(signature, head, database, key)))
        }
    }

    private func trustedUsers() throws(Complaint) -> Set<UInt32> {
        guard !journalUser.isEmpty else {
            return Set([0] + [Process.user(named: "migrated")].compactMap(\.self))
        }
        var users: Set<UInt32> = []
        for name in journalUser {
            guard let user = UInt32(name) ?? Process.user(named: name) else {
                throw Complaint(.usage, "there is no user '\(name)'", hint: "Give --journal-user a name or a number.")
            }
            users.insert(user)
        }
        return users
    }

    private static func key(_ path: String) throws(Complaint) -> PublicKey {
        guard let key = PublicKey(pem: try ConfigurationFile.readTrusted(path).bytes) else {
            throw Complaint(
                .configuration, "'\(path)' holds no public key that anchors can be checked with",
                hint: "It must be Ed25519 in PEM, as 'migrated keygen' writes it beside the private one.")
        }
        return key
    }

    private static func seal(
        _ signature: AnchorSignature?, _ head: ChainHead, _ database: String, _ key: PublicKey?
    ) -> WitnessedHead.Seal {
        guard let key, let signature, signature.key == key.id else { return .none }
        return signature.holds(for: head, database: database, by: key) ? .valid : .broken
    }
}
