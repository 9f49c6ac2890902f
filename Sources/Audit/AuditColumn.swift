/// The columns of `migration_rollback_audit`, in the table's order.
public enum AuditColumn: String, CaseIterable, Sendable {
    case seq
    case eventID = "event_id"
    case recordedAt = "recorded_at"
    case event
    case attemptID = "attempt_id"
    case version
    case name
    case checksum
    case direction
    case reason
    case object
    case rowCount = "row_count"
    case durationUS = "duration_us"
    case sqlstate
    case message
    case detail
    case initiatedBy = "initiated_by"
    case host
    case dbUser = "db_user"
    case pid
    case invocationID = "invocation_id"
    case prevHash = "prev_hash"
    case hash

    /// Its place among `allCases`, found without a search.
    public var place: Int {
        switch self {
        case .seq: 0
        case .eventID: 1
        case .recordedAt: 2
        case .event: 3
        case .attemptID: 4
        case .version: 5
        case .name: 6
        case .checksum: 7
        case .direction: 8
        case .reason: 9
        case .object: 10
        case .rowCount: 11
        case .durationUS: 12
        case .sqlstate: 13
        case .message: 14
        case .detail: 15
        case .initiatedBy: 16
        case .host: 17
        case .dbUser: 18
        case .pid: 19
        case .invocationID: 20
        case .prevHash: 21
        case .hash: 22
        }
    }

    /// How PostgreSQL holds its values.
    public enum Form: Sendable { case text, integer, small, uuid, time, bytes }
    /// The column's type.
    public var form: Form {
        switch self {
        case .seq, .rowCount, .durationUS: .integer
        case .pid: .small
        case .eventID, .attemptID: .uuid
        case .recordedAt: .time
        case .prevHash, .hash: .bytes
        default: .text
        }
    }

    /// The name of its field in a journal entry: the column's name in upper case behind one prefix.
    public var journalField: String { "MIGRATED_" + rawValue.uppercased() }

    /// The columns that enter the hash one by one, length first, behind seq and prev_hash.
    public static let hashed = allCases.filter { ![.seq, .prevHash, .hash].contains($0) }
}
