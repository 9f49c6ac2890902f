internal import Reporting

/// Cuts a script's statements into segments: runs of ordinary statements, statements alone, and the file's own blocks.
struct Segmenter {
    let source: SourceText
    let statements: [Statement]
    /// Those that are not ordinary.
    let roles: [Int: StatementRole]
    let noTransaction: Bool
    /// The statements behind which rows follow.
    let withRows: Set<Int>
    let concurrentIndex: (Int) -> ConcurrentIndex?
    let trace: (Int) -> Trace

    private var segments: [Segment] = []
    /// The first statement that belongs to no segment yet.
    private var start = 0
    /// The file's own block that is open.
    private var block: Block?
    /// What is worth knowing about the file's own transaction control, in the order of the text.
    private(set) var notes: [Script.Note] = []

    /// A transaction that the file itself has begun.
    private struct Block {
        /// The statement that begins it.
        let statement: Int
        /// What is sent instead of a plain BEGIN, where it has options.
        var begin: String?
    }

    init(
        source: SourceText, statements: [Statement], roles: [Int: StatementRole], noTransaction: Bool,
        withRows: Set<Int>,
        concurrentIndex: @escaping (Int) -> ConcurrentIndex?, trace: @escaping (Int) -> Trace
    ) {
        self.source = source
        self.statements = statements
        self.roles = roles
        self.noTransaction = noTransaction
        self.withRows = withRows
        self.concurrentIndex = concurrentIndex
        self.trace = trace
    }

    /// The segments in order. Every statement is in exactly one, but for the BEGIN and COMMIT of the file's own blocks, a COMMIT that ends no
    /// block of its own, and what sets the transaction itself at the head of one.
    mutating func cut() throws(Complaint) -> [Segment] {
        for index in statements.indices {
            switch roles[index] ?? .ordinary {
            case .refused(let message, let hint):
                throw source.complaint(message, at: statements[index].range.lowerBound, hint: hint)
            case .rollback:
                throw source.complaint(
                    "ROLLBACK in a migration", at: statements[index].range.lowerBound, hint: StatementRole.ownBlockHint)
            case .begin: begin(index)
            case .commit(let chain): try commit(index, chain: chain)
            case .alone(let what):
                if let block {
                    throw source.complaint(
                        "\(what) cannot run inside a transaction", at: statements[index].range.lowerBound,
                        hint: "Move it out of the block that begins on line \(statements[block.statement].line).")
                }
                alone(index)
            case .ratherAlone where block == nil: alone(index)
            case .savepoint where noTransaction && block == nil:
                throw source.complaint(
                    "a savepoint outside of a transaction", at: statements[index].range.lowerBound,
                    hint: "The file asks for no transaction: write BEGIN and COMMIT round what belongs together.")
            case .ratherAlone, .savepoint: break
            case .copiesIn where !withRows.contains(index):
                throw source.complaint(
                    "COPY … FROM STDIN without rows", at: statements[index].range.lowerBound, hint: ClientText.rowsHint)
            case .ordinary, .setsTransaction, .addsValue, .copiesIn: if noTransaction, block == nil { byItself(index) }
            }
        }
        if let block {
            note(
                block.statement, "BEGIN without COMMIT: the block is committed at the end of the file",
                hint: "Write COMMIT where the block is to end.")
            if start < statements.count { append(.transaction, start..<statements.count) }
        } else {
            endRun(statements.count)
        }
        return segments
    }

    /// The segments of a text that is taken back: what stands between its own BEGIN, COMMIT and ROLLBACK, and what sets those transactions,
    /// which are in no segment.
    mutating func cutRolledBack() throws(Complaint) -> [Segment] {
        for index in statements.indices {
            switch roles[index] ?? .ordinary {
            case .refused(let message, let hint):
                throw source.complaint(message, at: statements[index].range.lowerBound, hint: hint)
            case .alone(let what):
                throw source.complaint(
                    "\(what) cannot run inside a transaction", at: statements[index].range.lowerBound,
                    hint: "What this script does is rolled back: take the statement out.")
            case .copiesIn where !withRows.contains(index):
                throw source.complaint(
                    "COPY … FROM STDIN without rows", at: statements[index].range.lowerBound, hint: ClientText.rowsHint)
            case .begin, .commit, .rollback, .setsTransaction:
                if start < index { append(.transaction, start..<index) }
                start = index + 1
            case .ordinary, .ratherAlone, .addsValue, .copiesIn, .savepoint: break
            }
        }
        if start < statements.count { append(.transaction, start..<statements.count) }
        return segments
    }

    private mutating func note(_ index: Int, _ message: String, hint: String) {
        notes.append(Script.Note(offset: statements[index].range.lowerBound, message: message, hint: hint))
    }

    /// BEGIN inside of a block is sent as it is: PostgreSQL warns, and the block goes on (PostgreSQL manual, BEGIN, "Notes").
    private mutating func begin(_ index: Int) {
        if let block {
            note(
                index, "BEGIN inside a transaction: PostgreSQL warns and ignores it",
                hint:
                    "The block that begins on line \(statements[block.statement].line) is still open: remove one BEGIN."
            )
            return
        }
        endRun(index)
        let hasOptions = roles[index] == .begin(options: true)
        block = Block(
            statement: index,
            begin: hasOptions ? String(decoding: source.bytes[statements[index].range], as: UTF8.self) : nil)
        start = index + 1
    }

    /// COMMIT ends the file's own block or, where none is open, the transaction that the file runs in: what follows is in another.
    private mutating func commit(_ index: Int, chain: Bool) throws(Complaint) {
        if block != nil {
            if start < index { append(.transaction, start..<index) }
            // The next transaction has the characteristics of this one (PostgreSQL manual, COMMIT, "AND CHAIN").
            if !chain { block = nil }
        } else {
            guard !chain else {
                throw source.complaint(
                    "COMMIT AND CHAIN without BEGIN", at: statements[index].range.lowerBound,
                    hint: "Write BEGIN where the block starts: PostgreSQL refuses AND CHAIN outside of one.")
            }
            note(
                index,
                noTransaction || start == index
                    ? "COMMIT without BEGIN: no transaction is open here, it does nothing"
                    : "COMMIT without BEGIN: the file's transaction ends here, what follows runs in another",
                hint: "Remove the COMMIT unless that is meant: a file is committed with its record anyway.")
            endRun(index)
        }
        start = index + 1
    }

    /// A statement that is to run by itself: in a transaction with its record, so that it is known to have run. Outside of one only where
    /// it may want that: it can commit by its own means, or depends on the catalog (a partitioned table in REINDEX or CLUSTER).
    private mutating func byItself(_ index: Int) {
        if ["CallStmt", "DoStmt", "ReindexStmt", "ClusterStmt"].contains(statements[index].node) {
            return alone(index)
        }
        endRun(index)
        append(.transaction, index..<index + 1)
        start = index + 1
    }

    private mutating func alone(_ index: Int) {
        endRun(index)
        append(.alone, index..<index + 1)
        start = index + 1
    }

    /// Ends the run of ordinary statements before `end`, in as many transactions as its new enumeration values need.
    private mutating func endRun(_ end: Int) {
        guard start < end else { return }
        var first = start
        var values: [String] = []
        var border = start
        for index in start..<end {
            if case .addsValue(let value) = roles[index] {
                values.append(value)
                border = index + 1
            } else if !values.isEmpty, EnumUse(of: values).isFound(in: source.bytes, statements[index].range) {
                append(.transaction, first..<border)
                first = border
                values = []
            }
        }
        append(.transaction, first..<end)
    }

    private mutating func append(_ kind: Segment.Kind, _ range: Range<Int>) {
        var begin = block?.begin
        var range = range
        let modes = range.prefix { roles[$0] == .setsTransaction }
        if kind == .transaction, modes.count < range.count, !modes.isEmpty {
            let texts = modes.map { String(decoding: source.bytes[statements[$0].range], as: UTF8.self) }
            begin = ([begin ?? "BEGIN"] + texts).joined(separator: "; ")
            block?.begin = begin
            range = modes.upperBound..<range.upperBound
        }
        segments.append(
            Segment(
                kind: kind, statements: range,
                range: statements[range.lowerBound].range
                    .lowerBound..<statements[range.upperBound - 1].range.upperBound,
                begin: begin, ownBlock: block != nil,
                concurrentIndex: kind == .alone ? concurrentIndex(range.lowerBound) : nil,
                trace: kind == .alone ? trace(range.lowerBound) : nil))
    }
}
