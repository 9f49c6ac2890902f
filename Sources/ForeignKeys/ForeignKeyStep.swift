/// One statement of a plan, what its answer means and what is recorded of it.
public struct ForeignKeyStep: Sendable, Equatable {
    /// What the statement does.
    public enum Purpose: Sendable, Equatable {
        /// Sets the session up, or puts it back.
        case session
        /// Waits for the table locks.
        case lock
        /// Keeps and changes rows. The command tag states how many.
        case clean
        /// Counts orphans without touching them; the one cell is the number.
        case count
        /// Adds the key.
        case add
        /// Proves the key over all rows.
        case validate
        /// Creates the index.
        case index
    }

    /// The parameters that the statement takes, in order.
    public enum Parameter: Sendable, Equatable {
        /// The id of the event that this step is recorded as: made before the statement is sent.
        case eventID
        /// The attempt's id.
        case attemptID
    }

    /// What the audit table says afterwards; a cleanup that touched nothing says nothing.
    public struct Record: Sendable, Equatable {
        /// The event, by the word of the column `event`.
        public var event: String
        /// `reason`.
        public var reason: String?
        /// `schema.table.column` of a cleanup, `schema.table.constraint`, `schema.index`.
        public var object: String
        /// For `detail`: what else there is to say, by key.
        public var detail: [String: String]

        public init(event: String, reason: String? = nil, object: String, detail: [String: String]) {
            self.event = event
            self.reason = reason
            self.object = object
            self.detail = detail
        }
    }

    public var purpose: Purpose
    public var sql: String
    public var parameters: [Parameter] = []
    public var record: Record?
    /// Whether the step is left out when the plan's `count` found orphans.
    public var onlyWithoutOrphans = false

    init(_ purpose: Purpose, _ sql: String, record: Record? = nil) {
        self.purpose = purpose
        self.sql = sql
        self.record = record
    }
}
