public import Checks
public import Configuration
public import JSON
internal import Migrations
public import Reporting
internal import SQLParsing

/// What can be said of a directory without a database: every file read, parsed and reviewed.
public struct DirectoryCheck: Sendable {
    /// What was found.
    public private(set) var report: CheckReport
    /// The directory's path, as it was given.
    public let directory: String
    private var layout: LayoutName?
    /// How many migrations the history knows as applied; nil where none was asked.
    private let appliedCount: Int?

    /// Reads and parses everything. Throws what keeps the directory from being read at all.
    ///
    /// - Parameter files: the files to report on, by path or by their path in the directory; none for all. The others are read all the
    ///   same, for what they create. Where no directory is configured, the first file says which one it is.
    public init(_ settings: Settings, files: [String] = []) throws(Complaint) {
        let settings = DirectoryCheck.placed(settings, files: files)
        try self.init(try MigrationDirectory(settings), settings, files: files, recorded: Recorded())
    }

    /// The settings with the directory of the first file where none is configured.
    public static func placed(_ settings: Settings, files: [String]) -> Settings {
        guard settings.directory == nil, let first = files.first else { return settings }
        var settings = settings
        settings.directory = home(of: first)
        return settings
    }

    /// What a history says of the directory's files.
    struct Recorded {
        /// An applied file whose text is another one now.
        struct Edited {
            var path: String
            /// The first line that differs, where the text that was applied was kept.
            var line: Int?
            /// That line as it is now.
            var excerpt: String?
            /// In what it differs, where that is harmless.
            var difference: String?

            init(path: String, from before: [UInt8]?, to now: [UInt8]?) {
                self.path = path
                guard let before, let now else { return }
                difference = TextDifference.harmless(applied: before, now: now)
                let offset = zip(before, now).enumerated().first { $0.element.0 != $0.element.1 }?.offset
                let first = Place(file: path, offset: offset ?? min(before.count, now.count), in: now).line ?? 1
                var shown = Complaint(.badFile, "")
                shown.point(at: Place(file: path, line: first), of: now)
                (line, excerpt) = (first, shown.excerpt?.isEmpty == false ? shown.excerpt : nil)
            }
        }

        /// Paths of the applied files.
        var applied: [String] = []
        /// Those of which the text differs.
        var edited: [Edited] = []
        /// Names of applied files that are not there.
        var gone: [String] = []
        /// Why the manifest allows nothing on that database, where one is demanded and something is pending.
        var refusal: Finding?
        /// How many migrations it knows as applied; nil where no history was asked.
        var count: Int?
    }

    init(
        _ directory: MigrationDirectory, _ settings: Settings, files: [String], recorded: Recorded
    ) throws(Complaint) {
        self.directory = directory.path
        appliedCount = recorded.count
        var review = Review()
        do throws(Complaint) {
            let snapshot = try directory.read()
            layout = snapshot.set.layout
            // As the plan has it: what is repeatable runs after everything else.
            let ordered = [false, true].flatMap { repeatable in
                snapshot.candidates.filter { $0.isRepeatable == repeatable }
            }
            let scripts = DirectoryCheck.scripts(of: ordered.map { snapshot.files[$0.migration.path] }, settings)
            for candidate in ordered {
                let script = scripts.next() ?? nil
                DirectoryCheck.add(candidate, script, to: &review, directory, snapshot, settings)
            }
            for finding in snapshot.set.findings { review.add(finding) }
            DirectoryCheck.add(recorded, to: &review)
            DirectoryCheck.add(snapshot.manifest, recorded, to: &review)
            report = review.report()
            guard !files.isEmpty else { return }
            let paths = snapshot.set.migrations.flatMap { [$0.path, $0.downPath, $0.verifyPath].compactMap(\.self) }
            report.keepOnly(try DirectoryCheck.meant(files, of: paths, in: directory.path))
        } catch {
            guard error.status == .badFile else { throw error }
            review.add(directory: error)
            report = review.report()
        }
    }

    private static func add(_ recorded: Recorded, to review: inout Review) {
        for path in recorded.applied { review.add(applied: path) }
        for name in recorded.gone { review.add(goneAfterApply: name) }
        for file in recorded.edited {
            review.add(
                editedAfterApply: file.path, line: file.line, excerpt: file.excerpt, difference: file.difference)
        }
    }

    private static func add(
        _ manifest: Result<SignedManifest, Finding>?, _ recorded: Recorded, to review: inout Review
    ) {
        switch manifest {
        case nil: break
        case .failure(let finding)?: review.add(manifest: finding.complaint, isLapsed: false)
        case .success(let signed)?:
            if let refusal = recorded.refusal {
                review.add(manifest: refusal.complaint, isLapsed: false)
            } else if recorded.count == nil, let words = signed.manifest.expiry(at: ManifestDraft.now) {
                let complaint = Complaint(
                    .permission, "\(Manifest.fileName) (serial \(signed.manifest.serial)) \(words)",
                    hint: "It has done its work where everything is applied; else sign a new one with a higher serial.")
                review.add(manifest: complaint, isLapsed: true)
            }
        }
    }

    /// Parses files while others are reviewed; nil for one that has not been read yet.
    private static func scripts(
        of files: [MigrationFile?], _ settings: Settings
    ) -> Ahead<Result<Script, Complaint>?> {
        Ahead(count: files.count) { index in
            files[index].map { file in
                Result { () throws(Complaint) in try checkedScript(of: file, settings) }
            }
        }
    }

    private static func add(
        _ candidate: Candidate, _ parsed: Result<Script, Complaint>?, to review: inout Review,
        _ directory: MigrationDirectory,
        _ snapshot: MigrationDirectory.Snapshot, _ settings: Settings
    ) {
        let migration = candidate.migration
        do throws(Complaint) {
            switch candidate.content {
            case .unusable(let finding): throw finding.complaint
            case .text(let checksum, let directives):
                let script =
                    if let parsed { try parsed.get() } else {
                        try DirectoryCheck.script(migration, checksum, directory, snapshot, settings)
                    }
                // A baseline makes what the migrations that it stands for make, and runs instead of them.
                if migration.baseline == nil {
                    review.add(migration, script: script, repeatable: directives.repeatable)
                } else {
                    review.add(baseline: migration)
                }
            }
        } catch {
            review.add(migration, unusable: error)
            if migration.downPath == migration.path { return }
        }
        do throws(Complaint) {
            _ = try directory.verification(of: migration, in: snapshot, settings)
        } catch {
            review.add(verifying: migration, error)
        }
        guard let downPath = migration.downPath else { return }
        var undoing = migration
        undoing.path = downPath
        undoing.downPath = nil
        do throws(Complaint) {
            let file = try directory.read(undoing, in: snapshot)
            guard file.has(.down) else { return }
            let script = try PreparedFile.script(of: file, .down, settings: settings)
            if let warning = script.unparsed { review.add(undoing: undoing, warning, unparsed: true) }
            review.add(undoing: undoing, script: script)
        } catch {
            review.add(undoing: undoing, error)
        }
    }

    private static func script(
        _ migration: Migration, _ checksum: String, _ directory: MigrationDirectory,
        _ snapshot: MigrationDirectory.Snapshot, _ settings: Settings
    ) throws(Complaint) -> Script {
        return try checkedScript(of: try directory.file(migration, checksum: checksum, in: snapshot), settings)
    }

    private static func checkedScript(of file: MigrationFile, _ settings: Settings) throws(Complaint) -> Script {
        let script = try PreparedFile.script(of: file, .up, settings: settings)
        try OtherDirection.refuse(script, of: file)
        return script
    }

    /// The directory that a file on the command line belongs to.
    private static func home(of file: String) -> String {
        var parts = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        // Prisma's and Drizzle's folders hold one file of this name each.
        if file.hasSuffix("/migration.sql") { parts = parts.dropLast() }
        if parts.isEmpty { return "." }
        return parts == [""] ? "/" : parts.joined(separator: "/")
    }

    private static func meant(_ files: [String], of paths: [String], in directory: String) throws(Complaint) -> Set<
        String
    > {
        var meant: Set<String> = []
        let known = Set(paths)
        for file in files {
            // The longest end of what was given that is a migration's path.
            var rest = file[...]
            while !known.contains(String(rest)) {
                guard let slash = rest.firstIndex(of: "/") else {
                    throw Complaint(
                        .usage, "'\(file)' is no migration of '\(directory)'",
                        hint: "Give paths of files in that directory, or --directory.")
                }
                rest = rest[rest.index(after: slash)...]
            }
            meant.insert(String(rest))
        }
        return meant
    }

    /// One line: how many files of which layout, and what was found.
    public var status: String {
        let applied = appliedCount.map { ", \($0) applied" } ?? ""
        guard let layout else { return report.status + applied }
        return "layout \(layout.rawValue), \(report.status)\(applied)"
    }

    /// For machines.
    public var members: [String: JSONValue] {
        var members = report.members
        members["layout"] = JSONValue(layout?.rawValue)
        members["directory"] = .string(directory)
        if let appliedCount { members["applied"] = .integer(Int64(appliedCount)) }
        return members
    }
}

extension Candidate {
    fileprivate var isRepeatable: Bool {
        if case .text(_, let directives) = content { directives.repeatable } else { false }
    }
}
