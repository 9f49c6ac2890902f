import LiveSupport
import Testing

/// A generated file that refers to a table which some databases get only from a later one.
@Suite struct `A foreign key to a table that comes later` {
    private static let requests = "20251225045724_add_review_request_automation_tables"
    private static let auth = "20251226100000_add_auth_models"
    private static let followUp = "20251225050000_add_user_foreign_keys_to_review_request_tables"
    private static let tables = """
        -- CreateTable
        CREATE TABLE "ReviewRequest" (
            "id" TEXT NOT NULL,
            "businessId" TEXT NOT NULL,
            "userId" TEXT NOT NULL,
            "sentAt" TIMESTAMP(3),

            CONSTRAINT "ReviewRequest_pkey" PRIMARY KEY ("id")
        );

        -- CreateTable
        CREATE TABLE "ReviewAutomation" (
            "id" TEXT NOT NULL,
            "userId" TEXT,
            "requestId" TEXT NOT NULL,

            CONSTRAINT "ReviewAutomation_pkey" PRIMARY KEY ("id")
        );

        -- CreateIndex
        CREATE INDEX "ReviewRequest_userId_idx" ON "ReviewRequest"("userId");

        """
    private static let keys = """
        -- AddForeignKey
        ALTER TABLE "ReviewAutomation" ADD CONSTRAINT "ReviewAutomation_requestId_fkey" FOREIGN KEY ("requestId") REFERENCES "ReviewRequest"("id") ON DELETE CASCADE ON UPDATE CASCADE;

        """
    private static let userKeys = """
        -- AddForeignKey
        ALTER TABLE "ReviewRequest" ADD CONSTRAINT "ReviewRequest_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

        -- AddForeignKey
        ALTER TABLE "ReviewAutomation" ADD CONSTRAINT "ReviewAutomation_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

        """
    private static let users =
        "CREATE TABLE \"User\" (\"id\" TEXT NOT NULL, CONSTRAINT \"User_pkey\" PRIMARY KEY (\"id\"));\n"
    private static let settings =
        "layout = \"prisma\"\nmissing-table = \"skip\"\nexisting = \"skip-identical\"\nlate = \"apply\"\n"

    private func bench(_ prepared: String = "") throws -> Workbench {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", Self.settings)
        if !prepared.isEmpty { try bench.query(prepared) }
        return bench
    }

    private func add(_ name: String, _ text: String, to bench: Workbench) throws {
        try bench.folder.makeDirectory("m/" + name)
        try bench.write(name + "/migration.sql", text)
    }

    /// Applies twice; the second time nothing may change.
    private func apply(_ bench: Workbench) throws {
        let first = try bench.run("apply")
        #expect(first.status == 0, "\(first)")
        let recorded = try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit") == recorded)
        #expect(try bench.faults() == "")
    }

    private func keys(_ bench: Workbench) throws -> String {
        try bench.query(
            """
            SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint
             WHERE contype = 'f' AND convalidated AND connamespace = 'public'::regnamespace
            """)
    }

    private static let allKeys =
        "ReviewAutomation_requestId_fkey ReviewAutomation_userId_fkey ReviewRequest_userId_fkey"

    @Test func `is added at once where the table is there`() throws {
        let bench = try bench(Self.users)
        try add(Self.requests, Self.tables + Self.keys + Self.userKeys, to: bench)
        try apply(bench)
        #expect(try keys(bench) == Self.allKeys)
        #expect(try bench.events("event = 'deferred'") == [])
    }

    @Test func `is deferred, and added by itself after the later file, without a follow-up`() throws {
        let bench = try bench()
        try add(Self.requests, Self.tables + Self.keys + Self.userKeys, to: bench)
        try apply(bench)
        #expect(try keys(bench) == "ReviewAutomation_requestId_fkey")
        #expect(try bench.events("event = 'deferred'").count == 2)
        try add(Self.auth, Self.users, to: bench)
        try apply(bench)
        #expect(try keys(bench) == Self.allKeys)
        #expect(
            try bench.query(
                "SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'constraint_added' AND detail LIKE '%deferred_seq%'"
            )
                == "2")
    }

    @Test func `replays over what another tool's interrupted run has left`() throws {
        let bench = try bench(String(Self.tables.prefix { $0 != ";" }) + ";")
        #expect(try bench.query("SELECT to_regclass('\"ReviewRequest\"') IS NOT NULL") == "t")
        try add(Self.requests, Self.tables + Self.keys + Self.userKeys, to: bench)
        try apply(bench)
        #expect(try bench.events("event = 'skipped' AND reason = 'object_exists'").count == 1)
        #expect(try bench.query("SELECT to_regclass('\"ReviewAutomation\"') IS NOT NULL") == "t")
        #expect(try keys(bench) == "ReviewAutomation_requestId_fkey")
    }

    @Test func `leaves nothing to do for hardened files and a follow-up`() throws {
        let hardened = """
            DO $$ BEGIN
                IF EXISTS (SELECT FROM information_schema.tables WHERE table_name = 'User') THEN
                    ALTER TABLE "ReviewRequest" ADD CONSTRAINT "ReviewRequest_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
                ELSE RAISE NOTICE 'no User yet';
                END IF;
            EXCEPTION WHEN duplicate_object THEN NULL;
            END $$;
            """
        let bench = try bench(Self.users)
        try add(Self.requests, Self.tables + Self.keys + hardened, to: bench)
        try add(
            Self.followUp,
            hardened
                + """

                ALTER TABLE "ReviewRequest" ADD CONSTRAINT "ReviewRequest_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
                """, to: bench)
        try apply(bench)
        #expect(try keys(bench) == "ReviewAutomation_requestId_fkey ReviewRequest_userId_fkey")
        #expect(
            try bench.events("event = 'skipped' AND reason = 'object_exists'") == [
                "skipped \(Self.followUp) object_exists"
            ])
    }
}
