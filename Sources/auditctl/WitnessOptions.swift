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

    @Option(
        name: .long,
        help: ArgumentHelp("The same with journal files of another place, such as a collector's.", valueName: "dir"))
    var journalDirectory: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The same with the journal of a namespace (LogNamespace= of the unit); * for all.", valueName: "name|*"))
    var journalNamespace: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Whose journal entries count, by name or number; may stand several times (default: root and migrated).",
            valueName: "user"))
    var journalUser: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Of which host journal entries count; may stand several times (default: with --journal-directory those that the history names).",
            valueName: "host"))
    var journalHost: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What must vouch for the history, else nobody can tell: journal, state, signature (default: the journal and a key, where they are named).",
            valueName: "list"))
    var require: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Check the signatures of anchors with this key, and rely on signed ones alone.", valueName: "file"))
    var publicKey: String?

    /// Whether the journal shall be read: one way to ask for it is to say which.
    var asksJournal: Bool {
        get throws {
            try journal || journalDirectory != nil || journalNamespace != nil || !journalUser.isEmpty
                || !journalHost.isEmpty || requiredList()?.contains(.journal) == true
        }
    }

    /// What `--require` lists; nil where it is not given.
    func requiredList() throws(Complaint) -> Set<AnchorSource>? {
        guard let require else { return nil }
        var required: Set<AnchorSource> = []
        for word in require.split(separator: ",") {
            guard let source = AnchorSource(rawValue: String(word)) else {
                throw Complaint(
                    .usage, "--require does not know '\(word)'", hint: "It takes a list of: journal, state, signature.")
            }
            required.insert(source)
        }
        return required
    }

    /// The key that signatures are checked with, where there is one.
    func key(_ history: HistoryOptions) throws -> PublicKey? {
        try (publicKey ?? history.settings().publicKey).map(WitnessOptions.key)
    }

    /// Everything that is kept of the history in `database` outside of it. `hosts` says which hosts the history names.
    func found(_ history: HistoryOptions, database: String, hosts: () -> Set<String>) throws -> WitnessesFound {
        let key = try key(history)
        let listed = try requiredList()
        guard key != nil || listed?.contains(.signature) != true else {
            throw Complaint(
                .usage, "--require signature needs a key", hint: "Name the public one with --public-key FILE.")
        }
        var found = WitnessesFound(key: key, state: try history.anchors(of: database))
        let databases =
            [HistoryIdentity.Predecessor(database: database, through: .max)] + found.state.earlier.map(\.predecessor)
        if try asksJournal { found.journal = try journal(history, databases, key, hosts) }
        found.required = (listed ?? (found.journal == nil ? [] : [.journal])).union(key == nil ? [] : [.signature])
        func kept(_ anchors: [Anchor], _ database: String) -> [WitnessedHead] {
            anchors.map { anchor in
                WitnessedHead(
                    anchor.head, .stateDirectory, isLate: anchor.isLate, isForeign: anchor.isForeign,
                    seal: WitnessedHead.Seal(anchor.signature, anchor.head, database, key))
            }
        }
        let earlier = found.state.earlier.reversed().flatMap { kept($0.anchors, $0.predecessor.database) }
        found.testimony = Testimony(
            earlier + kept(found.state.log.anchors, database) + (found.journal?.heads ?? []), required: found.required,
            uncounted: found.journal?.uncounted ?? [])
        return found
    }

    private func journal(
        _ history: HistoryOptions, _ databases: [HistoryIdentity.Predecessor], _ key: PublicKey?,
        _ hosts: () -> Set<String>
    ) throws -> JournalWitness {
        // All that this machine's own journal holds came from this machine. What others have sent to a collector is theirs to say.
        let named = journalHost.isEmpty ? (journalDirectory == nil ? nil : hosts()) : Set(journalHost)
        let trust = JournalWitness.Trust(users: try trustedUsers(), hosts: named, isHostGiven: !journalHost.isEmpty)
        return JournalWitness(
            .init(directory: journalDirectory, namespace: journalNamespace), databases: databases,
            schema: try history.settings().schema, trust, key)
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
}

extension WitnessedHead.Seal {
    /// What `signature` over `head` is worth to whoever has `key`.
    init(_ signature: AnchorSignature?, _ head: ChainHead, _ database: String, _ key: PublicKey?) {
        guard let key, let signature, signature.key == key.id else {
            self = .none
            return
        }
        self = signature.holds(for: head, database: database, by: key) ? .valid : .broken
    }
}
