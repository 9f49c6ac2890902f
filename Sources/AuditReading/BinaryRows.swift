internal import Audit
internal import Postgres

/// Rows of the history as the server sends them by COPY in binary form (PostgreSQL manual, COPY, "Binary Format"), some at a time.
struct BinaryRows {
    private let connection: Connection
    /// What has arrived and holds no whole row yet.
    private var rest: [UInt8] = []
    private var hasHeader = false
    private var isAtEnd = false
    private var isDone = false

    /// Bytes that are asked for at a time.
    private static let piece = 64 << 10
    /// What a row of the history can have at most: a value has 1 GB by PostgreSQL's own limit, and no event of ours is near a hundredth of
    /// this. Without a limit a row that does not end would take all memory.
    private static let largest = 256 << 20
    static let malformed = PostgresError.lost(
        .protocolViolation("it sent something else than the history's rows"))

    init(_ connection: Connection) { self.connection = connection }

    /// Sends the query, whose columns are `HistoryReader.columns`, inside a transaction that the caller has begun.
    func begin(_ query: String) throws(PostgresError) {
        try connection.beginCopy("COPY \(query) TO STDOUT (FORMAT binary)")
    }

    /// The next rows; nil after the last.
    mutating func next() throws(PostgresError) -> [HistoryRow]? {
        while !isDone {
            isDone = try !connection.readCopy(into: &rest, atLeast: BinaryRows.piece)
            let rows = try take()
            guard rest.count <= BinaryRows.largest else { throw BinaryRows.malformed }
            if !rows.isEmpty { return rows }
        }
        return nil
    }

    /// The four-byte number at `place`.
    @inline(__always)
    static func small(_ bytes: [UInt8], _ place: Int) -> Int32 {
        Int32(
            bitPattern: UInt32(bytes[place]) << 24 | UInt32(bytes[place + 1]) << 16 | UInt32(bytes[place + 2]) << 8
                | UInt32(bytes[place + 3]))
    }

    /// Takes the whole rows out of `rest`.
    private mutating func take() throws(PostgresError) -> [HistoryRow] {
        let bytes = rest
        var at = 0
        if !hasHeader {
            guard try BinaryRows.skipHeader(bytes, &at) else { return [] }
            hasHeader = true
        }
        var rows: [HistoryRow] = []
        let count = AuditColumn.allCases.count
        tuples: while at + 2 <= bytes.count, !isAtEnd {
            let fields = Int(bytes[at]) << 8 | Int(bytes[at + 1])
            if fields == 0xFFFF {
                isAtEnd = true
                at += 2
                break
            }
            guard fields == count else { throw BinaryRows.malformed }
            var place = at + 2
            var starts = HistoryRow.Starts(repeating: 0)
            for column in 0..<count {
                guard place + 4 <= bytes.count else { break tuples }
                let length = BinaryRows.small(bytes, place)
                place += 4
                starts[column] = UInt32(truncatingIfNeeded: place)
                if length > 0 { place += Int(length) }
                guard length >= -1 else { throw BinaryRows.malformed }
            }
            guard place <= bytes.count else { break }
            rows.append(HistoryRow(bytes, starts))
            at = place
        }
        rest = Array(bytes[at...])
        return rows
    }

    /// Moves `at` behind the stream's header; false where that has not arrived yet.
    static func skipHeader(_ bytes: [UInt8], _ at: inout Int) throws(PostgresError) -> Bool {
        guard bytes.count >= 19 else { return false }
        let extra = Int(BinaryRows.small(bytes, 15))
        guard bytes.starts(with: BinaryRows.signature), BinaryRows.small(bytes, 11) == 0, extra >= 0 else {
            throw BinaryRows.malformed
        }
        guard bytes.count >= 19 + extra else { return false }
        at = 19 + extra
        return true
    }

    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
}
