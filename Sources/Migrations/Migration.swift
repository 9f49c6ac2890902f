/// One migration as its layout states it, before its file is read.
public struct Migration: Sendable, Equatable {
    /// The number it begins with, as written (`024a`, `0000`); its whole name where it has none, or shares it with another one.
    public var version: String
    /// The whole name as the layout's tool knows it: of a directory, of a file without its suffix, or a journal's tag.
    public var name: String
    /// The file that is run, relative to the migrations directory.
    public var path: String
    /// The file that undoes it, where there is one.
    public var downPath: String?
    /// The script that says whether it has done what it should, where there is one: sqitch's.
    public var verifyPath: String?
    /// Whether the text is split at `--> statement-breakpoint`.
    public var breakpoints: Bool
    /// What the layout's tool reads out of the text itself.
    public var notation: Notation
    /// Whether the layout's tool runs it outside of a transaction, as a file beside it says.
    public var withoutTransaction = false
    /// Whether a file without a byte is what it is meant to be, and no copy that broke off.
    public var mayBeEmpty = false
    /// Whether it runs again whenever its text changes, behind all versioned ones, as its name says.
    public var repeatable = false
    /// For a file that stands for all migrations up to a version, on a database without any: that version.
    public var baseline: Version?
    /// The moment by which the layout's tool tells whether it ran, in milliseconds since 1970, where it has one: Drizzle's.
    public var time: Int64?
    /// What makes it the same migration as one in the history.
    public var identity: Identity
    /// Why its file cannot be run although it holds a place in the order; nothing after it may run as if it were not there.
    public var obstacle: Finding?

    /// A migration from its parts.
    public init(
        version: String, name: String, path: String, downPath: String? = nil, breakpoints: Bool = false,
        notation: Notation = .plain, identity: Identity,
        obstacle: Finding? = nil
    ) {
        self.version = version
        self.name = name
        self.path = path
        self.downPath = downPath
        self.breakpoints = breakpoints
        self.notation = notation
        self.identity = identity
        self.obstacle = obstacle
    }
}

/// What the layout's tool reads out of a migration's text before it runs it.
public enum Notation: Sendable, Equatable {
    /// Nothing: the whole file runs, and one that is written for goose, dbmate or sqlx is refused.
    case plain
    /// Nothing, whatever the comments say.
    case verbatim
    /// Flyway's placeholders.
    case flyway
    /// goose's annotations.
    case goose
    /// dbmate's blocks.
    case dbmate
    /// sqlx's first line.
    case sqlx
    /// Atlas's directives.
    case atlas
    /// The sections of sql-migrate.
    case sqlMigrate
    /// The sections of node-pg-migrate.
    case nodePgMigrate
    /// What MyBatis Migrations undoes.
    case mybatis
    /// tern's two halves.
    case tern
    /// rambler's sections.
    case rambler
    /// Play's sections, and its doubled semicolons.
    case play
    /// Liquibase's changesets.
    case liquibase
    /// The head of graphile-migrate's committed files.
    case graphile

    /// Whether a file holds both directions.
    var hasSections: Bool {
        switch self {
        case .goose, .dbmate, .sqlMigrate, .nodePgMigrate, .mybatis, .tern, .rambler, .play, .liquibase: true
        case .plain, .verbatim, .flyway, .sqlx, .atlas, .graphile: false
        }
    }
}

/// What makes a file and an entry of the history the same migration.
public enum Identity: Sendable, Hashable {
    /// The number: a file that keeps its number and changes its title is the same migration.
    case version(Version)
    /// The name: numbers may repeat. Two names that differ only in the Unicode form of their letters are one: copying programs turn
    /// composed letters into decomposed ones, and what is applied must not run again for that.
    case named(String)

    /// Whether a layout tells migrations apart by number or by name.
    public enum Rule: Sendable, Equatable {
        /// By number; by name where the history holds something without one.
        case byVersion
        /// By name.
        case byName
        /// By the version as it is written, letter for letter: `1` and `01` are two.
        case byWrittenVersion
    }

    /// The identity, under `rule`, of what the history knows by that version and name.
    public init(version: String, name: String, rule: Rule) {
        switch rule {
        case .byVersion: self = Version(version).map(Identity.version) ?? .named(name)
        case .byName: self = .named(name)
        case .byWrittenVersion: self = .named(version)
        }
    }
}
