/// What a signer allows to run: every file by path, direction and checksum, in the order in which the migrations run, for the histories that it names.
///
/// Its text is strict, so that two readers never read it differently: `migrated-manifest-v1`, one `key: value` a line, an empty line, one
/// `direction checksum path` a line, each ended by a line feed.
package struct Manifest: Sendable, Equatable {
    /// What a file is run or read for.
    package enum Direction: String, CaseIterable, Sendable {
        /// It applies a migration.
        case up
        /// It undoes one.
        case down
        /// It holds both, as in goose's layout.
        case both
        /// It verifies one: sqitch's.
        case verify
        /// It is read for order and settings: Drizzle's journal, sqitch's plan, `atlas.sum`, Flyway's script configuration.
        case layout

        /// Whether its place in the manifest is its place in the order.
        var isOrdered: Bool { self == .up || self == .both }
    }

    /// One file.
    package struct Entry: Sendable, Equatable {
        package var direction: Direction
        /// `sha256:` and 64 digits.
        package var checksum: String
        /// Relative to the migrations directory.
        package var path: String

        package init(_ direction: Direction, _ checksum: String, _ path: String) {
            self.direction = direction
            self.checksum = checksum
            self.path = path
        }
    }

    /// The event from which on the manifest holds: the history has it, and where a hash is named, with that hash.
    package struct Head: Sendable, Equatable {
        package var seq: Int64
        /// 64 digits; nil where any event of that number will do.
        package var hash: String?

        package init(seq: Int64, hash: String?) {
            self.seq = seq
            self.hash = hash
        }
    }

    /// The file's name in the migrations directory; its signature has `.sig` behind it.
    package static let fileName = "MANIFEST"
    /// The namespace of its signature (ssh-keygen(1), `-n`), which no other signature has.
    package static let namespace = "migrated-manifest"
    /// The largest that is read, in bytes.
    package static let sizeLimit = 16 << 20
    /// Its first line.
    static let format = "migrated-manifest-v1"

    /// The histories that it may be used for: the genesis of each, 64 digits.
    package var histories: [String]
    /// Its number: a history that has run files of one never takes one with a lower number.
    package var serial: Int64
    /// How the directory is read: the same file may hold one direction or two, or options of a tool.
    package var layout: LayoutName
    /// From which event on.
    package var fromHead: Head?
    /// After which moment no run begins, `2026-01-31T22:05:09Z`; nil where it never expires.
    package var notAfter: String?
    /// The files.
    package var entries: [Entry]

    package init(
        histories: [String], serial: Int64, layout: LayoutName, fromHead: Head? = nil, notAfter: String? = nil,
        entries: [Entry]
    ) {
        self.histories = histories
        self.serial = serial
        self.layout = layout
        self.fromHead = fromHead
        self.notAfter = notAfter
        self.entries = entries
    }

    /// The text that is signed.
    package var text: String {
        var lines =
            [Manifest.format] + histories.map { "history: \($0)" } + [
                "serial: \(serial)", "layout: \(layout.rawValue)",
            ]
        if let fromHead { lines.append("from-head: \(fromHead.seq)" + (fromHead.hash.map { " \($0)" } ?? "")) }
        if let notAfter { lines.append("not-after: \(notAfter)") }
        lines += [""] + entries.map { "\($0.direction.rawValue) \($0.checksum) \($0.path)" }
        return lines.map { $0 + "\n" }.joined()
    }

    /// Whether the text of a manifest can hold this path: it is a line's end, and shown as it is.
    package static func canHold(path: String) -> Bool {
        !path.isEmpty
            && path.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                    false
                default: scalar != "\u{FFFD}"
                }
            }
    }
}
