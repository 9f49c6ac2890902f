import LiveSupport
import Testing

/// S3: a deploy that stopped on a database that was already there, and that must now end by itself.
@Suite struct LivingDatabaseTests {
    // MARK: S3, a baseline that fails on a living database (Drizzle)

    private static let tables = (1...20).map { number in
        """
        CREATE TABLE "content_\(number)" (
        	"id" serial PRIMARY KEY NOT NULL,
        	"title" varchar(255) NOT NULL,
        	"project_id" integer,
        	"created_at" timestamp DEFAULT now() NOT NULL,
        	CONSTRAINT "content_\(number)_title_unique" UNIQUE("title")
        );
        """
    }
    private static let users = """
        CREATE TABLE "users" (
        	"id" serial PRIMARY KEY NOT NULL,
        	"email" text NOT NULL,
        	"password" text NOT NULL
        );
        """
    private static let keys = """
        DO $$ BEGIN
         ALTER TABLE "content_1" ADD CONSTRAINT "content_1_project_id_users_id_fk" FOREIGN KEY ("project_id") REFERENCES "users"("id");
        EXCEPTION
         WHEN duplicate_object THEN null;
        END $$;
        """
    private static let breakpoint = "\n--> statement-breakpoint\n"

    /// The folder as the tool made it.
    private func drizzle(_ baseline: String, _ files: [(tag: String, text: String)] = []) throws -> Workbench {
        let bench = try Workbench()
        try bench.folder.makeDirectory("m/meta")
        let all = [("0000_nice_forgotten_one", baseline)] + files
        let entries = all.enumerated().map { number, file in
            #"{"idx":\#(number),"version":"7","when":\#(1_700_000_000_000 + number),"tag":"\#(file.0)","breakpoints":true}"#
        }
        try bench.write(
            "meta/_journal.json",
            #"{"version":"7","dialect":"postgresql","entries":[\#(entries.joined(separator: ","))]}"#)
        for (tag, text) in all { try bench.write("\(tag).sql", text) }
        return bench
    }

    private static let baseline = (tables + [users, keys]).joined(separator: breakpoint)

    enum State: String, CaseIterable { case empty, complete, partly }

    private func prepare(_ bench: Workbench, _ state: State) throws {
        switch state {
        case .empty: break
        case .complete: try bench.query((Self.tables + [Self.users, Self.keys]).joined(separator: "\n"))
        case .partly: try bench.query(Self.tables[3...9].joined(separator: "\n"))
        }
    }

    @Test(arguments: State.allCases)
    func `S3 a: the original baseline, with skip-identical, on an empty, a complete and a partly migrated database`(
        state: State
    ) throws {
        let bench = try drizzle("-- migrated: existing=skip-identical\n" + Self.baseline)
        try prepare(bench, state)
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        #expect(
            try bench.query("SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'public'") == "21")
        let skipped = try bench.query(
            "SELECT count(*) FROM migrated.migration_rollback_audit WHERE reason = 'object_exists' AND detail LIKE '%\"compared\":true%'"
        )
        #expect(skipped == ["empty": "0", "complete": "21", "partly": "7"][state.rawValue])
        let events = try bench.events()
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events() == events)
        #expect(try bench.faults() == "")
    }

    @Test func `S3 a: a table that lacks a column is a clear error, mended by hand and then passed over`() throws {
        let bench = try drizzle("-- migrated: existing=skip-identical\n" + Self.baseline)
        try bench.query("CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL)")
        let before = try ReplayTests.dump(bench)
        let refused = try bench.run("apply")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("table 'public.users' exists and is not what the file says: column 'password'"))
        #expect(refused.errors.contains("in the database: none\n"))
        #expect(refused.errors.contains("in the file:     text NOT NULL\n"), "\(refused.errors)")
        #expect(try ReplayTests.dump(bench) == before)
        try bench.query("ALTER TABLE users ADD password text NOT NULL")
        #expect(try bench.run("retry").status == 0)
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
    }

    private static let repair = """
        CREATE TABLE IF NOT EXISTS users (id serial PRIMARY KEY, email text NOT NULL);
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'password') THEN
            ALTER TABLE users ADD COLUMN password text NOT NULL DEFAULT '';
            RAISE NOTICE E'added users.password\\x1b[31m';
          END IF;
        END $$;
        CREATE TABLE IF NOT EXISTS content (id serial PRIMARY KEY, title text);
        ALTER TABLE content ADD COLUMN IF NOT EXISTS project_id int;
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'content_project_fk') THEN
            ALTER TABLE content ADD CONSTRAINT content_project_fk FOREIGN KEY (project_id) REFERENCES users (id);
          END IF;
        END $$;
        CREATE INDEX CONCURRENTLY IF NOT EXISTS content_title ON content (title);
        INSERT INTO users (id, email) VALUES (1, 'admin') ON CONFLICT DO NOTHING;
        DO $$ BEGIN RAISE NOTICE 'production repair completed'; RAISE WARNING 'look at content'; END $$;
        """

    @Test(arguments: State.allCases)
    func `S3 b, d: the team's four files, two of which may fail, again and again`(state: State) throws {
        let bench = try drizzle(
            "-- emptied: see 9999\nSELECT 1;",
            [
                (
                    "0001_comprehensive_schema_fix",
                    "-- migrated: on-failure=continue\nALTER TABLE users ADD COLUMN role text;"
                ),
                (
                    "0010_enhanced_content_management",
                    "-- migrated: on-failure=continue\nALTER TABLE content ADD COLUMN slug text; SELECT 1/0;"
                ), ("9999_production_repair_idempotent", Self.repair),
            ])
        switch state {
        case .empty: break
        case .complete: try bench.query(Self.repair)
        case .partly: try bench.query("CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL)")
        }
        let applied = try bench.run("apply")
        #expect(applied.status == 1, "\(applied)")
        #expect(try bench.query("SELECT count(*) FROM users WHERE password IS NOT NULL") == "1")
        #expect(
            try bench.query("SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = 'content_title'::regclass")
                == "t")
        #expect(try bench.has("event = 'applied' AND version = '9999'"))
        // Whatever was said stands in the event, escaped.
        #expect(
            try bench.has(
                "event = 'applied' AND version = '9999' AND detail LIKE '%NOTICE: production repair completed%' AND detail LIKE '%WARNING: look at content%'"
            ))
        let added = try bench.has(#"version = '9999' AND strpos(detail, 'added users.password\\u{1b}[31m') > 0"#)
        #expect(applied.errors.contains(#"NOTICE: added users.password\u{1b}[31m"#) == added)
        #expect(!applied.errors.contains("\u{1b}"))
        #expect(added == (state != .complete))
        // What IF NOT EXISTS passed over is recorded with its object.
        let passed = try bench.query(
            """
            SELECT string_agg(object, ' ' ORDER BY seq) FROM migrated.migration_rollback_audit
             WHERE version = '9999' AND event = 'skipped' AND reason = 'object_exists'
            """)
        switch state {
        case .empty: #expect(passed == "")
        case .complete: #expect(passed == "users content content.project_id content_title")
        case .partly: #expect(passed == "users")
        }
        let count = try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE version = '9999'")
        for _ in 1...2 { _ = try bench.run("apply") }
        #expect(
            try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE version = '9999'") == count)
        #expect(try bench.faults() == "")
    }

    @Test func `S3 c: 9999 as repeatable runs again when it changes, over what it made`() throws {
        let bench = try drizzle(
            "SELECT 1;", [("9999_production_repair_idempotent", "-- migrated: repeatable\n" + Self.repair)])
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events("event = 'applied' AND version = '9999'").count == 1)
        try bench.write(
            "9999_production_repair_idempotent.sql", "-- migrated: repeatable\n" + Self.repair + "\n-- once more\n")
        let again = try bench.run("apply")
        #expect(again.status == 0, "\(again)")
        #expect(try bench.events("event = 'applied' AND version = '9999'").count == 2)
        #expect(try bench.query("SELECT count(*) FROM users") == "1")
        #expect(try bench.faults() == "")
    }
}
