internal import Postgres
internal import Reporting

extension HistoryReader {
    /// Whether the database is as the history says that migrations left it: no orphan behind a key, every key proved and indexed, no
    /// invalid index. Notes what still waits.
    ///
    /// `everyKey` looks at all foreign keys of the database, else at those that the history names and at those that nobody has proved.
    /// Each key's orphans are counted in a transaction of their own, so that none stays open for long; what cannot be counted fails.
    public func integrity(everyKey: Bool) throws(HistoryError) -> [IntegrityLine] {
        let found = try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            let keys = try connection.query(RecordedKey.all(everyKey, in: table))
            return (
                keys: keys.rows.indices.map { RecordedKey(keys, $0) }, gone: try goneKeys(),
                indexes: try invalidIndexes(), deferred: try openDeferredKeys()
            )
        }
        var lines: [IntegrityLine] = []
        for key in found.keys {
            lines.append(try orphans(of: key))
            lines += HistoryReader.lines(for: key)
        }
        if found.keys.isEmpty {
            lines.append(
                IntegrityLine(
                    .note, .orphans, nil,
                    everyKey
                        ? "the database has no foreign key"
                        : "the history names no foreign key; with --all every key of the database is looked at"))
        }
        lines += found.gone + found.indexes
        lines += found.deferred.map { key in
            IntegrityLine(
                .note, .deferredKey, key.object,
                "waits for \(key.missing) since event \(key.seq) of \(key.name ?? key.version ?? "?")")
        }
        return lines
    }

    private func orphans(of key: RecordedKey) throws(HistoryError) -> IntegrityLine {
        guard let sql = key.count else {
            return IntegrityLine(
                .note, .orphans, key.object,
                "is not counted here: it is about periods of time, or its columns are of a type whose comparison may call a function of this database"
            )
        }
        do throws(HistoryError) {
            let count = try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
                try connection.query(sql).integer(0, 0) ?? 0
            }
            let words = count == 0 ? "no orphan" : count == 1 ? "1 orphan" : "\(count) orphans"
            // What is declared not to be enforced promises nothing.
            let isBad = count > 0 && !key.isUnenforced
            return IntegrityLine(isBad ? .fail : .pass, .orphans, key.object, words, count: count)
        } catch {
            guard connection.isAlive else { throw error }
            let why =
                switch error {
                case .noHistory: "a table has gone meanwhile"
                default: error.complaint.message
                }
            return IntegrityLine(.fail, .orphans, key.object, "orphans cannot be counted: \(why)")
        }
    }

    private static func lines(for key: RecordedKey) -> [IntegrityLine] {
        let validation =
            key.isUnenforced
            ? IntegrityLine(.note, .validation, key.object, "declared NOT ENFORCED")
            : key.isValidated
                ? IntegrityLine(.pass, .validation, key.object, "validated")
                : IntegrityLine(.fail, .validation, key.object, "NOT VALID: earlier rows were never checked")
        let index =
            key.isCovered
            ? IntegrityLine(.pass, .index, key.object, "an index covers (\(key.columns))")
            : IntegrityLine(.fail, .index, key.object, "no index leads with (\(key.columns))")
        return [validation, index]
    }

    /// Keys that the history says were added, whose migration stands, and that are not there any more: a later migration may have meant it.
    private func goneKeys() throws(PostgresError) -> [IntegrityLine] {
        let found = try connection.query(
            """
            SELECT a.object, max(a.seq) FROM \(table) AS a
             WHERE a.event = 'constraint_added' AND a.object IS NOT NULL
               AND NOT EXISTS (SELECT FROM \(table) AS e
                                WHERE e.version = a.version AND e.event = 'rolled_back' AND e.seq > a.seq)
               AND NOT EXISTS (SELECT FROM pg_constraint AS c
                                 JOIN pg_class AS r ON r.oid = c.conrelid
                                 JOIN pg_namespace AS n ON n.oid = r.relnamespace
                                WHERE c.contype = 'f' AND a.object IN (n.nspname || '.' || r.relname || '.' || c.conname,
                                                                       n.nspname || '.' || r.relname))
             GROUP BY a.object ORDER BY 2
            """)
        return found.rows.indices.map { row in
            IntegrityLine(
                .note, .recordedKey, found.text(row, 0), "added by event \(found.text(row, 1) ?? "?"), not there now")
        }
    }

    private func invalidIndexes() throws(PostgresError) -> [IntegrityLine] {
        let found = try connection.query(
            """
            SELECT n.nspname || '.' || x.relname, r.relname,
                   EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid
                              AND p.datname = current_database())
              FROM pg_index AS i
              JOIN pg_class AS x ON x.oid = i.indexrelid AND x.relpersistence <> 't'
              JOIN pg_namespace AS n ON n.oid = x.relnamespace
              JOIN pg_class AS r ON r.oid = i.indrelid
             WHERE NOT i.indisvalid ORDER BY 1
            """)
        guard !found.rows.isEmpty else {
            return [IntegrityLine(.pass, .invalidIndex, nil, "no index is invalid", count: 0)]
        }
        return found.rows.indices.map { row in
            let isGrowing = found.isTrue(row, 2)
            return IntegrityLine(
                isGrowing ? .note : .fail, .invalidIndex, found.text(row, 0),
                isGrowing ? "is being built now" : "invalid index of '\(found.text(row, 1) ?? "?")'")
        }
    }
}
