/// What becomes of a statement that creates something that exists.
public enum Existing: String, Sendable, CaseIterable {
    /// It is sent, and PostgreSQL refuses it.
    case fail
    /// It is passed over where the object is what the statement says; a difference is an error.
    case skipIdentical = "skip-identical"
    /// It is passed over where something of that name exists, whatever it is.
    case skip
}
