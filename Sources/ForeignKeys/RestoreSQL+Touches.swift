/// Rows that a cleanup touched more than once: changed, changed again, deleted in the end. In a circle of keys no touch alone can be undone, for between
/// them other rows refer to nothing; so such a row comes back as it was before the first, in one step.
extension RestoreSQL {
    /// Fills the temporary table `migrated_touches` with what is to come back, one row for each row of a table: its last touch, with the `first` and
    /// the `ids` and `events` of all, by their order, and what the touches together changed. `events` is the list that `restore` works on.
    ///
    /// A touch met its row as the one before left it: under a key, or, where the table has none, the whole of it.
    var touches: String {
        """
        CREATE TEMPORARY TABLE migrated_touches AS
        WITH RECURSIVE kept AS MATERIALIZED (
            SELECT q.id, q.event_id, coalesce(e.value -> 'place' ->> 'oid', format('%I.%I', q.schema_name, q.table_name)) AS relation,
                   coalesce(q.key, q.old_row) AS before,
                   CASE q.action WHEN 'nullified' THEN coalesce(q.key || coalesce(
                       (SELECT jsonb_object_agg(v.key, v.value) FROM jsonb_each(q.new_values) AS v WHERE q.key ? v.key), '{}'),
                       q.old_row || \(RestoreSQL.after("q"))) END AS after
              FROM \(history).orphan_quarantine AS q JOIN jsonb_array_elements(events) AS e ON (e.value ->> 'event')::uuid = q.event_id
             WHERE \(open)
        ), state AS (
            -- As text, which tells 1.0 from 1.00; of rows that are alike the last one that came into a state leaves it first.
            SELECT k.id, s.comes, k.relation, hashtextextended(s.row::text, 0) AS hash, hashtextextended(s.row::text, 1) AS other_hash
              FROM kept AS k CROSS JOIN LATERAL (VALUES (k.before, false), (k.after, true)) AS s(row, comes)
             WHERE s.row IS NOT NULL
        ), level AS (
            SELECT s.*, sum(CASE WHEN s.comes THEN 1 ELSE -1 END) OVER (PARTITION BY s.relation, s.hash, s.other_hash ORDER BY s.id, s.comes)
                        + CASE WHEN s.comes THEN 0 ELSE 1 END AS level
              FROM state AS s
        ), linked AS (
            SELECT l.id, l.comes, lag(CASE WHEN l.comes THEN l.id END)
                       OVER (PARTITION BY l.relation, l.hash, l.other_hash, l.level ORDER BY l.id, l.comes) AS previous
              FROM level AS l
        ), chain AS (
            SELECT k.id, k.id AS first, ARRAY[k.id] AS ids, ARRAY[k.event_id] AS events
              FROM kept AS k LEFT JOIN linked AS l ON l.id = k.id AND NOT l.comes
             WHERE l.previous IS NULL
             UNION ALL
            SELECT k.id, c.first, c.ids || k.id, c.events || k.event_id
              FROM chain AS c JOIN linked AS l ON l.previous = c.id AND NOT l.comes JOIN kept AS k ON k.id = l.id
        ), whole AS (
            SELECT DISTINCT ON (c.first) c.* FROM chain AS c ORDER BY c.first, cardinality(c.ids) DESC
        )
        SELECT q.id, q.event_id, q.schema_name, q.table_name, coalesce(changes.names, q.column_names) AS column_names, q.action, f.key,
               coalesce(changes.after, q.new_values) AS new_values, w.first, w.ids, w.events
          FROM whole AS w
          JOIN \(history).orphan_quarantine AS q ON q.id = w.id
          JOIN \(history).orphan_quarantine AS f ON f.id = w.first
          LEFT JOIN LATERAL (
               SELECT array_agg(DISTINCT v.key) AS names, jsonb_object_agg(v.key, v.value ORDER BY o.id) AS after
                 FROM \(history).orphan_quarantine AS o
                CROSS JOIN LATERAL jsonb_each(\(RestoreSQL.after("o"))) AS v
                WHERE o.id = ANY (w.ids)) AS changes ON q.action = 'nullified' AND w.first <> w.id;
        ALTER TABLE pg_temp.migrated_touches ADD PRIMARY KEY (id);
        ANALYZE pg_temp.migrated_touches;
        """
    }
}
