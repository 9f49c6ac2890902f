internal import CPQ

extension Connection {
    /// Sends a statement without waiting for its answer; false where it could not be handed over at once, or holds a NUL.
    ///
    /// Until `answer` has given rows or failed, nothing else may be run on this session.
    public func ask(_ sql: String) -> Bool {
        guard (try? Connection.refuseNUL(sql.utf8)) != nil else { return false }
        // A short text fits into the socket's buffer; where it does not, the session is as good as stuck.
        return unsafe (!shape.isBroken && PQsendQuery(handle, sql) == 1 && PQflush(handle) == 0)
    }

    /// What has come of a statement that was sent by `ask`.
    public enum Answer: Sendable { case pending, rows(QueryResult), failed }

    /// Reads what has arrived, without waiting.
    public func answer() -> Answer {
        guard unsafe PQconsumeInput(handle) == 1 else { return .failed }
        while unsafe PQisBusy(handle) == 0 {
            guard let result = unsafe ResultHandle(PQgetResult(handle)) else {
                defer { asked = nil }
                return asked.map(Answer.rows) ?? .failed
            }
            let status = unsafe PQresultStatus(result.handle)
            // Whatever wants to copy is no answer, and libpq would give it again and again.
            if [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(status) {
                shape.giveUp()
                return .failed
            }
            if status == PGRES_TUPLES_OK { asked = result.copy(shape) }
        }
        return isAlive ? .pending : .failed
    }
}
