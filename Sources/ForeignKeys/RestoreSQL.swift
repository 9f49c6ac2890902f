internal import Reporting

/// Puts the kept rows of one cleanup back, in the server: rows never pass through the client.
///
/// Each row stands for itself: one that cannot come back is recorded with the reason and holds up no other. Cleanups are undone in the
/// reverse order of their events, after the down file has removed the key. Triggers of the table fire as for any INSERT or UPDATE.
public struct RestoreSQL: Sendable, Equatable {
    private let history: String

    /// `quotedHistory` is the history's schema as SQL writes it.
    public init(quotedHistory: String) { history = quotedHistory }

    /// The statement that restores what `event` counts and has not come back yet, and records each row's outcome under `restoration`.
    /// Both are the text of a uuid. It wants `search_path` set to pg_catalog, and runs in the caller's transaction.
    public func restore(event: String, restoration: String) -> String {
        let body = RestoreSQL.body
            .replacing("ORIGINAL", with: Quoting.literal(event))
            .replacing("RESTORATION", with: Quoting.literal(restoration))
            // Kept as a number, which only the way through oid reads.
            .replacing(
                "NAMED", with: "CASE WHEN a.atttypid = ANY ('\(CatalogQuestion.namedTypes)') THEN '::oid' ELSE '' END"
            )
            // Last: a schema may be named like a word of the template.
            .replacing("HISTORY", with: history)
        return "DO LANGUAGE plpgsql \(Quoting.literal(body))"
    }

    /// The cleanup events of an attempt that still have rows to restore, with the number of rows, in the order to restore them in.
    /// Takes the attempt's id as its parameter.
    public var pending: String {
        """
        SELECT q.event_id::pg_catalog.text, q.schema_name, q.table_name, q.column_names::pg_catalog.text, q.action, pg_catalog.count(*) \
        FROM \(history).orphan_quarantine AS q WHERE q.attempt_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid AND \(open) \
        GROUP BY q.event_id, q.schema_name, q.table_name, q.column_names, q.action ORDER BY pg_catalog.max(q.id) DESC
        """
    }

    /// How many rows had which outcome, and one reason of each. Takes the restoration's event id as its parameter.
    public var outcomes: String {
        """
        SELECT r.outcome, pg_catalog.count(*), pg_catalog.min(r.reason) FROM \(history).orphan_restoration AS r \
        WHERE r.event_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid GROUP BY r.outcome ORDER BY r.outcome
        """
    }

    private var open: String {
        """
        NOT EXISTS (SELECT FROM \(history).orphan_restoration AS r \
        WHERE r.quarantine_id OPERATOR(pg_catalog.=) q.id AND r.outcome OPERATOR(pg_catalog.=) 'restored')
        """
    }

    private static let body = """
        DECLARE
            kept record;
            target regclass;
            fields text;
            assigned text;
            read text;
            matching text;
            empty text;
            gone boolean;
            changed bigint;
            outcome text;
            reason text;
        BEGIN
            FOR kept IN
                SELECT q.* FROM HISTORY.orphan_quarantine AS q
                 WHERE q.event_id = ORIGINAL::uuid
                   AND NOT EXISTS (SELECT FROM HISTORY.orphan_restoration AS r
                                    WHERE r.quarantine_id = q.id AND r.outcome = 'restored')
                 -- Those kept as text last: they do not say which columns they had.
                 ORDER BY q.old_row IS NULL, q.id
            LOOP
                outcome := 'restored';
                reason := NULL;
                -- The table is the same for all rows of an event: it is looked up once.
                IF fields IS NULL THEN
                    target := to_regclass(format('%I.%I', kept.schema_name, kept.table_name));
                    SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum),
                           string_agg(format('($1 ->> %L)%s::%s', a.attname, NAMED, format_type(a.atttypid, -1)), ', ' ORDER BY a.attnum),
                           string_agg(format('(s.r).%I', a.attname), ', ' ORDER BY a.attnum)
                      INTO fields, assigned, read
                      FROM pg_attribute AS a
                     WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                       AND (kept.old_row IS NULL OR kept.old_row ? a.attname::text)
                       AND (kept.action = 'deleted' OR a.attname = ANY (kept.column_names));
                    SELECT string_agg(format('t.%I = ($1 ->> %L)%s::%s', a.attname, a.attname, NAMED, format_type(a.atttypid, -1)), ' AND ')
                      INTO matching
                      FROM pg_attribute AS a
                     WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND kept.key ? a.attname::text;
                    SELECT string_agg(format('t.%I IS NULL', c.name), ' AND ') INTO empty FROM unnest(kept.column_names) AS c(name);
                    gone := EXISTS (
                        SELECT FROM (SELECT unnest(kept.column_names) AS name WHERE kept.action = 'nullified'
                                     UNION SELECT jsonb_object_keys(kept.key)
                                     UNION SELECT jsonb_object_keys(kept.old_row) WHERE kept.action = 'deleted') AS needed
                         WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = needed.name
                                              AND a.attnum > 0 AND NOT a.attisdropped));
                END IF;
                BEGIN
                    IF target IS NULL THEN
                        outcome := 'table_gone';
                    ELSIF gone THEN
                        outcome := 'column_gone';
                    ELSIF kept.action = 'deleted' AND kept.old_row IS NULL THEN
                        -- Read once: hundreds of megabytes for every column would be the end of the server.
                        EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM (SELECT $1::%s AS r OFFSET 0) AS s',
                                       target, fields, read, target) USING kept.old_text;
                    ELSIF kept.action = 'deleted' THEN
                        EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s', target, fields, assigned)
                          USING kept.old_row;
                    ELSIF kept.key IS NULL THEN
                        outcome := 'no_key';
                    ELSE
                        EXECUTE format('UPDATE %s AS t SET (%s) = (SELECT %s) WHERE %s AND %s', target, fields,
                                       CASE WHEN kept.old_row IS NOT NULL THEN assigned
                                            ELSE format('%s FROM (SELECT $2::%s AS r OFFSET 0) AS s', read, target) END,
                                       matching, empty)
                          USING coalesce(kept.old_row, kept.key), kept.old_text;
                        GET DIAGNOSTICS changed = ROW_COUNT;
                        IF changed = 0 THEN
                            EXECUTE format('SELECT count(*) FROM %s AS t WHERE %s', target, matching) INTO changed USING kept.key;
                            outcome := CASE WHEN changed = 0 THEN 'row_gone' ELSE 'now_filled' END;
                        END IF;
                    END IF;
                EXCEPTION
                    WHEN unique_violation OR exclusion_violation THEN
                        outcome := 'key_taken';
                        reason := SQLERRM;
                    WHEN foreign_key_violation THEN
                        outcome := 'parent_missing';
                        reason := SQLERRM;
                    WHEN data_exception OR integrity_constraint_violation OR datatype_mismatch OR cannot_coerce
                        OR undefined_object OR undefined_table OR undefined_function OR ambiguous_function OR invalid_schema_name
                        OR generated_always OR object_not_in_prerequisite_state THEN
                        outcome := 'refused';
                        reason := SQLERRM;
                END;
                INSERT INTO HISTORY.orphan_restoration (quarantine_id, event_id, outcome, reason)
                VALUES (kept.id, RESTORATION::uuid, outcome, left(reason, 4096));
            END LOOP;
        END
        """
}

extension String {
    /// Every occurrence of a word put in place of another; the words of the templates here do not overlap.
    fileprivate func replacing(_ word: String, with text: String) -> String {
        split(separator: word, omittingEmptySubsequences: false).joined(separator: text)
    }
}
