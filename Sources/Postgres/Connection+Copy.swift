internal import CPQ

extension Connection {
    /// Begins `COPY … TO STDOUT`; `readCopy` then gives what comes.
    ///
    /// Nothing else can be run on this session before `readCopy` has said that this was all (PostgreSQL manual 34.10).
    public func beginCopy(_ sql: String) throws(PostgresError) {
        try Connection.refuseNUL(sql.utf8)
        guard unsafe PQsendQuery(handle, sql) == 1 else { throw .lost(connectionError()) }
        try flush()
        guard let result = try next() else { throw .lost(connectionError()) }
        guard unsafe PQresultStatus(result.handle) == PGRES_COPY_OUT else {
            let failure = result.error(statementsDone: 0)
            try finishCopy()
            throw failure.endsSession || !isAlive ? .lost(failure) : .server(failure)
        }
    }

    /// Appends what has come to `buffer`, until it has grown by `size` bytes or more; false once this was all.
    public func readCopy(into buffer: inout [UInt8], atLeast size: Int) throws(PostgresError) -> Bool {
        let wanted = buffer.count + size
        while buffer.count < wanted {
            var row: UnsafeMutablePointer<CChar>? = nil
            let length = unsafe PQgetCopyData(handle, &row, 1)
            switch length {
            case 1...:
                unsafe buffer.append(contentsOf: UnsafeRawBufferPointer(start: row, count: Int(length)))
                unsafe PQfreemem(row)
            case 0:
                guard waiter.wait(for: descriptor, .read) else { throw .abandoned }
                guard unsafe PQconsumeInput(handle) == 1 else { throw .lost(connectionError()) }
            case -1:
                try finishCopy()
                return false
            default: throw .lost(connectionError())
            }
        }
        return true
    }

    /// Takes what the server says behind the last row: that all went well, or what did not.
    private func finishCopy() throws(PostgresError) {
        var failure: ServerError?
        while let result = try next() {
            if unsafe PQresultStatus(result.handle) == PGRES_FATAL_ERROR, failure == nil {
                failure = result.error(statementsDone: 0)
            }
            if !isAlive { break }
        }
        if let failure { throw failure.endsSession || !isAlive ? .lost(failure) : .server(failure) }
        guard isAlive else { throw .lost(connectionError()) }
    }
}
