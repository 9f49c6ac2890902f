internal import SQLParsing

/// Statements at a file's end that drop what the file itself has created.
///
/// Not meant are objects that the file needed on its way: temporary ones, functions that were called, tables and columns whose rows went
/// into others, types and indexes that served a change.
struct TailDrops {
    struct Drop: Equatable {
        /// What is dropped, for a message.
        var object: String
        /// Where the statement that drops it begins.
        var offset: Int
        /// Where the statement that has created it begins.
        var createdAt: Int
    }

    /// The first such statement; nil where there is none, and where the grammar could not read the file.
    private(set) var first: Drop?

    private struct Created {
        var index: Int
        var word: String?
        /// The table of an index.
        var holder: SchemaObject?
    }

    private let script: Script
    private let statements: [Int]
    private var changes: [[ObjectChange]] = []
    private var created: [SchemaObject: Created] = [:]
    private var doomed: Set<SchemaObject> = []

    init(_ script: Script) {
        self.script = script
        statements = script.statements.indices.filter { script.statements[$0].node != "TransactionStmt" }
        guard script.tree != nil else { return }
        var tail = statements.count
        while tail > 0, drops(statements[tail - 1]) { tail -= 1 }
        guard tail > 0, tail < statements.count else { return }
        var reading = ObjectReading()
        for statement in statements {
            guard let root = script.root(statement) else { return }
            changes.append(reading.read(script.statements[statement].node, root))
        }
        for index in 0..<tail { take(changes[index], index) }
        guard !created.isEmpty else { return }
        find(from: tail)
    }

    /// Whether a statement takes something away and does nothing else.
    private func drops(_ statement: Int) -> Bool {
        guard let root = script.root(statement) else { return false }
        switch script.statements[statement].node {
        case "DropStmt", "DropRoleStmt", "DropOwnedStmt", "DropdbStmt", "DeleteStmt", "TruncateStmt": return true
        case "GrantStmt": return !root.flag("is_grant")
        case "AlterTableStmt":
            let commands = root.list("cmds", of: "AlterTableCmd").map { $0.text("subtype") ?? "" }
            return commands.allSatisfy { $0.hasPrefix("AT_Drop") || $0.hasPrefix("AT_Disable") }
        default: return false
        }
    }

    // MARK: What is there

    private mutating func take(_ changes: [ObjectChange], _ index: Int) {
        for change in changes {
            switch change {
            case .create(let object, let word, _, _, _, let holder, _):
                if TailDrops.counts(object) { created[object] = Created(index: index, word: word, holder: holder) }
            case .drop(let object, _, _): created = created.filter { $0.key != object && $0.key.owner != object }
            case .rename(let old, let new):
                for (object, made) in created where object == old || object.owner == old {
                    created[object] = nil
                    created[object == old ? new : object.moved(to: new)] = made
                }
            case .forgetEverything: created = [:]
            case .use, .mention, .shrink, .callUnknown: break
            }
        }
    }

    private static func counts(_ object: SchemaObject) -> Bool {
        switch object.kind {
        case .relation, .type, .function, .schema, .column:
            object.schema != SchemaObject.temporarySchema && !object.schema.hasPrefix("pg_temp")
        case .extension, .constraint, .trigger, .policy, .rule, .enumValue: false
        }
    }

    // MARK: What is dropped

    private mutating func find(from tail: Int) {
        var found: [(object: SchemaObject, at: Int)] = []
        for index in tail..<statements.count {
            for case .drop(let object, _, _) in changes[index] {
                // DROP FUNCTION without arguments means the one of that name.
                let same =
                    created[object] != nil ? object : created.keys.first { $0.kind == .function && $0.owner == object }
                guard let same else { continue }
                found.append((same, index))
                doomed.insert(same)
            }
        }
        for (object, at) in found where !isPartOfWhatStays(object) {
            guard let made = created[object], !served(object, made, before: tail) else { continue }
            first = Drop(
                object: object.text(made.word), offset: script.statements[statements[at]].range.lowerBound,
                createdAt: script.statements[statements[made.index]].range.lowerBound)
            return
        }
    }

    /// Whether it is a column or an index of a table that the file has made, too, and that stays: part of how the file is written.
    private func isPartOfWhatStays(_ object: SchemaObject) -> Bool {
        guard let table = object.kind == .column ? object.owner : created[object]?.holder else { return false }
        return created[table] != nil && !doomed.contains(table)
    }

    // MARK: What it was needed for

    /// Whether something between its creation and the end has used it for something that stays.
    private func served(_ object: SchemaObject, _ made: Created, before tail: Int) -> Bool {
        let between = made.index + 1..<max(made.index + 1, tail)
        let name = object.kind == .column ? object.part ?? "" : object.name
        switch object.kind {
        case .function: return between.contains { calls(name, $0) } || served(byTrigger: name, in: between)
        case .type:
            return between.contains { reads(name, object, $0) }
                || between.contains { changes[$0].contains(where: isOtherType(than: object)) }
        case .column: return between.contains { reads(column: name, of: object, $0) }
        case .relation where made.word == "index": return between.contains { isData($0) && !hasDoomedTarget($0) }
        default: return between.contains { reads(name, object, $0) }
        }
    }

    private func node(_ index: Int) -> String { script.statements[statements[index]].node }

    private func words(_ index: Int) -> [String] {
        Words.all(in: Array(script.text[script.statements[statements[index]].range]))
    }

    private func mentions(_ name: String, _ index: Int) -> Bool {
        words(index).contains { $0 == name || $0.lowercased() == name }
    }

    private static let data: Set = [
        "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CreateTableAsStmt", "SelectStmt", "DoStmt", "CallStmt",
        "CopyStmt", "ExecuteStmt",
    ]

    private func isData(_ index: Int) -> Bool { TailDrops.data.contains(node(index)) }

    /// Called by a statement that changes or reads rows, or by a change of a column's type; or by a function that something may have called.
    private func calls(_ name: String, _ index: Int) -> Bool {
        switch node(index) {
        case "AlterTableStmt": mentions(name, index)
        case "CreateFunctionStmt":
            mentions(name, index) && statements.indices.contains { $0 > index && isData($0) }
        default: isData(index) && mentions(name, index)
        }
    }

    /// Rows were changed while a trigger called it.
    private func served(byTrigger name: String, in between: Range<Int>) -> Bool {
        guard let trigger = between.first(where: { node($0) == "CreateTrigStmt" && mentions(name, $0) }) else {
            return false
        }
        return between.contains { $0 > trigger && isData($0) && !hasDoomedTarget($0) }
    }

    /// Whether what a statement writes to goes away with the rest.
    private func hasDoomedTarget(_ index: Int) -> Bool {
        guard let root = script.root(statements[index]) else { return false }
        let target =
            root.field("relation") ?? root.field("into")?.field("rel") ?? root.field("intoClause")?.field("rel")
        guard let name = target?.text("relname") else { return false }
        return doomed.contains { $0.kind == .relation && $0.name == name }
    }

    /// Rows went from it into something that stays.
    private func reads(_ name: String, _ object: SchemaObject, _ index: Int) -> Bool {
        guard let root = script.root(statements[index]) else { return false }
        switch node(index) {
        case "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CreateTableAsStmt", "CopyStmt":
            return !hasDoomedTarget(index) && mentions(name, index)
        case "SelectStmt": return root.has("intoClause") && !hasDoomedTarget(index) && mentions(name, index)
        case "DoStmt", "CallStmt":
            let words = words(index).map { $0.lowercased() }
            return zip(words, words.dropFirst()).contains {
                $1 == name.lowercased() && ["from", "join", "using", "nextval", "in"].contains($0)
            }
                || (object.schema != SchemaObject.publicSchema
                    && zip(words, words.dropFirst(2)).contains {
                        $1 == name.lowercased() && ["from", "join", "using", "nextval", "in"].contains($0)
                    })
        default: return false
        }
    }

    /// Values went from it into another column or another table.
    private func reads(column name: String, of column: SchemaObject, _ index: Int) -> Bool {
        guard let root = script.root(statements[index]), mentions(name, index) else { return false }
        let isOwn = (root.field("relation") ?? root).text("relname") == column.name
        switch node(index) {
        case "UpdateStmt":
            let targets = root.list("targetList", of: "ResTarget").filter { $0.text("name") != name }
            return !isOwn && !hasDoomedTarget(index) || targets.contains { names(name, in: $0) }
        case "InsertStmt", "CreateTableAsStmt", "MergeStmt": return !isOwn && !hasDoomedTarget(index)
        case "DeleteStmt": return true
        case "AlterTableStmt":
            return root.list("cmds", of: "AlterTableCmd").contains { $0.text("name") != name && names(name, in: $0) }
        case "DoStmt":
            let words = words(index).map { $0.lowercased() }
            return zip(words, words.dropFirst()).contains {
                $1 == name.lowercased() && ["select", "where", "and", "or", "by", "new", "old"].contains($0)
            }
        default: return false
        }
    }

    private func names(_ column: String, in node: TreeNode) -> Bool {
        node.descendants(with: "fields").contains { $0.strings("fields").last == column }
    }

    /// Another type was made, renamed or dropped while it stood in.
    private func isOtherType(than object: SchemaObject) -> (ObjectChange) -> Bool {
        { change in
            switch change {
            case .create(let other, _, _, _, _, _, _): other.kind == .type && other != object && !doomed.contains(other)
            case .drop(let other, _, _): other.kind == .type && other != object
            case .rename(let other, _): other.kind == .type && other != object
            default: false
            }
        }
    }
}
