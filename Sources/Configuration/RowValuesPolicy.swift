/// What becomes of values of rows in the server's errors and in the keys of orphans: `row-values =`.
public enum RowValuesPolicy: String, CaseIterable, Sendable {
    /// Events keep their shape; the text stands beside the chain, where it can be erased.
    case mask
    /// They stand in the events themselves, which nobody can erase.
    case keep
}
