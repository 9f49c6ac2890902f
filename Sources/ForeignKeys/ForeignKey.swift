internal import Reporting

/// A foreign key as a statement defines it (PostgreSQL manual, CREATE TABLE, "REFERENCES").
public struct ForeignKey: Sendable, Equatable {
    /// When a row with nulls among its referencing columns counts as a reference.
    public enum Match: String, Sendable {
        /// Never: any null lets the row pass.
        case simple = "s"
        /// Only all nulls let the row pass; some are a violation.
        case full = "f"
    }

    /// What happens to referencing rows, by the letter of `pg_constraint.confdeltype`.
    public enum Action: String, Sendable {
        case noAction = "a"
        case restrict = "r"
        case cascade = "c"
        case setNull = "n"
        case setDefault = "d"

        /// How SQL writes it.
        var words: String {
            switch self {
            case .noAction: "NO ACTION"
            case .restrict: "RESTRICT"
            case .cascade: "CASCADE"
            case .setNull: "SET NULL"
            case .setDefault: "SET DEFAULT"
            }
        }
    }

    /// The constraint's name, where one is given.
    public var name: String?
    /// The referencing table.
    public var table: TableName
    /// Its referencing columns.
    public var columns: [String]
    /// The referenced table.
    public var referenced: TableName
    /// Its referenced columns; empty means its primary key.
    public var referencedColumns: [String]
    /// How nulls count.
    public var match = Match.simple
    /// ON UPDATE.
    public var onUpdate = Action.noAction
    /// ON DELETE.
    public var onDelete = Action.noAction
    /// The columns of ON DELETE SET NULL (…) or SET DEFAULT (…); empty means all.
    public var onDeleteColumns: [String] = []
    /// DEFERRABLE.
    public var isDeferrable = false
    /// INITIALLY DEFERRED.
    public var isInitiallyDeferred = false
    /// NOT VALID.
    public var isNotValid = false
    /// ALTER TABLE ONLY.
    public var isOnly = false
    /// ALTER TABLE IF EXISTS: where the table is missing, nothing is wanted.
    public var isIfTableExists = false

    /// A key with PostgreSQL's defaults.
    public init(
        name: String? = nil, table: TableName, columns: [String], referenced: TableName,
        referencedColumns: [String] = []
    ) {
        self.name = name
        self.table = table
        self.columns = columns
        self.referenced = referenced
        self.referencedColumns = referencedColumns
    }

    /// Its name, or the one that PostgreSQL gives it where none is taken.
    public var chosenName: String { name ?? ObjectName.free(table.name, columns, label: "fkey", taken: []) }

    /// The definition as pg_get_constraintdef writes it, but with every name quoted; `referenced` and its columns as resolved.
    public func definition(referenced: TableName, columns referencedColumns: [String], notValid: Bool) -> String {
        var text = "FOREIGN KEY (\(Quoting.identifiers(columns))) REFERENCES \(referenced.sql)"
        if !referencedColumns.isEmpty { text += " (\(Quoting.identifiers(referencedColumns)))" }
        if match == .full { text += " MATCH FULL" }
        if onUpdate != .noAction { text += " ON UPDATE \(onUpdate.words)" }
        if onDelete != .noAction { text += " ON DELETE \(onDelete.words)" }
        if !onDeleteColumns.isEmpty { text += " (\(Quoting.identifiers(onDeleteColumns)))" }
        if isDeferrable { text += " DEFERRABLE" }
        if isInitiallyDeferred { text += " INITIALLY DEFERRED" }
        if notValid { text += " NOT VALID" }
        return text
    }
}
