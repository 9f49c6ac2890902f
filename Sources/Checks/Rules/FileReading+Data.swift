internal import SQLParsing

/// Statements that destroy rows, and settings that are the daemon's.
extension FileReading {
    mutating func checkData(_ node: String, _ root: TreeNode, at start: Int, _ ledger: ObjectLedger) {
        switch node {
        case "DropStmt": dropped(root, at: start, ledger)
        case "AlterTableStmt":
            guard let name = ObjectName(relation: root.field("relation")), !isNew(name, ledger) else { return }
            let table = objects.object(.relation, name)
            for command in root.list("cmds", of: "AlterTableCmd") where command.text("subtype") == "AT_DropColumn" {
                guard let column = command.text("name"), !ledger.isNew(table.part(.column, column), in: file) else {
                    continue
                }
                find(
                    .dropColumn, at: start, "column '\(column)' of '\(name.text)' is dropped with its values",
                    hint: "Deploy the application that no longer uses it first, and keep a copy if it may be wanted.")
            }
        case "TruncateStmt":
            for relation in root.list("relations", of: "RangeVar") {
                guard let name = ObjectName(relation: relation), !isNew(name, ledger) else { continue }
                emptied.insert(objects.object(.relation, name))
                find(
                    .truncate, at: start, "'\(name.text)' is emptied",
                    hint: "Keep a copy of the rows if they may be wanted: nothing brings them back.")
            }
        case "DeleteStmt":
            guard !root.has("whereClause"), root.nodes("usingClause").isEmpty,
                let name = ObjectName(relation: root.field("relation")), !isNew(name, ledger)
            else { return }
            emptied.insert(objects.object(.relation, name))
            find(
                .deleteEverything, at: start, "every row of '\(name.text)' is deleted",
                hint: "Say which rows with WHERE.")
        case "UpdateStmt": updated(root, at: start, ledger)
        default: break
        }
    }

    private mutating func dropped(_ root: TreeNode, at start: Int, _ ledger: ObjectLedger) {
        let cascade = root.text("behavior") == "DROP_CASCADE"
        switch root.text("removeType") {
        case "OBJECT_TABLE":
            for (_, object) in root.nodes("objects") {
                guard let name = ObjectName(parts: object.strings("items")), !isNew(name, ledger) else { continue }
                find(
                    .dropTable, at: start, "table '\(name.text)' is dropped with its rows",
                    hint: "Deploy the application that no longer uses it first, and keep a copy if it may be wanted.")
            }
        case "OBJECT_SCHEMA" where cascade:
            let names = root.list("objects", of: "String").compactMap { $0.text("sval") }
            find(
                .dropTable, at: start, "schema '\(names.joined(separator: ", "))' is dropped with all tables in it",
                hint: "Name the tables that are to go: CASCADE takes what others have put there, too.")
        case "OBJECT_TYPE" where cascade, "OBJECT_DOMAIN" where cascade, "OBJECT_EXTENSION" where cascade:
            find(
                .dropColumn, at: start, "CASCADE drops every column that uses what is dropped",
                hint: "Drop or change those columns by name.")
        default: break
        }
    }

    private mutating func updated(_ root: TreeNode, at start: Int, _ ledger: ObjectLedger) {
        guard !root.has("whereClause"), root.nodes("fromClause").isEmpty,
            let name = ObjectName(relation: root.field("relation")), !isNew(name, ledger)
        else { return }
        let table = objects.object(.relation, name)
        let columns = root.list("targetList", of: "ResTarget").compactMap { $0.text("name") }
        // A new column is filled: that is what it takes.
        let fills = columns.allSatisfy { ledger.isNew(table.part(.column, $0), in: file) }
        find(
            .updateEverything, fills ? .note : nil, at: start, "every row of '\(name.text)' is updated at once",
            hint: fills
                ? "A large table is better filled in batches, outside of the transaction that adds the column."
                : "Say which rows with WHERE.")
    }

    // MARK: Timeouts

    private static let timeouts: Set<String> = [
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout",
    ]

    mutating func checkTimeouts(_ node: String, _ root: TreeNode, at start: Int) {
        switch node {
        case "VariableSetStmt":
            if root.text("kind") == "VAR_RESET_ALL" {
                overrides("RESET ALL", directive: nil, at: start)
            } else if let name = root.text("name"), FileReading.timeouts.contains(name) {
                overrides("'\(name)'", directive: name, at: start)
            }
        case "SelectStmt":
            for call in root.descendants(with: "funcname") where call.strings("funcname").last == "set_config" {
                let first = call.nodes("args").first
                guard first?.type == "A_Const", let name = first?.fields.field("sval")?.text("sval"),
                    FileReading.timeouts.contains(name.lowercased())
                else { continue }
                overrides("'\(name)'", directive: name.lowercased(), at: start)
            }
        default: break
        }
    }

    private mutating func overrides(_ what: String, directive: String?, at start: Int) {
        let key =
            switch directive {
            case "lock_timeout": "lock-timeout=2s"
            case "transaction_timeout", "idle_in_transaction_session_timeout": "deadline=1h"
            default: "statement-timeout=5min"
            }
        find(
            .ownTimeout, at: start, "\(what) overrides the limit that is configured for every file",
            hint: "Write it as '-- migrated: \(key)' at the head of the file, where it is recorded and kept.")
    }
}
