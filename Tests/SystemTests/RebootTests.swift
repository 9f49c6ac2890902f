import Glibc
import LiveSupport
import Testing

/// A machine with a PostgreSQL of its own, as Debian starts it, that goes down in the middle of a file; its disk is there again at the next
/// boot.
@Suite(.enabled(if: geteuid() == 0, "only root can boot a container"))
struct `A machine that goes down` {
    private let disk: TemporaryDirectory
    private var machine = Machine()

    /// The file's effect, then a wait for word from the test. A request to cancel it takes a while to be followed: long enough for a server
    /// that does not wait for us to be gone.
    private static let file = """
        INSERT INTO counter VALUES ('one');
        DO $$ BEGIN
            WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.01); END LOOP;
        EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(3); RAISE;
        END $$;
        """

    init() throws {
        disk = try TemporaryDirectory(mode: 0o755)
        for name in ["server", "clusters", "state", "said"] {
            guard mkdir(disk.path(name), 0o755) == 0 else { throw LiveFailure("cannot make '\(name)'") }
        }
        // Not under /tmp, which the unit has for itself.
        machine.binds = [
            disk.path("server") + ":/srv/server", disk.path("clusters") + ":/etc/postgresql",
            disk.path("state") + ":/var/lib/migrated",
            disk.path("said") + ":/srv/said",
        ]
        machine.setup = [
            """
            mkdir -p "$ROOT/etc/migrated" "$ROOT/srv/migrations"
            printf 'database = "host=/run/postgresql user=postgres dbname=app"\\ndirectory = "/srv/migrations"\\n' \\
                >"$ROOT/etc/migrated/migrated.toml"
            cat >"$ROOT/srv/migrations/1_one.sql" <<'SQL'
            \(Self.file)
            SQL
            """
        ]
    }

    /// Boots and starts the server and the daemon.
    private func boot(_ script: String) throws -> Program {
        try machine.boot(
            """
            sql() { psql -X -A -t -d 'host=/run/postgresql user=postgres dbname=app' -c "$1"; }
            eventually() { local looks; for ((looks = 0; looks < 300; looks++)); do "$@" && return; sleep 0.1; done; echo "never: $*"; exit 1; }
            events() { sql "SELECT concat_ws(' ', event, version, reason) FROM migrated.migration_rollback_audit ORDER BY seq"; }
            happened() { events 2>/dev/null | grep -qFx -- "$1"; }
            cd /
            # The cluster is made at the first boot and found at the second.
            chown postgres: /srv/server
            [ -e /etc/postgresql/15 ] ||
                pg_createcluster 15 main --datadir /srv/server/data -- --auth=trust --no-sync >/tmp/made 2>&1 || cat /tmp/made
            sed -i 's/peer$/trust/' /etc/postgresql/15/main/pg_hba.conf
            systemctl daemon-reload
            systemctl start postgresql postgresql@15-main
            createdb -h /run/postgresql -U postgres app 2>/dev/null &&
                sql 'CREATE TABLE counter (file text); CREATE TABLE go (now int)' >/dev/null
            systemctl start migrated
            \(script)
            """)
    }

    /// Boots again and lets the file come to its end.
    private func goOn() throws -> Program.Outcome {
        try boot(
            """
            sql 'INSERT INTO go VALUES (1)' >/dev/null
            eventually happened 'applied 1'
            systemctl stop migrated
            events
            sql 'SELECT file FROM counter'
            auditctl verify --database 'host=/run/postgresql user=postgres dbname=app' --state-directory /var/lib/migrated |
                head -n 1 | cut -d ' ' -f 1
            """
        ).outcome(within: .seconds(150))
    }

    @Test func `in order stops the daemon before the server, and goes on with the file at the next boot`() throws {
        // The end of this script is the order to power off.
        let first = try boot("eventually happened 'started 1'; events").outcome(within: .seconds(150))
        #expect(first.output == "daemon_started\nstarted 1\n", "\(first)")
        let second = try goOn()
        #expect(
            second.output == """
                daemon_started
                started 1
                interrupted 1 stopped
                daemon_stopped sigterm
                daemon_started
                started 1
                applied 1
                daemon_stopped sigterm
                one
                intact:

                """, "\(second)")
    }

    @Test func `without a word finds the file's attempt at the next boot, and what it did rolled back`() throws {
        let first = try boot("eventually happened 'started 1'; touch /srv/said/started; sleep 600")
        try eventually("start of the file", within: .seconds(100)) {
            guard first.isRunning else { throw LiveFailure("it is down: \(try first.outcome())") }
            return access(disk.path("said/started"), F_OK) == 0
        }
        first.signal(SIGKILL)
        try first.wait()
        let second = try goOn()
        #expect(
            second.output == """
                daemon_started
                started 1
                daemon_started
                interrupted 1 process_died
                started 1
                applied 1
                daemon_stopped sigterm
                one
                intact:

                """, "\(second)")
    }
}
