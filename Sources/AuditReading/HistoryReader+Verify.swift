internal import Audit
internal import AuditSchema
internal import Digest
internal import Postgres

extension HistoryReader {
    /// Recomputes the whole chain here, from the raw columns of one state of the database.
    ///
    /// The server's word is taken for nothing but the bytes: no function of the history's schema is called, row security that would hide
    /// rows is an error, and what cannot be read makes the verdict `cannotTell`.
    ///
    /// - Parameter testimony: what was kept outside of the database: what the chain alone cannot show is held against it.
    public func verify(_ testimony: Testimony = Testimony([])) -> Examination {
        do {
            return try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
                guard let head = try storedHead() else {
                    return Examination(
                        .tampered([Finding(.unprotected, nil, "table 'audit_head' has not exactly one row")]))
                }
                guard head.schemaVersion <= HistoryReader.knownSchemaVersion else {
                    return Examination(.cannotTell(.newerSchema(head.schemaVersion)))
                }
                var check = Verification(head: head.head, testimony)
                try readEvents(into: &check)
                let texts = try textAccess(head.schemaVersion)
                try readSources(into: &check, texts)
                for (table, trigger) in HistoryReader.protected {
                    for problem in try problems(of: table, trigger: trigger) { check.foundUnprotected(table, problem) }
                }
                if head.schemaVersion > 1 {
                    for (table, trigger) in HistoryReader.protectedSinceVersion2 {
                        for problem in try problems(of: table, trigger: trigger) {
                            check.foundUnprotected(table, problem)
                        }
                    }
                }
                if head.schemaVersion >= HistoryReader.catalogVersion {
                    for (table, trigger) in HistoryReader.protectedSinceVersion5 {
                        for problem in try problems(of: table, trigger: trigger) {
                            check.foundUnprotected(table, problem)
                        }
                    }
                    try readCatalog(into: &check)
                }
                if head.schemaVersion >= HistoryReader.rowValueVersion {
                    for problem in try problems(of: "row_value", trigger: "row_value_append_only") {
                        check.foundUnprotected("row_value", problem)
                    }
                    try readRowValues(into: &check, texts)
                }
                if head.schemaVersion >= HistoryReader.rowsDigestVersion {
                    for table in ["orphan_quarantine", "orphan_restoration"] {
                        for problem in try problems(
                            of: table, trigger: "\(table)_of_attempt", calling: "require_attempt")
                        {
                            check.foundUnprotected(table, problem)
                        }
                    }
                    try readKeptRows(into: &check)
                }
                let reach = try readSchema(into: &check, Int(head.schemaVersion))
                let verdict = check.finish()
                return Examination(
                    verdict, check.testimony,
                    warnings: check.testimony.warnings(head: head.head.seq)
                        + (texts == .byServer ? [serverHashed] : []),
                    reach: reach)
            }
        } catch {
            if case .foreignCode(let clause) = error {
                return Examination(
                    .tampered([Finding(.unprotected, nil, "as a superuser nothing was read: \(clause)")]), testimony)
            }
            // Nobody can tell what a history was that is not there; that there was one, the anchors know.
            let lost = testimony.findings(last: 0, flaw: nil)
            guard case .noHistory = error, !lost.isEmpty else { return Examination(.cannotTell(error)) }
            return Examination(.tampered([Finding(.truncated, 1, "the history is gone")] + lost), testimony)
        }
    }

    /// What tells this database from all others: the system's identifier and the database's oid, `7411…-16384`.
    public func databaseIdentity() throws(HistoryError) -> String {
        try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            let found = try connection.query(HistoryReader.identityQuery)
            return found.rows.isEmpty ? "" : found.text(0, 0) ?? ""
        }
    }

    /// The one statement by which both programs name a database in the state directory. Its second column is the name of the write-ahead log's
    /// file, whose first eight digits are the timeline: the control file tells a promotion late. Null on a standby. Its third is the database's name.
    public static let identityQuery = """
        SELECT s.system_identifier::text || '-' || d.oid::text, \
        CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END, d.datname::text \
        FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
        """

    /// The newest version of the history's schema whose columns this program knows.
    static let knownSchemaVersion = Int64(AuditSchema.currentVersion)
    private static let protected = [
        ("migration_rollback_audit", "migration_rollback_audit_append_only"),
        ("migration_source", "migration_source_append_only"),
    ]
    private static let protectedSinceVersion2 = [
        ("orphan_quarantine", "orphan_quarantine_append_only"),
        ("orphan_restoration", "orphan_restoration_append_only"),
    ]

    private static let protectedSinceVersion5 = [
        ("catalog_reading", "catalog_reading_append_only"),
        ("catalog_definition", "catalog_definition_append_only"),
    ]

    private func storedHead() throws(PostgresError) -> (head: Verification.Head, schemaVersion: Int64)? {
        let found = try connection.query(
            "SELECT h.genesis, h.seq, h.hash, h.schema_version::bigint FROM \(quoted).audit_head AS h LIMIT 2",
            binary: true)
        guard found.rows.count == 1, let genesis = found.rows[0][0], let seq = found.rows[0][1],
            let hash = found.rows[0][2], let version = found.rows[0][3]
        else { return nil }
        return (
            Verification.Head(genesis: genesis, seq: CanonicalForm.integer(seq), hash: hash),
            CanonicalForm.integer(version)
        )
    }

    private func readEvents(into check: inout Verification) throws(PostgresError) {
        let query = FilterClause(HistoryFilter(), plain: true).copy(
            HistoryReader.columns, from: table, bounds: .init(), newestFirst: false, limit: nil)
        // In the order of an index and in one go, however long that takes: it keeps no lock that a writer waits for.
        try connection.run("SET LOCAL enable_sort TO off; SET LOCAL statement_timeout TO 0")
        var rows = BinaryRows(connection)
        try rows.begin(query)
        while let some = try rows.next() {
            for row in some { check.read(row) }
        }
        try connection.run("SET LOCAL statement_timeout TO \(StatementTimeout.page)")
        check.readAllEvents()
    }

    /// How the files' texts and the values of rows can be looked at.
    private enum TextAccess {
        /// They are read, and hashed here.
        case here
        /// This login may not read them; the server hashes them for it.
        case byServer
    }

    private func textAccess(_ version: Int64) throws(PostgresError) -> TextAccess {
        guard version >= HistoryReader.rowValueVersion else { return .here }
        let found = try connection.query(
            "SELECT bool_and(has_table_privilege(c.oid, 'SELECT')) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n "
                + "ON n.oid = c.relnamespace WHERE n.nspname = $1::name AND c.relname IN ('migration_source', 'row_value')",
            [.text(schema)])
        return found.isTrue(0, 0) ? .here : .byServer
    }

    /// What it means that the server has hashed them.
    private var serverHashed: String {
        "the files' texts and the values of rows were hashed by the server, because login '\(connection.user)' may not read them; a member of source_reader can check them here"
    }

    /// The first version of the history's schema that keeps values of rows beside the chain.
    static let rowValueVersion = 7

    private func readRowValues(into check: inout Verification, _ access: TextAccess) throws(PostgresError) {
        let query =
            access == .byServer
            ? "SELECT d.name, d.digest FROM \(quoted).private_digests() AS d WHERE d.kind = 'row_value'"
            : "SELECT v.event_id::text || ' ' || v.field, encode(v.salt, 'hex'), encode(convert_to(v.value, 'UTF8'), 'hex') FROM \(quoted).row_value AS v"
        let found = try connection.query(query)
        for row in found.rows.indices {
            guard let name = found.text(row, 0), let second = found.text(row, 1) else { continue }
            guard access == .here else {
                check.readRowValue(name, digest: second)
                continue
            }
            let bytes = (Hex.bytes(second) ?? []) + (found.text(row, 2).flatMap { Hex.bytes($0) } ?? [])
            check.readRowValue(name, digest: SHA256.hex(bytes))
        }
    }

    private func readSources(into check: inout Verification, _ access: TextAccess) throws(PostgresError) {
        guard access == .here else {
            let found = try connection.query(
                "SELECT d.name, d.digest FROM \(quoted).private_digests() AS d WHERE d.kind = 'source'")
            for row in found.rows.indices {
                guard let checksum = found.text(row, 0), let digest = found.text(row, 1) else { continue }
                check.readSource(checksum, digest: digest)
            }
            return
        }
        // The names first and the bytes one by one: a file may have 200 MB.
        let names = try connection.query("SELECT s.checksum FROM \(quoted).migration_source AS s")
        for row in names.rows.indices {
            guard let checksum = names.text(row, 0), let bytes = try sourceBytes(checksum) else { continue }
            check.readSource(checksum, digest: SHA256.hex(bytes))
        }
    }

    /// Holds the history's schema, and the rights to it, against what this program installs. Returns what is no finding and reaches the history.
    private func readSchema(into check: inout Verification, _ version: Int) throws(PostgresError) -> [String] {
        for clause in try deviations(version: version) + intruders(version: version) { check.foundDeviation(clause) }
        let reach = try reaches() + [uncomparedViews].compactMap(\.self)
        guard version >= HistoryReader.rowValueVersion else { return reach }
        for clause in try foreignRights() + unfitRoles() { check.foundDeviation(clause) }
        return try powers() + reach
    }

    /// Who else has rights to the history, one clause each, as the history's own function says: its text is among what `deviations` compares.
    private func foreignRights() throws(PostgresError) -> [String] {
        let found = try connection.query(
            """
            SELECT format('role ''%s'' ', r.role) || coalesce(logins.words, '') || CASE r.privilege WHEN 'MEMBER' THEN format('is a member of ''%s''', r.object)
                   WHEN 'LOGIN' THEN 'owns the history and can log in' ELSE format('has %s on %s %s', r.privilege, lower(r.class), r.object) END
              FROM \(quoted).foreign_rights() AS r
              -- A right of a role is one of every login that has the role by whatever way.
              LEFT JOIN LATERAL (
                  SELECT format('(so login %s) ', string_agg(format('''%s''', l.rolname), ', ' ORDER BY l.rolname)) AS words
                    FROM pg_catalog.pg_roles AS g JOIN pg_catalog.pg_roles AS l ON l.oid <> g.oid
                   WHERE g.rolname = r.role AND l.rolcanlogin AND NOT l.rolsuper
                     -- Since PostgreSQL 16 a member need be neither able to become the role nor to inherit it.
                     AND pg_has_role(l.oid, g.oid, CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'USAGE, SET' END)
                  HAVING count(*) > 0) AS logins ON true
            """)
        return found.rows.indices.compactMap { found.text($0, 0) }
    }

    /// What is wrong with a table that should be an ordinary one behind its append-only trigger.
    private func problems(
        of table: String, trigger: String, calling function: String = "refuse_change"
    ) throws(PostgresError) -> [String] {
        let found = try connection.query(
            """
            SELECT c.relkind = 'r', c.relrowsecurity, c.relhasrules, t.tgenabled::text,
                   f.proname = $4::name AND f.pronamespace = c.relnamespace
              FROM pg_catalog.pg_class AS c
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              LEFT JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = $3::name AND NOT t.tgisinternal
              LEFT JOIN pg_catalog.pg_proc AS f ON f.oid = t.tgfoid
             WHERE n.nspname = $1::name AND c.relname = $2::name
            """, [.text(schema), .text(table), .text(trigger), .text(function)])
        guard !found.rows.isEmpty else { return ["is not there"] }
        var problems: [String] = []
        if !found.isTrue(0, 0) { problems.append("is not an ordinary table") }
        if found.isTrue(0, 1) { problems.append("is under row security") }
        if found.isTrue(0, 2) { problems.append("has rewrite rules") }
        switch found.text(0, 3) {
        case nil: problems.append("lacks its trigger '\(trigger)'")
        case "A": if !found.isTrue(0, 4) { problems.append("has a trigger '\(trigger)' that calls another function") }
        default: problems.append("has its trigger '\(trigger)' switched off")
        }
        return problems
    }
}
