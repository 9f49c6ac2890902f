/// What can happen to a migration, word by word as the column `event` holds it.
///
/// A new kind is a new line here, in the table's check constraint, a new MESSAGE_ID and a new catalog text.
public enum EventKind: String, CaseIterable, Sendable {
    /// An attempt begins; committed before the file's first statement.
    case started
    /// The file's effects are committed, together with this event where the file is transactional.
    case applied
    /// The attempt failed and its open transaction is rolled back.
    case failed
    /// An attempt without an end was found while holding the lock: its process or session had died.
    case interrupted
    /// Something was not run, for the reason given.
    case skipped
    /// Something waits for a later migration.
    case deferred
    /// A segment of a file that is not one transaction is finished.
    case statementApplied = "statement_applied"
    /// Rows without their referenced row were quarantined and deleted.
    case orphansDeleted = "orphans_deleted"
    /// References without their referenced row were quarantined and set to null.
    case orphansNullified = "orphans_nullified"
    /// Quarantined rows or references were put back.
    case orphansRestored = "orphans_restored"
    /// A foreign key was added and validated.
    case constraintAdded = "constraint_added"
    /// An index was created for a foreign key.
    case indexCreated = "index_created"
    /// The invalid index that a broken concurrent build left was dropped.
    case invalidIndexDropped = "invalid_index_dropped"
    /// A down file has undone a migration.
    case rolledBack = "rolled_back"
    /// A down file failed; the migration is still applied.
    case rollbackFailed = "rollback_failed"
    /// An operator decided the state of a version, with a reason.
    case resolved
    /// A migration that another tool applied was taken over.
    case adopted
    /// An applied file or the live schema differs from what the history says.
    case driftDetected = "drift_detected"
    /// The daemon came up on this database.
    case daemonStarted = "daemon_started"
    /// The daemon went down in order.
    case daemonStopped = "daemon_stopped"
    /// Anchors outside the database are missing or late.
    case anchorGap = "anchor_gap"
    /// An operator has accepted that the history does not go on from its anchors: a restored backup, a failover that lost events.
    case acknowledged

    /// Whether it is the end of an attempt.
    public var endsAttempt: Bool {
        switch self {
        case .applied, .failed, .interrupted, .rolledBack, .rollbackFailed: true
        default: false
        }
    }

    /// The severity of its journal entry, as syslog counts: 3 error, 4 warning, 5 notice, 6 informational.
    public var priority: Int {
        switch self {
        case .failed, .rollbackFailed: 3
        case .orphansDeleted, .orphansNullified, .driftDetected, .acknowledged: 4
        case .skipped: 5
        default: 6
        }
    }

    /// The MESSAGE_ID of its journal entries and of its catalog text: random once, the same for ever.
    public var messageID: String {
        switch self {
        case .started: "b6ac53a1c8267322854f491a769f6350"
        case .applied: "ec6b2dfbdb68a0de27d8ea045d33e4b5"
        case .failed: "d0a16278be993c0f593d344470f5b8af"
        case .interrupted: "a6f8883024074d9a8fe49c1afa100be3"
        case .skipped: "5c0247d5eb16370c9cbb5d4d473ce8cf"
        case .deferred: "9f277456657460d80e1d0f1594b4a16a"
        case .statementApplied: "c5fd4cee17b06663470e8acb84752488"
        case .orphansDeleted: "23e8c48b5a34d7f10250518a62112fbb"
        case .orphansNullified: "baaa54991906a87de6c7e90e767e3610"
        case .orphansRestored: "6be2a4de9046158ba4bae2d3d10c7686"
        case .constraintAdded: "7ae14fbb6c6aa38bf47c84b50805ccd1"
        case .indexCreated: "05f4f73bf3314ca7c8edbdc9e3e74d74"
        case .invalidIndexDropped: "7609b7d61e8e79712f473b4d9b74d4a0"
        case .rolledBack: "5da73230712561a6f98dd0391cf436e8"
        case .rollbackFailed: "cc756cf20ecdb54e937673a3763fcfd1"
        case .resolved: "e573b517c3b910c1dfe42a45c8a17ee8"
        case .adopted: "7676e02b6c3db534b3639cf20e04431e"
        case .driftDetected: "3701c83810f116016ce237b58361074a"
        case .daemonStarted: "60c1d9fb4535beef470875e4805b60b3"
        case .daemonStopped: "eadd1d10557d46ce7b407e2563b4be33"
        case .anchorGap: "cd2a78e5defa94e4a8175b8f3b1f815b"
        case .acknowledged: "036586926e7544be8e118e8e9cc58b75"
        }
    }
}
