internal import AuditSchema
internal import Configuration
internal import JSON
internal import Migrations
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing
internal import Systemd

/// Where the files are built, so that it can be seen what they make.
public enum ScratchChoice: Sendable, Equatable {
    /// In a database of our own on the same server.
    case beside
    /// In a copy of the database that this connection string names.
    case copy(of: String)
    /// Nowhere: what each file says is looked for.
    case none
}

/// How far a database is as a folder's files make it.
struct DatabaseProof {
    /// What the comparison came to.
    var verdict: FolderProof.Verdict
    /// The migrations that were compared, in their order.
    var migrations: [Migration]
    /// The last of them behind which the database stands; nil where it stands behind none, or before the first.
    var standing: Migration? { verdict.standing.flatMap { $0.upperBound >= 0 ? migrations[$0.upperBound] : nil } }

    /// So many differences, and so much of what no file knows, are printed.
    private static let told = (differences: 200, unknown: 20)

    /// For people: the sum, then what differs, then what stands beside it.
    var lines: [String] {
        func some(_ all: [FolderProof.Difference], _ most: Int) -> [String] {
            all.prefix(most).map(\.line) + (all.count > most ? ["… \(all.count - most) more"] : [])
        }
        return [
            "compared \(verdict.objects) object(s) as \(migrations.count) file(s) leave them; rows are not compared"
        ]
            + some(verdict.differences, DatabaseProof.told.differences)
            + some(verdict.unknown, DatabaseProof.told.unknown)
    }

    /// For machines.
    var json: JSONValue {
        [
            "objects": .integer(Int64(verdict.objects)), "files": .integer(Int64(migrations.count)),
            "differences": .array(verdict.differences.map(\.json)), "beside": .array(verdict.unknown.map(\.json)),
            "stands_behind": JSONValue(standing?.name),
        ]
    }

    /// For the event of a migration that is recorded: how it was compared, and what differs of what it made or took away.
    func detail(of migration: String) -> [String: JSONValue] {
        var detail: [String: JSONValue] = ["compared": "scratch"]
        let accepted = verdict.differences.filter { $0.file == migration }.prefix(50)
        if !accepted.isEmpty { detail["accepted_differences"] = .array(accepted.map { .string($0.line) }) }
        return detail
    }

    /// Why it proves nothing; nil where it does. With `isStrict` what no file knows counts as well.
    func refusal(accepted: [String], isStrict: Bool, isBaseline: Bool) -> Complaint? {
        let wanting = (verdict.differences + (isStrict ? verdict.unknown : [])).filter { difference in
            !accepted.contains { difference.isNamed(by: $0) }
        }
        guard let first = wanting.first else { return nil }
        var hint: String
        if !isBaseline {
            hint = ""
        } else if let standing {
            hint = "It is as '\(standing.name)' leaves it: 'migrated adopt --baseline \(standing.version)'. "
        } else if verdict.standing?.upperBound == -1 {
            hint = "Not even what the first file makes is there. "
        } else {
            hint = "It is as none of the files leaves it. "
        }
        hint += "What is right all the same can be named: --accept-differences '\(first.object)'."
        return Complaint(
            .failed,
            "the database is not as the files leave it, in \(wanting.count) point(s): \(first.line.split(separator: " ").joined(separator: " "))",
            hint: hint)
    }
}

extension Engine {
    /// Builds the folder up to the migration at `last` in a scratch database, and compares its catalog with the real one's, `found`.
    ///
    /// Once where they are equal and `tellsFiles` is not asked for; otherwise once more with a look behind each file, which tells whose difference it is. Throws `.failed` where no
    /// scratch can be made or a file does not run in it.
    func proof(
        of found: FolderProof.Catalog, upTo last: Int, _ choice: ScratchChoice,
        _ snapshot: MigrationDirectory.Snapshot, tellsFiles: Bool = false
    ) throws(RunFailure) -> DatabaseProof {
        // The files run, if elsewhere.
        try requireManifest(snapshot)
        let maker = try maker(choice)
        if let obstacle = try ScratchDatabase.obstacle(maker) { throw .complaint(Engine.noScratch(obstacle)) }
        let migrations = Array(snapshot.set.migrations[...last].filter { !$0.repeatable && $0.baseline == nil })
        let scripts = try migrations.map { (migration) throws(RunFailure) in
            try told { () throws(Complaint) in try script(of: migration, in: snapshot) }
        }
        let plan = try ScratchDatabase.plan(
            sessions, maker, isCopy: choice != .beside, made: Engine.extensions(createdBy: scripts))
        if plan.isBesideTheReal { try Engine.refuseWhatIsShared(scripts) }
        guard let newest = migrations.last else {
            return DatabaseProof(verdict: FolderProof(before: [:]).compare(with: found), migrations: [])
        }
        if !tellsFiles {
            let quick = try inScratch(plan, maker) { (engine) throws(RunFailure) in
                var folder = FolderProof(before: try engine.catalog())
                try engine.build(upTo: newest)
                folder.add(newest.name, try engine.catalog())
                return folder.compare(with: found)
            }
            if quick.differences.isEmpty, quick.unknown.isEmpty {
                var verdict = quick
                verdict.standing = migrations.count - 1...migrations.count - 1
                return DatabaseProof(verdict: verdict, migrations: migrations)
            }
        }
        let verdict = try inScratch(plan, maker) { (engine) throws(RunFailure) in
            var folder = FolderProof(before: try engine.catalog())
            for migration in migrations {
                try engine.build(upTo: migration)
                folder.add(migration.name, try engine.catalog())
            }
            return folder.compare(with: found)
        }
        return DatabaseProof(verdict: verdict, migrations: migrations)
    }

    /// The sessions from which the scratch database is made: trusted like those of the real one.
    private func maker(_ choice: ScratchChoice) throws(RunFailure) -> Sessions {
        guard case .copy(let conninfo) = choice else { return sessions }
        var settings = settings
        settings.database = conninfo
        settings.auditDatabase = nil
        let maker = try Sessions(settings, waiter: sessions.waiter, listens: false)
        try told { () throws(Complaint) in for file in maker.files { try SafePath.require(file) } }
        for weakness in maker.weaknesses { reporter.say(4, weakness) }
        return maker
    }

    /// Makes a scratch database, works in it and drops it.
    private func inScratch<Value>(
        _ plan: ScratchDatabase.Plan, _ maker: Sessions,
        _ work: (Engine) throws(RunFailure) -> Value
    ) throws(RunFailure) -> Value {
        let scratch = try ScratchDatabase(plan, maker)
        let engine: Engine
        let value: Value
        do throws(RunFailure) {
            engine = try Engine(inside: scratch, of: self)
            defer { engine.disconnect() }
            if try engine.store.installedVersion(engine.sessions.books()) != nil {
                throw RunFailure.complaint(
                    Complaint(
                        .configuration, "the database that --scratch names holds a history of migrated",
                        hint: "Name one in which no migration ran."))
            }
            value = try work(engine)
            FailPoint.scratchBuilt.pass()
        } catch {
            // Why it was not built counts; the next one drops what is left.
            try? scratch.drop()
            guard case .complaint(var complaint) = error, !scratch.missingExtensions.isEmpty else { throw error }
            complaint.hint =
                "Not there were the extensions \(scratch.missingExtensions.joined(separator: ", ")). \(complaint.hint ?? "")"
            throw .complaint(complaint)
        }
        try scratch.drop()
        return value
    }

    /// Applies the folder up to a migration, in a scratch database.
    private func build(upTo migration: Migration) throws(RunFailure) {
        let summary: RunSummary
        do throws(RunFailure) {
            summary = try apply(limit: migration.version, lockPatience: .seconds(0))
        } catch {
            if case .stopped = error { throw error }
            throw .complaint(Engine.notBuilt(error.complaint))
        }
        if let complaint = summary.complaints.first { throw .complaint(Engine.notBuilt(complaint)) }
    }

    private static func notBuilt(_ cause: Complaint) -> Complaint {
        var complaint = cause
        complaint.status = .failed
        complaint.message = "the files do not run in a scratch database: \(cause.message)"
        complaint.hint = """
            Where something has to be there before the first file, put it into a database and name that with --scratch CONNINFO: the scratch becomes a \
            copy of it. --scratch none compares file by file.
            """
        return complaint
    }

    private static func noScratch(_ obstacle: String) -> Complaint {
        Complaint(
            .permission, "no scratch database can be made to build the files in: \(obstacle)",
            hint:
                "Let it (ALTER ROLE … CREATEDB), name another database with --scratch CONNINFO, or compare file by file with --scratch none."
        )
    }

    /// The catalog of this engine's database, without what is left out of its readings.
    func catalog() throws(RunFailure) -> FolderProof.Catalog {
        let connection = try sessions.books()
        let query = """
            SELECT c.class, c.object, c.definition
              FROM (SELECT o.class, o.object, o.definition FROM \(store.schema).catalog_object AS o
                    UNION ALL (\(FurtherObjects.query(history: Quoting.literal(settings.schema))))) AS c
             WHERE c.class NOT IN ('database setting', 'role setting')
               AND c.object NOT LIKE ALL (\(store.schema).left_out(\(Quoting.literal(Quoting.array(settings.catalogIgnore)))::text[]))
            """
        let found: QueryResult
        // Compiling takes ten seconds of what is asked in a hundredth.
        try sessions.run(connection, "BEGIN; SET LOCAL jit = off")
        do throws(RunFailure) {
            // For a look alone no history is left behind.
            let installed = try store.installedVersion(connection) ?? 0
            for version in installed..<AuditSchema.currentVersion {
                try sessions.run(connection, AuditSchema.sql(version: version + 1, quotedSchema: store.schema))
            }
            found = try sessions.query(connection, query)
        } catch {
            sessions.dropBooks()
            throw error
        }
        try sessions.run(connection, "ROLLBACK")
        return Dictionary(
            found.rows.indices.map { row in
                (
                    CatalogItem.Object(kind: found.text(row, 0) ?? "", name: found.text(row, 1) ?? ""),
                    found.text(row, 2) ?? ""
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// A migration's text, as it would run.
    func script(of migration: Migration, in snapshot: MigrationDirectory.Snapshot) throws(Complaint) -> Script {
        try PreparedFile.script(of: try directory.read(migration, in: snapshot), .up, settings: settings)
    }

    private static func extensions(createdBy scripts: [Script]) -> Set<String> {
        Set(
            scripts.flatMap { script in
                script.statements.indices.compactMap { statement in
                    script.statements[statement].node == "CreateExtensionStmt"
                        ? script.root(statement)?.text("extname") : nil
                }
            })
    }

    /// What belongs to the whole server was done when the files ran first, and would be done again.
    private static func refuseWhatIsShared(_ scripts: [Script]) throws(RunFailure) {
        for script in scripts {
            for (index, statement) in script.statements.enumerated() {
                let kind = script.root(index)?.text("renameType")
                guard let words = sharedStatements[kind ?? statement.node] else { continue }
                throw .complaint(
                    Complaint(
                        .failed,
                        "\(words) changes what belongs to the whole server: it is not run again in a scratch database on it",
                        hint:
                            "Name a database of another server with --scratch CONNINFO, or compare file by file with --scratch none.",
                        place: script.place(at: statement.range.lowerBound)))
            }
        }
    }

    /// Statements about what all databases of a server share, by libpg_query's name of their node.
    private static let sharedStatements = [
        "CreateRoleStmt": "CREATE ROLE", "AlterRoleStmt": "ALTER ROLE", "AlterRoleSetStmt": "ALTER ROLE",
        "DropRoleStmt": "DROP ROLE", "GrantRoleStmt": "GRANT of a role", "CreatedbStmt": "CREATE DATABASE",
        "DropdbStmt": "DROP DATABASE", "AlterDatabaseStmt": "ALTER DATABASE", "AlterDatabaseSetStmt": "ALTER DATABASE",
        "AlterSystemStmt": "ALTER SYSTEM", "CreateTableSpaceStmt": "CREATE TABLESPACE",
        "DropTableSpaceStmt": "DROP TABLESPACE", "OBJECT_ROLE": "ALTER ROLE", "OBJECT_DATABASE": "ALTER DATABASE",
        "OBJECT_TABLESPACE": "ALTER TABLESPACE", "AlterTableSpaceOptionsStmt": "ALTER TABLESPACE",
    ]
}
