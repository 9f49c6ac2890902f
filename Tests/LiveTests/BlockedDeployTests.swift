import LiveSupport
import Testing

/// S4 and S5: deploys that one bad migration blocked until somebody came. Now they end by themselves.
@Suite struct BlockedDeployTests {
    // MARK: S4, defined twice, used too early (Prisma)

    private static let queue = """
        -- CreateTable
        CREATE TABLE "dead_letter_queue" (
            "id" TEXT NOT NULL,
            "payload" JSONB NOT NULL,
            "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

            CONSTRAINT "dead_letter_queue_pkey" PRIMARY KEY ("id")
        );

        -- CreateIndex
        CREATE INDEX "dead_letter_queue_created_at_idx" ON "dead_letter_queue"("created_at");

        """

    private func twice(_ settings: String = "") throws -> Workbench {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", settings)
        let files = [
            "20250507030812_init": Self.queue
                + "CREATE TABLE \"users\" (\"id\" TEXT NOT NULL, CONSTRAINT \"users_pkey\" PRIMARY KEY (\"id\"));\n",
            "20250513_add_error_handling": Self.queue + "CREATE TABLE \"error_logs\" (\"id\" TEXT NOT NULL);\n",
            "20250513_add_batch_processing": """
            CREATE TABLE "batches" ("id" TEXT NOT NULL, "project_id" TEXT NOT NULL, CONSTRAINT "batches_pkey" PRIMARY KEY ("id"));

            -- AddForeignKey
            ALTER TABLE "batches" ADD CONSTRAINT "batches_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

            """,
            "20250513022650_add_project_and_schema_models":
                "CREATE TABLE \"projects\" (\"id\" TEXT NOT NULL, CONSTRAINT \"projects_pkey\" PRIMARY KEY (\"id\"));\n",
        ]
        for (name, text) in files {
            try bench.folder.makeDirectory("m/\(name)")
            try bench.write("\(name)/migration.sql", text)
        }
        return bench
    }

    @Test func `S4: check says all of it without a database`() throws {
        let checked = try twice().run("check", "--all")
        #expect(checked.status == 1, "\(checked)")
        // Both places of what is created twice, and of what is used before it is created.
        #expect(checked.output.contains("20250507030812_init/migration.sql:2"), "\(checked.output)")
        #expect(checked.output.contains("20250513_add_error_handling/migration.sql:2"))
        #expect(checked.output.contains("table 'dead_letter_queue'"))
        #expect(checked.output.contains("20250513_add_batch_processing/migration.sql:4"))
        #expect(checked.output.contains("'projects'"))
        #expect(checked.output.contains("20250513022650_add_project_and_schema_models"))
    }

    @Test(arguments: ["auto", "bytes"])
    func `S4: the folder as it is comes to its end, in either order`(order: String) throws {
        let bench = try twice("order = '\(order)'\nexisting = 'skip-identical'\nmissing-table = 'skip'\n")
        #expect(try bench.run("preflight").status == 0)
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        #expect(try bench.events("event = 'applied'").count == 4)
        #expect(
            try bench.query(
                """
                SELECT string_agg(object, ' ' ORDER BY seq) FROM migrated.migration_rollback_audit
                 WHERE event = 'skipped' AND reason = 'object_exists' AND name = '20250513_add_error_handling'
                """) == "public.dead_letter_queue public.dead_letter_queue_created_at_idx")
        #expect(
            try bench.query(
                "SELECT convalidated FROM pg_catalog.pg_constraint WHERE conname = 'batches_project_id_fkey'")
                == "t")
        let events = try bench.events()
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events() == events)
        #expect(try faults(bench) == [])
    }

    @Test func `S4: a second definition that is another one is an error, and the first stays as it is`() throws {
        let bench = try twice("existing = 'skip-identical'\nmissing-table = 'skip'\n")
        let path = "20250513_add_error_handling/migration.sql"
        try bench.write(path, bench.folder.read("m/" + path).replacing("JSONB NOT NULL", with: "TEXT"))
        let applied = try bench.run("apply")
        #expect(applied.status == 1)
        #expect(applied.errors.contains("column 'payload'"), "\(applied)")
        #expect(applied.errors.contains("in the database: jsonb NOT NULL\n"))
        #expect(applied.errors.contains("in the file:     text\n"))
        #expect(try bench.query("SELECT pg_catalog.to_regclass('error_logs') IS NULL") == "t")
        // Mended, it goes on; nobody has to clear anything.
        try bench.write(
            path,
            bench.folder.read("m/" + path).replacing(
                "TEXT,\n    \"created_at\"", with: "JSONB NOT NULL,\n    \"created_at\"")
        )
        #expect(try bench.run("apply").status == 0)
        #expect(try faults(bench) == [])
    }

    /// A key that is added later is an attempt of its own without a start.
    private func faults(_ bench: Workbench) throws -> [Substring] {
        try bench.faults().split(separator: "\n").filter { !$0.contains("attempt") }
    }

    // MARK: S5, the failed migration that blocks every deploy (Prisma P3009)

    private static let name = "20250203180200_revenue_system_versions"
    private static let statements = [
        """
        CREATE TABLE "revenue_system_versions" (
            "id" UUID NOT NULL DEFAULT gen_random_uuid(),
            "tenant_id" TEXT NOT NULL,
            "version" INTEGER NOT NULL DEFAULT 1,

            CONSTRAINT "revenue_system_versions_pkey" PRIMARY KEY ("id")
        );
        """,
        #"CREATE UNIQUE INDEX "revenue_system_versions_tenant_id_version_key" ON "revenue_system_versions"("tenant_id", "version");"#,
        #"ALTER TABLE "revenue_system_versions" ADD CONSTRAINT "revenue_system_versions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE;"#,
        #"ALTER TABLE "revenue_system_versions" ENABLE ROW LEVEL SECURITY;"#,
        #"CREATE POLICY "own_rows" ON "revenue_system_versions" USING ("tenant_id" = current_setting('app.tenant', true));"#,
        #"CREATE POLICY "own_writes" ON "revenue_system_versions" FOR INSERT WITH CHECK ("tenant_id" = current_setting('app.tenant', true));"#,
    ]

    private func revenue(_ directive: String = "", _ text: String = statements.joined(separator: "\n\n")) throws
        -> Workbench
    {
        let bench = try Workbench()
        try bench.query("CREATE TABLE tenants (id text PRIMARY KEY)")
        try bench.folder.makeDirectory("m/\(Self.name)")
        try bench.folder.makeDirectory("m/20250301000000_next")
        try bench.write("\(Self.name)/migration.sql", directive + text + "\n")
        try bench.write("20250301000000_next/migration.sql", "CREATE TABLE next (id int);\n")
        return bench
    }

    @Test func `S5: a failure is recorded with line and error code, and mending the file is enough`() throws {
        let broken = Self.statements.joined(separator: "\n\n").replacing("ENABLE ROW", with: "ENABLE ROWS")
            .replacing("ENABLE ROWS LEVEL SECURITY", with: "DISABLE TRIGGER nothing_of_that_name")
        let bench = try revenue("", broken)
        #expect(try bench.run("apply").status == 1)
        #expect(
            try bench.query(
                """
                SELECT event, reason, sqlstate, detail::jsonb ->> 'line' FROM migrated.migration_rollback_audit
                 WHERE event = 'failed'
                """) == "failed|sql_error|42704|13")
        #expect(try bench.query("SELECT pg_catalog.to_regclass('revenue_system_versions') IS NULL") == "t")
        #expect(try bench.events("event = 'skipped'") == ["skipped 20250301000000_next blocked_by_failure"])
        try bench.write("\(Self.name)/migration.sql", Self.statements.joined(separator: "\n\n"))
        let mended = try bench.run("apply")
        #expect(mended.status == 0, "\(mended)")
        #expect(try bench.events("event = 'applied'").count == 2)
        #expect(try bench.faults() == "")
    }

    @Test(arguments: 0...6)
    func `S5: what another tool left half-way is finished by replay, wherever it stopped`(done: Int) throws {
        let bench = try revenue("-- migrated: existing=skip-identical\n")
        for statement in Self.statements.prefix(done) { try bench.query(statement) }
        try bench.query(
            """
            CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
                migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
                started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);
            INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('1', 'x', '\(Self.name)', '')
            """)
        let adopted = try bench.run("adopt")
        #expect(adopted.status == 0 && adopted.output.contains("'\(Self.name)' failed there"), "\(adopted)")
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        #expect(try bench.events("event = 'applied'").count == 2)
        #expect(try bench.events("event = 'skipped' AND reason = 'object_exists'").count == done)
        #expect(
            try bench.query(
                """
                SELECT relrowsecurity, (SELECT count(*) FROM pg_catalog.pg_policy), (SELECT count(*) FROM pg_catalog.pg_constraint
                 WHERE contype = 'f' AND conrelid = 'revenue_system_versions'::regclass) FROM pg_catalog.pg_class WHERE relname = 'revenue_system_versions'
                """) == "t|2|1")
        #expect(try bench.faults() == "")
    }

    @Test(arguments: ["--applied", "--rolled-back"])
    func `S5: resolve exists all the same and says who and why`(way: String) throws {
        let bench = try revenue("", "SELECT 1/0;")
        #expect(try bench.run("apply").status == 1)
        let resolved = try bench.run("resolve", Self.name, way, "--reason", "done by hand in the incident")
        #expect(resolved.status == 0, "\(resolved)")
        #expect(
            try bench.query(
                """
                SELECT reason, message LIKE '%done by hand%' OR detail LIKE '%done by hand%', initiated_by <> ''
                  FROM migrated.migration_rollback_audit WHERE event = 'resolved'
                """) == "\(way == "--applied" ? "applied" : "rolled_back")|t|t")
        try bench.write("\(Self.name)/migration.sql", Self.statements.joined(separator: "\n\n"))
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events("event = 'applied'").count == (way == "--applied" ? 1 : 2))
    }
}
