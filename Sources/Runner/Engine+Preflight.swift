internal import Checks
internal import Configuration
internal import ForeignKeys
internal import JSON
internal import Migrations
internal import Postgres
public import Reporting
internal import SQLLexing
internal import SQLParsing
internal import Systemd

extension Engine {
    /// What an `apply` up to `limit` would meet now. Every question is asked in a READ ONLY transaction; nothing is recorded.
    ///
    /// The file's statements are read, not run: what an earlier pending statement would bring is told as such, and a name without a schema
    /// means what it means to the role's own search_path.
    ///
    /// - Parameter sessionAge: sessions are told of whose transactions are older and hold locks on tables that the files name.
    public func preflight(
        limit: String? = nil, sessionAge: TimeSpan = .seconds(60)
    ) throws(RunFailure) -> Preflight {
        let snapshot = try snapshot()
        let states = try store.installedVersion(try sessions.books()) != nil ? try history.states() : []
        let plan = try plan(snapshot, states, limit: limit)
        var summary = RunSummary()
        var files: [PreparedFile] = []
        for step in plan.pending {
            guard case .text(let checksum, _) = snapshot.content(of: step.migration) else { continue }
            do throws(Complaint) {
                files.append(try prepared(step, checksum, version: step.migration.version, in: snapshot))
            } catch {
                summary.complaints.append(error)
            }
        }
        var preflight = Preflight(summary: try self.summary(of: plan, snapshot, summary))
        preflight.pending = files.map(\.migration.name)
        let found = try lookAhead(files, countsOrphans: true, sessionAge: sessionAge)
        preflight.remarks = found.files.flatMap(\.self) + found.around
        preflight.remarks += try powers()
        return preflight
    }

    /// What each of `files` would meet, run one after the other, and what stands round the tables that they name.
    ///
    /// - Parameter countsOrphans: whether foreign keys are looked at, which reads their tables; all else is in the catalog.
    func lookAhead(
        _ files: [PreparedFile], countsOrphans: Bool, sessionAge: TimeSpan
    ) throws(RunFailure) -> (files: [[Preflight.Remark]], around: [Preflight.Remark]) {
        let named = files.map { NamedTables($0.script) }
        let impacts = files.map { StatementImpact.all(in: $0.script) }
        let locked = impacts.joined().flatMap(\.locks).map { TableName(schema: $0.schema, $0.table) }
        var tables: [TableName] = []
        var seen: Set<TableName> = []
        for table in named.flatMap(\.named).joined() + locked where seen.insert(table).inserted { tables.append(table) }
        let (sizes, around) = try surroundings(of: tables, sessionAge)
        var before = Forthcoming()
        var remarks: [[Preflight.Remark]] = []
        for (index, file) in files.enumerated() {
            remarks.append(
                try self.remarks(on: file, named[index], impacts[index], sizes, countsOrphans, &before))
        }
        return (remarks, around)
    }

    // MARK: One file

    private func remarks(
        on file: PreparedFile, _ named: NamedTables, _ impacts: [StatementImpact],
        _ sizes: [String: Surroundings.Table],
        _ countsOrphans: Bool, _ before: inout Forthcoming
    ) throws(RunFailure) -> [Preflight.Remark] {
        let script = file.script
        var remarks = lasting(file)
        if let warning = script.unparsed {
            before.addUnparsed()
            return remarks + [
                Preflight.Remark(
                    verdict: .note, kind: "foreign_key", migration: file.migration.name, place: warning.place,
                    what: "the file cannot be read by this program's grammar, so that nothing is said of it")
            ]
        }
        let keys = countsOrphans ? ForeignKeyStatement.all(in: script) : []
        // Of many INSERTs into one table the first says it all.
        for statement in script.statements.indices where !script.isRepetition(statement) {
            let forecast = StatementForecast(impacts[statement], number: statement + 1, sizes, before)
            remarks.append(
                Preflight.Remark(
                    verdict: forecast.verdict, kind: "statement", migration: file.migration.name,
                    place: script.place(of: statement), what: forecast.words,
                    impact: forecast))
            for key in keys where key.statement == statement {
                remarks.append(try remark(on: key, in: file, before))
            }
            before.add(named, statement: statement)
        }
        return remarks
    }

    /// Its secrets, which the history would keep, and the settings that it leaves to later sessions.
    private func lasting(_ file: PreparedFile) -> [Preflight.Remark] {
        func remark(_ kind: String, at offset: Int, _ what: String) -> Preflight.Remark {
            Preflight.Remark(
                verdict: .note, kind: kind, migration: file.migration.name, place: file.script.place(at: offset),
                what: what)
        }
        return file.script.secrets.found.map { remark("secret", at: $0.range.lowerBound, $0.words) }
            + file.script.lastingSettings.map {
                remark(
                    "setting", at: file.script.statements[$0.statement].range.lowerBound,
                    "\($0.words) for every later session")
            }
    }

    private func remark(
        on statement: ForeignKeyStatement, in file: PreparedFile, _ before: Forthcoming
    ) throws(RunFailure) -> Preflight.Remark {
        let key = statement.key
        var remark = Preflight.Remark(
            verdict: .note, kind: "foreign_key", migration: file.migration.name,
            place: file.script.place(at: statement.range.lowerBound),
            object: "\(key.table.text).\(key.name ?? key.columns.joined(separator: ","))", what: "")
        guard file.script.sessionSettings(before: statement.statement).isEmpty else {
            remark.what = "not looked at: the file changes its session's settings before it"
            return remark
        }
        let found = try look { (connection: Connection) throws(PostgresError) in
            try connection.query(CatalogQuestion.sql, [.text(CatalogQuestion([key]).parameter)])
        }
        let facts: ForeignKeyFacts
        do throws(Complaint) {
            let answer = try found.get()
            facts = try ForeignKeyFacts(answer.rows.first?[0] ?? [])
        } catch {
            throw .complaint(error)
        }
        let policy = file.foreignKeyPolicy(settings)
        var probe = policy
        probe.missingTable = .skip
        probe.skipsExisting = true
        let planner = ForeignKeyPlanner(probe, quotedHistory: store.schema)
        var names = ChosenNames()
        let plan = planner.plan(key, facts, &names)
        var total: Int64 = 0
        if let counts = planner.counts(for: key, facts), case .steps = plan {
            let counted = try look { (connection: Connection) throws(PostgresError) in
                let orphans = try connection.query(counts.orphans).integer(0, 0) ?? 0
                let needsTotal = policy.orphans == .clean && policy.limit.needsTotal(for: orphans)
                return (orphans, needsTotal ? try connection.query(counts.total).integer(0, 0) ?? 0 : 0)
            }
            switch counted {
            case .success(let numbers): (remark.count, total) = numbers
            case .failure(let complaint):
                remark.verdict = .fail
                remark.what =
                    KeyRun.mismatches.contains(complaint.sqlstate)
                    ? "the columns cannot be compared: \(complaint.message)"
                    : "orphans cannot be counted: \(complaint.message)"
                return remark
            }
        }
        let forecast = KeyForecast(
            statement, facts, policy, plan, orphans: remark.count, total: total, before: before)
        (remark.verdict, remark.what) = (forecast.verdict, forecast.what)
        return remark
    }

    // MARK: Round them

    /// What the logins could do to the history.
    private func powers() throws(RunFailure) -> [Preflight.Remark] {
        var logins = [(try sessions.work().user, true)]
        if sessions.hasTwoLogins { logins.append((try sessions.books().user, false)) }
        var remarks: [Preflight.Remark] = []
        for (login, runsFiles) in logins {
            let powers = try sessions.powers(of: login, runsFiles: runsFiles, schema: settings.schema)
            guard let weakness = powers?.weakness else { continue }
            remarks.append(Preflight.Remark(verdict: .note, kind: "login", what: weakness))
        }
        return remarks
    }

    /// The sizes of the tables that are there, their invalid indexes, and sessions whose locks on them are old.
    private func surroundings(
        of tables: [TableName], _ sessionAge: TimeSpan
    ) throws(RunFailure) -> (sizes: [String: Surroundings.Table], remarks: [Preflight.Remark]) {
        guard !tables.isEmpty else { return ([:], []) }
        let names = JSONValue.array(tables.map { .string($0.sql) }).text
        let answer = try look { (connection: Connection) throws(PostgresError) in
            [
                try connection.query(Surroundings.tables, [.text(names)]),
                try connection.query(Surroundings.invalidIndexes, [.text(names)]),
                try connection.query(Surroundings.sessions, [.text(names), .integer(sessionAge.microseconds)]),
            ]
        }
        let found: [QueryResult]
        do throws(Complaint) { found = try answer.get() } catch { throw .complaint(error) }
        let sizes = Surroundings.sizes(found[0])
        return (sizes, Surroundings.remarks(tables: sizes, indexes: found[1], sessions: found[2]))
    }

    /// Asks in a READ ONLY transaction of its own with the role's own search_path; what the server refuses is a complaint to be told.
    func look<Value>(
        _ body: (Connection) throws(PostgresError) -> Value
    ) throws(RunFailure) -> Result<Value, Complaint> {
        let connection = try sessions.work()
        try sessions.run(
            connection,
            """
            BEGIN TRANSACTION READ ONLY; SET LOCAL search_path TO DEFAULT; SET LOCAL row_security = off; SET LOCAL jit = off;
            SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = \(settings.statementTimeout.microseconds / 1000)
            """)
        let limit = settings.deadline.microseconds > 0 ? Instant.now() + settings.deadline : nil
        sessions.waiter.begin(.statements(until: limit), cancellation: connection.cancellation())
        let result: Result<Value, Complaint>
        do throws(PostgresError) {
            result = .success(try body(connection))
        } catch {
            guard case .server = error, connection.isAlive, sessions.waiter.cause == nil else {
                throw sessions.failure(error)
            }
            result = .failure(error.complaint)
        }
        try sessions.run(connection, "ROLLBACK")
        return result
    }
}
