internal import CPQ

/// Rows that a COPY … FROM STDIN of ours asks for: parts of a text, the first for the first COPY of a message.
public struct CopiedRows: Sendable {
    let bytes: [UInt8]
    private var parts: ArraySlice<Range<Int>>

    /// The parts of `bytes`, none of which is copied.
    public init(_ bytes: [UInt8], _ parts: [Range<Int>]) {
        self.bytes = bytes
        self.parts = parts[...]
    }

    /// No rows.
    static let none = CopiedRows([], [])

    mutating func next() -> Range<Int>? { parts.popFirst() }
}

extension Connection {
    /// Begins `COPY … TO STDOUT`; `readCopy` then gives what comes.
    ///
    /// Nothing else can be run on this session before `readCopy` has said that this was all (PostgreSQL manual 34.10).
    public func beginCopy(_ sql: String) throws(PostgresError) {
        try Connection.refuseNUL(sql.utf8)
        guard !shape.isBroken, unsafe PQsendQuery(handle, sql) == 1 else { throw .lost(connectionError()) }
        try flush()
        guard let result = try next() else { throw .lost(connectionError()) }
        let status = unsafe PQresultStatus(result.handle)
        guard status == PGRES_COPY_OUT else {
            guard status == PGRES_FATAL_ERROR else { throw broken("COPY gives no rows") }
            let failure = result.error(statementsDone: 0)
            try finishCopy()
            throw failure.endsSession || !isAlive ? .lost(failure) : .server(failure)
        }
    }

    /// Appends what has come to `buffer`, until it has grown by `size` bytes or more; false once this was all.
    public func readCopy(into buffer: inout [UInt8], atLeast size: Int) throws(PostgresError) -> Bool {
        let wanted = buffer.count + size
        while buffer.count < wanted {
            let more = unsafe try nextCopy { row in unsafe buffer.append(contentsOf: row) }
            guard more else {
                try finishCopy()
                return false
            }
        }
        return true
    }

    /// Lets what comes pass by, up to the end of the copy; its result is the next one.
    func skipCopy() throws(PostgresError) {
        while unsafe try nextCopy({ _ in }) {}
    }

    /// Answers a COPY … FROM STDIN with the next rows, piece by piece, so that no more than a piece of them is held twice (PostgreSQL manual
    /// 34.10.1); with a refusal where there are none.
    func fillCopy(_ rows: inout CopiedRows) throws(PostgresError) {
        let part = rows.next()
        var at = part?.lowerBound ?? 0
        while let end = part?.upperBound, at < end {
            let size = min(Connection.copyPiece, end - at)
            let sent = unsafe rows.bytes.withUnsafeBytes { all in
                unsafe PQputCopyData(
                    handle, all.baseAddress?.advanced(by: at).assumingMemoryBound(to: CChar.self), Int32(size))
            }
            // 0: libpq has no room for it yet.
            if sent == 1 { at += size } else if sent < 0 { break }
            try flush()
        }
        let refusal = part == nil ? "COPY FROM STDIN has no rows in a migration" : nil
        while unsafe PQputCopyEnd(handle, refusal) == 0 { try flush() }
        try flush()
    }

    /// The bytes that are handed to libpq at once.
    private static let copyPiece = 256 << 10

    /// Takes the next row; false where that was all, or something else than rows has come.
    private func nextCopy(_ take: (UnsafeRawBufferPointer) -> Void) throws(PostgresError) -> Bool {
        while true {
            var row: UnsafeMutablePointer<CChar>? = nil
            let length = unsafe PQgetCopyData(handle, &row, 1)
            switch length {
            case 1...:
                unsafe take(UnsafeRawBufferPointer(start: row, count: Int(length)))
                unsafe PQfreemem(row)
                forgetNotices()
                return true
            case 0:
                guard waiter.wait(for: descriptor, .read) else { throw .abandoned }
                guard unsafe PQconsumeInput(handle) == 1 else { throw .lost(connectionError()) }
                try checkNotices()
            case -1: return false
            default: throw .lost(connectionError())
            }
        }
    }

    /// Takes what the server says behind the last row: that all went well, or what did not.
    private func finishCopy() throws(PostgresError) {
        var failure: ServerError?
        while let result = try next() {
            switch unsafe PQresultStatus(result.handle) {
            case PGRES_COMMAND_OK: break
            case PGRES_FATAL_ERROR: failure = failure ?? result.error(statementsDone: 0)
            default: throw broken("something else than the end of a COPY")
            }
            if !isAlive { break }
        }
        if let failure { throw failure.endsSession || !isAlive ? .lost(failure) : .server(failure) }
        guard isAlive else { throw .lost(connectionError()) }
    }
}
