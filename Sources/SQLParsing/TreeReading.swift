internal import JSON
internal import Reporting
internal import SQLLexing

/// The statements of libpg_query's trees, with their places in the text and their roles.
struct TreeReading {
    let source: SourceText
    private(set) var tree = SyntaxTree()
    private(set) var statements: [Statement] = []
    private(set) var changesSettings = false
    /// Names of the procedures that it creates and that end transactions.
    private(set) var committingProcedures: Set<String> = []
    /// Those that are not ordinary.
    private var roles: [Int: StatementRole] = [:]
    /// Names of procedures that are known to end transactions.
    private let procedures: Set<String>
    /// The line of the byte at `counted`.
    private var line = 1
    private var counted = 0
    /// The most bytes of trees that are kept, and how many are.
    private let room: Int
    private var kept = 0
    /// The trees of INSERTs without their rows, by what stands round the rows.
    private var heads: [[UInt8]: (part: UInt32, root: UInt32)?] = [:]

    /// Nothing read yet.
    ///
    /// - Parameters:
    ///   - procedures: names of procedures that end transactions.
    ///   - room: the bytes that its trees may take; those beyond are not kept.
    init(_ source: SourceText, procedures: Set<String>, room: Int = .max) {
        self.source = source
        self.procedures = procedures
        self.room = room
    }

    /// Takes over the statements of a part of the text, of which `json` is the tree.
    mutating func take(_ json: [UInt8], of part: Range<Int>) throws(Complaint) {
        let tape = try TreeReading.tape(json, source)
        kept += tape.memory
        let isKept = kept <= room
        if isKept { tree.parts.append(SyntaxTree.Part(tape: tape, base: part.lowerBound)) }
        var classifier = Classifier(
            tape: tape, committing: Committing(procedures: procedures.union(committingProcedures)))
        for entry in tape.member(tape.root, "stmts").map(tape.elements) ?? [] {
            guard let wrapper = tape.member(entry, "stmt"), let node = tape.firstKey(wrapper) else {
                throw Complaint(.bug, "syntax tree without a statement", place: Place(file: source.file))
            }
            let fields = wrapper + 2
            let location = part.lowerBound + (tape.member(entry, "stmt_location").flatMap(tape.integer) ?? 0)
            // A length of zero is omitted: the statement reaches to the end of the text.
            let length = tape.member(entry, "stmt_len").flatMap(tape.integer)
            let range = TreeReading.trimmed(
                location..<(length.map { location + $0 } ?? part.upperBound), isOpen: length == nil, in: source.bytes)
            let role = classifier.role(node, fields)
            if role != .ordinary { roles[statements.count] = role }
            if let name = classifier.committingProcedure(node, fields), committingProcedures.insert(name).inserted {
                classifier.committing = Committing(procedures: procedures.union(committingProcedures))
            }
            changesSettings = changesSettings || classifier.changesSettings(node, fields)
            append(
                node, range,
                isKept
                    ? SyntaxTree.Place(part: UInt32(tree.parts.count - 1), root: UInt32(fields)) : SyntaxTree.Place.none
            )
        }
    }

    /// Takes over an INSERT of plain rows without parsing them; false where the grammar does not take what stands round them.
    mutating func take(_ rows: StatementCutter.PlainRows, of range: Range<Int>) throws(Complaint) -> Bool {
        let end = rows.passesConflicts ? "VALUES (NULL) ON CONFLICT DO NOTHING" : "VALUES (NULL)"
        let text = Array(source.bytes[rows.head]) + Array(end.utf8)
        let known: (part: UInt32, root: UInt32)?
        if let found = heads[text] {
            known = found
        } else {
            // Rows that each name their columns in another order are no case for this.
            guard heads.count < 4096 else { return false }
            known = try parsedHead(text)
            heads[text] = .some(known)
        }
        guard let known else { return false }
        append("InsertStmt", range, SyntaxTree.Place(part: known.part, root: known.root))
        return true
    }

    private mutating func parsedHead(_ text: [UInt8]) throws(Complaint) -> (part: UInt32, root: UInt32)? {
        guard case .tree(let json) = Grammar.parse(text) else { return nil }
        let tape = try TreeReading.tape(json, source)
        let entries = tape.member(tape.root, "stmts").map(tape.elements) ?? []
        guard entries.count == 1, let wrapper = tape.member(entries[0], "stmt"), tape.firstKey(wrapper) == "InsertStmt"
        else { return nil }
        tree.parts.append(SyntaxTree.Part(tape: tape, base: nil))
        return (UInt32(tree.parts.count - 1), UInt32(wrapper + 2))
    }

    private mutating func append(_ node: String, _ range: Range<Int>, _ place: SyntaxTree.Place) {
        for byte in source.bytes[counted..<range.lowerBound] where byte == UInt8(ascii: "\n") { line += 1 }
        counted = range.lowerBound
        statements.append(Statement(range: range, node: node, line: line))
        tree.places.append(place)
    }

    /// What to send in order, and what is worth knowing about the file's own transaction control.
    func segments(_ options: ScriptOptions, withRows: Set<Int>) throws(Complaint) -> (
        segments: [Segment], notes: [Script.Note]
    ) {
        func root(_ index: Int) -> TreeNode? { tree.root(of: index, statements[index].range, in: source.bytes) }
        var segmenter = Segmenter(
            source: source, statements: statements, roles: roles, noTransaction: options.noTransaction,
            withRows: withRows,
            concurrentIndex: { index in
                root(index).flatMap { Classifier(tape: $0.tape).concurrentIndex(statements[index].node, $0.index) }
            },
            trace: { index in
                root(index).map { Classifier(tape: $0.tape).trace(statements[index].node, $0.index) } ?? .nowhere
            })
        return (options.rollsBack ? try segmenter.cutRolledBack() : try segmenter.cut(), segmenter.notes)
    }

    private static func tape(_ json: [UInt8], _ source: SourceText) throws(Complaint) -> JSONTape {
        do {
            return try JSONTape(json)
        } catch {
            throw Complaint(
                .bug, "cannot read the syntax tree: \(error.message) at byte \(error.offset)",
                place: Place(file: source.file))
        }
    }

    /// The parser's range without leading white space and comments and without white space behind. A statement that no `;` ends also
    /// loses the comments behind it.
    private static func trimmed(_ raw: Range<Int>, isOpen: Bool, in text: [UInt8]) -> Range<Int> {
        var lexer = Lexer(text, in: raw)
        guard let first = lexer.next() else { return raw.lowerBound..<raw.lowerBound }
        let start = first.range.lowerBound
        var end = raw.upperBound
        if isOpen {
            end = first.range.upperBound
            while let lexeme = lexer.next() { end = lexeme.range.upperBound }
        }
        while end > start, text[end - 1] == 0x20 || (text[end - 1] >= 0x09 && text[end - 1] <= 0x0D) { end -= 1 }
        return start..<end
    }
}
