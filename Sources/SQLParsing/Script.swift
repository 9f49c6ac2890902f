internal import JSON
public import Reporting

/// A migration's text, read by PostgreSQL's grammar and cut into what can be sent.
///
/// The text is read once and never sent in another form: every segment is a range of `text`. A file that the grammar cannot read is not
/// called invalid, because the server may be newer than the grammar: where a plain scanner finds nothing in it that speaks against it,
/// it becomes one segment that runs whole, in one transaction, with `unparsed` as the warning.
public struct Script: Sendable {
    /// The file's name as the operator knows it.
    public let file: String
    /// The bytes that will be sent: the source without a byte order mark, each Drizzle marker overwritten by `;` and spaces, and by blanks what
    /// psql would read itself (`ClientText`).
    public let text: [UInt8]
    /// The rows of its COPY … FROM STDIN, in order.
    public let rows: [Rows]
    /// As long as `text`, with the rows in their places.
    public let rowBytes: [UInt8]
    /// Its statements in order; none for an empty or comment-only file, nor where `unparsed` is set.
    public let statements: [Statement]
    /// What to send, in order. Covers all statements but the BEGIN and COMMIT of the file's own blocks.
    public internal(set) var segments: [Segment]
    /// The warning to record where the grammar could not read the file and it runs all the same.
    public let unparsed: Complaint?
    /// Whether the next file needs a new connection: this one alters login settings of a role, database or the system, changes the session's
    /// user or loads a library. True where the file could not be parsed.
    public let changesSettings: Bool
    /// What is worth knowing about how the text is read; nothing in it keeps the file from running.
    public let notes: [Note]
    /// Names of the procedures that it creates and whose bodies end transactions, as far as they can be read.
    public let committingProcedures: Set<String>
    /// The syntax trees; nil where the file could not be parsed.
    public let tree: SyntaxTree?

    /// A remark about a place in the text.
    public struct Note: Sendable, Equatable {
        /// The byte of the script's text that it is about.
        public let offset: Int
        /// What there is to know, without a final stop.
        public let message: String
        /// What to do about it, as a sentence.
        public let hint: String

        /// A remark from its parts.
        public init(offset: Int, message: String, hint: String) {
            self.offset = offset
            self.message = message
            self.hint = hint
        }
    }

    /// The rows that follow a COPY … FROM STDIN in the file.
    public struct Rows: Sendable, Equatable {
        /// The statement; nil where the file could not be parsed.
        public let statement: Int?
        /// Their bytes in `rowBytes`.
        public let range: Range<Int>
    }

    /// Whether there is nothing in it to run: no statement, or none but BEGIN and COMMIT.
    public var isEmpty: Bool { segments.isEmpty }

    /// Reads the bytes of `file`, without touching a database. Throws a complaint with status `badFile`, place and line of the text for
    /// what must not or cannot run unattended: bytes that are not UTF-8, psql commands, COPY to the client, refused transaction
    /// control, a statement that cannot run inside the transaction it stands in, and a syntax error in a file that cannot
    /// run whole.
    public init(_ bytes: [UInt8], file: String, options: ScriptOptions = ScriptOptions()) throws(Complaint) {
        let original = try SourceText(bytes, file: file, limit: options.sizeLimit)
        let client = ClientText(original.bytes)
        if let flaw = client.flaw { throw original.complaint(flaw.message, at: flaw.offset, hint: flaw.hint) }
        let source = original.with(options.breakpoints ? Breakpoints.overwrite(in: client.text) : client.text)
        rowBytes = original.bytes
        self.file = file
        text = source.bytes
        let copies = Set(client.rows.map(\.copy))
        let parsing = TextParsing(source: source, copies: copies, procedures: options.committingProcedures)
        switch try source.bytes.count > options.parsedAtOnce ? parsing.inPieces() : parsing.atOnce() {
        case .read(let reading):
            statements = reading.statements
            rows = try Script.rows(client.rows, of: reading.statements, in: source)
            let cut = try reading.segments(options, withRows: Set(rows.compactMap(\.statement)))
            segments = cut.segments
            notes = options.notes + cut.notes
            changesSettings = reading.changesSettings
            committingProcedures = reading.committingProcedures
            tree = reading.tree
            unparsed = nil
        case .refused(let message, let offset):
            let refusal = Refusal(source: source, copies: copies, message: message, offset: offset)
            let whole = try refusal.whole(noTransaction: options.noTransaction)
            if options.rollsBack {
                // Its own COMMIT could not be told from the rest.
                var complaint = whole.warning
                complaint.hint = "Write it as the server takes it: psql's variables (:name) are not replaced."
                throw complaint
            }
            statements = []
            rows = client.rows.map { Rows(statement: nil, range: $0.range) }
            segments = [whole.segment]
            notes = options.notes
            changesSettings = true
            committingProcedures = []
            tree = nil
            unparsed = whole.warning
        case .noThread(let status):
            throw Complaint(
                .tryLater, "cannot start a thread to parse on: error \(status)",
                hint: "Raise the limit on threads or address space.",
                place: Place(file: file))
        }
    }

    /// The rows with the statements that they are for.
    private static func rows(
        _ found: [ClientText.Rows], of statements: [Statement], in source: SourceText
    ) throws(Complaint) -> [Rows] {
        guard !found.isEmpty else { return [] }
        let indices = Dictionary(
            statements.indices.lazy.filter { statements[$0].node == "CopyStmt" }.map {
                (statements[$0].range.lowerBound, $0)
            }, uniquingKeysWith: { first, _ in first })
        return try found.map { (rows) throws(Complaint) -> Rows in
            guard let index = indices[rows.copy] else {
                throw source.complaint(
                    "rows follow a statement that is no COPY … FROM STDIN for the grammar", at: rows.copy,
                    hint: "Write the COPY on a line of its own.")
            }
            return Rows(statement: index, range: rows.range)
        }
    }
}
