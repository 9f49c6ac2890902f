internal import JSON

/// Reads from the syntax tree what a statement may run with: which ones PostgreSQL keeps out of transaction blocks
/// (`PreventInTransactionBlock` in its source, "cannot be executed inside a transaction block" in the manual's pages of the commands).
///
/// What depends on the catalog cannot be seen here: REINDEX and CLUSTER of a partitioned table stay ordinary, and the server refuses
/// them inside a transaction.
struct Classifier {
    let tape: JSONTape
    /// What is known of procedures that end transactions.
    var committing = Committing(procedures: [])

    func role(_ node: String, _ fields: Int) -> StatementRole {
        switch node {
        case "TransactionStmt": transaction(fields)
        case "IndexStmt": flag(fields, "concurrent") ? .alone(what: "CREATE INDEX CONCURRENTLY") : .ordinary
        case "DropStmt": flag(fields, "concurrent") ? .alone(what: "DROP INDEX CONCURRENTLY") : .ordinary
        case "ReindexStmt": reindex(fields)
        case "VacuumStmt": flag(fields, "is_vacuumcmd") ? .alone(what: "VACUUM") : .ordinary
        case "ClusterStmt": tape.member(fields, "relation") == nil ? .alone(what: "CLUSTER of all tables") : .ordinary
        case "CreatedbStmt": .alone(what: "CREATE DATABASE")
        case "DropdbStmt": .alone(what: "DROP DATABASE")
        case "CreateTableSpaceStmt": .alone(what: "CREATE TABLESPACE")
        case "DropTableSpaceStmt": .alone(what: "DROP TABLESPACE")
        case "AlterSystemStmt": .alone(what: "ALTER SYSTEM")
        case "AlterDatabaseStmt":
            option("tablespace", fields) != nil ? .alone(what: "ALTER DATABASE SET TABLESPACE") : .ordinary
        case "DiscardStmt": text(fields, "target") == "DISCARD_ALL" ? .alone(what: "DISCARD ALL") : .ordinary
        case "AlterTableStmt": detachesConcurrently(fields) ? .alone(what: "DETACH PARTITION CONCURRENTLY") : .ordinary
        case "CreateSubscriptionStmt", "AlterSubscriptionStmt", "DropSubscriptionStmt": subscription(node, fields)
        case "AlterEnumStmt": enumeration(fields)
        case "CopyStmt": copy(fields)
        case "DoStmt", "CallStmt":
            endsTransactions(node, fields)
                ? .alone(
                    what: node == "DoStmt"
                        ? "DO with COMMIT or ROLLBACK" : "CALL of a procedure with COMMIT or ROLLBACK")
                : .ordinary
        case "VariableSetStmt":
            ["TRANSACTION", "transaction_isolation", "transaction_read_only", "transaction_deferrable"].contains(
                text(fields, "name") ?? "") ? .setsTransaction : .ordinary
        default: .ordinary
        }
    }

    /// Whether the statement leaves something behind that DISCARD ALL does not undo in this session: settings that are read at login,
    /// another session user, a loaded library.
    func changesSettings(_ node: String, _ fields: Int) -> Bool {
        switch node {
        case "AlterRoleSetStmt", "AlterDatabaseSetStmt", "AlterSystemStmt", "LoadStmt": true
        case "VariableSetStmt": text(fields, "name") == "session_authorization"
        default: false
        }
    }

    /// The index that a statement with role `alone` builds, rebuilds or drops.
    func concurrentIndex(_ node: String, _ fields: Int) -> ConcurrentIndex? {
        let relation = tape.member(fields, "relation")
        let schema = relation.flatMap { text($0, "schemaname") }
        let name = relation.flatMap { text($0, "relname") }
        switch node {
        case "IndexStmt" where flag(fields, "concurrent"):
            return ConcurrentIndex(
                action: .create, schema: schema, index: text(fields, "idxname"), table: name,
                ifNotExists: flag(fields, "if_not_exists"))
        case "DropStmt" where flag(fields, "concurrent"):
            let parts = names(fields)
            return ConcurrentIndex(
                action: .drop, schema: parts.dropLast().last, index: parts.last, table: nil,
                ifNotExists: flag(fields, "missing_ok"))
        case "ReindexStmt" where isOn("concurrently", fields, key: "params"):
            let kind = text(fields, "kind")
            let wholeSchema = kind == "REINDEX_OBJECT_SCHEMA" ? text(fields, "name") : nil
            return ConcurrentIndex(
                action: .reindex, schema: schema ?? wholeSchema, index: kind == "REINDEX_OBJECT_INDEX" ? name : nil,
                table: kind == "REINDEX_OBJECT_TABLE" ? name : nil, ifNotExists: false)
        default: return nil
        }
    }

    private func transaction(_ fields: Int) -> StatementRole {
        let own = StatementRole.ownBlockHint
        switch text(fields, "kind") {
        case "TRANS_STMT_BEGIN", "TRANS_STMT_START": return .begin(options: tape.member(fields, "options") != nil)
        case "TRANS_STMT_COMMIT":
            return .commit(chain: flag(fields, "chain"))
        case "TRANS_STMT_ROLLBACK": return .rollback
        case "TRANS_STMT_PREPARE": return .refused(message: "PREPARE TRANSACTION in a migration", hint: own)
        case "TRANS_STMT_COMMIT_PREPARED": return .refused(message: "COMMIT PREPARED in a migration", hint: own)
        case "TRANS_STMT_ROLLBACK_PREPARED": return .refused(message: "ROLLBACK PREPARED in a migration", hint: own)
        default: return .savepoint
        }
    }

    private func reindex(_ fields: Int) -> StatementRole {
        if isOn("concurrently", fields, key: "params") { return .alone(what: "REINDEX CONCURRENTLY") }
        return switch text(fields, "kind") {
        case "REINDEX_OBJECT_SCHEMA": .alone(what: "REINDEX SCHEMA")
        case "REINDEX_OBJECT_SYSTEM": .alone(what: "REINDEX SYSTEM")
        case "REINDEX_OBJECT_DATABASE": .alone(what: "REINDEX DATABASE")
        default: .ordinary
        }
    }

    private func detachesConcurrently(_ fields: Int) -> Bool {
        guard let commands = tape.member(fields, "cmds") else { return false }
        return tape.elements(commands).contains { command in
            guard let fields = tape.member(command, "AlterTableCmd"), text(fields, "subtype") == "AT_DetachPartition",
                let partition = tape.member(fields, "def").flatMap({ tape.member($0, "PartitionCmd") })
            else { return false }
            return flag(partition, "concurrent")
        }
    }

    private func subscription(_ node: String, _ fields: Int) -> StatementRole {
        if node == "DropSubscriptionStmt" { return .ratherAlone }
        if node == "CreateSubscriptionStmt" {
            // Without a connection no slot is made unless one is asked for, which the server refuses anyway.
            let connects = isOn("connect", fields, absent: true)
            return isOn("create_slot", fields, absent: connects)
                ? .alone(what: "CREATE SUBSCRIPTION with create_slot") : .ordinary
        }
        switch text(fields, "kind") {
        case "ALTER_SUBSCRIPTION_REFRESH": return .alone(what: "ALTER SUBSCRIPTION … REFRESH")
        case "ALTER_SUBSCRIPTION_SET_PUBLICATION", "ALTER_SUBSCRIPTION_ADD_PUBLICATION",
            "ALTER_SUBSCRIPTION_DROP_PUBLICATION":
            return isOn("refresh", fields, absent: true) ? .alone(what: "ALTER SUBSCRIPTION with refresh") : .ordinary
        default:
            // PostgreSQL 17 and 18: depends on whether a slot belongs to it.
            return option("failover", fields) != nil || option("two_phase", fields) != nil ? .ratherAlone : .ordinary
        }
    }

    private func enumeration(_ fields: Int) -> StatementRole {
        guard tape.member(fields, "oldVal") == nil, let value = text(fields, "newVal") else { return .ordinary }
        return .addsValue(value)
    }

    private func copy(_ fields: Int) -> StatementRole {
        guard tape.member(fields, "filename") == nil else { return .ordinary }
        guard flag(fields, "is_from") else {
            return .refused(
                message: "COPY … TO STDOUT in a migration",
                hint: "Nobody reads the rows: remove it, or copy to a file of the server.")
        }
        let format = option("format", fields).flatMap { tape.member($0, "arg") }.flatMap { tape.member($0, "String") }
        guard format.flatMap({ text($0, "sval") }) != "binary" else {
            return .refused(
                message: "COPY … FROM STDIN in binary format",
                hint: "A migration is a text: write the rows as text or CSV.")
        }
        return .copiesIn
    }

    // MARK: Fields

    private func text(_ fields: Int, _ key: String) -> String? { tape.member(fields, key).map(tape.string) }

    private func flag(_ fields: Int, _ key: String) -> Bool { tape.member(fields, key).map(tape.isTrue) ?? false }

    /// The parts of the name of the one object that the statement drops.
    private func names(_ fields: Int) -> [String] {
        guard let object = tape.member(fields, "objects").flatMap({ tape.elements($0).first }),
            let items = tape.member(object, "List").flatMap({ tape.member($0, "items") })
        else { return [] }
        return tape.elements(items).compactMap { tape.member($0, "String").flatMap { text($0, "sval") } }
    }

    /// The fields of the DefElem `name`; the last where it repeats.
    private func option(_ name: String, _ fields: Int, key: String = "options") -> Int? {
        guard let list = tape.member(fields, key) else { return nil }
        return tape.elements(list).compactMap { tape.member($0, "DefElem") }.last { text($0, "defname") == name }
    }

    /// A Boolean option as `defGetBoolean` reads it: present without a value means on.
    private func isOn(_ name: String, _ fields: Int, key: String = "options", absent: Bool = false) -> Bool {
        guard let option = option(name, fields, key: key) else { return absent }
        guard let argument = tape.member(option, "arg") else { return true }
        // The grammar reads a bare `off` as the name of a type.
        let typeName = tape.member(argument, "TypeName").flatMap { tape.member($0, "names") }.flatMap {
            tape.elements($0).last
        }
        if let value = tape.member(typeName ?? argument, "String").flatMap({ text($0, "sval") }) {
            return !["false", "off"].contains(value.lowercased())
        }
        if let integer = tape.member(argument, "Integer") {
            return tape.member(integer, "ival").flatMap(tape.integer) ?? 0 != 0
        }
        if let boolean = tape.member(argument, "Boolean") { return flag(boolean, "boolval") }
        return true
    }
}
