public import Reporting

/// The migrations of a directory in the one order in which they run.
///
/// The order is total, and the same for every order of the listing. What the layout would leave out without a word is in `findings`.
public struct MigrationSet: Sendable {
    /// The layout that was given or found.
    public let layout: LayoutName
    /// How names are sorted, where the layout sorts by name.
    public let order: OrderPin?
    /// What a file of a numbered layout is known by.
    public let versionBy: VersionBy
    /// Whether the numbered files were looked at, and none of them is marked for a tool.
    public let isUnmarked: Bool
    /// What a migration is matched by.
    private let rule: Identity.Rule
    /// Every migration, in the order in which they run.
    public let migrations: [Migration]
    /// What is told and recorded: SQL files that are not run, orders that are in doubt, obstacles.
    public let findings: [Finding]

    /// Reads a listing.
    ///
    /// - Parameters:
    ///   - listing: what the directory holds.
    ///   - layout: the configured layout; nil finds it by looking.
    ///   - order: the pinned order of names; nil takes the current tool's, and tells where that is in doubt.
    ///   - versionBy: what a file of the layouts `flat` and `golang-migrate` is known by.
    ///   - path: where the directory is, which tells whose it is for some layouts.
    ///   - isPlain: whether a file is known to be marked for no tool, by its relative path: an earlier reading has found `isUnmarked`, and the
    ///     file has not changed since.
    ///   - contents: reads a file that the layout keeps beside the migrations, by its relative path.
    /// - Throws: `.badFile` for two files of one version, for two names that differ only in their Unicode form, and for a journal that cannot be read, `.configuration` where the directory
    ///   looks like several layouts, and whatever `contents` throws. An empty directory is an empty set.
    public init(
        listing: DirectoryListing, layout: LayoutName? = nil, order: OrderPin? = nil,
        versionBy: VersionBy = .number, path: String? = nil, isPlain: (String) -> Bool = { _ in false },
        contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) {
        var directory = Directory(listing)
        directory.path = path
        directory.versionBy = versionBy
        try AlikeNames.refuse(in: directory)
        let name: LayoutName
        if let layout {
            name = layout
        } else {
            directory.dialect = try Dialect.found(in: directory, isPlain: isPlain, contents: contents)
            name = try LayoutName.found(by: directory)
        }
        var reading = try name.layout.read(directory, order: order, contents: contents)
        for index in reading.migrations.indices where reading.migrations[index].obstacle == nil {
            reading.migrations[index].obstacle = reading.migrations[index].versionObstacle(inFolders: name == .sqitch)
        }
        let known = reading.known.union(reading.migrations.map(\.path))
        self.layout = name
        self.order = order
        self.versionBy = versionBy
        isUnmarked = layout == nil && directory.dialect == .plain
        rule =
            switch (name, versionBy) {
            case (.flat, .name), (.golangMigrate, .name): .byName
            default: name.layout.rule
            }
        self.migrations = reading.migrations
        findings =
            reading.migrations.compactMap(\.obstacle) + reading.findings
            + directory.strangers(known: known, layout: name.layout) + AlikeNames.findings(reading.migrations)
    }

    /// The position of the migration that an operator names: by its whole name, its version as written, or its number.
    ///
    /// Throws `.usage` where none or several are meant.
    public func index(of text: String) throws(Complaint) -> Int {
        if let index = migrations.firstIndex(where: { $0.name.utf8.elementsEqual(text.utf8) }) { return index }
        var found = migrations.indices.filter { migrations[$0].version.utf8.elementsEqual(text.utf8) }
        if found.isEmpty, let number = Version(text) {
            found = migrations.indices.filter {
                migrations[$0].identity == .version(number)
                    || LeadingNumber(migrations[$0].name, parts: true)?.version == number
            }
        }
        if found.count == 1 { return found[0] }
        if found.isEmpty {
            throw Complaint(.usage, "no migration is called '\(text)'", hint: "See 'migrated plan' for their names.")
        }
        let names = found.prefix(5).map { "'\(migrations[$0].name)'" }.joined(separator: ", ")
        throw Complaint(.usage, "'\(text)' may mean \(names)", hint: "Give the whole name.")
    }

    /// The identity of what the history knows by that version and name.
    public func identity(version: String, name: String) -> Identity {
        Identity(version: version, name: name, rule: rule)
    }

}
