internal import Reporting

/// Flyway's files: `V1.2__title.sql` in numeric order, then `R__title.sql` by their titles; `U1.2__title.sql` undoes the version.
///
/// As the tool does, `_` in a version is a dot, zeros at the end of a version make no difference, and folders are searched; here one level
/// deep. A baseline, `B1.2__title.sql`, stands for everything up to its version: the newest one runs where nothing is applied yet, and
/// none runs where something is (`Planner`).
enum FlywayLayout: Layout {
    static let name = LayoutName.flyway
    static let pattern = "files named like 'V1__title.sql' or 'R__title.sql'"
    static let rule = Identity.Rule.byVersion

    private enum Kind: Character { case versioned = "V", undo = "U", repeatable = "R", baseline = "B" }

    private struct Parsed {
        var kind: Kind
        /// With dots; empty for what is repeatable.
        var version: String
        var title: String
    }

    static func claims(_ directory: Directory) -> Bool {
        directory.items.contains { parse($0.name) != nil || $0.children.contains { parse($0.name) != nil } }
            && !PgmigrateLayout.claims(directory)
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var versioned: [Version: Migration] = [:]
        var baselines: [Version: Migration] = [:]
        var repeatable: [String: Migration] = [:]
        var undo: [Version: Directory.Item] = [:]
        var reading = Reading()
        for item in directory.items.flatMap({ [$0] + $0.children }) {
            if item.kind == .directory, item.path.contains("/") {
                reading.findings.append(
                    Finding(
                        .unknownFile, path: item.path, "'\(item.path)/' is not searched: folders are, one level deep"))
            }
            guard let parsed = parse(item.name) else { continue }
            let base = String(item.name.dropLast(4))
            var migration = Migration(
                version: parsed.version.isEmpty ? base : parsed.version, name: base, path: item.path, notation: .flyway,
                identity: .named(base), obstacle: item.obstacle)
            if migration.obstacle == nil { try readSettings(of: &migration, beside: directory, contents) }
            let first: String?
            switch (parsed.kind, Version(parsed.version)) {
            case (.undo, let version?): first = undo.updateValue(item, forKey: version)?.path
            case (.baseline, let version?):
                migration.version = "B" + parsed.version
                migration.baseline = version
                first = baselines.updateValue(migration, forKey: version)?.path
            case (.versioned, let version?):
                migration.identity = .version(version)
                first = versioned.updateValue(migration, forKey: version)?.path
            default:
                migration.repeatable = true
                first = repeatable.updateValue(migration, forKey: parsed.title)?.path
            }
            if let first { throw .duplicate(first, item.path, version: migration.version) }
        }
        reading.pair(&versioned, with: undo, called: "'V'")
        // A baseline stands behind what it stands for.
        let line = versioned.map { ($0.key, 0, $0.value) } + baselines.map { ($0.key, 1, $0.value) }
        reading.migrations =
            line.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
            + repeatable.sorted { NameOrder.bytes($0.key, $1.key) }.map(\.value)
        return reading
    }

    /// The version up to which something recorded as `version` is a baseline.
    static func baseline(recordedAs version: String) -> Version? {
        version.first == "B" ? Version(version.dropFirst()) : nil
    }

    private static func parse(_ name: String) -> Parsed? {
        guard name.hasSuffix(".sql"), let first = name.first, let kind = Kind(rawValue: first) else { return nil }
        let rest = Substring(name.dropFirst().dropLast(4))
        let separator = rest.indices.first { rest[$0...].hasPrefix("__") }
        let left = separator.map { rest[..<$0] } ?? rest
        let title = separator.map { rest[$0...].dropFirst(2) } ?? ""
        if kind == .repeatable {
            return left.isEmpty ? Parsed(kind: kind, version: "", title: String(title)) : nil
        }
        let parts = left.split(omittingEmptySubsequences: false) { $0 == "_" || $0 == "." }
        guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }) else { return nil }
        return Parsed(kind: kind, version: parts.joined(separator: "."), title: String(title))
    }

    /// Takes over what a `.conf` file beside the script says.
    private static func readSettings(
        of migration: inout Migration, beside directory: Directory, _ contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) {
        let path = migration.path + ".conf"
        let folder = path.split(separator: "/").dropLast().first.map(String.init)
        let siblings = folder.map { directory.item($0)?.children ?? [] } ?? directory.items
        guard siblings.contains(where: { $0.path == path }) else { return }
        do throws(Complaint) {
            let settings = try FlywayScriptSettings(try contents(path), path: path)
            migration.withoutTransaction = !settings.executesInTransaction
            if !settings.replacesPlaceholders { migration.notation = .verbatim }
        } catch {
            if error.status == .tryLater { throw error }
            migration.obstacle = Finding(.invalidFile, path: path, complaint: error)
        }
    }
}

/// The `.conf` file beside a script of Flyway's.
///
/// A key that would change what runs and is not understood is an error.
struct FlywayScriptSettings {
    private(set) var executesInTransaction = true
    private(set) var replacesPlaceholders = true

    init(_ bytes: [UInt8], path: String) throws(Complaint) {
        for line in TextLines(bytes) {
            let text = bytes.text(line).trimmed
            if text.isEmpty || text.hasPrefix("#") { continue }
            let key = text.prefix { $0 != "=" }.trimmed
            let value = text.dropFirst(text.prefix { $0 != "=" }.count + 1).trimmed.lowercased()
            switch (String(key), value) {
            case ("executeInTransaction", "true"), ("executeInTransaction", "false"):
                executesInTransaction = value == "true"
            case ("placeholderReplacement", "true"), ("placeholderReplacement", "false"):
                replacesPlaceholders = value == "true"
            case ("encoding", "utf-8"), ("encoding", "utf8"), ("shouldExecute", "true"): break
            default:
                throw MigrationFile.complaint(
                    "'\(text)' is no setting that is known here", at: line.lowerBound, in: bytes, path: path,
                    hint:
                        "Known are 'executeInTransaction' and 'placeholderReplacement' with true or false, and 'encoding=UTF-8'."
                )
            }
        }
    }
}
