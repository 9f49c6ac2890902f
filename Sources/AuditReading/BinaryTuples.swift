internal import Postgres

/// Rows of a few columns without nulls as the server sends them by COPY in binary form, one at a time: each may be as wide as PostgreSQL allows.
struct BinaryTuples {
    private let connection: Connection
    /// What has arrived; all before `place` is done with.
    private var bytes: [UInt8] = []
    private var place = 0
    private var hasHeader = false
    private var isRead = false

    /// Bytes that are asked for at a time.
    private static let piece = 256 << 10

    init(_ connection: Connection) { self.connection = connection }

    /// Sends the query inside a transaction that the caller has begun.
    func begin(_ query: String) throws(PostgresError) {
        try connection.beginCopy("COPY (\(query)) TO STDOUT (FORMAT binary)")
    }

    /// The values of the next row, which has so many; nil after the last.
    mutating func next(fields count: Int) throws(PostgresError) -> [ArraySlice<UInt8>]? {
        if !hasHeader {
            try read { (bytes, at) throws(PostgresError) -> Bool in try BinaryRows.skipHeader(bytes, &at) }
            hasHeader = true
        }
        try require(2)
        let fields = Int(bytes[place]) << 8 | Int(bytes[place + 1])
        if fields == 0xFFFF {
            // The copy is at its end only when its end was read.
            while !isRead { isRead = try !connection.readCopy(into: &bytes, atLeast: BinaryTuples.piece) }
            return nil
        }
        guard fields == count else { throw BinaryRows.malformed }
        var at = 2
        var values: [Range<Int>] = []
        for _ in 0..<count {
            try require(at + 4)
            let length = Int(BinaryRows.small(bytes, place + at))
            guard length >= 0 else { throw BinaryRows.malformed }
            try require(at + 4 + length)
            values.append(at + 4..<at + 4 + length)
            at += 4 + length
        }
        defer { place += at }
        return values.map { bytes[place + $0.lowerBound..<place + $0.upperBound] }
    }

    /// Reads until so many bytes stand behind `place`.
    private mutating func require(_ size: Int) throws(PostgresError) {
        try read { (bytes, at) throws(PostgresError) -> Bool in bytes.count - at >= size }
    }

    private mutating func read(
        until isEnough: ([UInt8], inout Int) throws(PostgresError) -> Bool
    ) throws(PostgresError) {
        while try !isEnough(bytes, &place) {
            if place > BinaryTuples.piece {
                bytes.removeFirst(place)
                place = 0
            }
            guard !isRead else { throw BinaryRows.malformed }
            isRead = try !connection.readCopy(into: &bytes, atLeast: BinaryTuples.piece)
        }
    }
}
