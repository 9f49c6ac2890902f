/// A part of a script that is sent in one piece.
public struct Segment: Sendable, Equatable {
    /// How it is sent.
    public enum Kind: Sendable, Equatable {
        /// Inside a transaction, whole or not at all.
        case transaction
        /// One statement outside any transaction block, in a query string of its own.
        case alone
        /// One statement whose foreign keys the runner adds step by step, each step in a transaction of its own.
        case stepwise
    }

    /// How it is sent.
    public let kind: Kind
    /// The statements in it, as indices into the script's; empty only where the script could not be parsed.
    public let statements: Range<Int>
    /// The bytes of the script's text to send for it.
    public let range: Range<Int>
    /// What to send instead of a plain BEGIN, where the file's own BEGIN had options (isolation level, read only, deferrable) or SET TRANSACTION
    /// comes first.
    public let begin: String?
    /// Whether the file itself wrote BEGIN and COMMIT round this segment.
    public let ownBlock: Bool
    /// What to look at in the catalog afterwards, where this builds or drops an index concurrently.
    public let concurrentIndex: ConcurrentIndex?
    /// What shows whether it has run; nil for a transaction, whose record is in it.
    public let trace: Trace?

    /// The bytes to send: a valid query string by itself, without its last `;`.
    public func sql(of text: [UInt8]) -> [UInt8] { Array(text[range]) }

    /// The byte offset in `text` of the 1-based character `position` of what `sql(of:)` sends: how the server counts in an error's
    /// position field (protocol chapter "Error and Notice Message Fields"). A position outside is moved to the nearest end.
    public func offset(ofCharacter position: Int, in text: [UInt8]) -> Int {
        var left = max(position, 1)
        for at in range where text[at] & 0xC0 != 0x80 {
            left -= 1
            if left == 0 { return at }
        }
        return range.upperBound
    }
}

/// An index that a statement builds, rebuilds or drops CONCURRENTLY, as it is named there.
public struct ConcurrentIndex: Sendable, Equatable {
    /// What is done to it.
    public enum Action: String, Sendable { case create, reindex, drop }

    /// What is done to it.
    public let action: Action
    /// The schema that qualifies the index or, for CREATE INDEX and REINDEX TABLE, its table; for REINDEX SCHEMA that schema.
    public let schema: String?
    /// The index; nil where the server chooses the name and where more than one index is rebuilt.
    public let index: String?
    /// The table, where the statement names it.
    public let table: String?
    /// IF NOT EXISTS or, for a drop, IF EXISTS.
    public let ifNotExists: Bool
}
