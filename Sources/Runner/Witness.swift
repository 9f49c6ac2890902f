internal import Audit
internal import Configuration
internal import Digest
internal import Reporting
internal import Systemd

/// What is known of the chain outside of the database: the newest head that was seen committed, kept as anchors in the state directory and
/// signed where there is a key.
///
/// It shows what the chain alone cannot: a tail that was cut off, or rewritten to its end. A state directory that cannot be written holds
/// up no migration; what this process has seen itself it knows all the same.
final class Witness {
    /// The history's database, as the system identifier and the oid name it; nil until it is known.
    private(set) var database: String?
    /// How the database was reached, and the genesis of its history where that was asked for.
    private var reached: (name: String?, address: String)?
    private var genesis: String?
    private var identity = HistoryIdentity()
    private var isIdentityKept = false
    /// What is kept of the database before, until it is kept that there was one.
    private var inherited: Predecessor?
    /// The last event before a loss that an operator has acknowledged, until that is kept.
    private var lastCommon: Int64?
    /// The timeline of the server that answers now.
    private(set) var timeline: UInt32?
    /// The newest anchor.
    private(set) var newest: Anchor?
    /// Set while an operator acknowledges that the history does not go on from its anchor.
    var isAcknowledging = false

    private let directory: StateDirectory?
    private let schema: String
    private let key: SigningKey?
    private var file: GrowingFile?
    /// Where others have written between two commits of this process.
    private var met: (behind: ChainHead, last: Int64)?
    /// Why a head could not be announced, until that was told.
    private var unannounced: SystemFailure?

    /// A file that is larger is thinned out: some ten thousand anchors, or five thousand that are signed.
    static let sizeLimit: Int64 = 1 << 20

    init(_ settings: Settings) throws(Complaint) {
        directory = try? StateDirectory.locate(option: settings.stateDirectory)
        schema = settings.schema
        key = try SigningKey.configured(settings)
    }

    /// A witness that keeps nothing and signs nothing.
    init(keepingNothingOf schema: String) {
        directory = nil
        key = nil
        self.schema = schema
    }

    /// The head that the database must have reached.
    var head: ChainHead? { isAcknowledging ? nil : newest?.head }

    /// A session with that database was opened. Reads what is kept of it, also what other processes have kept since.
    func attend(_ database: String?, name: String?, address: String, timeline: UInt32?) throws(SystemFailure) {
        self.timeline = timeline
        reached = (name, address)
        isIdentityKept = false
        if database != self.database || file == nil {
            self.database = database
            newest = nil
            file = nil
            identity = HistoryIdentity()
            genesis = nil
            inherited = nil
            lastCommon = nil
            guard let database, let directory else { return }
            file = GrowingFile(directory.subdirectory(database), AnchorLog.fileName(schema: schema))
        }
        guard let database, let directory else { return }
        let folder = directory.subdirectory(database)
        // They stand in the order in which they were kept: the newest one is near the end.
        let lines = try folder.lastLines(of: AnchorLog.fileName(schema: schema), count: Witness.endLength)
        newest = AnchorLog(lines: lines).newest
        identity = HistoryIdentity(lines: try folder.lines(of: HistoryIdentity.fileName(schema: schema)))
    }

    // MARK: What the database was before

    /// What is kept of a database whose history, or whose place, this one may have.
    struct Predecessor {
        var database: String
        var log: AnchorLog
        /// The newest anchor that this history must have.
        var anchor: Anchor
    }

    /// Whether nothing says yet which history this is.
    var asksGenesis: Bool { file != nil && (newest == nil || identity.geneses.isEmpty) }

    /// What is kept of databases that had this history before, or this name on the same server or at the same address; nothing where
    /// anchors of this one are kept. `seq` is its newest event.
    ///
    /// A copy under another name, beside the first, may have been made some time ago: what came behind it is no loss.
    func predecessors(seq: Int64) throws(SystemFailure) -> [Predecessor] {
        guard newest == nil, let genesis, let database, let reached, let directory else { return [] }
        let server = database.prefix { $0 != "-" } + "-"
        var found: [Predecessor] = []
        for other in try directory.subdirectories() where other != database {
            let folder = directory.subdirectory(other)
            let identity = HistoryIdentity(lines: try folder.lines(of: HistoryIdentity.fileName(schema: schema)))
            let hasName = reached.name.map(identity.names.contains) ?? false
            let isSame = identity.geneses.contains(genesis)
            let isReplaced =
                hasName && (isSame || other.hasPrefix(server) || identity.addresses.contains(reached.address))
            guard isSame || isReplaced else { continue }
            let log = AnchorLog(lines: try folder.lines(of: AnchorLog.fileName(schema: schema)))
            let anchor = isReplaced ? log.newest : log.newest(through: seq)
            if let anchor { found.append(Predecessor(database: other, log: log, anchor: anchor)) }
        }
        return found
    }

    /// Holds the history against what is kept of another database.
    func succeed(_ predecessor: Predecessor) {
        newest = predecessor.anchor
        inherited = predecessor
    }

    /// Keeps which history this is, where it was reached, and what its database was before.
    private func keepIdentity() throws(SystemFailure) {
        guard !isIdentityKept, let database, let reached, let directory else { return }
        isIdentityKept = true
        var now = identity
        if let genesis, !now.geneses.contains(genesis) { now.geneses.append(genesis) }
        if let name = reached.name, !now.names.contains(name) { now.names.append(name) }
        if !now.addresses.contains(reached.address) { now.addresses.append(reached.address) }
        if let before = inherited {
            now.predecessors.append(.init(database: before.database, through: before.anchor.head.seq))
            inherited = nil
        }
        if let last = lastCommon {
            for index in now.predecessors.indices {
                now.predecessors[index].through = min(now.predecessors[index].through, last)
            }
            lastCommon = nil
        }
        let known = Set(identity.lines)
        identity = now
        let folder = directory.subdirectory(database)
        for line in now.lines where !known.contains(line) {
            try folder.append(line, to: HistoryIdentity.fileName(schema: schema))
        }
    }

    /// How much of the anchor file's end is read for the newest one: more than a hundred anchors, more than processes that work at the same time
    /// could put out of their order.
    private static let endLength = 16 << 10

    /// What the anchor file says; before there is one, that of the database before.
    func log() throws(SystemFailure) -> AnchorLog {
        if let inherited { return inherited.log }
        guard let database, let directory else { return AnchorLog(lines: []) }
        return AnchorLog(
            lines: try directory.subdirectory(database).lines(of: AnchorLog.fileName(schema: schema)))
    }

    /// The anchors of the databases before that are of this history.
    func earlierAnchors() throws(SystemFailure) -> [Anchor] {
        guard let database, let directory else { return [] }
        return try HistoryIdentity.earlier(than: database, schema: schema) { (database, file) throws(SystemFailure) in
            try directory.subdirectory(database).lines(of: file)
        }.flatMap(\.anchors)
    }

    /// The history begins with this genesis.
    func begin(genesis: String) { self.genesis = genesis }

    /// The signature over a head, where there is a key.
    func sign(_ head: ChainHead) -> AnchorSignature? {
        guard let key, let database else { return nil }
        return AnchorSignature(of: head, database: database, by: key)
    }

    /// Takes note of a head that was seen committed, before it is kept.
    func see(_ head: ChainHead) {
        if newest.map({ $0.head.seq <= head.seq }) ?? true { newest = Anchor(head, timeline: timeline) }
    }

    /// Says which heads are about to be committed, so that nobody else's event is taken for one of them. Where that cannot be kept, `keep` throws.
    func announce(_ heads: [ChainHead]) {
        do throws(SystemFailure) { try file?.note(heads.map(AnchorLog.announcing)) } catch { unannounced = error }
    }

    /// A commit met a head that this process has not seen: what stands between the two is somebody else's.
    func meet(_ head: ChainHead, behind newest: ChainHead) { met = met ?? (newest, head.seq) }

    /// What was met since this was last asked.
    func takeMet() -> (behind: ChainHead, last: Int64)? {
        defer { met = nil }
        return met
    }

    /// Whether anchors are kept at all.
    var keeps: Bool { file != nil }

    /// Keeps the heads of a commit, the last of them signed. They are on disk when `settle` returns, or when the next ones are kept.
    func keep(
        _ heads: [ChainHead], signature: AnchorSignature?, isLate: Bool, isForeign: Bool = false
    ) throws(SystemFailure) {
        guard let last = heads.last else { return }
        let anchors = heads.map { head in
            Anchor(
                head, timeline: timeline, isLate: isLate, isForeign: isForeign,
                signature: head.seq == last.seq ? signature : nil)
        }
        if newest.map({ $0.head.seq <= last.seq }) ?? true { newest = anchors.last }
        guard let file else { return }
        try keepIdentity()
        try file.append(anchors.map(\.line))
        if file.size > Witness.sizeLimit { try file.replace { AnchorLog.thinned($0) } }
        if let failure = unannounced {
            unannounced = nil
            throw failure
        }
    }

    /// Returns once what was kept is on disk.
    func settle() throws(SystemFailure) { try file?.settle() }

    /// Begins a new epoch: what is kept so far is put aside, but for the anchors that still hold, the newest of them of event `common`.
    func begin(
        epoch: Int, event: Int64, lost: ChainHead, common: Int64, genesis: String?, holding: (Anchor) -> Bool
    ) throws(SystemFailure) {
        newest = nil
        self.genesis = genesis
        lastCommon = common
        isIdentityKept = false
        try file?.replace(keepingOldAs: AnchorLog.fileName(schema: schema, epoch: epoch - 1)) { lines in
            [AnchorLog.heading(epoch: epoch, event: event, lost: lost)]
                + lines.filter { Anchor(line: $0).map(holding) ?? false }
        }
    }

    /// Fields of every journal entry: which history, and on which timeline.
    var journalFields: [(name: String, value: String)] {
        guard let database else { return [] }
        return [("MIGRATED_DATABASE_ID", database), ("MIGRATED_SCHEMA", schema)]
            + (timeline.map { [("MIGRATED_TIMELINE", String($0))] } ?? [])
    }
}

extension SigningKey {
    /// The name of the systemd credential that holds the key where none is configured.
    static let credential = "migrated-signing-key"

    /// The key in the configured file, else in the credential; nil where there is neither. A key that was named and cannot be used ends the
    /// program: unsigned anchors would look like a choice.
    static func configured(_ settings: Settings) throws(Complaint) -> SigningKey? {
        var path = settings.signingKey
        if path == nil, let folder = Process.environment("CREDENTIALS_DIRECTORY") {
            let credential = "\(folder)/\(SigningKey.credential)"
            if ConfigurationFile.exists(credential) { path = credential }
        }
        guard let path else { return nil }
        guard let key = SigningKey(pem: try ConfigurationFile.readSecret(path)) else {
            throw Complaint(
                .configuration, "'\(path)' holds no private key that can sign anchors",
                hint: "It must be Ed25519 in PEM without a passphrase, as 'migrated keygen' makes it.")
        }
        return key
    }
}
