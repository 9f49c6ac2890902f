/// What can vouch for a history outside of the database, as `--require` names it.
public enum AnchorSource: String, Sendable, CaseIterable {
    /// Entries of the journal.
    case journal
    /// The anchor file in the daemon's state directory.
    case state
    /// A signature over an anchor, wherever that is kept.
    case signature
}
