public import Reporting

/// What is to be done for one foreign key.
public enum ForeignKeyPlan: Sendable, Equatable {
    /// What a key waits for.
    public enum Missing: Sendable, Equatable {
        case table(TableName)
        case column(table: TableName, column: String)
    }

    /// Orphans to clean, where that is asked for, then statements to send, in order.
    case steps([ForeignKeyStep], cleaning: Cleaning?)
    /// The key is there already, with the same definition: `skipped`, `object_exists`.
    case exists(constraint: String, definition: String)
    /// The key waits: `deferred`, `missing_table`.
    case deferred(Missing)
    /// It cannot be done; the lines say why at length.
    case refused(Complaint, lines: [String])
}
