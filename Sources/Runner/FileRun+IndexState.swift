internal import Audit
internal import JSON
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing
internal import Systemd

/// An index that a statement relies on without having built it: its IF NOT EXISTS found one of that name, or it attaches one to another.
struct ReliedIndex {
    /// The statement in the script.
    let statement: Int
    /// The table that it has to belong to, as SQL writes it; nil where the statement names the index alone.
    let table: String?
    /// The table as the statement names it, for people.
    let tableWords: String
    /// Its name: without a schema beside a table, as SQL writes it where there is none.
    let name: String
    /// Whether it may be an index of a partitioned table whose parts are still to be attached (ON ONLY).
    let mayBePartial: Bool

    /// What CREATE INDEX names; nil where the server chooses the name.
    init?(creating statement: Int, in script: Script) {
        guard script.statements[statement].node == "IndexStmt", let node = script.root(statement),
            let name = node.text("idxname"), let relation = node.field("relation"),
            let table = relation.text("relname")
        else { return nil }
        self.statement = statement
        self.table = Quoting.qualified([relation.text("schemaname"), table].compactMap(\.self))
        tableWords = [relation.text("schemaname"), table].compactMap(\.self).joined(separator: ".")
        self.name = name
        mayBePartial = !relation.flag("inh")
    }

    /// What ALTER INDEX … ATTACH PARTITION attaches.
    init?(attaching statement: Int, in script: Script) {
        guard script.statements[statement].node == "AlterTableStmt", let node = script.root(statement),
            let command = node.list("cmds", of: "AlterTableCmd").first,
            command.text("subtype") == "AT_AttachPartition", let part = command.node("def")?.fields,
            !part.has("bound"), let relation = part.field("name"), let name = relation.text("relname")
        else { return nil }
        self.statement = statement
        table = nil
        tableWords = "any table"
        self.name = Quoting.qualified([relation.text("schemaname"), name].compactMap(\.self))
        mayBePartial = true
    }
}

extension FileRun {
    /// The index that a statement may rely on without having built it; `isPassed` where the statement is not sent, because it is there.
    func reliedIndex(_ statement: Int, in script: Script, isPassed: Bool = false) -> ReliedIndex? {
        switch script.statements[statement].node {
        case "IndexStmt":
            return isPassed || script.root(statement)?.flag("if_not_exists") == true
                ? ReliedIndex(creating: statement, in: script) : nil
        case "AlterTableStmt": return ReliedIndex(attaching: statement, in: script)
        default: return nil
        }
    }

    /// Throws a failure where the index is not one of its table, or is not valid, right behind its statement: IF NOT EXISTS looks at nothing but
    /// the name (PostgreSQL manual, CREATE INDEX). The failure passes by itself where another session is building the index.
    func require(
        _ index: ReliedIndex, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) {
        let found = try state(of: index, &attempt, connection, limit)
        if let failure = flaw(of: index, found, attempt) { throw .failure(failure) }
    }

    /// Throws where another session is building the index now: to wait for it in the server could end in a deadlock of which it is the victim.
    func refuseWhileBuilt(
        _ index: ReliedIndex, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) {
        let found = try state(of: index, &attempt, connection, limit)
        if !found.rows.isEmpty, found.isTrue(0, 4), let failure = flaw(of: index, found, attempt) {
            throw .failure(failure)
        }
    }

    private func state(
        of index: ReliedIndex, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> QueryResult {
        let offset = attempt.prepared.script.statements[index.statement].range.lowerBound
        return try ask(
            &attempt, connection, at: offset, limit, FileRun.stateOfIndex,
            [index.table.map(Parameter.text), .text(index.name)])
    }

    /// Name, whether it is an index of the table, whether it is one of a partitioned table, whether it is good for use, and whether another
    /// session builds it.
    private static let stateOfIndex = """
        SELECT pg_catalog.format('%I.%I', n.nspname, x.relname), i.indexrelid IS NOT NULL AND (t.oid IS NULL OR i.indrelid OPERATOR(pg_catalog.=) t.oid),
               x.relkind OPERATOR(pg_catalog.=) 'I', coalesce(i.indisvalid AND i.indisready, false),
               NOT coalesce(i.indisvalid AND i.indisready, false) AND \(IndexBuild.isRunning("x.oid", on: "i.indrelid"))
          FROM (SELECT pg_catalog.to_regclass($1)::pg_catalog.oid AS oid) AS named
          LEFT JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) named.oid
          JOIN pg_catalog.pg_class AS x
            ON CASE WHEN $1 IS NULL THEN x.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2)::pg_catalog.oid
                    ELSE x.relnamespace OPERATOR(pg_catalog.=) t.relnamespace AND x.relname OPERATOR(pg_catalog.=) $2 END
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) x.relnamespace
          LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) x.oid
        """

    private func flaw(of index: ReliedIndex, _ found: QueryResult, _ attempt: Attempt) -> Failure? {
        guard !found.rows.isEmpty, let name = found.text(0, 0) else { return nil }
        let shown = Printable.line(name, limit: 200)
        let flaw: (message: String, hint: String)
        if !found.isTrue(0, 1) {
            flaw = (
                "'\(shown)' exists, and is no index of '\(Printable.line(index.tableWords, limit: 200))'",
                "IF NOT EXISTS skipped the statement because of the name alone: give the index another name."
            )
        } else if found.isTrue(0, 3) || (found.isTrue(0, 2) && index.mayBePartial) {
            return nil
        } else if found.isTrue(0, 4) {
            flaw = (
                "another session is building the index '\(shown)'",
                "It is tried again once the index is built; 'pg_stat_progress_create_index' shows how far it is."
            )
        } else if found.isTrue(0, 2) {
            flaw = (
                "the index '\(shown)' exists and is not valid: not every partition has its part of it",
                "Attach what is missing ('ALTER INDEX \(shown) ATTACH PARTITION …;'), or 'DROP INDEX \(shown);', then 'migrated retry'."
            )
        } else {
            flaw = (
                "the index '\(shown)' exists and is not valid: an earlier build of it was broken off",
                "Drop it with 'DROP INDEX CONCURRENTLY \(shown);', then 'migrated retry': the file builds it again."
            )
        }
        let script = attempt.prepared.script
        var complaint = Complaint(.failed, flaw.message, hint: flaw.hint)
        complaint.point(
            at: script.place(at: script.statements[index.statement].range.lowerBound), of: script.text)
        var failure = Failure(found.isTrue(0, 4) ? "index_being_built" : "invalid_index", complaint)
        failure.object = name
        failure.detail["statement"] = .integer(Int64(index.statement + 1))
        return failure
    }
}
