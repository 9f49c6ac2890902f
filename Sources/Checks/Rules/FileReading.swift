internal import Reporting
internal import SQLParsing

/// Reads one file: each statement is looked at with what was there before it, then its own changes are made.
struct FileReading {
    let script: Script
    let file: Int
    let repeatable: Bool
    private(set) var drafts: [Draft] = []
    private(set) var allowances: Allowances
    var objects = ObjectReading()
    /// For a repeatable file: what its own statements have made or cleared away.
    var madeHere: Set<SchemaObject> = []
    var clearedHere: Set<SchemaObject> = []
    /// Tables that this file has emptied: whatever is done to them is done at once.
    var emptied: Set<SchemaObject> = []
    /// Tables of which has been told that an index is built on them.
    var indexed: Set<SchemaObject> = []
    /// What the current statement has been told of: its parts share one scan or rewrite of a table.
    var told: Set<String> = []
    private var lines: LineIndex

    init(_ script: Script, file: Int, repeatable: Bool) {
        self.script = script
        self.file = file
        self.repeatable = repeatable
        var lines = LineIndex(script)
        let head = script.statements.first?.range.lowerBound ?? script.text.count
        allowances = Allowances(
            &lines, head: head,
            statementAfter: { offset in script.statement(at: offset).map { script.statements[$0].range } })
        self.lines = lines
        for flaw in allowances.flaws {
            find(.badAllowance, at: flaw.offset, flaw.message, hint: flaw.hint)
        }
    }

    mutating func run(_ ledger: inout ObjectLedger) {
        checkSecrets()
        checkLastingSettings()
        if script.isEmpty {
            find(.nothingToDo, at: 0, "the file holds nothing to run", hint: Script.emptyHint)
        }
        for note in script.notes { find(.transactionControl, at: note.offset, note.message, hint: note.hint) }
        guard script.tree != nil else {
            ledger.mention(unparsed: script.text)
            return
        }
        newEnumValues()
        for (index, impact) in StatementImpact.all(in: script).enumerated() {
            guard let root = script.root(index) else { continue }
            let statement = script.statements[index]
            let start = statement.range.lowerBound
            told = []
            for lock in impact.locks { check(lock, at: start, ledger) }
            checkData(statement.node, root, at: start, ledger)
            checkTimeouts(statement.node, root, at: start)
            let changes = objects.read(statement.node, root)
            if repeatable { checkRepeatable(statement.node, root, changes, at: start) }
            ledger.apply(changes, file: file, start: start) { lines.place($0) }
            rememberNullChecks(statement.node, root, &ledger)
        }
    }

    /// Adds a finding about a byte of the file.
    mutating func find(
        _ rule: Rule, _ severity: Severity? = nil, at offset: Int, _ message: String, hint: String
    ) {
        drafts.append(
            Draft(
                finding: CheckFinding(rule, severity, place: lines.place(offset), message, hint: hint), file: file,
                offset: offset))
    }

    /// Whether this file has created the table itself: nobody else uses it yet, and it holds only what the file put there.
    func isNew(_ name: ObjectName, _ ledger: ObjectLedger) -> Bool {
        ledger.isNew(objects.object(.relation, name), in: file)
    }

    /// A CHECK that a column is not null spares the later SET NOT NULL its scan (manual, ALTER TABLE, SET NOT NULL).
    private func rememberNullChecks(_ node: String, _ root: TreeNode, _ ledger: inout ObjectLedger) {
        guard node == "AlterTableStmt" || node == "CreateStmt" else { return }
        guard let name = ObjectName(relation: root.field("relation")) else { return }
        let table = objects.object(.relation, name)
        for test in root.descendants(with: "nulltesttype") where test.text("nulltesttype") == "IS_NOT_NULL" {
            guard let (type, argument) = test.node("arg"), type == "ColumnRef",
                let column = argument.strings("fields").last
            else { continue }
            ledger.checkAgainstNull(table.part(.column, column))
        }
    }
}
