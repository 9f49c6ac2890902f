internal import AuditReading
internal import Configuration
internal import Migrations
internal import Reporting
internal import Systemd

/// The directory against the history: whether every applied file is still there, with the text that was applied.
struct AppliedFiles {
    let settings: Settings
    /// A recorded name as the directory has it.
    let name: (String) -> String
    /// The text that was kept under a checksum, as far as it may be read.
    let source: (String) -> [UInt8]?

    /// What is to say of the files; the states are the rows of `migration_status`.
    func lines(_ versions: [HistoryStatus.Version]) -> [IntegrityLine] {
        guard let path = settings.directory else {
            return [IntegrityLine(.note, .file, nil, "files were not compared: no --directory and none configured")]
        }
        do throws(Complaint) {
            return try lines(of: path, versions)
        } catch {
            return [IntegrityLine(.fail, .file, path, "files cannot be compared: \(error.message)")]
        }
    }

    private func lines(of path: String, _ versions: [HistoryStatus.Version]) throws(Complaint) -> [IntegrityLine] {
        let scan = try Systemd.DirectoryScan.scan(path)
        let entries = Dictionary(scan.entries.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let bytes = { (path: String) throws(Complaint) -> [UInt8] in
            guard let entry = entries[path] else { throw Complaint(.badFile, "'\(path)' is not there") }
            return try scan.read(entry, limit: settings.sizeLimit)
        }
        let set = try MigrationSet(
            listing: AppliedFiles.listing(scan), layout: settings.layout, order: settings.order,
            versionBy: settings.versionBy, path: path, contents: bytes)
        let file = { (migration: Migration) throws(Complaint) -> MigrationFile in
            try MigrationFile(migration: migration, bytes: try bytes(migration.path))
        }
        let candidates = set.migrations.map { Candidate($0, file: file) }
        let states = versions.map { version in
            VersionState(
                version: name(version.version), name: name(version.name ?? version.version),
                checksum: version.values["checksum"],
                status: VersionState.Status(rawValue: version.status) ?? .skipped)
        }
        let plan = try Plan(set: set, candidates: candidates, history: states) { (migration) throws(Complaint) in
            try file(migration).mayRunTwice
        }
        // What cannot be read a second time is said to have changed, without in what.
        return lines(plan) { try? bytes($0) }
    }

    private func lines(_ plan: Plan, _ bytes: (String) -> [UInt8]?) -> [IntegrityLine] {
        var lines: [IntegrityLine] = []
        var applied: Int64 = 0
        var waiting: Int64 = 0
        for step in plan.steps {
            let name = step.migration.name
            switch step.action {
            case .applied: applied += 1
            case .renamed(let old): lines.append(IntegrityLine(.note, .file, name, "applied as '\(old)'"))
            case .covered, .retired: break
            case .held(let discrepancy):
                lines.append(IntegrityLine(.fail, .file, name, "may not run: \(discrepancy.words)"))
            case .edited(let recorded):
                let words = source(recorded).flatMap { applied in
                    bytes(step.migration.path).flatMap { TextDifference.harmless(applied: applied, now: $0) }
                }
                lines.append(
                    IntegrityLine(
                        .fail, .file, name,
                        "changed since it was applied with checksum '\(recorded)'" + (words.map { ", \($0)" } ?? "")))
            case .unreadable(let finding):
                lines.append(IntegrityLine(.fail, .file, name, "cannot be read: \(finding.complaint.message)"))
            default: waiting += 1
            }
        }
        for state in plan.missing where state.status.isApplied {
            lines.append(IntegrityLine(.fail, .file, state.name, "applied, and its file is missing"))
        }
        if !lines.contains(where: { $0.verdict == .fail }) {
            let words =
                applied == 1 ? "1 applied file is as it was" : "\(applied) applied files are as they were"
            lines.append(IntegrityLine(.pass, .file, nil, words, count: applied))
        }
        if waiting > 0 {
            let words = waiting == 1 ? "1 file is not applied" : "\(waiting) files are not applied"
            lines.append(IntegrityLine(.note, .file, nil, words, count: waiting))
        }
        return lines
    }

    /// The names alone, for the layouts.
    private static func listing(_ scan: Systemd.DirectoryScan) -> DirectoryListing {
        DirectoryListing(
            entries: scan.entries.map { entry in
                let kind: Migrations.DirectoryEntry.Kind =
                    switch entry.kind {
                    case .file: .file
                    case .directory: .directory
                    case .other: .other
                    }
                return Migrations.DirectoryEntry(
                    path: entry.path, kind: kind, nameIsUTF8: entry.nameIsUTF8, reason: entry.closedBecause)
            })
    }
}
