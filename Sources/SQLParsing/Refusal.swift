internal import Reporting
internal import SQLLexing

/// What to do with a text that the grammar refused: run it whole, or say why not.
struct Refusal {
    let source: SourceText
    /// Where each COPY begins whose rows follow.
    let copies: Set<Int>
    /// The grammar's message; it may quote the rest of the file, so it is cut.
    let message: String
    /// The byte that it points at; nil for none.
    let offset: Int?

    init(source: SourceText, copies: Set<Int>, message: String, offset: Int?) {
        self.source = source
        self.copies = copies
        self.offset = offset
        self.message = Printable.bounded(Secrets(of: source.bytes).hiding(in: message, at: offset), 200)
    }

    /// The text as one segment, with the warning to record; throws where it must not run so.
    func whole(noTransaction: Bool) throws(Complaint) -> (segment: Segment, warning: Complaint) {
        if message.hasPrefix("memory exhausted") || message.hasPrefix("stack depth limit exceeded") {
            throw complaint(
                "expression is nested too deeply for PostgreSQL's parser", at: offset,
                hint: "Break it up into simpler expressions.")
        }
        let scan = PlainScan(source.bytes, copies)
        if let refusal = Refusal.ofClientCommands(source, scan.obstacles, error: offset) { throw refusal }
        let grave = scan.obstacles.filter { $0.kind != .needsNoTransaction || !noTransaction }
        if let obstacle = grave.first {
            throw complaint(message, at: offset, hint: hint(obstacle))
        }
        if noTransaction, scan.statementCount > 1 {
            throw complaint(
                message, at: offset,
                hint:
                    "Without a grammar that reads it the file cannot be cut into statements, and it asks for no transaction: "
                    + "put each statement into a file of its own.")
        }
        let warning = complaint(
            "the grammar of PostgreSQL \(Grammar.release) cannot read this: \(message)", at: offset,
            hint: noTransaction
                ? "The server may be newer: the statement is sent as it is."
                : "The server may be newer: the file is sent whole, in one transaction.")
        let segment = Segment(
            kind: noTransaction ? .alone : .transaction, statements: 0..<0, range: 0..<source.bytes.count, begin: nil,
            ownBlock: false,
            concurrentIndex: nil, trace: noTransaction ? .nowhere : nil)
        return (segment, warning)
    }

    /// The complaint about the first psql command or COPY without rows. A psql command in the middle of a line counts only where the
    /// grammar stumbled over it: elsewhere a quote before it may be at fault.
    static func ofClientCommands(_ source: SourceText, _ obstacles: [PlainScan.Obstacle], error: Int?) -> Complaint? {
        for obstacle in obstacles {
            switch obstacle.kind {
            case .psqlCommand(let startsLine) where startsLine || obstacle.offset == error:
                return source.complaint(
                    "psql command '\(obstacle.text)'", at: obstacle.offset,
                    hint: "The file is sent to the server, which knows no psql commands: write it as SQL, or remove it."
                )
            case .copyFromStandardInput:
                return source.complaint(
                    "COPY … FROM STDIN without rows", at: obstacle.offset, hint: ClientText.rowsHint)
            default: break
            }
        }
        return nil
    }

    private func complaint(_ message: String, at offset: Int?, hint: String) -> Complaint {
        guard let offset else { return Complaint(.badFile, message, hint: hint, place: Place(file: source.file)) }
        return source.complaint(message, at: offset, hint: hint)
    }

    private func hint(_ obstacle: PlainScan.Obstacle) -> String {
        if obstacle.kind == .unterminated, message.hasPrefix("unterminated") {
            return "The quote or comment that begins at \(source.position(obstacle.offset)) has no end."
        }
        let what =
            switch obstacle.kind {
            case .psqlCommand: "the psql command '\(obstacle.text)'"
            case .copyFromStandardInput: "COPY … FROM STDIN"
            case .copyToStandardOutput: "COPY … TO STDOUT"
            case .transactionControl: "the transaction control '\(obstacle.text)'"
            case .needsNoTransaction: "'\(obstacle.text)', which cannot run inside a transaction,"
            case .unterminated: "a quote or comment that does not end"
            }
        return
            "A newer server might read it, but \(what) at \(source.position(obstacle.offset)) prevents running the file whole."
    }
}
