internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// Runs what verifies the file in the transaction that is open, and takes back what that did. A statement that fails is the file's failure.
    ///
    /// It meets what a commit would leave behind, and the session as psql would have it: the role of the login, and that role's search_path.
    func verify(
        _ verification: Verification, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?,
        isAlone: Bool = false
    ) throws(Stop) {
        let script = attempt.prepared.script
        guard connection.transactionStatus == .inTransaction else { throw .failure(escaped(script)) }
        // No script can know the name and release it.
        let savepoint = "migrated_verify_\(attempt.scratchToken())"
        let path = try run { () throws(RunFailure) in try ownPath() }.joined(separator: "; ")
        try send(
            """
            SET CONSTRAINTS ALL IMMEDIATE; SAVEPOINT \(savepoint); SET LOCAL standard_conforming_strings = on; \
            \(script.changesSettings ? "RESET SESSION AUTHORIZATION; " : "")RESET ROLE; \(limits(attempt, scope: "SET LOCAL"))
            """, &attempt, connection, limit)
        // Backslashes in it mean what they say only now.
        try send(path, &attempt, connection, limit)
        let verifying = verification.script
        for range in verifying.segments.flatMap({ verifying.messages($0.statements, messages) }) {
            let piece = Piece(range, 0, verifying, verifying.text)
            let state =
                isAlone
                ? "What the file did is committed."
                : script.segments.count == 1
                    ? "What the file did is rolled back." : "What the file's last part did is rolled back."
            let remedy =
                "\(state) Fix the file; or fix '\(verification.path)', then 'migrated retry \(attempt.prepared.version)'."
            try guarded(&attempt, connection, limit, { refused($0, by: verification, piece, remedy) }) {
                (connection: Connection) throws(PostgresError) in
                _ = try connection.run(piece.sql, copying: CopiedRows(verifying.rowBytes, piece.rows))
            }
        }
        try send("ROLLBACK TO SAVEPOINT \(savepoint); RELEASE SAVEPOINT \(savepoint)", &attempt, connection, limit)
        // What the server skipped in it was not the file's.
        _ = attempt.notices.takeExisting()
    }

    /// The same in a transaction of its own, which is rolled back: behind a file that does not end with one.
    func verifyAlone(_ verification: Verification, _ attempt: inout Attempt, _ limit: Instant?) throws(Stop) {
        let script = attempt.prepared.script
        let connection = try handOver(script, before: script.statements.count, "BEGIN").connection
        try verify(verification, &attempt, connection, limit, isAlone: true)
        try send("ROLLBACK", &attempt, connection, limit)
    }

    private func send(
        _ sql: String, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) {
        let script = attempt.prepared.script
        try guarded(&attempt, connection, limit, { Failure($0, in: script, piece: nil) }) {
            (connection: Connection) throws(PostgresError) in _ = try connection.run(sql)
        }
    }

    /// What a statement of it has said against the file, with its place in the script.
    private func refused(
        _ error: ServerError, by verification: Verification, _ piece: Piece, _ remedy: String
    ) -> Failure {
        var failure = Failure(error, in: verification.script, piece: piece)
        failure.detail["verify"] = .string(verification.path)
        failure.detail["segment"] = nil
        // What passes by itself is no verdict.
        guard failure.reason == "sql_error" else { return failure }
        failure.reason = "verify"
        failure.complaint.hint = [failure.complaint.hint, remedy].compactMap(\.self).joined(separator: " ")
        failure.detail["hint"] = failure.complaint.hint.map(JSONValue.string)
        failure.precede("'\(verification.path)' failed: ")
        return failure
    }
}
