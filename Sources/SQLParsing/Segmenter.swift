internal import Reporting

/// Cuts a script's statements into segments: runs of ordinary statements, statements alone, and the file's own blocks.
struct Segmenter {
    let source: SourceText
    let statements: [Statement]
    let roles: [StatementRole]
    let noTransaction: Bool
    let concurrentIndex: (Int) -> ConcurrentIndex?
    let trace: (Int) -> Trace

    private var segments: [Segment] = []
    /// The first statement that belongs to no segment yet.
    private var start = 0
    /// The file's own BEGIN that is open.
    private var block: Int?

    init(
        source: SourceText, statements: [Statement], roles: [StatementRole], noTransaction: Bool,
        concurrentIndex: @escaping (Int) -> ConcurrentIndex?, trace: @escaping (Int) -> Trace
    ) {
        self.source = source
        self.statements = statements
        self.roles = roles
        self.noTransaction = noTransaction
        self.concurrentIndex = concurrentIndex
        self.trace = trace
    }

    /// The segments in order. Every statement is in exactly one, but for the BEGIN and COMMIT of the file's own blocks, and for what sets the
    /// transaction itself at the head of one.
    mutating func cut() throws(Complaint) -> [Segment] {
        for index in statements.indices {
            switch roles[index] {
            case .refused(let message, let hint):
                throw source.complaint(message, at: statements[index].range.lowerBound, hint: hint)
            case .begin: try open(index)
            case .commit: try close(index)
            case .alone(let what):
                if let block {
                    throw source.complaint(
                        "\(what) cannot run inside a transaction", at: statements[index].range.lowerBound,
                        hint: "Move it out of the block that begins on line \(statements[block].line).")
                }
                alone(index)
            case .ratherAlone where block == nil: alone(index)
            case .ratherAlone: break
            case .ordinary, .setsTransaction, .addsValue: if noTransaction, block == nil { byItself(index) }
            }
        }
        if let block {
            throw source.complaint(
                "BEGIN without COMMIT", at: statements[block].range.lowerBound,
                hint: "End the block with COMMIT, or remove the BEGIN: a file runs in a transaction anyway.")
        }
        endRun(statements.count)
        return segments
    }

    private mutating func open(_ index: Int) throws(Complaint) {
        if let block {
            throw source.complaint(
                "BEGIN inside a transaction", at: statements[index].range.lowerBound,
                hint: "The block that begins on line \(statements[block].line) is still open: end it with COMMIT first."
            )
        }
        endRun(index)
        block = index
        start = index + 1
    }

    private mutating func close(_ index: Int) throws(Complaint) {
        guard let block else {
            throw source.complaint(
                "COMMIT without BEGIN", at: statements[index].range.lowerBound,
                hint: "Put BEGIN where the block starts, or remove the COMMIT: a file runs in a transaction anyway.")
        }
        if start < index { append(.transaction, start..<index, block: block) }
        self.block = nil
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

    private mutating func append(_ kind: Segment.Kind, _ range: Range<Int>, block: Int? = nil) {
        var begin: String?
        if let block, roles[block] == .begin(options: true) {
            begin = String(decoding: source.bytes[statements[block].range], as: UTF8.self)
        }
        var range = range
        let modes = range.prefix { roles[$0] == .setsTransaction }
        if kind == .transaction, modes.count < range.count, !modes.isEmpty {
            let texts = modes.map { String(decoding: source.bytes[statements[$0].range], as: UTF8.self) }
            begin = ([begin ?? "BEGIN"] + texts).joined(separator: "; ")
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
