/// A foreign key with its place in a file: where it is written, and under what condition the server would add it.
public struct ForeignKeyStatement: Sendable, Equatable {
    /// The kind of clause that adds the key.
    public enum Origin: Sendable, Equatable {
        /// ALTER TABLE … ADD [CONSTRAINT …] FOREIGN KEY.
        case addConstraint
        /// ALTER TABLE … ADD COLUMN … REFERENCES; with IF NOT EXISTS the server skips the key where the column stands.
        case addColumn(ifNotExists: Bool)
        /// CREATE TABLE; with IF NOT EXISTS the server skips the key where the table stands.
        case createTable(ifNotExists: Bool)
    }

    /// The statement in the script, from 0.
    public var statement: Int
    /// The key's position among the statement's foreign keys, from 0.
    public var position: Int
    /// The clause.
    public var origin: Origin
    /// The key.
    public var key: ForeignKey
    /// The bytes of the clause in the script's text, from CONSTRAINT, FOREIGN or REFERENCES to its last attribute.
    public var range: Range<Int>
    /// Whether nothing but foreign keys is in the statement, so that nothing remains of it without them.
    public var standsAlone: Bool
}
