internal import CPQ
internal import SQLLexing

/// A PGresult, cleared when this value ends.
@safe
struct ResultHandle: ~Copyable {
    let handle: OpaquePointer

    init?(_ handle: OpaquePointer?) {
        guard let handle = unsafe handle else { return nil }
        unsafe self.handle = handle
    }

    deinit { unsafe PQclear(handle) }

    /// Everything in it, copied; `shape` is the session's.
    func copy(_ shape: AnswerShape) -> QueryResult {
        let columnCount = unsafe PQnfields(handle)
        let columns = (0..<columnCount).map { unsafe String(cString: PQfname(handle, $0)) }
        let rows = (0..<(unsafe PQntuples(handle))).map { row in
            (0..<columnCount).map { column in cell(row, column) }
        }
        return QueryResult(
            columns: columns, cells: rows, commandTag: unsafe String(cString: PQcmdStatus(handle)), shape: shape)
    }

    private func cell(_ row: Int32, _ column: Int32) -> [UInt8]? {
        guard unsafe PQgetisnull(handle, row, column) == 0 else { return nil }
        let length = unsafe Int(PQgetlength(handle, row, column))
        let raw = unsafe UnsafeRawBufferPointer(start: PQgetvalue(handle, row, column), count: length)
        return unsafe Array(raw)
    }

    func error(statementsDone: Int) -> ServerError {
        var error = ServerError(sqlstate: field("C") ?? "", message: saying("M") ?? words)
        error.detail = saying("D")
        error.hint = saying("H")
        error.position = field("P").flatMap { Int32($0) }.flatMap { $0 > 0 ? Int($0) : nil }
        error.context = saying("W")
        let names = ["s", "t", "c", "n"].compactMap { field($0) }
        error.object = names.isEmpty ? nil : names.joined(separator: ".")
        error.statementsDone = statementsDone
        return error
    }

    private var words: String {
        Secrets.hidden(words: unsafe String(cString: PQresultErrorMessage(handle)).trimmingLineEnd)
    }

    private func field(_ code: Unicode.Scalar) -> String? { unsafe Notice.field(handle, code) }
    /// The server's own words, without the secrets of statements that they quote.
    private func saying(_ code: Unicode.Scalar) -> String? { field(code).map { Secrets.hidden(words: $0) } }
}

extension Notice {
    init(_ result: OpaquePointer?) {
        unsafe self.init(
            severity: Notice.field(result, "V") ?? "NOTICE", sqlstate: Notice.field(result, "C") ?? "",
            message: Notice.field(result, "M") ?? "")
    }

    static func field(_ result: OpaquePointer?, _ code: Unicode.Scalar) -> String? {
        unsafe PQresultErrorField(result, Int32(code.value)).map { unsafe String(cString: $0) }
    }
}

extension ServerError {
    /// An error that libpq made itself: it puts each host's failure on a line, and what to look at on indented ones below it.
    init(libpq words: String) {
        let words = Secrets.hidden(words: words)
        let lines = words.split(separator: "\n")
        let hint = lines.first { $0.hasPrefix("\t") }?.drop { $0 == "\t" }
        // That a server which closed the session "probably terminated abnormally" is its own log's to say.
        let guesses = hint?.hasPrefix("This probably means") == true
        // To look at no certificate at all is not the way out of one that is missing.
        let told =
            guesses
            ? Array(lines.prefix(1)) : lines.filter { !$0.hasPrefix("\t") && !$0.hasPrefix("Either provide the file") }
        self.init(
            sqlstate: ServerError.connectionState(words), message: told.joined(separator: "; "),
            hint: guesses ? nil : hint.map(String.init))
    }

    /// libpq keeps no error code of a connection that failed to open; its few telling words are matched instead.
    static func connectionState(_ words: String) -> String {
        if words.contains("too many clients already") || words.contains("remaining connection slots are reserved")
            || words.contains("too many connections for ")
        {
            return "53300"
        }
        let unready = [
            "starting up", "shutting down", "in recovery mode", "not yet accepting connections",
            "not accepting connections",
        ]
        if unready.contains(where: { words.contains("the database system is " + $0) }) { return "57P03" }
        if words.contains("authentication failed") || words.contains("no password supplied")
            || words.contains("pg_hba.conf")
        {
            return "28000"
        }
        if words.contains("FATAL:  database \"") && words.contains("does not exist") { return "3D000" }
        if words.contains("FATAL:  role \"") && words.contains("does not exist") { return "28000" }
        return ""
    }
}
