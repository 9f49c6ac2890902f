public import JSON
public import Reporting

/// What the history says about a database at one moment.
public struct HistoryStatus: Sendable, Equatable {
    /// The newest state of one version: a row of the view `migration_status`.
    public struct Version: Sendable, Equatable {
        /// The column names of the view, in its order.
        public static let columns = [
            "version", "name", "status", "checksum", "reason", "sqlstate", "message", "attempt_id", "seq", "event",
            "recorded_at", "initiated_by",
        ]
        /// The values by column name; a null column has none.
        public var values: [String: String]

        /// The version as its layout writes it.
        public var version: String { values["version"] ?? "" }
        /// The whole name.
        public var name: String? { values["name"] }
        /// `applied`, `failed`, `started`, `interrupted`, `rolled_back`, `skipped` or `deferred`.
        public var status: String { values["status"] ?? "" }
        /// The seq of the event that says so.
        public var seq: Int64 { values["seq"].flatMap { Int64($0) } ?? 0 }
    }

    /// The end of the chain.
    public struct Head: Sendable, Equatable {
        /// Number of the history's own schema.
        public var schemaVersion: Int64
        /// Position of the newest event; 0 before the first.
        public var seq: Int64
        /// Its hash, in hexadecimal digits.
        public var hash: String
        /// When it was recorded.
        public var recordedAt: Timestamp?
    }

    /// An attempt that began and has no end: it runs now, or its process died and the next run will say so.
    public struct OpenAttempt: Sendable, Equatable {
        public var attemptID: String
        public var seq: Int64
        public var version: String?
        public var name: String?
        public var direction: String?
        public var host: String?
        public var pid: Int64?
        public var startedAt: Timestamp
    }

    /// A session that holds the lock under which migrations are applied.
    public struct LockHolder: Sendable, Equatable {
        /// Process id of its backend in the server.
        public var backendPID: Int64
        /// What it calls itself: `migrated HOST PID`.
        public var applicationName: String
        public var role: String?
        public var connectedAt: Timestamp?
    }

    public var database: String
    public var schema: String
    public var head: Head
    /// Every version that was ever met, in the order of its newest event.
    public var versions: [Version]
    public var openAttempts: [OpenAttempt]
    /// Foreign keys that wait for a table or a column.
    public var deferredKeys: [DeferredForeignKey]
    public var lockHolders: [LockHolder]

    /// The states in the order in which they are told.
    public static let states = [
        "applied", "failed", "interrupted", "started", "rolled_back", "skipped", "deferred",
    ]
    /// How many versions are in each state.
    public var counts: [String: Int] {
        var counts = Dictionary(uniqueKeysWithValues: HistoryStatus.states.map { ($0, 0) })
        for version in versions { counts[version.status, default: 0] += 1 }
        return counts
    }

    /// Everything, as one JSON object.
    public var json: JSONValue {
        [
            "database": .string(database), "schema": .string(schema),
            "head": [
                "schema_version": .integer(head.schemaVersion), "seq": .integer(head.seq), "hash": .string(head.hash),
                "recorded_at": JSONValue(head.recordedAt?.description),
            ],
            "counts": .object(counts.mapValues { .integer(Int64($0)) }),
            "versions": .array(versions.map(\.json)),
            "open_attempts": .array(openAttempts.map(\.json)),
            "deferred_keys": .array(deferredKeys.map(\.json)),
            "lock_holders": .array(lockHolders.map(\.json)),
        ]
    }
}

extension HistoryStatus.Version {
    /// An object whose keys are the view's columns.
    public var json: JSONValue {
        let members = HistoryStatus.Version.columns.map { column -> (String, JSONValue) in
            (column, column == "seq" ? .integer(seq) : JSONValue(values[column]))
        }
        return .object(Dictionary(uniqueKeysWithValues: members))
    }
}

extension HistoryStatus.OpenAttempt {
    var json: JSONValue {
        [
            "attempt_id": .string(attemptID), "seq": .integer(seq), "version": JSONValue(version),
            "name": JSONValue(name), "direction": JSONValue(direction), "host": JSONValue(host), "pid": JSONValue(pid),
            "recorded_at": .string(startedAt.description),
        ]
    }
}

extension HistoryStatus.LockHolder {
    var json: JSONValue {
        [
            "backend_pid": .integer(backendPID), "application_name": .string(applicationName),
            "db_user": JSONValue(role), "connected_at": JSONValue(connectedAt?.description),
        ]
    }
}
