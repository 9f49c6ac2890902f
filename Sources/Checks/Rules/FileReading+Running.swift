internal import SQLParsing

/// How the file's own statements get along with each other, and with themselves when they run again.
extension FileReading {
    /// ALTER TYPE … ADD VALUE: the value cannot be used before the transaction that adds it has ended, unless that made the type, too
    /// (manual, ALTER TYPE, "Notes"). Outside of a block of its own such a file is cut in two.
    mutating func newEnumValues() {
        for (number, segment) in script.segments.enumerated() where segment.kind == .transaction {
            var added: [String: String] = [:]
            var types: Set<String> = []
            for index in segment.statements {
                guard let root = script.root(index) else { continue }
                switch script.statements[index].node {
                case "CreateEnumStmt": types.insert(root.strings("typeName").last ?? "")
                case "AlterEnumStmt":
                    let type = root.strings("typeName").last ?? ""
                    guard !root.has("oldVal"), !types.contains(type), let value = root.text("newVal") else { continue }
                    added[value] = type
                default:
                    guard !added.isEmpty, let used = root.firstLiteral(of: added) else { continue }
                    find(
                        .newEnumValue, at: script.statements[index].range.lowerBound,
                        "the new value '\(used)' of '\(added[used] ?? "")' is used in the transaction that adds it",
                        hint: "End the block with COMMIT before the value is used.")
                    added[used] = nil
                }
            }
            guard !added.isEmpty, !segment.ownBlock, number + 1 < script.segments.count,
                case let next = script.segments[number + 1], next.kind == .transaction, !next.ownBlock
            else { continue }
            find(
                .newEnumValue, .note, at: script.statements[next.statements.lowerBound].range.lowerBound,
                "the file is not one transaction: it is cut here, where a new value of an enumeration is used",
                hint: "Put ALTER TYPE … ADD VALUE into a file of its own.")
        }
    }

    /// A repeatable file runs whenever its text changes: on a database where it ran before.
    mutating func checkRepeatable(_ node: String, _ root: TreeNode, _ changes: [ObjectChange], at start: Int) {
        var told: SchemaObject?
        for change in changes {
            switch change {
            case .create(let object, let word, let at, let conditional, let replaces, let holder, _):
                let cleared =
                    clearedHere.contains(object) || (object.owner ?? holder).map(clearedHere.contains) ?? false
                let inNew = (object.owner ?? holder).map { madeHere.contains($0) } ?? false
                madeHere.insert(object)
                guard !conditional, !replaces, !cleared, !inNew, told == nil else { continue }
                told = object
                find(
                    .notRepeatable, at: at ?? start,
                    "\(object.text(word)) is there already when the file runs again",
                    hint: "Write IF NOT EXISTS or OR REPLACE, or drop it IF EXISTS before.")
            case .drop(let object, let conditional, _):
                if !conditional, !madeHere.contains(object), !(object.owner.map(madeHere.contains) ?? false) {
                    find(
                        .notRepeatable, at: start, "\(object.text()) is gone already when the file runs again",
                        hint: "Write DROP … IF EXISTS.")
                }
                clearedHere.insert(object)
            case .rename(let old, _) where !madeHere.contains(old) && !(old.owner.map(madeHere.contains) ?? false):
                find(
                    .notRepeatable, at: start, "\(old.text()) has its new name already when the file runs again",
                    hint: "Rename it in a versioned file.")
            default: break
            }
        }
        guard let name = ObjectName(relation: root.field("relation")) else { return }
        let table = objects.object(.relation, name)
        switch node {
        case "TruncateStmt", "DeleteStmt": clearedHere.insert(table)
        case "IndexStmt" where !root.has("idxname") && !madeHere.contains(table):
            find(
                .notRepeatable, at: start, "each run adds another index to '\(name.text)'",
                hint: "Give the index a name, and write IF NOT EXISTS.")
        case "InsertStmt" where !root.has("onConflictClause") && !madeHere.contains(table):
            let query = root.node("selectStmt")?.fields
            guard let query, !query.nodes("valuesLists").isEmpty, !clearedHere.contains(table) else { return }
            find(
                .notRepeatable, .warning, at: start, "each run inserts the same rows into '\(name.text)' again",
                hint: "Write ON CONFLICT DO NOTHING, or DO UPDATE.")
        default: break
        }
    }
}

extension TreeNode {
    /// The first of these values that stands as a literal in the subtree; names are strings, too, but no constants.
    fileprivate func firstLiteral(of values: [String: String]) -> String? {
        for literal in descendants(with: "A_Const") {
            if let text = literal.field("A_Const")?.field("sval")?.text("sval"), values[text] != nil { return text }
        }
        return nil
    }
}
