import JSON
import LiveSupport
import Postgres
import Testing

@Suite struct `A look ahead` {
    /// `verdict kind object count` of each remark on keys and on what is in the way.
    private func remarks(_ bench: Workbench, status: Int32, _ kinds: Set<String> = ["foreign_key"]) throws -> [String] {
        let answer = try bench.run("preflight", "-o", "json")
        #expect(answer.status == status, "\(answer)")
        let tape = try JSONTape(Array(answer.output.utf8))
        return try #require(tape.value(tape.root)["remarks"]?.array)
            .filter { kinds.contains($0["kind"]?.string ?? "") }
            .map { remark in
                [remark["verdict"]?.string, remark["object"]?.string, remark["what"]?.string]
                    .compactMap(\.self).joined(separator: " | ")
            }
    }

    @Test func `counts orphans under the file's policy, and changes nothing`() throws {
        let dirty = try DirtyDatabase()
        #expect(
            try remarks(dirty.bench, status: 0) == [
                "note | dashboard_widgets.widgets_user | 5 orphans: to be kept, then deleted",
                "note | error_logs.logs_user | 12 orphans: to be kept, then set to null",
                "note | saved_views.views_user | deferred until table 'saved_views' is there",
            ])
        #expect(try dirty.bench.query("SELECT to_regnamespace('migrated') IS NULL") == "t")
        #expect(try dirty.bench.query("SELECT count(*) FROM dashboard_widgets") == "105")
        try dirty.apply()
        #expect(try remarks(dirty.bench, status: 0) == [])
    }

    @Test func `says what would fail`() throws {
        let plain = try DirtyDatabase("orphans=fail")
        #expect(
            try remarks(plain.bench, status: 1) == [
                "fail | dashboard_widgets.widgets_user | 5 orphans: PostgreSQL will refuse the key",
                "fail | error_logs.logs_user | 12 orphans: PostgreSQL will refuse the key",
                "fail | saved_views.views_user | table 'saved_views' does not exist",
            ])
        #expect(try plain.bench.run("apply").status == 1)

        let careful = try DirtyDatabase("orphans=clean missing-table=skip orphan-limit=4")
        #expect(
            try remarks(careful.bench, status: 1).first
                == "fail | dashboard_widgets.widgets_user | 5 orphans, more than 'orphan-limit' (4) allows")
        let report = try DirtyDatabase("orphans=report missing-table=skip")
        #expect(
            try remarks(report.bench, status: 0).first
                == "note | dashboard_widgets.widgets_user | 5 orphans: they stay, and the key is added NOT VALID")
    }

    @Test func `knows what earlier files bring, and what stands already`() throws {
        let dirty = try DirtyDatabase("orphans=fail")
        try dirty.bench.query(
            """
            DELETE FROM dashboard_widgets WHERE id > 100; UPDATE error_logs SET user_id = NULL;
            ALTER TABLE error_logs ADD CONSTRAINT logs_user FOREIGN KEY (user_id) REFERENCES users (user_id)
            """)
        try dirty.bench.write("024_views.up.sql", "CREATE TABLE saved_views (id int PRIMARY KEY, user_id text);")
        try dirty.bench.write(
            "026_more.up.sql",
            """
            CREATE TABLE notes (id int PRIMARY KEY, author text REFERENCES users);
            ALTER TABLE users ADD COLUMN friend text REFERENCES users;
            ALTER TABLE notes ADD FOREIGN KEY (id) REFERENCES nowhere;
            ALTER TABLE users ADD FOREIGN KEY (user_id) REFERENCES error_logs (user_id);
            """)
        #expect(
            try remarks(dirty.bench, status: 1) == [
                "ok | dashboard_widgets.widgets_user | no orphan",
                "fail | error_logs.logs_user | 'logs_user' exists already: FOREIGN KEY (user_id) REFERENCES users(user_id)",
                "ok | saved_views.views_user | a table of this run: nothing is there to be an orphan before it ran",
                "ok | notes.author | a table of this run: nothing is there to be an orphan before it ran",
                "ok | users.friend | a column of this run: its rows are not there yet",
                "fail | notes.id | table 'nowhere' does not exist",
                "fail | users.user_id | no unique index of 'error_logs' stands behind the referenced columns",
            ])
    }

    @Test func `says of each statement what it locks, how large that is, and who waits`() throws {
        let dirty = try DirtyDatabase("orphans=clean")
        try dirty.bench.query("ANALYZE")
        try dirty.bench.write(
            "025_add_keys.up.sql",
            """
            ALTER TABLE error_logs ALTER COLUMN line TYPE text;
            CREATE TABLE notes (id int);
            ALTER TABLE notes ADD COLUMN more int;
            CREATE INDEX CONCURRENTLY logs_line ON error_logs (line);
            """)
        let answer = try dirty.bench.run("preflight", "-o", "json")
        let tape = try JSONTape(Array(answer.output.utf8))
        let statements = try #require(tape.value(tape.root)["remarks"]?.array)
            .filter { $0["kind"]?.string == "statement" }
        #expect(statements.map { $0["statement"]?.integer } == [1, 2, 3, 4])
        #expect(statements.map { $0["transactional"] } == [true, true, true, false])
        #expect(statements.map { $0["verdict"]?.string } == ["note", "ok", "ok", "ok"])
        let rewrite = try #require(statements[0]["locks"]?.array?.first)
        #expect(rewrite["relation"]?.string == "error_logs")
        #expect(rewrite["mode"]?.string == "ACCESS EXCLUSIVE")
        #expect(rewrite["work"]?.string == "rewrite")
        #expect(rewrite["blocks"]?.string == "readers and writers")
        #expect(rewrite["rows"]?.integer == 212)
        #expect((rewrite["bytes"]?.integer ?? 0) > 0)
        #expect(statements[1]["locks"]?.array == [])
        #expect(statements[2]["locks"]?.array?.first?["is_new"] == true)
        let build = try #require(statements[3]["locks"]?.array?.first)
        #expect(build["mode"]?.string == "SHARE UPDATE EXCLUSIVE")
        #expect(build["blocks"] == .null)
        let table = try dirty.bench.run("preflight")
        #expect(
            table.output.contains(
                "note 025_add_keys.up.sql:1:1: ALTER COLUMN 'line' TYPE takes ACCESS EXCLUSIVE on 'error_logs' (about 212 rows in "
            ), "\(table)")
        #expect(!table.output.contains("'notes'"), "\(table)")
    }

    /// What the newest `started` keeps of it: `verdict kind` of each remark; nil where there is none.
    private func kept(_ bench: Workbench) throws -> [String]? {
        let detail = try bench.query(
            "SELECT detail FROM migrated.migration_rollback_audit WHERE event = 'started' ORDER BY seq DESC LIMIT 1")
        let tape = try JSONTape(Array(detail.utf8))
        return tape.value(tape.root)["preflight"]?["remarks"]?.array?.map {
            "\($0["verdict"]?.string ?? "") \($0["kind"]?.string ?? "")"
        }
    }

    @Test func `is kept with the attempt, as much of it as is configured`() throws {
        let dirty = try DirtyDatabase()
        try dirty.bench.query("ANALYZE")
        try dirty.apply()
        #expect(try kept(dirty.bench) == ["note statement", "note statement", "ok statement"])
        let story = try dirty.ask("show", "--migration", "025")
        #expect(
            story.output.contains(
                "          note line 2: ADD FOREIGN KEY 'widgets_user' takes SHARE ROW EXCLUSIVE on 'dashboard_widgets' (about 105 rows in "
            ), "\(story)")
        // A plain file has nobody wait: nothing is asked and nothing kept.
        try dirty.bench.write("026_plain.up.sql", "CREATE TABLE plain (id int PRIMARY KEY);")
        try dirty.apply()
        #expect(try kept(dirty.bench) == nil)

        let full = try DirtyDatabase("orphans=clean")
        try full.bench.folder.write("migrated.toml", "preflight = \"full\"\n")
        #expect(try full.bench.run("apply").status == 1)
        #expect(
            try kept(full.bench)?.sorted()
                == [
                    "fail foreign_key", "note foreign_key", "note foreign_key", "note statement", "note statement",
                    "ok statement",
                ].sorted())
        let none = try DirtyDatabase()
        try none.bench.folder.write("migrated.toml", "preflight = \"no\"\n")
        try none.apply()
        #expect(try kept(none.bench) == nil)
    }

    @Test func `tells of invalid indexes and of sessions that have held locks for long`() throws {
        let dirty = try DirtyDatabase()
        try dirty.bench.query(
            """
            CREATE INDEX half ON error_logs (line);
            UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'half'::regclass
            """)
        #expect(
            try remarks(dirty.bench, status: 0, ["invalid_index", "session"]) == [
                "note | public.half | invalid index of 'error_logs'"
            ])
        let target = try ConnectionTarget(dirty.bench.database.conninfo, applicationName: "a long report")
        let reader = try Connection(target, waiter: BlockingWaiter())
        try reader.run("BEGIN; LOCK TABLE users IN ACCESS SHARE MODE")
        let busy = try dirty.bench.run("preflight", "--session-age", "0")
        #expect(busy.output.contains("'a long report'"), "\(busy)")
        #expect(busy.output.contains("holds AccessShareLock on users"), "\(busy)")
        #expect(try dirty.bench.run("preflight", "--session-age", "long").status == 64)
        let table = try dirty.bench.run("preflight")
        #expect(!table.output.contains("'a long report'"), "\(table)")
        #expect(
            table.output.contains(
                "note 025_add_keys.up.sql:2:35: dashboard_widgets.widgets_user: 5 orphans: to be kept, then deleted\n"),
            "\(table)")
        #expect(table.output.hasSuffix("applied 0, pending 1, failed 0; nothing would fail\n"), "\(table)")
    }
}
