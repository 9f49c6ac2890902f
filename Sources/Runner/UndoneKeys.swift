internal import Audit
internal import AuditReading
internal import Configuration
internal import ForeignKeys
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

/// Deferred keys as a down file meets them: its own that were never added, which it would drop, and those of other files that were added when the table
/// came that it takes away again.
struct UndoneKeys {
    /// A key that the file's migration put off and that is not there.
    struct Open {
        var table: TableName
        var name: String
        var object: String
    }

    /// A key that was put off and added later.
    struct Added {
        /// The event that put it off, to be repeated.
        var deferral: AuditEvent
        /// `schema.table.constraint`.
        var object: String
        /// What it refers to.
        var waitsFor: TableName
    }

    var open: [Open] = []
    var added: [Added] = []

    /// The commands of an ALTER TABLE that drop a key which is not there, with the keys.
    func drops(_ statement: Int, in script: Script) -> [(command: Int, key: Open)] {
        guard !open.isEmpty, script.statements[statement].node == "AlterTableStmt", let node = script.root(statement),
            let relation = node.field("relation"), let table = relation.text("relname")
        else { return [] }
        let name = TableName(schema: relation.text("schemaname"), table)
        return node.nodes("cmds").enumerated().compactMap { number, command in
            guard command.fields.text("subtype") == "AT_DropConstraint", let dropped = command.fields.text("name"),
                let key = open.first(where: { $0.name.exact == dropped.exact && $0.table.means(name) })
            else { return nil }
            return (number, key)
        }
    }

    /// The keys that refer to tables which the statement drops.
    func losing(_ statement: Int, in script: Script) -> [Added] {
        guard !added.isEmpty, script.statements[statement].node == "DropStmt", let node = script.root(statement),
            node.text("removeType") == "OBJECT_TABLE"
        else { return [] }
        let tables = node.list("objects", of: "List").map { list -> TableName in
            let names = list.list("items", of: "String").compactMap { $0.text("sval") }
            return TableName(schema: names.dropLast().last, names.last ?? "")
        }
        return added.filter { key in tables.contains { $0.means(key.waitsFor) } }
    }

    /// The statements that are about such keys.
    func statements(_ range: Range<Int>, in script: Script) -> [Int] {
        guard !open.isEmpty || !added.isEmpty else { return [] }
        return range.filter { !drops($0, in: script).isEmpty || !losing($0, in: script).isEmpty }
    }
}

extension TableName {
    /// Whether both may be the same table: one that names no schema is found by search_path.
    fileprivate func means(_ other: TableName) -> Bool {
        name.exact == other.name.exact
            && (schema == nil || other.schema == nil || schema?.exact == other.schema?.exact)
    }
}

extension FileRun {
    /// Takes a key that was added later away before the table that it refers to, and puts it off again: it comes back when the table does.
    func putOff(
        _ keys: [UndoneKeys.Added], at statement: Int, _ attempt: inout Attempt, _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) -> [AuditEvent] {
        let offset = attempt.prepared.script.statements[statement].range.lowerBound
        var events: [AuditEvent] = []
        for key in keys {
            let found = try ask(
                &attempt, connection, at: offset, limit,
                """
                SELECT pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::pg_catalog.regclass, c.conname) \
                FROM pg_catalog.pg_constraint AS c JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) c.conrelid \
                JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace \
                WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND c.confrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2)::pg_catalog.oid \
                AND pg_catalog.concat_ws('.', n.nspname, t.relname, c.conname) OPERATOR(pg_catalog.=) $1::pg_catalog.text
                """, [.text(key.object), .text(key.waitsFor.sql)])
            guard let drop = found.rows.isEmpty ? nil : found.text(0, 0) else { continue }
            _ = try ask(&attempt, connection, at: offset, limit, drop, [])
            var event = key.deferral
            event.eventID = UUID()
            events.append(event)
        }
        return events
    }

    /// A key that the file drops and that was never added.
    func neverAdded(_ key: UndoneKeys.Open, _ attempt: Attempt) -> AuditEvent {
        var event = attempt.event(.skipped, by: actor)
        event.reason = "still_deferred"
        event.object = key.object
        return event
    }
}

extension Engine {
    /// The deferred keys that the undoing of a version meets.
    func undoneKeys(
        version: String, _ snapshot: MigrationDirectory.Snapshot, by actor: AuditEvent.Actor
    ) throws(RunFailure) -> UndoneKeys {
        var undone = UndoneKeys()
        for deferred in try history.deferredKeys() where deferred.version == version {
            guard let source = try history.source(deferred.checksum) else { continue }
            do throws(Complaint) {
                guard let key = try read(deferred, source, snapshot).1?.key else { continue }
                undone.open.append(
                    UndoneKeys.Open(table: key.table, name: key.chosenName, object: deferred.object))
            } catch {
                // Then the server says what it thinks of dropping it.
                reporter.say(4, "deferred key \(deferred.object) of \(deferred.name) cannot be read: \(error.message)")
            }
        }
        undone.added = try history.addedKeys(by: actor)
        return undone
    }
}

extension History {
    /// Keys that were deferred and have been added since, whose migrations are applied.
    func addedKeys(by actor: AuditEvent.Actor) throws(RunFailure) -> [UndoneKeys.Added] {
        let table = "\(store.schema).migration_rollback_audit"
        let result = try store.sessions.query(
            store.sessions.books(),
            """
            SELECT d.version, d.name, d.checksum, d.object, d.detail, d.attempt_id, e.object
              FROM \(table) AS d JOIN \(table) AS e ON e.version = d.version AND e.seq > d.seq AND e.event = 'constraint_added'
               AND (e.detail::json ->> 'deferred_seq')::bigint = d.seq
             WHERE d.event = 'deferred' AND d.reason = 'missing_table'
               AND NOT EXISTS (SELECT FROM \(table) AS x WHERE x.version = d.version AND x.event = 'rolled_back' AND x.seq > d.seq)
             ORDER BY d.seq
            """)
        return result.rows.indices.compactMap { row in
            let detail = History.json(result.rows[row][4])
            guard case .object(let members) = detail, let object = result.text(row, 6),
                let waitsFor = detail["waits_for"]?.string.flatMap({ TableName(sql: $0) })
            else { return nil }
            var event = AuditEvent(.deferred, by: actor)
            event.attemptID = result.text(row, 5).flatMap { UUID($0) }
            event.version = result.text(row, 0).map(store.sessions.name(fromWritten:))
            event.name = result.text(row, 1).map(store.sessions.name(fromWritten:))
            event.checksum = result.text(row, 2)
            event.direction = .up
            event.reason = "missing_table"
            event.object = result.text(row, 3)
            event.detail = members
            return UndoneKeys.Added(deferral: event, object: object, waitsFor: waitsFor)
        }
    }
}
