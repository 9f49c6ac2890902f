internal import Configuration
internal import Digest
internal import JSON
internal import Migrations
internal import Reporting
internal import Systemd

/// The watched directory: read as a whole, each file once.
final class MigrationDirectory {
    /// What a directory held at one moment.
    struct Snapshot {
        var set: MigrationSet
        private(set) var candidates: [Candidate] = []
        private var contents: [String: Candidate.Content] = [:]
        /// The files that were read for this snapshot, by path; those that had not changed since an earlier one are read when needed.
        var files: [String: MigrationFile] = [:]
        /// The signed manifest that lists all of it, or why there is none; nil where none is demanded.
        fileprivate(set) var manifest: Result<SignedManifest, Finding>?
        /// All that would be run or read, as a manifest lists it.
        fileprivate(set) var found: [Manifest.Found] = []
        let scan: Systemd.DirectoryScan

        init(set: MigrationSet, scan: Systemd.DirectoryScan) {
            self.set = set
            self.scan = scan
            // Growing step by step would move every entry several times.
            candidates.reserveCapacity(set.migrations.count)
            contents.reserveCapacity(set.migrations.count)
            files.reserveCapacity(set.migrations.count)
        }

        /// Takes the next migration's candidate, in the set's order.
        mutating func take(_ candidate: Candidate) {
            candidates.append(candidate)
            contents[candidate.migration.path] = candidate.content
        }

        /// What was read of a migration.
        func content(of migration: Migration) -> Candidate.Content? { contents[migration.path] }
    }

    /// A file as it was read last; an object, so that a table of a thousand has no empty places of its size.
    private final class Known {
        let facts: FileFacts
        let content: Candidate

        init(_ facts: FileFacts, _ content: Candidate) {
            self.facts = facts
            self.content = content
        }
    }

    let path: String
    private let settings: Settings
    /// What files that are run must be signed by.
    private enum SignatureCheck {
        case none
        case files(Signatures)
        case manifest(ManifestCheck)
    }

    private let check: SignatureCheck
    private var known: [String: Known] = [:]
    /// Files that no tool has marked, as they were when they were looked at: the layout need not be found anew for them.
    private var unmarked: [String: FileFacts] = [:]
    /// Of files that undo, when they were read last.
    private var undoing: [String: FileFacts] = [:]
    /// Checksums of files that no plan reads, for the manifest, as they were when they were read last.
    private var sums: [String: (facts: FileFacts, checksum: String)] = [:]

    /// What stat(2) said of a file when it was read.
    func facts(of path: String) -> FileFacts? { undoing[path] ?? known[path]?.facts }

    /// The directory that is configured; other programs that reading it needs run in `loop`.
    init(_ settings: Settings, loop: PollLoop = PollLoop()) throws(Complaint) {
        guard let path = settings.directory else {
            throw Complaint(
                .configuration, "no directory of migrations is configured",
                hint: "Set 'directory' in the configuration, or give --directory.")
        }
        self.path = path
        self.settings = settings
        switch settings.requireSignature {
        case .none: check = .none
        case .files:
            check = .files(Signatures(try MigrationDirectory.verifier(settings, loop), sizeLimit: settings.sizeLimit))
        case .manifest: check = .manifest(ManifestCheck(try MigrationDirectory.verifier(settings, loop)))
        }
    }

    private static func verifier(_ settings: Settings, _ loop: PollLoop) throws(Complaint) -> SignatureVerifier {
        try SignatureVerifier(allowedSigners: settings.allowedSigners ?? "", loop: loop)
    }

    /// Scans and reads. Throws `.tryLater` where something is still being written or changed meanwhile.
    ///
    /// - Parameters:
    ///   - openWriters: files that somebody is known to be writing.
    ///   - listing: whether to list all that a manifest would, also where none is demanded.
    func read(openWriters: Set<String> = [], listing: Bool = false) throws(Complaint) -> Snapshot {
        let scan = try Systemd.DirectoryScan.scan(path)
        if settings.checkPermissions {
            if let problem = scan.facts.permissionProblem(effectiveUser: Process.effectiveUser) {
                throw MigrationDirectory.exposed("directory '\(path)' \(problem)")
            }
            if let problem = SafePath.problem(above: Array(path.utf8)) {
                throw Complaint(
                    .permission, "directory '\(path)' could be exchanged by others: \(problem.what)",
                    hint:
                        "Whoever can exchange it can run anything in the database: type '\(problem.command)', or keep the migrations elsewhere."
                )
            }
        }
        FailPoint.directoryRead.pass()
        let entries = Dictionary(scan.entries.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        if case .files(let signatures) = check { try signatures.look(scan, entries) }
        // What the layout reads beside the migrations, with its checksum.
        var besides: [String: String] = [:]
        // Migrations that were read to find the layout, or by it: each file is read once.
        var early: [String: [UInt8]] = [:]
        let set = try MigrationSet(
            listing: scan.listing, layout: settings.layout, order: settings.order, versionBy: settings.versionBy,
            path: path, isPlain: { path in self.unmarked[path].map { $0 == entries[path]?.facts } ?? false },
            contents: { (path) throws(Complaint) in
                guard let entry = entries[path] else { throw Complaint(.badFile, "'\(path)' is not there") }
                let isMigration = path.hasSuffix(".sql")
                let bytes = try scan.read(entry, limit: self.settings.sizeLimit, refusingWriters: isMigration)
                if isMigration { early[path] = bytes } else { besides[path] = "sha256:" + SHA256.hex(bytes) }
                return bytes
            })
        var unmarked: [String: FileFacts] = [:]
        if set.isUnmarked {
            for (path, entry) in entries where early[path] != nil || self.unmarked[path] == entry.facts {
                unmarked[path] = entry.facts
            }
        }
        self.unmarked = unmarked
        // Whoever waits for an empty set would go on with an empty schema.
        if set.migrations.isEmpty, let stranger = set.findings.first(where: { $0.reason == .unknownFile }) {
            throw Complaint(
                .badFile, "no SQL file in '\(path)' is a migration: \(stranger.complaint.message)",
                hint: "Rename the files, or set 'layout' to the tool that they were written for.")
        }
        var snapshot = Snapshot(set: set, scan: scan)
        var seen: [String: Known] = [:]
        seen.reserveCapacity(set.migrations.count)
        for migration in set.migrations {
            guard let entry = entries[migration.path] else {
                // A folder without its file holds its place all the same.
                if let obstacle = migration.obstacle {
                    snapshot.take(Candidate(migration, unusable: obstacle))
                    continue
                }
                throw Complaint(.tryLater, "'\(path)/\(migration.path)' has gone while the directory was read")
            }
            if let verify = migration.verifyPath, openWriters.contains(verify) {
                throw Systemd.DirectoryScan.beingWritten("\(path)/\(verify)")
            }
            let found: Known
            if let same = known[migration.path], same.facts == entry.facts, same.content.migration == migration {
                found = same
            } else {
                if openWriters.contains(migration.path) {
                    throw Systemd.DirectoryScan.beingWritten("\(path)/\(migration.path)")
                }
                found = Known(entry.facts, try read(migration, entry, scan, early[migration.path], &snapshot))
            }
            seen[migration.path] = found
            snapshot.take(try signed(found.content, scan, entries, snapshot))
        }
        known = seen
        var signed: Result<SignedManifest, Finding>?
        if case .manifest(let check) = check { signed = try check.read(scan, entries) }
        guard listing || signed != nil else { return snapshot }
        snapshot.found = try found(snapshot, entries, besides)
        snapshot.manifest = signed.map { result in
            result.flatMap { ManifestCheck.compared($0, with: snapshot) }
        }
        return snapshot
    }

    /// All that would be run or read, each path once.
    private func found(
        _ snapshot: Snapshot, _ entries: [String: Systemd.DirectoryEntry], _ besides: [String: String]
    ) throws(Complaint) -> [Manifest.Found] {
        var found: [Manifest.Found] = []
        var seen: Set<String> = []
        func add(_ direction: Manifest.Direction, _ checksum: String?, _ path: String) {
            if seen.insert(path).inserted { found.append(Manifest.Found(direction, checksum, path)) }
        }
        for candidate in snapshot.candidates {
            let migration = candidate.migration
            var checksum: String?
            if case .text(let sum, _) = candidate.content { checksum = sum }
            add(migration.downPath == migration.path ? .both : .up, checksum, migration.path)
            if let path = migration.downPath, path != migration.path {
                add(.down, try self.checksum(path, snapshot.scan, entries), path)
            }
            if let path = migration.verifyPath {
                add(.verify, try self.checksum(path, snapshot.scan, entries), path)
            }
        }
        for (path, checksum) in besides.sorted(by: { $0.key < $1.key }) { add(.layout, checksum, path) }
        sums = sums.filter { seen.contains($0.key) }
        return found
    }

    /// The checksum of a file that no plan reads; nil where it cannot be read, and therefore does not run.
    private func checksum(
        _ path: String, _ scan: Systemd.DirectoryScan, _ entries: [String: Systemd.DirectoryEntry]
    ) throws(Complaint) -> String? {
        guard let entry = entries[path] else {
            throw Complaint(.tryLater, "'\(self.path)/\(path)' has gone while the directory was read")
        }
        if let known = sums[path], known.facts == entry.facts { return known.checksum }
        do throws(Complaint) {
            let checksum = "sha256:" + SHA256.hex(try scan.read(entry, limit: settings.sizeLimit))
            sums[path] = (entry.facts, checksum)
            return checksum
        } catch {
            if [.tryLater, .inputOutput].contains(error.status) { throw error }
            return nil
        }
    }

    /// What `started` says of who has signed a file of `snapshot` that is run; nothing where no signature is demanded.
    func signature(of file: MigrationFile, in snapshot: Snapshot) -> [String: JSONValue] {
        switch check {
        case .none: [:]
        case .files(let signatures):
            signatures.signer(file.migration.path, checksum: file.checksum).map { ["signature": $0.detail] } ?? [:]
        case .manifest:
            if case .success(let signed)? = snapshot.manifest { signed.detail } else { [:] }
        }
    }

    private func read(
        _ migration: Migration, _ entry: Systemd.DirectoryEntry, _ scan: Systemd.DirectoryScan, _ early: [UInt8]?,
        _ snapshot: inout Snapshot
    ) throws(Complaint) -> Candidate {
        // What is no file is told as what it is, below: a symbolic link's own mode says nothing.
        var isOther = false
        if case .other = entry.kind { isOther = true }
        if !isOther, settings.checkPermissions,
            let problem = scan.permissionProblem(of: entry, effectiveUser: Process.effectiveUser)
        {
            return Candidate(
                migration,
                unusable: Finding(
                    .unsafePermissions, path: migration.path, complaint: MigrationDirectory.exposed(problem)))
        }
        if !isOther, let obstacle = migration.obstacle { return Candidate(migration, unusable: obstacle) }
        do throws(Complaint) {
            let bytes = if let early { early } else { try bytes(of: entry, in: scan, refusingWriters: true) }
            let file = try MigrationFile(migration: migration, bytes: bytes)
            snapshot.files[migration.path] = file
            return Candidate(file)
        } catch {
            // A limit that is reached, or a disk that fails, says nothing of the file.
            if [.tryLater, .inputOutput].contains(error.status) { throw error }
            let reason: Finding.Reason = error.status == .permission ? .unsafePermissions : .invalidFile
            return Candidate(migration, unusable: Finding(reason, path: migration.path, complaint: error))
        }
    }

    /// The candidate as it is where its text is signed or need not be; else why it is not run.
    private func signed(
        _ candidate: Candidate, _ scan: Systemd.DirectoryScan, _ entries: [String: Systemd.DirectoryEntry],
        _ snapshot: Snapshot
    ) throws(Complaint) -> Candidate {
        guard case .files(let signatures) = check, case .text(let checksum, _) = candidate.content else {
            return candidate
        }
        let migration = candidate.migration
        let problem = try signatures.problem(migration.path, checksum: checksum, scan, entries) {
            () throws(Complaint) in try file(migration, checksum: checksum, in: snapshot).bytes
        }
        guard let problem else { return candidate }
        return Candidate(migration, unusable: Finding(.unsigned, path: migration.path, complaint: problem))
    }

    /// A file of `snapshot` as it is now: a migration's own, or with another path the one that undoes or verifies it.
    func read(
        _ migration: Migration, in snapshot: Snapshot, refusingWriters: Bool = false
    ) throws(Complaint) -> MigrationFile {
        guard let entry = snapshot.scan.entries.first(where: { $0.path == migration.path }) else {
            throw Complaint(.tryLater, "'\(path)/\(migration.path)' has gone")
        }
        if settings.checkPermissions,
            let problem = snapshot.scan.permissionProblem(of: entry, effectiveUser: Process.effectiveUser)
        {
            throw MigrationDirectory.exposed(problem)
        }
        let file = try MigrationFile(
            migration: migration,
            bytes: try bytes(of: entry, in: snapshot.scan, refusingWriters: refusingWriters))
        if known[migration.path] == nil { undoing[migration.path] = entry.facts }
        switch check {
        case .none: break
        case .files(let signatures):
            let entries = Dictionary(
                snapshot.scan.entries.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
            let problem = try signatures.problem(migration.path, checksum: file.checksum, snapshot.scan, entries) {
                () throws(Complaint) in file.bytes
            }
            if let problem { throw problem }
        case .manifest:
            switch snapshot.manifest {
            case .success(let signed)?:
                // The directory has changed since it was compared.
                guard signed.manifest.lists(migration.path, file.checksum) else {
                    throw Complaint(.tryLater, "'\(path)/\(migration.path)' has changed while the directory was read")
                }
            case .failure(let finding)?: throw finding.complaint
            case nil: preconditionFailure("a snapshot has a manifest where one is demanded")
            }
        }
        return file
    }

    /// A file's bytes; one that is too large is refused with the way out.
    private func bytes(
        of entry: Systemd.DirectoryEntry, in scan: Systemd.DirectoryScan, refusingWriters: Bool = false
    ) throws(Complaint) -> [UInt8] {
        do throws(Complaint) {
            return try scan.read(entry, limit: settings.sizeLimit, refusingWriters: refusingWriters)
        } catch {
            guard error.status == .badFile, entry.facts.size > settings.sizeLimit else { throw error }
            var complaint = error
            complaint.hint =
                "Raise 'size-limit' in the configuration (\(settings.sizeLimit) bytes now, 256M at most), or cut the file in several migrations."
            throw complaint
        }
    }

    private static func exposed(_ problem: String) -> Complaint {
        Complaint(
            .permission, problem,
            hint:
                "Whoever can write there can run anything in the database: chown it to root or the service's user, and chmod go-w."
        )
    }

    /// The bytes of a migration of `snapshot`, which have the checksum that the plan was made with.
    func file(_ migration: Migration, checksum: String, in snapshot: Snapshot) throws(Complaint) -> MigrationFile {
        if let file = snapshot.files[migration.path] { return file }
        guard let entry = snapshot.scan.entries.first(where: { $0.path == migration.path }) else {
            throw Complaint(.tryLater, "'\(path)/\(migration.path)' has gone")
        }
        let file = try MigrationFile(
            migration: migration, bytes: try bytes(of: entry, in: snapshot.scan))
        guard file.checksum == checksum else {
            known[migration.path] = nil
            throw Complaint(.tryLater, "'\(path)/\(migration.path)' has changed while the directory was read")
        }
        return file
    }
}

extension Systemd.DirectoryScan {
    /// The names alone, for the layouts.
    var listing: DirectoryListing {
        DirectoryListing(
            entries: entries.map { entry in
                var reason: String?
                let kind: Migrations.DirectoryEntry.Kind
                switch entry.kind {
                case .file: kind = .file
                case .directory: (kind, reason) = (.directory, entry.closedBecause)
                case .other(let words): (kind, reason) = (.other, words)
                }
                return Migrations.DirectoryEntry(
                    path: entry.path, kind: kind, nameIsUTF8: entry.nameIsUTF8,
                    isEmpty: kind == .file && entry.facts.size == 0, reason: reason)
            })
    }
}
