internal import JSON
internal import Reporting
internal import SQLLexing

/// The statements of libpg_query's tree, with their places in the text and their roles.
struct TreeReading {
    let source: SourceText
    let tree: SyntaxTree
    let statements: [Statement]
    let changesSettings: Bool
    /// Names of the procedures that it creates and that end transactions.
    let committingProcedures: Set<String>
    private let roles: [StatementRole]

    /// - Parameter procedures: names of procedures that end transactions.
    init(_ json: [UInt8], of source: SourceText, procedures: Set<String>) throws(Complaint) {
        let tape: JSONTape
        do {
            tape = try JSONTape(json)
        } catch {
            throw Complaint(
                .bug, "cannot read the syntax tree: \(error.message) at byte \(error.offset)",
                place: Place(file: source.file))
        }
        var classifier = Classifier(tape: tape, committing: Committing(procedures: procedures))
        var created: Set<String> = []
        let text = source.bytes
        var statements: [Statement] = []
        var roles: [StatementRole] = []
        var roots: [Int] = []
        var changes = false
        var line = 1
        var counted = 0
        let list = tape.member(tape.root, "stmts").map(tape.elements) ?? []
        for entry in list {
            guard let wrapper = tape.member(entry, "stmt"), let node = tape.firstKey(wrapper) else {
                throw Complaint(.bug, "syntax tree without a statement", place: Place(file: source.file))
            }
            let fields = wrapper + 2
            let location = tape.member(entry, "stmt_location").flatMap(tape.integer) ?? 0
            // A length of zero is omitted: the statement reaches to the end of the text.
            let length = tape.member(entry, "stmt_len").flatMap(tape.integer)
            let range = TreeReading.trimmed(
                location..<(length.map { location + $0 } ?? text.count), isOpen: length == nil, in: text)
            for byte in text[counted..<range.lowerBound] where byte == UInt8(ascii: "\n") { line += 1 }
            counted = range.lowerBound
            statements.append(Statement(range: range, node: node, line: line))
            roles.append(classifier.role(node, fields))
            roots.append(fields)
            if let name = classifier.committingProcedure(node, fields), created.insert(name).inserted {
                classifier.committing = Committing(procedures: procedures.union(created))
            }
            changes = changes || classifier.changesSettings(node, fields)
        }
        self.source = source
        self.statements = statements
        self.roles = roles
        changesSettings = changes
        committingProcedures = created
        tree = SyntaxTree(tape: tape, roots: roots, ranges: statements.map(\.range))
    }

    /// What to send in order, and what is worth knowing about the file's own transaction control.
    func segments(noTransaction: Bool, withRows: Set<Int>) throws(Complaint) -> (
        segments: [Segment], notes: [Script.Note]
    ) {
        let classifier = Classifier(tape: tree.tape)
        var segmenter = Segmenter(
            source: source, statements: statements, roles: roles, noTransaction: noTransaction, withRows: withRows,
            concurrentIndex: { classifier.concurrentIndex(statements[$0].node, tree.roots[$0]) },
            trace: { classifier.trace(statements[$0].node, tree.roots[$0]) })
        return (try segmenter.cut(), segmenter.notes)
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
