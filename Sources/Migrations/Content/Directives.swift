public import ForeignKeys
public import Reporting

/// What a file asks for in comment lines at its head: `-- migrated: key=value key=value`.
public struct Directives: Sendable, Equatable {
    /// What a failure of this file means for the later ones.
    public enum OnFailure: String, CaseIterable, Sendable {
        /// They wait until it is mended.
        case stop
        /// They run all the same.
        case `continue`
    }

    /// `on-failure`; stop where the file says nothing.
    public var onFailure: OnFailure = .stop
    /// `statement-timeout`; nil where the configuration decides.
    public var statementTimeout: TimeSpan?
    /// `concurrent-timeout`; nil where the configuration decides.
    public var concurrentTimeout: TimeSpan?
    /// `lock-timeout`; nil where the configuration decides.
    public var lockTimeout: TimeSpan?
    /// `deadline` of the whole file; nil where the configuration decides.
    public var deadline: TimeSpan?
    /// `transaction=none`: every statement commits by itself.
    public var withoutTransaction = false
    /// `requires`: versions or names that must be applied before, as written.
    public var requires: [String] = []
    /// `repeatable`.
    public var repeatable = false
    /// `direction=up`: the whole file applies the migration, also what looks as if it undid it.
    public var wholeFileApplies = false
    /// `existing`; nil where the configuration decides.
    public var existing: Existing?

    /// `orphans`; nil where the configuration decides.
    public var orphans: ForeignKeyPolicy.Orphans?
    /// `orphan-limit`; nil where the configuration decides.
    public var orphanLimit: OrphanLimit?
    /// `prove-restore`; nil where the configuration decides.
    public var proveRestore: ForeignKeyPolicy.Proof?
    /// `missing-table`; nil where the configuration decides.
    public var missingTable: ForeignKeyPolicy.MissingTable?
    /// `index-foreign-keys`; nil where the configuration decides.
    public var indexForeignKeys: Bool?
    /// `foreign-keys`; nil where the configuration decides.
    public var foreignKeys: ForeignKeyPolicy.Way?

    /// What a file without directives asks for.
    public init() {}

    /// Reads the directives of a text, which may begin with a byte order mark and end its lines in CRLF.
    ///
    /// The head is all comments and blank lines before the first other text. Throws `.badFile` with line and column for an unknown key, a
    /// bad value, a key given twice, and a directive below the head, where it would do nothing in silence.
    public init(text: [UInt8], path: String) throws(Complaint) {
        var reader = DirectiveReader(text, path: path)
        try reader.readHead()
        try reader.refuseBelowHead()
        self = reader.directives
    }

    /// Takes one value over; a description of what is expected where it does not fit.
    mutating func set(_ key: DirectiveKey, _ value: String) -> String? {
        switch key {
        case .onFailure: Self.take(OnFailure(rawValue: value), into: &onFailure, "'stop' or 'continue'")
        case .statementTimeout: Self.take(TimeSpan(value), into: &statementTimeout, Self.span)
        case .concurrentTimeout: Self.take(TimeSpan(value), into: &concurrentTimeout, Self.span)
        case .lockTimeout: Self.take(TimeSpan(value), into: &lockTimeout, Self.span)
        case .deadline: Self.take(TimeSpan(value), into: &deadline, Self.span)
        case .transaction: Self.take(value == "none" ? true : nil, into: &withoutTransaction, "'none'")
        case .requires: Self.take(Self.list(value), into: &requires, "versions separated by commas")
        case .direction: Self.take(value == "up" ? true : nil, into: &wholeFileApplies, "'up'")
        case .existing:
            Self.take(Existing(rawValue: value), into: &existing, "'fail', 'skip-identical' or 'skip'")
        case .orphans:
            Self.take(ForeignKeyPolicy.Orphans(rawValue: value), into: &orphans, "'fail', 'clean' or 'report'")
        case .orphanLimit:
            Self.take(
                OrphanLimit(value), into: &orphanLimit, "a number of rows such as '500', or a share such as '10%'")
        case .proveRestore:
            Self.take(ForeignKeyPolicy.Proof(rawValue: value), into: &proveRestore, "'always' or 'never'")
        case .missingTable:
            Self.take(ForeignKeyPolicy.MissingTable(rawValue: value), into: &missingTable, "'fail' or 'skip'")
        case .indexForeignKeys: Self.take(["yes": true, "no": false][value], into: &indexForeignKeys, "'yes' or 'no'")
        case .foreignKeys:
            Self.take(ForeignKeyPolicy.Way(rawValue: value), into: &foreignKeys, "'one-transaction' or 'stepwise'")
        case .repeatable: Self.take(true, into: &repeatable, "nothing")
        }
    }

    private static let span = "a time span such as '5min' or '500ms'"

    private static func take<Value>(_ value: Value?, into place: inout Value, _ expected: String) -> String? {
        guard let value else { return expected }
        place = value
        return nil
    }

    private static func take<Value>(_ value: Value?, into place: inout Value?, _ expected: String) -> String? {
        guard let value else { return expected }
        place = value
        return nil
    }

    private static func list(_ value: String) -> [String]? {
        let items = value.split(separator: ",", omittingEmptySubsequences: false).map { String($0.drop { $0 == " " }) }
        return items.contains("") ? nil : items
    }
}
