import Glibc
import LiveSupport
import Testing

/// The units under a real systemd, in the sandbox that they bring, against a server outside of it.
@Suite(.enabled(if: geteuid() == 0, "only root can boot a container"))
struct `The units` {
    private let cluster: Cluster
    let database: Database
    var machine = Machine()

    init() throws {
        var options = Cluster.Options()
        options.isOpenToOthers = true
        cluster = try Cluster(options)
        database = try cluster.createDatabase()
        // Not under /tmp, which the unit has for itself.
        machine.binds = [cluster.directory + ":/srv/postgresql"]
        machine.setup = [
            configuration("migrated", database), file("migrations/1_a.sql", "CREATE TABLE a (id integer);"),
        ]
    }

    @Test func `start the daemon, which tells systemd and the journal what it does`() throws {
        let outcome = try run(
            """
            systemctl start migrated
            eventually status 'applied 1, pending 0, failed 0'
            show ActiveState; show User; show StatusText
            echo 'SELEC 1;' >/srv/migrations/2_b.sql
            eventually status waits
            show StatusText
            echo "DO \\$\\$ BEGIN RAISE NOTICE 'said %', 2; END \\$\\$;" >/srv/migrations/2_b.sql
            eventually status 'applied 2'
            entries '.MIGRATED_EVENT != null' '"\\(.MIGRATED_EVENT) \\(.MIGRATED_VERSION) \\(.MIGRATED_SEQ) \\(.PRIORITY)"'
            entries '.MIGRATED_EVENT == "failed"' '.MESSAGE, .MIGRATED_SQLSTATE, (.MESSAGE_ID | length), (.MIGRATED_HASH | length), ._TRANSPORT'
            entries '.MESSAGE | test("said")' '.MESSAGE'
            systemctl stop migrated
            show Result; show ExecMainStatus
            auditctl verify --database 'host=/srv/postgresql user=postgres dbname=\(database.name)' | head -n 1 | cut -d ' ' -f 1-3
            """)
        #expect(
            outcome.output == """
                ActiveState=active
                User=migrated
                StatusText=applied 1, pending 0, failed 0
                StatusText=applied 1, pending 0, failed 1 (2_b waits for mending)
                daemon_started null 1 6
                started 1 2 6
                applied 1 3 6
                started 2 4 6
                failed 2 5 3
                started 2 6 6
                applied 2 7 6
                failed 2_b at line 1, column 1: syntax error at or near "SELEC" (SQLSTATE 42601)
                42601
                32
                64
                journal
                2_b: NOTICE: said 2
                Result=success
                ExecMainStatus=0
                intact: 8 events,

                """, "\(outcome)")
    }

    @Test func `stop in the middle of a statement, start again after a kill, and go on`() throws {
        let outcome = try run(
            """
            echo 'SELECT pg_sleep(600);' >/srv/migrations/2_b.sql
            systemctl start migrated
            eventually running
            systemctl stop migrated
            show ActiveState; show Result; show ExecMainStatus
            systemctl start migrated
            eventually running
            kill -KILL "$(systemctl show -p MainPID --value migrated)"
            eventually restarted
            eventually running
            echo 'SELECT 1;' >/srv/migrations/2_b.sql.new
            systemctl stop migrated
            mv /srv/migrations/2_b.sql.new /srv/migrations/2_b.sql
            systemctl start migrated
            eventually status 'applied 2'
            systemctl stop migrated
            """)
        #expect(outcome.output == "ActiveState=inactive\nResult=success\nExecMainStatus=0\n", "\(outcome)")
        let found = try events(of: database)
        #expect(
            found == [
                "daemon_started", "started 1", "applied 1", "started 2", "interrupted 2 stopped",
                "daemon_stopped sigterm",
                "daemon_started", "started 2", "daemon_started", "interrupted 2 process_died", "started 2",
                "interrupted 2 stopped", "daemon_stopped sigterm",
                "daemon_started", "started 2", "applied 2", "daemon_stopped sigterm",
            ], "\(found)")
    }

    @Test func `do not start again what no restart mends, and keep several databases apart`() throws {
        var machine = self.machine
        let other = try cluster.createDatabase()
        machine.setup += [
            configuration("other", other, more: "directory = \"/srv/others\""),
            file("others/1_root.sql", "CREATE TABLE r ();"), file("others/2_own.sql", "CREATE TABLE o ();"),
            file("others/3_foreign.sql", "CREATE TABLE f ();"),
            "chown 1234 \"$ROOT/srv/others/3_foreign.sql\"",
            "echo 'nonsense = 1' >\"$ROOT/etc/migrated/bad.toml\"",
        ]
        let outcome = try run(
            """
            chown migrated: /srv/others/2_own.sql
            unit=migrated@other
            systemctl start "$unit"
            eventually status 3_foreign
            show StatusText
            eventually told '.MIGRATED_REASON == "unsafe_permissions"'
            chown root: /srv/others/3_foreign.sql
            eventually status 'applied 3'
            unit=migrated@bad
            systemctl start "$unit" 2>/dev/null || echo "refused"
            # Longer than RestartSec.
            sleep 7
            show ActiveState; show ExecMainStatus; show NRestarts
            journalctl -u "$unit" -o cat | grep -o "unknown key 'nonsense'" | uniq
            """, on: machine)
        #expect(
            outcome.output == """
                StatusText=applied 0, pending 3, failed 0 (file '/srv/others/3_foreign.sql' is owned by user 65534, who is \
                neither root nor the user of this process)
                refused
                ActiveState=failed
                ExecMainStatus=78
                NRestarts=0
                unknown key 'nonsense'

                """, "\(outcome)")
        let found = try events(of: other)
        #expect(
            found == [
                "daemon_started", "skipped 1 blocked_by_failure", "skipped 2 blocked_by_failure",
                "skipped 3 unsafe_permissions", "started 1", "applied 1", "started 2", "applied 2", "started 3",
                "applied 3", "daemon_stopped sigterm",
            ], "\(found)")
        #expect(try database.query("SELECT to_regclass('migrated.migration_rollback_audit') IS NULL") == "t")
    }

    /// Event, version and reason of all that is recorded.
    private func events(of database: Database) throws -> [String] {
        try database.query(
            "SELECT concat_ws(' ', event, version, reason) FROM migrated.migration_rollback_audit ORDER BY seq"
        ).split(separator: "\n").map(String.init)
    }

    private func configuration(_ name: String, _ database: Database, more: String = "directory = \"/srv/migrations\"")
        -> String
    {
        """
        mkdir -p "$ROOT/etc/migrated"
        cat >"$ROOT/etc/migrated/\(name).toml" <<'TOML'
        database = "host=/srv/postgresql user=postgres dbname=\(database.name)"
        \(more)
        TOML
        """
    }

    private func file(_ path: String, _ text: String) -> String {
        """
        mkdir -p "$(dirname "$ROOT/srv/\(path)")"
        cat >"$ROOT/srv/\(path)" <<'SQL'
        \(text)
        SQL
        """
    }

    /// Runs shell text that asks about the unit `$unit`.
    func run(_ script: String, on machine: Machine? = nil) throws -> Program.Outcome {
        try (machine ?? self.machine).ask(script, server: "host=/srv/postgresql user=postgres dbname=\(database.name)")
    }
}
