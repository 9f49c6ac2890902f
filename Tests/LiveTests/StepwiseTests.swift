import Glibc
import LiveSupport
import Postgres
import Testing

@testable import Runner

private let steps = "orphans=clean missing-table=skip index-foreign-keys=yes foreign-keys=stepwise"

@Suite struct `Foreign keys step by step` {
    private func trail(_ bench: Workbench) throws -> [String] {
        try bench.query(
            """
            SELECT concat_ws(' ', event, reason, object, row_count) FROM migrated.migration_rollback_audit
             WHERE event NOT IN ('started', 'statement_applied') ORDER BY seq
            """
        ).split(separator: "\n").map(String.init)
    }

    @Test func `are added, cleaned, indexed and proved, each step with its record, and come back whole`() throws {
        let dirty = try DirtyDatabase(steps)
        let before = try dirty.bench.query("SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM error_logs AS t")
        try dirty.apply()
        func key(_ table: String, _ name: String, _ cleanup: String) -> [String] {
            [
                "constraint_added not_valid public.\(table).\(name)", cleanup,
                "index_created public.\(table)_user_id_idx", "constraint_added validated public.\(table).\(name)",
            ]
        }
        #expect(
            try trail(dirty.bench)
                == key("dashboard_widgets", "widgets_user", "orphans_deleted public.dashboard_widgets.user_id 5")
                + key("error_logs", "logs_user", "orphans_nullified public.error_logs.user_id 12")
                + ["deferred missing_table saved_views.views_user", "applied"])
        #expect(try dirty.bench.faults() == "")
        let undone = try dirty.bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        #expect(
            try dirty.bench.query("SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM error_logs AS t") == before)
        #expect(try dirty.bench.query("SELECT count(*) FROM dashboard_widgets") == "105")
    }

    @Test func `fail before anything has changed where that can be known`() throws {
        for (directives, words) in [
            ("orphans=clean orphan-limit=4 foreign-keys=stepwise", "more than 'orphan-limit'"),
            (
                "orphans=fail foreign-keys=stepwise",
                "5 rows of 'public.dashboard_widgets' refer to rows that are not there"
            ),
        ] {
            let dirty = try DirtyDatabase(directives)
            let outcome = try dirty.bench.run("apply")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(words), "\(outcome)")
            #expect(try trail(dirty.bench).count == 1)
            #expect(
                try dirty.bench.query(
                    "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace")
                    == "0")
            #expect(try dirty.bench.query("SELECT count(*) FROM dashboard_widgets") == "105")
        }
    }

    @Test func `say in PostgreSQL's words what is no key, and leave nothing`() throws {
        let bench = try Workbench()
        try bench.query(
            """
            CREATE TABLE p (id text PRIMARY KEY, other int); CREATE TABLE c (id int, p int); INSERT INTO c VALUES (1, 1)
            """)
        for (columns, words) in [("p", "cannot be implemented"), ("p (other)", "no unique constraint")] {
            try bench.write(
                "001_key.sql",
                "-- migrated: orphans=clean foreign-keys=stepwise\nALTER TABLE c ADD FOREIGN KEY (p) REFERENCES \(columns);"
            )
            let outcome = try bench.run("apply")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(words), "\(outcome)")
            #expect(
                try bench.query(
                    "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace")
                    == "0")
        }
    }

    @Test func `a key left NOT VALID is taken up by the next attempt, and counted together`() throws {
        let dirty = try DirtyDatabase(steps)
        try dirty.bench.folder.write("migrated.toml", "lock-timeout = \"100ms\"\nretry-tries = 1\n")
        // Somebody works at one of the rows: none is cleaned under his hands.
        let holder = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", dirty.bench.database.conninfo],
            input: "BEGIN; SELECT * FROM dashboard_widgets WHERE id = 103 FOR UPDATE; SELECT pg_sleep(600);")
        try eventually("lock") {
            try dirty.bench.query(
                "SELECT count(*) FROM pg_locks WHERE granted AND relation = 'dashboard_widgets'::regclass AND mode = 'RowShareLock'"
            ) == "1"
        }
        let refused = try dirty.bench.run("apply")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("lock timeout"), "\(refused)")
        #expect(
            try dirty.bench.query("SELECT convalidated FROM pg_constraint WHERE conname = 'widgets_user'") == "f")
        #expect(throws: (any Error).self) {
            try dirty.bench.query("INSERT INTO dashboard_widgets VALUES (900, 'nobody')")
        }
        holder.signal(SIGINT)
        _ = try holder.outcome()
        let retried = try dirty.bench.run("retry")
        #expect(retried.status == 0, "\(retried)")
        #expect(try dirty.bench.run("apply").status == 0)
        #expect(try trail(dirty.bench).filter { $0.contains("not_valid public.dashboard_widgets") }.count == 1)
        #expect(
            try dirty.bench.query(
                "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND convalidated"
            ) == "2")
        #expect(try dirty.bench.query("SELECT count(*) FROM migrated.orphan_quarantine") == "17")
        #expect(try dirty.bench.faults() == "")
    }

    @Test func `a partitioned table and a circle go in one transaction`() throws {
        let bench = try Workbench()
        try bench.query(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
            CREATE TABLE c (id int, p int NOT NULL) PARTITION BY RANGE (id);
            CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (0) TO (1000);
            INSERT INTO c SELECT n, CASE WHEN n > 95 THEN 2 ELSE 1 END FROM generate_series(1, 99) AS n;
            CREATE TABLE tree (id int PRIMARY KEY, up int NOT NULL);
            INSERT INTO tree SELECT n, greatest(n - 1, 1) FROM generate_series(1, 99) AS n; INSERT INTO tree VALUES (200, 300), (201, 200)
            """)
        try bench.write(
            "001_keys.sql",
            """
            -- migrated: \(steps)
            ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p;
            ALTER TABLE tree ADD CONSTRAINT tree_up FOREIGN KEY (up) REFERENCES tree;
            """)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            try trail(bench).filter { !$0.hasPrefix("index") } == [
                "orphans_deleted public.c.p 4", "constraint_added public.c.c_p", "orphans_deleted public.tree.up 2",
                "constraint_added public.tree.tree_up", "applied",
            ])
    }

    @Test func `a row that is moved while it is looked at is found by the next round`() throws {
        let dirty = try DirtyDatabase(steps)
        let target = try ConnectionTarget(dirty.bench.database.conninfo, applicationName: "a busy application")
        let other = try Connection(target, waiter: BlockingWaiter())
        // The place of row 103 changes after it was found: the batch waits for this transaction, and then finds it elsewhere.
        try other.run("BEGIN; UPDATE dashboard_widgets SET id = 1103 WHERE id = 103")
        let program = try dirty.bench.start("apply", "--lock-timeout", "30s")
        try eventually("a session that waits", within: .seconds(30)) {
            try dirty.bench.query("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"
        }
        try other.run("COMMIT")
        let outcome = try program.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            try dirty.bench.query(
                "SELECT string_agg(key ->> 'id', ' ' ORDER BY id) FROM migrated.orphan_quarantine WHERE action = 'deleted'"
            )
            .split(separator: " ").sorted() == ["101", "102", "104", "105", "1103"])
        #expect(try dirty.bench.query("SELECT count(*) FROM dashboard_widgets") == "100")
    }
}

@Suite struct `A cleanup killed anywhere` {
    private static let points = [
        "transaction-open", "key-step", "statements-done", "before-append", "before-commit", "after-commit",
        "alone-done",
    ]

    /// At the n-th passing of the point, n = 1, 2, 3 …, until the run comes to its end untouched.
    @Test(arguments: points, ["one-transaction", "stepwise"])
    func `is finished by the next attempt, every row accounted for`(point: String, way: String) throws {
        var kills = 0
        for count in 1... {
            let dirty = try DirtyDatabase("orphans=clean missing-table=skip index-foreign-keys=yes foreign-keys=\(way)")
            let place = Comment(rawValue: "\(point):\(count)")
            let first = try dirty.bench.run("apply", environment: ["MIGRATED_FAILPOINT": "\(point):\(count)"])
            let wasKilled = first.end == .killed(9)
            kills += wasKilled ? 1 : 0
            if wasKilled, way == "one-transaction", !["after-commit"].contains(point) {
                #expect(try dirty.bench.query("SELECT count(*) FROM dashboard_widgets") == "105", place)
                #expect(
                    try dirty.bench.query(
                        "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
                    ) == "0", place)
            }
            let second = try dirty.bench.run("apply")
            #expect(second.status == 0, "\(place) \(second)")
            #expect(
                try dirty.bench.query(
                    "SELECT string_agg(conname || convalidated, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
                ) == "logs_usertrue widgets_usertrue", place)
            #expect(
                try dirty.bench.query(
                    "SELECT string_agg(event || n, ' ' ORDER BY event) FROM (SELECT event, sum(row_count) AS n FROM migrated.migration_rollback_audit WHERE event LIKE 'orphans%' GROUP BY event) AS e"
                ) == "orphans_deleted5 orphans_nullified12", place)
            #expect(
                try dirty.bench.query(
                    "SELECT string_agg(object, ' ' ORDER BY object) FROM migrated.migration_rollback_audit WHERE event = 'index_created'"
                ) == "public.dashboard_widgets_user_id_idx public.error_logs_user_id_idx", place)
            #expect(try dirty.bench.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0", place)
            #expect(try dirty.bench.query("SELECT count(*) FROM migrated.orphan_quarantine") == "17", place)
            #expect(try dirty.bench.faults() == "", place)
            #expect(try dirty.bench.run("rollback", "--last", "1").status == 0, place)
            #expect(try dirty.bench.query("SELECT count(*) FROM dashboard_widgets") == "105", place)
            #expect(try dirty.bench.query("SELECT count(*) FROM error_logs WHERE user_id LIKE 'gone%'") == "12", place)
            if !wasKilled { break }
        }
        #expect(kills > 0 || point == "alone-done" && way == "one-transaction", "the point \(point) was never passed")
    }
}
