import Reporting
import TOMLKit

/// Reads one configuration file: checks its bytes, lets TOMLKit parse them and walks the tables by hand, so that each complaint names
/// file, line and key in our own words.
///
/// TOMLKit never frees the tables it parsed, nor the keys it lists: each read keeps a few times the file's size, which the size limit
/// bounds.
struct SettingsReader {
    /// The largest configuration file that is read, in bytes.
    static let sizeLimit = 1 << 20

    /// After so many complaints the rest of the file is not looked at: it is not a configuration, and each costs a search.
    static let complaintLimit = 20

    /// What is wrong with the file, filled by `settings()` in the order of its lines.
    private(set) var complaints: [Complaint] = []

    private let bytes: [UInt8]
    private let file: String
    private let outline: Outline

    init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
        self.outline = Outline(bytes.count > SettingsReader.sizeLimit ? [] : bytes)
    }

    /// The settings, as far as they could be read.
    mutating func settings() -> Settings {
        var settings = Settings()
        do throws(Complaint) {
            try checkBytes()
            let table = try parse()
            walk(table, path: [], into: &settings)
            if let contradiction = settings.contradiction {
                var complaint = contradiction.complaint
                let written = outline.items.filter { $0.path.count == 1 }
                let item = contradiction.keys.compactMap { key in written.first { $0.path == [key] } }.first
                if let item { complaint.place = place(item.value ?? item.offset) }
                complaints.append(complaint)
            }
        } catch {
            complaints.append(error)
        }
        complaints.sort { ($0.place?.line ?? 0, $0.place?.column ?? 0) < ($1.place?.line ?? 0, $1.place?.column ?? 0) }
        return settings
    }

    private func place(_ offset: Int) -> Place { Place(file: file, offset: offset, in: bytes) }

    private func checkBytes() throws(Complaint) {
        guard bytes.count <= SettingsReader.sizeLimit else {
            throw Complaint(
                .configuration, "configuration file of \(bytes.count) bytes",
                hint:
                    "A configuration file has at most \(SettingsReader.sizeLimit) bytes; this is probably another file.",
                place: Place(file: file))
        }
        if let nul = bytes.firstIndex(of: 0) {
            throw Complaint(
                .configuration, "NUL byte in the configuration", hint: "The file must be text in UTF-8.",
                place: place(nul))
        }
        if let offset = firstInvalidUTF8(bytes) {
            throw Complaint(
                .configuration, "the configuration is not UTF-8", hint: "Save the file as UTF-8, or remove this byte.",
                place: place(offset))
        }
        if let offset = outline.escapedNUL {
            throw Complaint(
                .configuration, "NUL character in a string", hint: "No setting can contain one; remove the escape.",
                place: place(offset))
        }
        if let offset = outline.namelessHeader {
            throw Complaint(
                .configuration, "table header without a name",
                hint: "Write [name], with any unusual letters in quotes.",
                place: place(offset))
        }
        if let offset = outline.tooDeep {
            throw Complaint(
                .configuration, "name with more than \(Outline.depthLimit) parts",
                hint: "A dot separates a table from its key; quote a name that contains dots.", place: place(offset))
        }
    }

    private func parse() throws(Complaint) -> TOMLTable {
        do {
            return try TOMLTable(string: String(decoding: bytes, as: UTF8.self))
        } catch let error as TOMLParseError {
            throw syntaxComplaint(error)
        } catch {
            throw Complaint(.configuration, "not valid TOML", place: Place(file: file))
        }
    }

    private func syntaxComplaint(_ error: TOMLParseError) -> Complaint {
        let line = max(1, error.source.begin.line)
        let text = Place.line(line, of: bytes)
        let lineEnd = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: line, omittingEmptySubsequences: false)
            .prefix(line).reduce(0) { $0 + $1.count + 1 }
        if let (again, first) = outline.repetition(before: lineEnd), place(again.offset).line == line {
            let what = again.value == nil ? "table" : "key"
            return Complaint(
                .configuration, "\(what) '\(shortened(again.path))' is given twice",
                hint: "It is already given in line \(place(first.offset).line ?? 1); remove one of them.",
                place: place(again.offset))
        }
        // The parser quotes what it saw, which on a line that may hold a password must not be repeated.
        let isPublic = SettingsReader.isPublic(line: text)
        let described = isPublic ? error.description[...] : error.description.prefix { $0 != ":" }
        return Complaint(
            .configuration, "not valid TOML: " + described.prefix(1).lowercased() + described.dropFirst(),
            hint: "Write key = value, with text in double quotes and comments after '#'.",
            place: Place(file: file, line: line, column: max(1, error.source.begin.column)),
            excerpt: isPublic ? text : nil)
    }

    /// Whether a line sets a known key that holds no secret, so that it may be shown.
    private static func isPublic(line: String) -> Bool {
        guard let end = line.firstIndex(of: "=") else { return false }
        let name = String(line[..<end].filter { $0 != " " && $0 != "\t" })
        return SettingKey.named(name).map { !$0.isSecret } ?? false
    }
}

extension SettingsReader {
    private mutating func walk(_ table: TOMLTable, path: [String], into settings: inout Settings) {
        for name in table.keys {
            guard complaints.count < SettingsReader.complaintLimit, let value = table[name] else { continue }
            let path = path + [name]
            if let inner = value.table, SettingKey.hasTable(path) {
                walk(inner, path: path, into: &settings)
            } else if let key = SettingKey.at(path) {
                store(value, for: key, path: path, into: &settings)
            } else {
                complaints.append(unknown(path, value))
            }
        }
    }

    private mutating func store(
        _ value: any TOMLValueConvertible, for key: SettingKey, path: [String], into settings: inout Settings
    ) {
        var written = WrittenValue(value)
        if key.isPath, case .string(let text) = written, !text.isEmpty, !text.hasPrefix("/") {
            written = .string(file[..<(file.lastIndex(of: "/").map(file.index(after:)) ?? file.startIndex)] + text)
        }
        if key.takes(written), key.store(written, &settings) { return }
        let item = outline.item(of: path)
        let at = item.map { place($0.value ?? $0.offset) } ?? Place(file: file)
        var complaint = key.refusal(of: WrittenValue(value), as: path.joined(separator: "."), status: .configuration)
        complaint.place = at
        if let line = at.line, !key.isSecret, item?.path == path { complaint.excerpt = Place.line(line, of: bytes) }
        complaints.append(complaint)
    }

    /// A key or table that means nothing to us. Its value is not shown: it may be a misspelt `database`.
    private func unknown(_ path: [String], _ value: any TOMLValueConvertible) -> Complaint {
        let name = path.joined(separator: ".")
        let inside = value.table.map { Set($0.keys) } ?? []
        let hint: String
        if let known = SettingKey.all.first(where: { inside.contains($0.name) }) {
            hint = "The key '\(known.name)' stands at the top of the file, before any [table]."
        } else if let last = path.last, SettingsReader.connectionWords.contains(last) {
            hint = "Connection parameters go into the connection string, as in database = \"host=… dbname=…\"."
        } else if let near = NearestName.of(name, in: SettingKey.all.flatMap { [$0.name] + $0.aliases }) {
            hint = "Did you mean '\(near)'?"
        } else {
            hint = "Every key is explained in docs/configuration.md and in the example migrated.toml."
        }
        return Complaint(
            .configuration, "unknown \(value.table == nil ? "key" : "table") '\(shortened(path))'", hint: hint,
            place: outline.item(of: path).map { place($0.offset) } ?? Place(file: file))
    }

    private func shortened(_ path: [String]) -> String { Printable.bounded(path.joined(separator: "."), 100) }

    /// Words of libpq's connection strings that are likely to be tried as keys of their own.
    private static let connectionWords: Set<String> = [
        "host", "hostaddr", "port", "dbname", "user", "username", "password", "passfile", "service", "sslmode", "url",
        "connection", "dsn", "database_url", "options", "target_session_attrs",
    ]
}

extension SettingKey {
    /// The complaint about a value that the key does not accept; `name` is the key or flag as it was written.
    func refusal(of value: WrittenValue, as name: String, status: ExitStatus) -> Complaint {
        let shown = isSecret || !takes(value) ? value.kind : Printable.bounded(value.shown, 100)
        return Complaint(status, "'\(name)' cannot be \(shown)", hint: "Write \(accepted).")
    }
}

extension WrittenValue {
    init(_ value: any TOMLValueConvertible) {
        switch value.type {
        case .string: self = value.string.map { .string($0) } ?? .other("a string")
        case .int: self = value.int.map { .integer($0) } ?? .other("an integer")
        case .bool: self = value.bool.map { .boolean($0) } ?? .other("a boolean")
        case .double: self = .other("a floating-point number")
        case .date: self = .other("a date")
        case .time: self = .other("a time of day")
        case .dateTime: self = .other("a date and time")
        case .array:
            let elements = value.array.map { array in array.map { $0.string } } ?? [nil]
            let strings = elements.compactMap(\.self)
            self = strings.count == elements.count ? .strings(strings) : .other("an array")
        case .table: self = .other("a table")
        }
    }
}

/// The offset of the first byte that is not part of well-formed UTF-8.
private func firstInvalidUTF8(_ bytes: [UInt8]) -> Int? {
    var iterator = bytes.makeIterator()
    var decoder = UTF8()
    var offset = 0
    while true {
        switch decoder.decode(&iterator) {
        case .scalarValue(let scalar): offset += UTF8.width(scalar)
        case .error: return offset
        case .emptyInput: return nil
        }
    }
}
