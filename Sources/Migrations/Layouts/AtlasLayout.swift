internal import Digest
internal import Reporting

/// Atlas's files: `<version>_name.sql` beside `atlas.sum`, in the order of the names' bytes, known by the version as written.
///
/// As the tool does, nothing runs where the files are not those that `atlas.sum` names.
enum AtlasLayout: Layout {
    static let name = LayoutName.atlas
    static let pattern = "files named like '20250101000000_name.sql'"
    static let rule = Identity.Rule.byWrittenVersion
    static let sum = "atlas.sum"

    /// Files in the format of another tool that Atlas can write are that tool's.
    static func claims(_ directory: Directory) -> Bool {
        directory.item(sum)?.kind == .file && directory.dialect == .plain
            && directory.files.contains { $0.name.hasSuffix(".sql") }
            && !GolangMigrateLayout.claims(directory) && !FlywayLayout.claims(directory)
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        let reading = try Reading(writtenVersions: directory, notation: .atlas) { name in
            let version = name.prefix { $0 != "_" }
            return version.isEmpty ? nil : String(version)
        }
        if directory.item(sum) == nil, reading.migrations.isEmpty { return reading }
        guard directory.item(sum) != nil else {
            throw Complaint(
                .badFile, "'\(sum)' is not there", hint: "Let 'atlas migrate hash' write it, or set another layout.",
                place: Place(file: sum))
        }
        let recorded = try AtlasSum(try contents(sum))
        var chain = AtlasChain()
        var files = recorded.files[...]
        for migration in reading.migrations where migration.obstacle == nil {
            guard let hash = chain.add(migration.path, try contents(migration.path)) else { continue }
            guard let entry = files.popFirst() else { throw mismatch(migration.path, "'\(sum)' does not name it") }
            if entry.name != migration.path {
                throw recorded.files.contains { $0.name == migration.path }
                    ? mismatch(entry.name, "'\(sum)' names it, and it is not there")
                    : mismatch(migration.path, "'\(sum)' does not name it")
            }
            if entry.hash != hash {
                throw mismatch(migration.path, "its text is another than when '\(sum)' was written")
            }
        }
        if let missing = files.first { throw mismatch(missing.name, "'\(sum)' names it, and it is not there") }
        return reading
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        NameOrder.bytes(migration.version, version)
    }

    private static func mismatch(_ path: String, _ what: String) -> Complaint {
        Complaint(
            .badFile, "'\(path)' is not as Atlas left it: \(what)",
            hint: "Put the files back; or, where they are meant so, let 'atlas migrate hash' write '\(sum)' again.",
            place: Place(file: path))
    }
}

/// Atlas's `atlas.sum`: the sum of all lines, then for each file its name and the SHA-256 of all names and texts so far, in base 64.
struct AtlasSum {
    private(set) var files: [(name: String, hash: String)] = []

    /// Throws `.badFile` for another form, and where the first line is not the sum of the others.
    init(_ bytes: [UInt8]) throws(Complaint) {
        let path = AtlasLayout.sum
        func complaint(_ message: String, at offset: Int) -> Complaint {
            MigrationFile.complaint(
                message, at: offset, in: bytes, path: path, hint: "Let 'atlas migrate hash' write the file again.")
        }
        var total: String?
        for line in TextLines(bytes) where !bytes.isBlank(line) {
            let text = bytes.text(line).trimmed
            guard let mark = text.firstRange(of: "h1:") else {
                throw complaint("the line holds no 'h1:'", at: line.lowerBound)
            }
            let hash = String(text[mark.upperBound...])
            if total == nil {
                total = hash
            } else {
                files.append((String(text[..<mark.lowerBound].trimmed), hash))
            }
        }
        let all = files.flatMap { Array($0.name.utf8) + Array($0.hash.utf8) }
        guard let total, total == Base64.text(SHA256.hash(all)) else {
            throw complaint("the first line is not the sum of the others", at: 0)
        }
    }
}

/// The sums of Atlas's files, one after the other: each is over all names and texts so far.
struct AtlasChain {
    private var all = RunningSHA256()

    /// The sum up to this file, in base 64; nil for a file whose text does not count.
    mutating func add(_ path: String, _ text: [UInt8]) -> String? {
        all.add(Array(path.utf8))
        if AtlasChain.isLeftOut(text) { return nil }
        all.add(text)
        return Base64.text(all.hash)
    }

    /// Whether a file's first line says that its text does not count.
    private static func isLeftOut(_ text: [UInt8]) -> Bool {
        var lines = TextLines(text)
        guard let line = lines.next(), let comment = text.comment(line) else { return false }
        return comment.text.split(whereSeparator: \.isWhitespace).elementsEqual(["atlas:sum", "ignore"])
    }
}
