/// What the history says of one migration: its events folded into the newest state.
public struct VersionState: Sendable, Equatable {
    /// The newest state.
    public enum Status: String, CaseIterable, Sendable {
        /// Its effects are in the database: `applied`, or `resolved` as applied. It stays so when a rollback fails.
        case applied
        /// Taken over from another tool's history as applied.
        case adopted
        /// The last attempt ended in an error.
        case failed
        /// The last attempt never ended: found by whoever held the lock next.
        case interrupted
        /// An attempt has started and not ended. Seen only without holding the lock: somebody may be at it.
        case started
        /// Its effects were undone: `rolled_back`, or `resolved` as rolled back.
        case rolledBack = "rolled_back"
        /// It had failed, and an operator asked for another attempt.
        case retryRequested = "retry_requested"
        /// It was applied, and an operator has taken its file out of the directory for good.
        case retired
        /// It was never attempted, only passed over.
        case skipped

        /// Whether its effects are in the database.
        public var isApplied: Bool { self == .applied || self == .adopted }
        /// Whether it was ever attempted.
        public var wasAttempted: Bool { self != .skipped }
    }

    /// The version as recorded.
    public var version: String
    /// The name as recorded.
    public var name: String
    /// The checksum of its newest attempt or adoption; nil where none was recorded. Without one a versioned file
    /// cannot drift, a repeatable one runs once more, and a failed one waits for an operator.
    public var checksum: String?
    /// The newest state.
    public var status: Status
    /// What an unfinished series of attempts has committed, in order.
    public var committed: [CommittedPart]

    /// Whether its newest attempt was of a repeatable file: such a one has no place among the versioned ones.
    public var repeatable: Bool

    /// A state from its parts.
    public init(
        version: String, name: String, checksum: String?, status: Status, committed: [CommittedPart] = [],
        repeatable: Bool = false
    ) {
        self.version = version
        self.name = name
        self.checksum = checksum
        self.status = status
        self.committed = committed
        self.repeatable = repeatable
    }
}
