internal import JSON
public import Reporting

/// Sees what a change of rows takes along: triggers on every table that keys can reach from the one that is cleaned, made and dropped in its
/// transaction. What went or changed is in the quarantine then, whatever took it: nothing of it is predicted.
///
/// The triggers are row triggers, so that partitions have them too, fire after all others have had their say on a row, and fire in sessions that
/// have switched triggers off (manual, ALTER TABLE, ENABLE ALWAYS). Their functions run as the role of the file, because an ON DELETE action runs as
/// the owner of its table, and with a search_path of their own, so that the text of a value is the same everywhere.
public struct Observation: Sendable, Equatable {
    /// A table that is watched: a partitioned one as a whole.
    public struct Watched: Sendable, Equatable {
        public var table: ForeignKeyFacts.Table
        var rows: [ForeignKeyFacts.KeptColumn]
        var key: [String]
        /// Whether this role owns it, which makes and drops triggers.
        public var isOwned: Bool
        /// The keys by which it is reached: their names, columns and what they do.
        public var names: [String]
        public var columns: [String]
        public var actions: [String]
        /// Constraints on it that are initially deferred, as SQL writes them.
        var deferred: [String]

        /// How many rows it has.
        public var size: TableSize { TableSize(table) }
        /// Where a restoration finds it.
        public var place: KeptPlace { KeptPlace(table, rows) }
    }

    /// The events by which the rows of a table that are deleted, and those that are changed, are counted; the text of their ids.
    public struct Events: Sendable, Equatable {
        public var deleted: String
        public var changed: String

        public init(deleted: String, changed: String) {
            self.deleted = deleted
            self.changed = changed
        }
    }

    /// All tables that are watched; the one that is cleaned is the first.
    public let watched: [Watched]

    /// Reads the answer to `question`.
    public init(_ json: [UInt8]) throws(Complaint) {
        let tape: JSONTape
        do {
            tape = try JSONTape(json)
        } catch {
            throw Complaint(.bug, "cannot read the tables in reach: \(error.message) at byte \(error.offset)")
        }
        watched = (tape.value(tape.root).array ?? []).compactMap(Watched.init)
    }

    /// What keys can reach from tables, given by their numbers, that of the cleaned one first: one row with one column of JSON.
    public static let question = """
        WITH RECURSIVE reach(oid, level) AS (
            SELECT \(root("given.oid")), CASE given.place WHEN 1 THEN 0 ELSE 1 END
              FROM pg_catalog.unnest($1::pg_catalog.oid[]) WITH ORDINALITY AS given(oid, place)
            UNION
            SELECT \(root("c.conrelid")), 1
              FROM reach AS r CROSS JOIN LATERAL (\(CatalogQuestion.family("r.oid"))) AS f(oid)
              JOIN pg_catalog.pg_constraint AS c ON c.confrelid OPERATOR(pg_catalog.=) f.oid
             WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND \(CatalogQuestion.acts("c"))
        ), known AS (
            SELECT r.oid, pg_catalog.min(r.level) AS level FROM reach AS r GROUP BY r.oid
        )
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                   'table', \(CatalogQuestion.relation("k.oid")), 'rows', \(CatalogQuestion.everyColumn("k.oid")),
                   'key', \(CatalogQuestion.rowKey("k.oid")),
                   'deferred', (
                       SELECT pg_catalog.jsonb_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, c.conname))
                         FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_constraint AS c ON c.oid OPERATOR(pg_catalog.=) t.tgconstraint
                         JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.connamespace
                        WHERE t.tgrelid OPERATOR(pg_catalog.=) ANY (ARRAY(\(CatalogQuestion.family("k.oid")))) AND t.tginitdeferred),
                   'owned', (SELECT pg_catalog.pg_has_role(o.relowner, 'USAGE') FROM pg_catalog.pg_class AS o WHERE o.oid OPERATOR(pg_catalog.=) k.oid),
                   'keys', (
                       SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', c.conname, 'on_delete', c.confdeltype, 'on_update', c.confupdtype,
                                'columns', \(CatalogQuestion.names("c.conrelid", "c.conkey"))) ORDER BY c.conname)
                         FROM pg_catalog.pg_constraint AS c
                        WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND c.conrelid OPERATOR(pg_catalog.=) ANY (ARRAY(\(CatalogQuestion.family("k.oid"))))
                          AND c.conparentid OPERATOR(pg_catalog.=) 0 AND \(CatalogQuestion.acts("c"))
                          AND EXISTS (SELECT FROM known AS x WHERE c.confrelid OPERATOR(pg_catalog.=) ANY (ARRAY(\(CatalogQuestion.family("x.oid")))))))
               ORDER BY k.level, k.oid)::pg_catalog.text
          FROM known AS k
        """

    private static func root(_ oid: String) -> String {
        "coalesce(pg_catalog.pg_partition_root(\(oid))::pg_catalog.oid, \(oid))"
    }

    /// Locks all of them: who adds a key to one of them waits, and so do writers.
    public var lock: String { ForeignKeyPlanner.lock(watched.map(\.table.qualified)) }

    /// Makes the triggers. `attempt` is the text of its id; the events are those of each watched table, in order. `columns` are those of the key that
    /// is added.
    public func begin(history: String, attempt: String, columns: [String], events: [Events]) -> String {
        let moves =
            hasPartitions
            ? """
            CREATE TABLE \(Observation.moves) (part pg_catalog.oid NOT NULL, place pg_catalog.tid NOT NULL, after pg_catalog.jsonb NOT NULL, \
            moved pg_catalog.bool NOT NULL DEFAULT false); CREATE INDEX ON \(Observation.moves) (place); 
            """ : ""
        return constraints("IMMEDIATE") + moves
            + zip(watched, events).map { watched, events in
                let columns = watched == self.watched[0] ? columns : watched.columns
                return make(
                    Observation.trigger, "AFTER DELETE OR UPDATE", watched,
                    body(watched, history, attempt, columns, events))
                    + (watched.table.isPartitioned
                        ? make(Observation.moveTrigger, "BEFORE UPDATE", watched, moveBody(watched)) : "")
            }.joined()
    }

    private func make(_ trigger: String, _ time: String, _ watched: Watched, _ body: String) -> String {
        """
        CREATE FUNCTION \(name(trigger, watched))() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
        SET search_path = pg_catalog, pg_temp AS \(Quoting.literal(body)); \
        CREATE TRIGGER \(trigger) \(time) ON \(watched.table.qualified.sql) FOR EACH ROW EXECUTE FUNCTION \(name(trigger, watched))(); \
        ALTER TABLE \(watched.table.qualified.sql) ENABLE ALWAYS TRIGGER \(trigger); 
        """
    }

    /// Drops them.
    public var end: String {
        watched.map { watched in
            let triggers = [Observation.trigger] + (watched.table.isPartitioned ? [Observation.moveTrigger] : [])
            return triggers.map {
                "DROP TRIGGER \($0) ON \(watched.table.qualified.sql); DROP FUNCTION \(name($0, watched))(); "
            }.joined()
        }.joined() + (hasPartitions ? "DROP TABLE \(Observation.moves); " : "") + constraints("DEFERRED")
    }

    /// How many rows of which partitioned table have moved from one partition to another: the server deletes such a row and inserts it anew. Nil where
    /// none can.
    public var movesQuestion: String? {
        hasPartitions
            ? """
            SELECT coalesce(pg_catalog.pg_partition_root(m.part)::pg_catalog.oid, m.part)::pg_catalog.int8, pg_catalog.count(*) \
            FROM \(Observation.moves) AS m WHERE m.moved GROUP BY 1
            """ : nil
    }

    private var hasPartitions: Bool { watched.contains(where: \.table.isPartitioned) }

    /// What is checked at COMMIT would keep a trigger from being dropped until then.
    private func constraints(_ mode: String) -> String {
        let names = Set(watched.flatMap(\.deferred)).sorted()
        return names.isEmpty ? "" : "SET CONSTRAINTS \(names.joined(separator: ", ")) \(mode); "
    }

    private static let trigger = "migrated_observes"
    /// Named so that it fires behind others, which may have the last word on a row.
    private static let moveTrigger = "zz_migrated_sees"
    /// Updates of partitioned tables under way: whether one moves its row is known only when that is deleted.
    private static let moves = "pg_temp.migrated_moves"

    private func name(_ trigger: String, _ watched: Watched) -> String { "pg_temp.\(trigger)_\(watched.table.oid)" }

    private func row(_ watched: Watched, _ alias: String) -> KeptRow {
        KeptRow(columns: watched.rows, key: watched.key, alias: alias, table: watched.table)
    }

    private func moveBody(_ watched: Watched) -> String {
        """
        BEGIN
            INSERT INTO \(Observation.moves) (part, place, after) VALUES (TG_RELID, OLD.ctid, \(row(watched, "NEW").row));
            RETURN NEW;
        END
        """
    }

    private func body(
        _ watched: Watched, _ history: String, _ attempt: String, _ columns: [String], _ events: Events
    ) -> String {
        let (old, new) = (row(watched, "OLD"), row(watched, "NEW"))
        let changes = watched.rows.map {
            let column = Quoting.identifier($0.name)
            return
                "CASE WHEN OLD.\(column)::text IS DISTINCT FROM NEW.\(column)::text THEN \(Quoting.literal($0.name)) END"
        }
        let insert = """
            INSERT INTO \(history).orphan_quarantine \
            (event_id, attempt_id, schema_name, table_name, column_names, action, key, old_row, old_text, row_hash, new_values)
            """
        let place = "\(Quoting.literal(watched.table.schema)), \(Quoting.literal(watched.table.name))"
        // Only what has changed: the rest is as it was.
        let after = """
            (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(\(new.row)) AS e WHERE e.key = ANY (changed))
            """
        let moved = """
            UPDATE \(Observation.moves) AS m SET moved = true WHERE m.part = TG_RELID AND m.place = OLD.ctid RETURNING m.after INTO became;
                    IF FOUND THEN
                        SELECT array_agg(e.key), jsonb_object_agg(e.key, e.value) INTO changed, became
                          FROM jsonb_each(became) AS e WHERE e.value IS DISTINCT FROM (\(old.row)) -> e.key;
                        \(insert)
                        SELECT '\(events.changed)', '\(attempt)', \(place), changed, 'nullified', \(old.expressions), became;
                        RETURN NULL;
                    END IF;
            """
        return """
            DECLARE
                changed text[];
                became jsonb;
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    \(watched.table.isPartitioned ? moved : "")
                    \(insert)
                    SELECT '\(events.deleted)', '\(attempt)', \(place), \(KeptRow.array(columns)), 'deleted', \(old.expressions), NULL;
                    RETURN NULL;
                END IF;
                changed := array_remove(ARRAY[\(changes.joined(separator: ", "))]::text[], NULL);
                IF cardinality(changed) > 0 THEN
                    \(insert)
                    SELECT '\(events.changed)', '\(attempt)', \(place), changed, 'nullified', \(old.expressions), \
            \(new.fits.map { "CASE WHEN \($0) THEN \(after) END" } ?? after);
                END IF;
                RETURN NULL;
            END
            """
    }
}

extension Observation.Watched {
    fileprivate init?(_ value: JSONValue) {
        guard let table = ForeignKeyFacts.Table(value["table"]) else { return nil }
        let keys = value.list("keys")
        func action(_ key: JSONValue, _ event: String, _ member: String) -> String? {
            let action = key[member]?.string.flatMap(ForeignKey.Action.init) ?? .noAction
            return [.noAction, .restrict].contains(action) ? nil : "\(event) \(action.words)"
        }
        self.init(
            table: table, rows: value.list("rows").compactMap(ForeignKeyFacts.KeptColumn.init),
            key: value.strings("key"), isOwned: value.isTrue("owned"),
            names: keys.compactMap { $0["name"]?.string }, columns: keys.first?.strings("columns") ?? [],
            actions: keys.flatMap { key in
                [action(key, "ON DELETE", "on_delete"), action(key, "ON UPDATE", "on_update")].compactMap { $0 }
            }, deferred: value.strings("deferred"))
    }
}
