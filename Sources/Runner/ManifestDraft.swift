internal import AuditReading
public import Configuration
internal import Migrations
public import Reporting
internal import Systemd

/// A manifest to be signed: what a directory holds now, for the histories that are named.
public struct ManifestDraft: Sendable {
    /// What is asked for beside the files.
    public struct Request: Sendable {
        /// The event from which on the manifest holds.
        public enum Head: Sendable, Equatable {
            /// The newest one of the history.
            case now
            /// The one with that number.
            case event(Int64)
        }

        /// The genesis of each history; none asks the database for its own.
        public var histories: [String] = []
        /// Its number; nil takes the one behind the newest that is known.
        public var serial: Int64?
        /// From which event on.
        public var fromHead: Head?
        /// After which moment no run begins.
        public var notAfter: Timestamp?

        /// Nothing beside the files.
        public init() {}
    }

    private let manifest: Manifest

    /// What is to be signed.
    public var text: String { manifest.text }
    /// Its number.
    public var serial: Int64 { manifest.serial }
    /// In a line: serial, files, databases.
    public var summary: String {
        "serial \(manifest.serial), \(manifest.entries.count) file(s), \(manifest.histories.count) database(s)"
    }
    /// The manifest's file in that directory.
    public static func path(in directory: String) -> String { "\(directory)/\(Manifest.fileName)" }
    /// How it is signed.
    public static func command(in directory: String) -> String {
        "ssh-keygen -Y sign -n \(Manifest.namespace) -f KEY \(path(in: directory))"
    }

    /// The clock of this machine, as a manifest writes it.
    static var now: String { text(of: Timestamp(microseconds: WallClock.now())) }

    /// A second of UTC.
    private static func text(of moment: Timestamp) -> String { "\(moment.description.prefix(19))Z" }

    /// The manifest of the configured directory, without a database.
    public init(_ settings: Settings, _ request: Request) throws(Complaint) {
        guard request.fromHead != .now else {
            throw Complaint(
                .usage, "--from-head now needs the database", hint: "Leave --history away, or give the event's number.")
        }
        var head: Manifest.Head?
        if case .event(let seq)? = request.fromHead { head = Manifest.Head(seq: seq, hash: nil) }
        try self.init(settings, request, histories: request.histories, head: head, accepted: nil)
    }

    /// The same for the history of a database that was asked.
    init(_ settings: Settings, _ request: Request, _ history: Manifest.History, head: Manifest.Head?) throws(Complaint)
    {
        if let head, head.hash == nil {
            throw Complaint(
                .usage, "the history has no event \(head.seq): it ends at event \(history.seq)",
                hint: "Give an event that it has, or --from-head now.")
        }
        try self.init(settings, request, histories: [history.genesis], head: head, accepted: history.accepted?.serial)
    }

    private init(
        _ settings: Settings, _ request: Request, histories: [String], head: Manifest.Head?, accepted: Int64?
    ) throws(Complaint) {
        for history in histories where !Manifest.isHash(history) {
            throw Complaint(
                .usage, "'\(history)' is no identity of a history",
                hint:
                    "It is 64 hexadecimal digits in lower case: 'migrated manifest' on the database's machine prints it as 'history'."
            )
        }
        var settings = settings
        // It is what is going to be signed, and the machine that builds a release has other users.
        settings.requireSignature = .none
        settings.checkPermissions = false
        let directory = try MigrationDirectory(settings)
        let snapshot = try directory.read(listing: true)
        for candidate in snapshot.candidates {
            if case .unusable(let finding) = candidate.content { throw finding.complaint }
        }
        var entries: [Manifest.Entry] = []
        for file in snapshot.found {
            guard let checksum = file.checksum, Manifest.canHold(path: file.path) else {
                throw Complaint(
                    .badFile,
                    "'\(file.path)' \(file.checksum == nil ? "cannot be read" : "has a name that no manifest can hold")",
                    hint:
                        "A manifest lists every file that would be run or read: rename it, or take it out of the directory."
                )
            }
            entries.append(Manifest.Entry(file.direction, checksum, file.path))
        }
        var newest = accepted ?? 0
        if request.serial == nil, let earlier = directory.earlierManifest(in: snapshot) {
            newest = max(newest, earlier.serial)
        }
        let serial = request.serial ?? (newest < .max ? newest + 1 : newest)
        if serial < 1 || serial <= accepted ?? 0 {
            throw Complaint(
                .usage, "serial \(serial) is not higher than \(accepted ?? 0), which the history has accepted",
                hint: "Give a higher one, or leave --serial away.")
        }
        let notAfter = request.notAfter.map(ManifestDraft.text)
        if let notAfter, !Manifest.isMoment(notAfter) {
            throw Complaint(
                .usage, "--not-after '\(notAfter)' has a year that no manifest can hold", hint: "Give one before 10000."
            )
        }
        manifest = Manifest(
            histories: histories, serial: serial, layout: snapshot.set.layout, fromHead: head, notAfter: notAfter,
            entries: entries)
    }

    /// Puts it into the directory in place of an earlier one, whose signature goes.
    public func write(in directory: String) throws(Complaint) {
        let path = ManifestDraft.path(in: directory)
        do throws(SystemFailure) {
            if ConfigurationFile.exists(path + ".sig") { try KeyFile.remove(path + ".sig") }
            try NewFile.put(path, Array(text.utf8), mode: 0o644)
        } catch {
            throw error.complaint
        }
    }
}

extension MigrationDirectory {
    /// The manifest that is there, whoever has signed it; nil where there is none that can be read.
    fileprivate func earlierManifest(in snapshot: Snapshot) -> Manifest? {
        guard let entry = snapshot.scan.entries.first(where: { $0.path == Manifest.fileName }),
            let bytes = try? snapshot.scan.read(entry, limit: Manifest.sizeLimit)
        else { return nil }
        return try? Manifest(bytes)
    }
}

extension Engine {
    /// The manifest of the configured directory for this database. Reads alone.
    public func manifestDraft(_ request: ManifestDraft.Request) throws(RunFailure) -> ManifestDraft {
        guard try store.installedVersion(try sessions.books()) != nil else {
            throw .complaint(
                Complaint(
                    .configuration, "the database has no history yet, and a manifest names one",
                    hint:
                        "Make it with 'migrated init', or with 'migrated apply' and require-signature = \"manifest\", which will run nothing."
                ))
        }
        var found = try history.manifestHistory(from: nil)
        var head: Manifest.Head?
        if let wanted = request.fromHead {
            let seq = if case .event(let number) = wanted { number } else { found.seq }
            found = try history.manifestHistory(from: Manifest.Head(seq: seq, hash: nil))
            head = Manifest.Head(seq: seq, hash: found.hashAtHead)
        }
        do throws(Complaint) {
            return try ManifestDraft(settings, request, found, head: head)
        } catch {
            throw .complaint(error)
        }
    }
}
