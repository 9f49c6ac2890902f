public import Reporting

/// What is to be done for one foreign key.
public enum ForeignKeyPlan: Sendable, Equatable {
    /// What a key waits for.
    public enum Missing: Sendable, Equatable {
        case table(TableName)
        case column(table: TableName, column: String)
    }

    /// Statements to send, in order.
    case steps([ForeignKeyStep])
    /// The key is there already, with the same definition: `skipped`, `object_exists`.
    case exists(constraint: String, definition: String)
    /// The key waits: `deferred`, `missing_table`.
    case deferred(Missing)
    /// It cannot be done; the lines say why at length.
    case refused(Complaint, lines: [String])
}

/// What is to be done for all foreign keys of a statement, in one transaction.
public struct ForeignKeyStatementPlan: Sendable, Equatable {
    /// Sent first: settings, then all locks in one order.
    public var opening: [ForeignKeyStep]
    /// The keys, in the order in which they were given.
    public var keys: [ForeignKeyPlan]
    /// Sent last: the file's own settings.
    public var closing: [ForeignKeyStep]
}
