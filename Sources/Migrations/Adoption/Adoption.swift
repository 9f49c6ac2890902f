internal import Digest
public import Reporting

/// A migration that another tool has applied.
public struct AdoptedEntry: Sendable, Equatable {
    /// What is taken for granted because the other history does not say it.
    public enum Assumption: String, Sendable {
        /// That the text which was applied is the file's: the tool keeps no sum of it.
        case text
        /// That it was applied at all: the history only says how far it had come.
        case version
    }

    /// The migration.
    public var migration: Migration
    /// When it was applied there, as that history writes it.
    public var appliedAt: String?
    /// How what was kept of its file compares with the file.
    public var checksum: ChecksumMatch
    /// What is taken for granted, where something is.
    public var assumption: Assumption?
}

/// Something that a person should know before a history is taken over.
public struct AdoptionFinding: Sendable, Equatable {
    /// The stable word.
    public enum Kind: String, CaseIterable, Sendable {
        /// The history names it, the folder does not hold it.
        case notInFolder = "not_in_folder"
        /// The folder holds it, the history does not name it: it stays pending.
        case notInHistory = "not_in_history"
        /// It failed there and was never mended: it stays pending.
        case failedThere = "failed_there"
        /// It was undone there: it stays pending.
        case rolledBackThere = "rolled_back_there"
        /// The tool passed it over in silence and never ran it: it stays pending.
        case skippedThere = "skipped_there"
        /// What was applied there is another text than the file's.
        case checksumDiffers = "checksum_differs"
        /// The history can be read in two ways.
        case ambiguous
        /// A column that the tool does not make.
        case foreignColumn = "foreign_column"
    }

    /// Which.
    public var kind: Kind
    /// The migration's name, or what the history calls it.
    public var name: String
    /// The sentence.
    public var message: String
}

/// What another tool's history means for a folder: what is to be recorded as adopted, and what a person should know.
///
/// Pure: rows, folder and bytes in, the decision out.
public struct Adoption: Sendable {
    /// Where it was read; nil where only a version was given.
    public let source: HistoryTable?
    /// What is applied, in the folder's order.
    public let entries: [AdoptedEntry]
    /// What a person should know.
    public let findings: [AdoptionFinding]

    /// Reads a history.
    ///
    /// - Parameters:
    ///   - source: the table.
    ///   - rows: what its query returned.
    ///   - set: the folder.
    ///   - bytes: a migration's file; nil where it cannot be read.
    /// - Throws: `.configuration` where the rows are not what the tool writes, or nothing in them fits the folder.
    public init(
        source: HistoryTable, rows: [[String?]], set: MigrationSet, bytes: (Migration) -> [UInt8]?
    ) throws(Complaint) {
        var fold = AdoptionFold(source: source, set: set)
        for row in rows { fold.rows.append(HistoryRow(source.tool, row)) }
        switch source.tool {
        case .prisma: fold.readPrisma()
        case .golangMigrate, .encore: try fold.readGolangMigrate()
        case .drizzle: fold.readDrizzle(bytes)
        case .flyway: fold.readFlyway()
        case .goose: fold.readGoose()
        case .dbmate, .diesel, .supabase: fold.readVersions("version", at: "run_on")
        case .mybatis: fold.readVersions("id", at: "applied_at")
        case .sqlMigrate: fold.readNames("id", at: "applied_at")
        case .nodePgMigrate: fold.readNames("name", at: "run_on")
        case .rambler: fold.readNames("migration", at: "")
        case .sqlx: fold.readSqlx()
        case .atlas: fold.readAtlas(bytes)
        case .tern: try fold.readTern()
        case .play: fold.readPlay(bytes)
        case .hasura: fold.readHasura()
        case .graphile: fold.readGraphile(bytes)
        case .pgmigrate: fold.readPgmigrate()
        case .liquibase: fold.readLiquibase(bytes)
        case .sqitch: fold.readSqitch()
        }
        if fold.applied.isEmpty, fold.told.isEmpty,
            let stranger = fold.findings.first(where: { $0.kind == .notInFolder })
        {
            throw Complaint(
                .configuration,
                "nothing in \(source.table.shown) is a migration of this folder: \(stranger.message)",
                hint: "Look whether the directory and the layout are the right ones.")
        }
        self.source = source
        entries = fold.entries(bytes)
        for entry in entries where entry.checksum == .different {
            fold.tell(
                .checksumDiffers, entry.migration.name,
                "the text that \(source.tool.rawValue) applied is not the file's")
        }
        fold.tellPending()
        for column in source.foreignColumns {
            fold.tell(.foreignColumn, column, "column '\(column)' is none of \(source.tool.rawValue)'s, ignoring")
        }
        findings = fold.findings
    }

    /// Everything up to a version, on nobody's word but the operator's. Throws `.usage` where `version` names no migration, or several.
    public init(baseline version: String, set: MigrationSet) throws(Complaint) {
        let last = try set.index(of: version)
        source = nil
        entries = set.migrations[...last].filter { !$0.repeatable && $0.baseline == nil }.map {
            AdoptedEntry(migration: $0, appliedAt: nil, checksum: .notKept, assumption: .version)
        }
        findings = []
    }
}

/// One row of a tool's history by the names of its columns.
struct HistoryRow {
    private let values: [String: String]

    init(_ tool: AdoptionTool, _ row: [String?]) {
        var values: [String: String] = [:]
        for (column, value) in zip(tool.resultColumns, row) { values[column] = value }
        self.values = values
    }

    subscript(_ column: String) -> String? { values[column] }
    func isTrue(_ column: String) -> Bool { values[column] == "true" || values[column] == "t" }
}

/// What was found out about each migration so far.
struct AdoptionFold {
    struct Applied {
        var at: String?
        var recorded: String?
        var match: ChecksumMatch?
        var assumption: AdoptedEntry.Assumption?
    }

    let source: HistoryTable
    let set: MigrationSet
    var rows: [HistoryRow] = []
    /// By index of the folder's order.
    var applied: [Int: Applied] = [:]
    /// Migrations that are not applied and of which that has been told.
    var told: Set<Int> = []
    var findings: [AdoptionFinding] = []
    private let byNumber: [Version: [Int]]
    private let byName: [String: Int]

    init(source: HistoryTable, set: MigrationSet) {
        self.source = source
        self.set = set
        var byNumber: [Version: [Int]] = [:]
        for (index, migration) in set.migrations.enumerated() where migration.baseline == nil {
            if let number = AdoptionFold.number(migration) { byNumber[number, default: []].append(index) }
        }
        self.byNumber = byNumber
        byName = Dictionary(
            set.migrations.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
    }

    mutating func tell(_ kind: AdoptionFinding.Kind, _ name: String, _ message: String) {
        findings.append(AdoptionFinding(kind: kind, name: name, message: message))
    }

    /// Tells of a migration that stays pending.
    mutating func tell(_ kind: AdoptionFinding.Kind, _ index: Int, _ message: String) {
        told.insert(index)
        applied[index] = nil
        tell(kind, set.migrations[index].name, message)
    }

    mutating func tellMissing(_ name: String) {
        tell(.notInFolder, name, "'\(name)' is in the history and not in the folder")
    }

    // MARK: Which migration is meant

    static func number(_ migration: Migration) -> Version? {
        if case .version(let version) = migration.identity { return version }
        return Version(migration.version) ?? LeadingNumber(migration.name)?.version
    }

    func index(name: String) -> Int? { byName[name] }

    /// The one migration of that number; nil where there is none, or several.
    func index(number text: String) -> Int? {
        guard let version = Version(text), let found = byNumber[version], found.count == 1 else { return nil }
        return found[0]
    }

    /// The migration of that version, letter for letter, or else by its number.
    func index(written text: String) -> Int? {
        set.migrations.firstIndex { $0.version.utf8.elementsEqual(text.utf8) } ?? index(number: text)
    }

    // MARK: The end

    func entries(_ bytes: (Migration) -> [UInt8]?) -> [AdoptedEntry] {
        applied.sorted { $0.key < $1.key }.map { index, applied in
            let migration = set.migrations[index]
            var match = applied.match
            if match == nil {
                if let recorded = applied.recorded {
                    match = bytes(migration).map { self.match(recorded, $0) } ?? .unread
                } else {
                    match = .notKept
                }
            }
            return AdoptedEntry(
                migration: migration, appliedAt: applied.at, checksum: match ?? .notKept,
                assumption: applied.assumption ?? (match == .notKept ? .text : nil))
        }
    }

    private func match(_ recorded: String, _ bytes: [UInt8]) -> ChecksumMatch {
        switch source.tool {
        case .prisma: ToolChecksum.prisma(recorded, bytes)
        case .flyway: ToolChecksum.flyway(recorded, bytes)
        case .drizzle: ToolChecksum.drizzle(recorded, bytes)
        case .sqlx: ToolChecksum.sqlx(recorded, bytes)
        case .sqlMigrate: ToolChecksum.drizzle(recorded, bytes)
        case .golangMigrate, .encore, .goose, .dbmate, .diesel, .supabase, .atlas, .nodePgMigrate, .mybatis, .tern,
            .rambler, .play, .hasura, .graphile, .pgmigrate, .liquibase:
            .notKept
        case .sqitch: SHA1.hex(bytes) == recorded ? .same : .different
        }
    }

    /// Tells of what the folder holds and the history does not name.
    mutating func tellPending() {
        let last = applied.keys.max()
        for (index, migration) in set.migrations.enumerated() where migration.baseline == nil {
            guard applied[index] == nil, !told.contains(index) else { continue }
            var message = "'\(migration.name)' is not in the history and stays pending"
            if let last, index < last, !migration.repeatable {
                message += ", although '\(set.migrations[last].name)' behind it is applied"
            }
            tell(.notInHistory, migration.name, message)
        }
    }
}
