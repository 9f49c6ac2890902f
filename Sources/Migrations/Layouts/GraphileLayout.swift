internal import Digest
internal import Reporting

/// graphile-migrate's committed files: `000001.sql` or `000001-name.sql`, in `committed/` or in the directory itself, in numeric order.
///
/// Each names the hash of its text and that of the one before it. As the tool does, a file that is not what its hash says, or does not follow
/// the one before it, is refused. The work in progress (`current.sql`) is not run.
enum GraphileLayout: Layout {
    static let name = LayoutName.graphile
    static let pattern = "files named like 'committed/000001-name.sql'"
    static let rule = Identity.Rule.byVersion
    private static let folder = "committed"

    static func claims(_ directory: Directory) -> Bool {
        directory.dialect == .graphile || directory.item(folder)?.children.contains { number($0.name) != nil } == true
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var reading = Reading()
        var found: [Version: Migration] = [:]
        let committed = directory.item(folder)
        for item in committed?.children ?? directory.items {
            guard let text = number(item.name), let version = Version(text) else { continue }
            let migration = Migration(
                version: text, name: String(item.name.dropLast(4)), path: item.path, notation: .graphile,
                identity: .version(version), obstacle: item.obstacle)
            if let first = found.updateValue(migration, forKey: version) {
                throw .duplicate(first.path, item.path, version: text)
            }
        }
        if let committed {
            reading.known.insert(committed.path)
            if let closed = committed.closure { reading.findings.append(closed) }
        }
        reading.migrations = found.sorted { $0.key < $1.key }.map(\.value)
        var before: String?
        for index in reading.migrations.indices where reading.migrations[index].obstacle == nil {
            let path = reading.migrations[index].path
            do throws(Complaint) {
                let text = try contents(path)
                let header = try GraphileHeader(text, path: path)
                if header.previous != before {
                    throw MigrationFile.complaint(
                        "the file does not follow the one before it: '--! Previous:' names another hash", at: 0,
                        in: text,
                        path: path, hint: "Put back the files that are missing; the tool commits them one by one.")
                }
                before = header.hash
            } catch {
                if error.status == .tryLater { throw error }
                reading.migrations[index].obstacle = Finding(.invalidFile, path: path, complaint: error)
                break
            }
        }
        return reading
    }

    /// Six digits or more, then `.sql` or a hyphen and a title.
    private static func number(_ name: String) -> String? {
        guard name.hasSuffix(".sql"), let digits = MarkedFiles.digits(name), digits.count >= 6 else { return nil }
        let rest = name.dropFirst(digits.count)
        return rest == ".sql" || rest.first == "-" ? digits : nil
    }
}

/// The lines `--! Key: value` at the head of a committed file, and what stands below them.
struct GraphileHeader {
    /// `sha1:` and 40 digits, as the file says.
    private(set) var hash: String?
    /// The hash of the file before it; nil for the first.
    private(set) var previous: String?
    /// Whether every statement commits by itself.
    private(set) var withoutTransaction = false
    /// The hash of the file's text, as the tool works it out.
    private(set) var computed = ""
    private var allowsAnyHash = false

    /// Throws `.badFile` where the text has no hash or, where that is verified, another than it says; and for a placeholder that the tool
    /// would replace.
    init(_ text: [UInt8], path: String, verifies: Bool = true) throws(Complaint) {
        func complaint(_ message: String, at offset: Int, _ hint: String) -> Complaint {
            MigrationFile.complaint(message, at: offset, in: text, path: path, hint: hint)
        }
        var bodyStart = text.count
        var isHead = true
        for line in TextLines(text) {
            let written = text.text(line)
            if isHead, written.hasPrefix("--! "), written.dropFirst(4).first?.isUppercase == true {
                let key = written.dropFirst(4).prefix { $0 != ":" }
                let value = written.dropFirst(4 + key.count + 1).trimmed
                switch key {
                case "Hash": hash = String(value)
                case "Previous": previous = value == "-" ? nil : String(value)
                case "AllowInvalidHash": allowsAnyHash = true
                default: break
                }
                continue
            }
            if isHead { bodyStart = line.lowerBound }
            isHead = false
            for word in [":DATABASE_NAME", ":DATABASE_OWNER"] where written.contains(word) {
                throw complaint(
                    "graphile-migrate would put a name in for '\(word)'", at: line.lowerBound, "Write the name itself.")
            }
            if written.hasPrefix("--!include") || written.hasPrefix("--! include") {
                throw complaint(
                    "graphile-migrate would include another file here", at: line.lowerBound,
                    "Let the tool commit the migration, which writes the text itself.")
            }
        }
        let body = String(decoding: text[min(bodyStart, text.count)...], as: UTF8.self).trimmed
        withoutTransaction =
            body.prefix { !$0.isNewline }.split(whereSeparator: \.isWhitespace).elementsEqual(["--!", "no-transaction"])
            || body.hasPrefix("--!no-transaction")
        guard let hash else {
            throw complaint(
                "the file has no line '--! Hash:'", at: 0,
                "Let 'graphile-migrate commit' write it: only committed files run.")
        }
        let whole = ((previous.map { $0 + "\n" } ?? "") + body).trimmed + "\n"
        computed = "sha1:" + SHA1.hex(Array(whole.utf8))
        guard computed == hash || allowsAnyHash || !verifies else {
            throw complaint(
                "the file's text is another than when it was committed: its hash is '\(computed)'", at: 0,
                "Put its text back, and write the change as a migration of its own.")
        }
    }
}
