internal import CPQ

extension Connection {
    /// Runs `sql`, one or more statements, by the simple protocol. Returns every statement's result.
    ///
    /// The first error wins: `.server` with `statementsDone` telling how far it came, `.lost` where the session went with it.
    @discardableResult
    public func run(_ sql: String) throws(PostgresError) -> [QueryResult] { try run(Array(sql.utf8)) }

    /// Runs the bytes of `sql`; refuses a NUL among them. `rows` are for the COPY … FROM STDIN in it, in their order.
    @discardableResult
    public func run(_ sql: [UInt8], copying rows: CopiedRows? = nil) throws(PostgresError) -> [QueryResult] {
        try Connection.refuseNUL(sql)
        try send(sql)
        var rows = rows ?? .none
        return try collect(&rows)
    }

    /// Sends `sql` as `run` does, and leaves its answer to `finish`: until then nothing else may be run on this session.
    public func begin(_ sql: String) throws(PostgresError) {
        try Connection.refuseNUL(sql.utf8)
        try send(Array(sql.utf8))
        try flush()
    }

    /// Waits for the answer to what `begin` has sent.
    @discardableResult
    public func finish() throws(PostgresError) -> [QueryResult] {
        var rows = CopiedRows.none
        return try collect(&rows)
    }

    /// Runs one statement with its values beside it, by the extended protocol; `binary` asks for the result in binary form.
    @discardableResult
    public func query(_ sql: String, _ parameters: [Parameter?] = [], binary: Bool = false) throws(PostgresError)
        -> QueryResult
    {
        try Connection.refuseNUL(sql.utf8, parameters)
        guard send(sql, parameters, binary: binary) else { throw .lost(connectionError()) }
        var rows = CopiedRows.none
        let results = try collect(&rows)
        guard results.count == 1 else { throw broken("one statement has \(results.count) results") }
        return results[0]
    }

    /// One statement of a pipeline.
    public struct Step: Sendable {
        var sql: String
        /// The values of `$1`, `$2` and so on.
        public var parameters: [Parameter?]
        /// A statement with its values.
        public init(_ sql: String, _ parameters: [Parameter?] = []) {
            self.sql = sql
            self.parameters = parameters
        }
    }

    /// Sends all steps in one go and one implicit transaction block; after an error the server ignores the rest of them.
    ///
    /// Explicit transaction control may be among them (PostgreSQL manual 34.5 "Pipeline Mode").
    @discardableResult
    public func pipeline(_ steps: [Step]) throws(PostgresError) -> [QueryResult] {
        for step in steps { try Connection.refuseNUL(step.sql.utf8, step.parameters) }
        guard !shape.isBroken, unsafe PQenterPipelineMode(handle) == 1 else { throw .lost(connectionError()) }
        for step in steps {
            guard send(step.sql, step.parameters, binary: false) else { throw .lost(connectionError()) }
        }
        guard unsafe PQpipelineSync(handle) == 1 else { throw .lost(connectionError()) }
        var results: [QueryResult] = []
        var failure: ServerError?
        var rows = CopiedRows.none
        try flush()
        synchronized: while true {
            // Each step's results end in a null; the sync's own result ends the pipeline.
            guard let result = try next() else {
                if !isAlive { break synchronized }
                continue
            }
            let synced = unsafe PQresultStatus(result.handle) == PGRES_PIPELINE_SYNC
            if synced { break synchronized }
            try read(result, into: &results, &failure, &rows)
        }
        if let failure, failure.endsSession || !isAlive { throw .lost(failure) }
        guard isAlive, unsafe PQexitPipelineMode(handle) == 1 else { throw .lost(failure ?? connectionError()) }
        if let failure { throw .server(failure) }
        guard results.count == steps.count else {
            throw broken("\(steps.count) statements have \(results.count) results")
        }
        return results
    }

    /// Refuses, before anything is sent, a statement or a text beside it that holds a NUL: libpq would end it there in silence, and
    /// PostgreSQL can keep none. The code is the server's for a character that is not in its repertoire.
    static func refuseNUL(_ sql: some Collection<UInt8>, _ parameters: [Parameter?] = []) throws(PostgresError) {
        let isHeld = parameters.contains { parameter in
            if case .text(let text) = parameter { text.utf8.contains(0) } else { false }
        }
        guard isHeld || sql.contains(0) else { return }
        throw .server(
            ServerError(
                sqlstate: "22021", message: "a NUL character (U+0000) stands in a value, which PostgreSQL cannot hold",
                hint: "Take the character out of the name, the setting or the file that it comes from."))
    }

    /// The session cannot be used any more, because of what the server did.
    func broken(_ what: String) -> PostgresError {
        shape.giveUp()
        return .lost(.protocolViolation(what))
    }

    private func send(_ sql: [UInt8]) throws(PostgresError) {
        let text = sql + [0]
        let isSent = unsafe text.withUnsafeBytes { bytes in
            unsafe !shape.isBroken
                && PQsendQuery(handle, bytes.baseAddress?.assumingMemoryBound(to: CChar.self)) == 1
        }
        guard isSent else { throw .lost(connectionError()) }
    }

    private func send(_ sql: String, _ parameters: [Parameter?], binary: Bool) -> Bool {
        guard !shape.isBroken else { return false }
        var lengths: [Int32] = []
        var formats: [Int32] = []
        for parameter in parameters {
            switch parameter {
            case nil, .text:
                lengths.append(0)
                formats.append(0)
            case .bytes(let bytes):
                lengths.append(Int32(bytes.count))
                formats.append(1)
            }
        }
        return unsafe Connection.withValues(parameters[...], []) { values in
            unsafe PQsendQueryParams(
                handle, sql, Int32(parameters.count), nil, values, lengths, formats, binary ? 1 : 0) == 1
        }
    }

    /// Gives `body` a pointer to each value, none of which is copied: one may be a file of hundreds of megabytes.
    private static func withValues(
        _ parameters: ArraySlice<Parameter?>, _ values: [UnsafePointer<CChar>?],
        _ body: ([UnsafePointer<CChar>?]) -> Bool
    ) -> Bool {
        guard let first = parameters.first else { return unsafe body(values) }
        let rest = parameters.dropFirst()
        switch first {
        case nil: return unsafe withValues(rest, values + [nil], body)
        case .text(let text): return unsafe text.withCString { unsafe withValues(rest, values + [$0], body) }
        // No pointer at all would be a null.
        case .bytes(let bytes) where bytes.isEmpty:
            return unsafe "".withCString { unsafe withValues(rest, values + [$0], body) }
        case .bytes(let bytes):
            return unsafe bytes.withUnsafeBytes { raw in
                unsafe withValues(rest, values + [raw.baseAddress?.assumingMemoryBound(to: CChar.self)], body)
            }
        }
    }

    /// Collects all results of what was sent.
    private func collect(_ rows: inout CopiedRows) throws(PostgresError) -> [QueryResult] {
        try flush()
        var results: [QueryResult] = []
        var failure: ServerError?
        while let result = try next() {
            try read(result, into: &results, &failure, &rows)
            if !isAlive { break }
        }
        if let failure { throw failure.endsSession || !isAlive ? .lost(failure) : .server(failure) }
        guard isAlive else { throw .lost(connectionError()) }
        return results
    }

    /// Hands everything to the kernel, reading meanwhile so that neither side waits for the other.
    func flush() throws(PostgresError) {
        while true {
            switch unsafe PQflush(handle) {
            case 0: return
            case 1:
                guard waiter.wait(for: descriptor, [.read, .write]) else { throw .abandoned }
                // What fails here is told by the result that follows.
                _ = unsafe PQconsumeInput(handle)
            default: return
            }
        }
    }

    /// The next result; nil at the end of a statement's results.
    func next() throws(PostgresError) -> ResultHandle? {
        while unsafe PQisBusy(handle) == 1 {
            guard waiter.wait(for: descriptor, .read) else { throw .abandoned }
            if unsafe PQconsumeInput(handle) == 0 { break }
            try checkNotices()
        }
        forgetNotices()
        return unsafe ResultHandle(PQgetResult(handle))
    }

    private func read(
        _ result: borrowing ResultHandle, into results: inout [QueryResult], _ failure: inout ServerError?,
        _ rows: inout CopiedRows
    ) throws(PostgresError) {
        switch unsafe PQresultStatus(result.handle) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_SINGLE_TUPLE: results.append(result.copy(shape))
        case PGRES_EMPTY_QUERY, PGRES_PIPELINE_ABORTED, PGRES_PIPELINE_SYNC: break
        case PGRES_COPY_IN: try fillCopy(&rows)
        case PGRES_COPY_OUT: try skipCopy()
        // Replication alone has it; libpq would give it again and again.
        case PGRES_COPY_BOTH: throw broken("it wants to copy both ways")
        default:
            guard failure == nil else { return }
            failure = result.error(statementsDone: results.count)
            // Not the server's words: the session is gone.
            if failure?.sqlstate.isEmpty == true { failure = connectionError() }
        }
    }
}
