internal import JSON
internal import Postgres
internal import Reporting
internal import SQLLexing
internal import SQLParsing

extension Failure {
    /// What the server refused, with its place in the file.
    ///
    /// - Parameters:
    ///   - error: the server's error for what was sent.
    ///   - piece: what was sent; nil where the error is not about the file's own text.
    init(_ error: ServerError, in script: Script, piece: Piece?) {
        var withheld: [RowValues.Withheld] = []
        func withholding(_ field: String, _ text: String, _ mask: (String) -> String) -> String {
            guard RowValues.mayBeIn(error.sqlstate) else { return text }
            let masked = mask(text)
            if masked != text {
                withheld.append(RowValues.Withheld(field: field, text: Printable.line(text, limit: 2000)))
            }
            return masked
        }
        var statement: Int?
        var offset: Int?
        if let piece {
            statement = piece.statement(ofResult: error.statementsDone)
            if let position = error.position {
                offset = piece.offset(ofCharacter: position)
            } else if let statement {
                offset = script.statements[statement].range.lowerBound
            }
        }
        let secrets = script.secrets
        func told(_ words: String) -> String { secrets.hiding(in: words, at: offset) }
        let message = withholding("message", told(error.message)) { RowValues.maskMessage($0, error.sqlstate) }
        var complaint = Complaint(
            .failed, message, hint: error.hint.map(told), place: Place(file: script.file),
            sqlstate: error.sqlstate.isEmpty ? nil : error.sqlstate)
        if let statement, let line = script.line(ofRowIn: error.context, statement: statement) {
            // The row itself is data of people: it is not shown.
            complaint.place = Place(file: script.file, line: line)
        } else if let offset {
            complaint.point(at: script.place(at: offset), of: script.text)
            if error.sqlstate.hasPrefix("42"), let line = complaint.place?.line,
                let found = Invisible.first(in: Place.line(line, of: script.text))
            {
                let words =
                    "Line \(line) holds \(found), which cannot be seen and is part of a word for PostgreSQL: delete it, or put a space in its place."
                complaint.hint = complaint.hint.map { "\($0) \(words)" } ?? words
            }
        }
        self.init(Failure.reason(error), complaint)
        if reason == "disk_full" {
            let remedy = "Free space on the server; what was open is rolled back. Then 'migrated retry' tries it again."
            self.complaint.hint = remedy
            detail["hint"] = .string(remedy)
        }
        if error.sqlstate == "2D000", error.hint == nil {
            let remedy =
                "It ends the transaction that the file runs in: write '-- migrated: transaction=none' at the head of the file, and every statement runs by itself."
            self.complaint.hint = remedy
            detail["hint"] = .string(remedy)
        }
        object = error.object
        if let piece { detail["segment"] = .integer(Int64(piece.segment + 1)) }
        if let statement {
            detail["statement"] = .integer(Int64(statement + 1))
            detail["text"] = .string(script.excerpt(of: statement, limit: 500))
        }
        if let more = error.detail {
            let masked = withholding("detail", told(more)) { RowValues.maskDetail($0, error.sqlstate) }
            detail["detail"] = .string(Printable.line(masked, limit: 2000))
        }
        if let context = error.context {
            let masked = withholding("context", told(context), RowValues.maskContext)
            detail["context"] = .string(Printable.line(masked, limit: 2000))
        }
        self.withheld = withheld
    }

    /// The stable word for an error code (PostgreSQL manual, appendix A).
    private static func reason(_ error: ServerError) -> String {
        switch error.sqlstate {
        case "55P03": "lock_timeout"
        case "40P01": "deadlock"
        case "40001": "serialization_failure"
        case "57014": error.message.contains("statement timeout") ? "statement_timeout" : "cancelled"
        case "53100": "disk_full"
        case "53200": "out_of_memory"
        case "53300": "too_many_connections"
        case "58030": "io_error"
        case "MG003": "already_applied"
        case "": "connection_lost"
        default: "sql_error"
        }
    }
}

extension Script {
    /// The file's line of the row that COPY names in an error's context (`COPY people, line 3, column age: …`, in any language); nil where it
    /// names none.
    func line(ofRowIn context: String?, statement: Int) -> Int? {
        guard let context, let rows = rows.first(where: { $0.statement == statement }),
            let table = root(statement)?.field("relation")?.text("relname")
        else { return nil }
        let opening = "COPY \(table),"
        for line in context.split(separator: "\n") where line.utf8.starts(with: opening.utf8) {
            let digits = line.utf8.dropFirst(opening.utf8.count).drop { !(0x30...0x39).contains($0) }
                .prefix { (0x30...0x39).contains($0) }
            if let number = Int(String(decoding: digits, as: UTF8.self)), number > 0 {
                return (place(at: rows.range.lowerBound).line ?? 1) + number - 1
            }
        }
        return nil
    }
}
