internal import CPQ

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
