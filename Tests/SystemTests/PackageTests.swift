import Glibc
import LiveSupport
import Testing

/// The Debian package, installed on a machine with a PostgreSQL of its own, as an operator meets it.
@Suite(
    .enabled(
        if: Machine.packageUnderTest != nil && geteuid() == 0, "needs root, and MIGRATED_PACKAGE naming a built package"
    ))
struct `The package` {
    private func run(_ script: String) throws -> Program.Outcome { try Machine.withPackage.install(script) }

    @Test func `is installed, does its work as its own user by peer authentication, and explains itself`() throws {
        let outcome = try run(
            """
            systemctl is-enabled migrated; systemctl is-active migrated
            getent passwd migrated | cut -d: -f6,7
            readlink /usr/bin/auditctl
            /usr/bin/auditctl -l 2>&1 | grep -o "kernel's audit tool"
            for page in migrated auditctl migrated.toml migrated.events; do man -w "$page" | sed 's|.*/||'; done
            echo 'CREATE TABLE a (id integer);' >/srv/migrations/1_a.sql
            systemctl enable --quiet --now migrated
            eventually status 'applied 1, pending 0, failed 0'
            sql "SELECT string_agg(DISTINCT db_user || ' ' || initiated_by, ',') FROM migrated.migration_rollback_audit"
            echo 'SELEC 1;' >/srv/migrations/2_b.sql
            eventually status 'failed 1'
            journalctl --sync
            journalctl MIGRATED_VERSION=2 -o cat | head -n 1
            id=$(journalctl MIGRATED_EVENT=failed -o json | jq -r .MESSAGE_ID)
            journalctl "MESSAGE_ID=$id" -x --no-pager | grep -F 'Subject: Migration 2_b failed'
            # A field that an entry does not have would stand there by its name.
            journalctl -u migrated -x --no-pager | grep -E 'MIGRATED_[A-Z]' || echo 'every field is filled in'
            runuser -u migrated -- auditctl verify | head -n 2 | cut -d ' ' -f 1-3
            """)
        #expect(
            outcome.output == """
                disabled
                inactive
                /var/lib/migrated:/usr/sbin/nologin
                migrated-auditctl
                kernel's audit tool
                migrated.8.gz
                auditctl.1.gz
                migrated.toml.5.gz
                migrated.events.7.gz
                migrated migrated.service
                started 2_b
                ░░ Subject: Migration 2_b failed
                every field is filled in
                intact: 5 events,
                anchors: 5 in

                """, "\(outcome)")
    }

    @Test func `holds applications back at its gate, and stops them while a migration has failed`() throws {
        let outcome = try run(
            """
            cat >/etc/systemd/system/app.service <<'UNIT'
            [Unit]
            Requires=migrated-wait@migrated.service
            After=migrated-wait@migrated.service
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/bin/sh -c 'psql -X -A -t -h /run/postgresql -d app -c "SELECT to_regclass(\\'later\\')" >/tmp/seen'
            User=postgres
            UNIT
            mkdir -p /etc/systemd/system/migrated-wait@.service.d
            printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/migrated wait --config /etc/migrated/%%i.toml --timeout 8s\\n' \\
                >/etc/systemd/system/migrated-wait@.service.d/time.conf
            systemctl daemon-reload
            echo 'SELECT pg_sleep(1); CREATE TABLE later ();' >/srv/migrations/1_a.sql
            systemctl start migrated
            systemctl start app && cat /tmp/seen
            echo 'SELEC 1;' >/srv/migrations/2_b.sql
            systemctl is-active app
            # A deploy asks anew.
            systemctl restart migrated-wait@migrated 2>/dev/null || echo 'closed'
            systemctl is-active app
            systemctl show -p ExecMainStatus --value migrated-wait@migrated
            systemctl start app 2>/dev/null || echo 'not started'
            echo 'SELECT 1;' >/srv/migrations/2_b.sql
            systemctl start app && echo 'started'
            """)
        #expect(outcome.output == "later\nactive\nclosed\ninactive\n75\nnot started\nstarted\n", "\(outcome)")
    }

    @Test func `raises one alert when it stays down, none for what a restart mends`() throws {
        let outcome = try run(
            """
            cat >/etc/migrated/alert.d/tell <<'HOOK'
            #!/bin/sh
            echo "alert $1 $MONITOR_SERVICE_RESULT $MONITOR_EXIT_STATUS"
            HOOK
            chmod +x /etc/migrated/alert.d/tell
            alerts() { journalctl --sync; journalctl -u 'migrated-alert@*' -o cat | grep -a '^alert'; }
            systemctl start migrated
            eventually status 'applied 0'
            kill -KILL "$(systemctl show -p MainPID --value migrated)"
            eventually restarted
            systemctl stop migrated
            echo 'nonsense = 1' >>/etc/migrated/migrated.toml
            systemctl start migrated 2>/dev/null
            eventually alerts >/dev/null
            # Longer than RestartSec.
            sleep 6
            alerts; show NRestarts
            """)
        #expect(
            outcome.output.split(separator: "\n").suffix(2) == [
                "alert migrated.service exit-code 78", "NRestarts=0",
            ], "\(outcome)")
        #expect(outcome.output.split(separator: "\n").filter { $0 == "alert migrated.service exit-code 78" }.count == 1)
    }

    @Test func `a loop that hangs is ended by the watchdog, a long migration is not`() throws {
        let outcome = try run(
            """
            mkdir -p /etc/systemd/system/migrated.service.d
            printf '[Service]\\nWatchdogSec=2s\\nRestartSec=100ms\\n' >/etc/systemd/system/migrated.service.d/quick.conf
            systemctl daemon-reload
            echo 'SELECT pg_sleep(5);' >/srv/migrations/1_a.sql
            systemctl start migrated
            eventually status 'applied 1'
            show NRestarts
            kill -STOP "$(systemctl show -p MainPID --value migrated)"
            eventually restarted
            eventually status 'applied 1'
            journalctl --sync; journalctl -u migrated -o cat | grep -o 'Watchdog timeout' | head -n 1
            """)
        #expect(outcome.output == "NRestarts=0\nWatchdog timeout\n", "\(outcome)")
    }

    @Test func `takes a password from a credential, and says what is wrong without one`() throws {
        let outcome = try run(
            """
            psql -q -X -h /run/postgresql -U postgres -d app -c "ALTER ROLE migrated PASSWORD 'of the night'"
            sed -i 's/^database.*/database = "host=127.0.0.1 sslmode=disable user=migrated dbname=app"/' /etc/migrated/migrated.toml
            systemctl start migrated
            eventually status 'no password'
            journalctl --sync; journalctl -u migrated -o cat | grep -o -m 1 'no password supplied'
            install -D -m 0600 /dev/stdin /etc/credstore/migrated.pgpass <<<'127.0.0.1:*:app:migrated:of the night'
            systemctl restart migrated
            eventually status 'applied 0'
            tr '\\0' '\\n' <"/proc/$(systemctl show -p MainPID --value migrated)/environ" | grep -c 'of the night'
            : >/etc/credstore/migrated.pgpass
            systemctl restart migrated
            eventually status 'no password'
            """)
        #expect(outcome.output == "no password supplied\n0\n", "\(outcome)")
    }

    @Test func `goes on while the journal stands still, is killed, and while the disk is full`() throws {
        let outcome = try run(
            """
            for i in 1 2 3; do echo "SELECT $i;" >/srv/migrations/${i}_a.sql; done
            systemctl start migrated
            eventually status 'applied 3'
            applied() { [[ $(sql "SELECT count(*) FROM migrated.migration_status WHERE status = 'applied'") == "$1" ]]; }
            systemctl kill -s STOP systemd-journald
            for i in 4 5 6; do echo "SELECT $i;" >/srv/migrations/${i}_a.sql; done
            eventually applied 6 && echo 'applied without a journal that reads'
            systemctl kill -s CONT systemd-journald
            systemctl kill -s KILL systemd-journald
            for i in 7 8 9; do echo "SELECT $i;" >/srv/migrations/${i}_a.sql; done
            eventually applied 9 && echo 'applied while the journal was killed'
            mount -t tmpfs -o size=64k tmpfs /var/lib/migrated && chown migrated: /var/lib/migrated
            systemctl restart migrated
            head -c 1M /dev/zero >/var/lib/migrated/filler 2>/dev/null
            echo 'SELECT 10;' >/srv/migrations/10_a.sql
            eventually applied 10 && echo 'applied with a full state directory'
            rm /var/lib/migrated/filler
            runuser -u migrated -- auditctl verify | cut -d ' ' -f 1
            """)
        #expect(
            outcome.output.hasPrefix(
                """
                applied without a journal that reads
                applied while the journal was killed
                applied with a full state directory
                intact
                """), "\(outcome)")
    }

    @Test func `looks at its history and its schema every day, and raises an alert at what it finds`() throws {
        let outcome = try run(
            """
            cat >/etc/migrated/alert.d/tell <<'HOOK'
            #!/bin/sh
            echo "alert $1 $MONITOR_EXIT_STATUS"
            HOOK
            chmod +x /etc/migrated/alert.d/tell
            alerts() { journalctl --sync; journalctl -u 'migrated-alert@*' -o cat | grep -a '^alert'; }
            prometheus=/var/lib/prometheus/node-exporter
            install -d -g migrated -m 0775 "$prometheus"
            echo 'metrics-file = "/var/lib/prometheus/node-exporter/migrated.prom"' >>/etc/migrated/migrated.toml
            echo 'CREATE TABLE a (id integer);' >/srv/migrations/1_a.sql
            systemctl start migrated
            eventually status 'applied 1'
            runuser -u postgres -- createuser -h /run/postgresql migrated-verify
            sql 'GRANT pg_read_all_data TO "migrated-verify"' >/dev/null
            migrated init --database 'host=/run/postgresql user=postgres dbname=app' --migration-login migrated --audit-login migrated \\
                --source-reader migrated-verify >/dev/null
            systemctl enable --quiet --now migrated-verify@migrated.timer
            systemctl show -p Unit --value migrated-verify@migrated.timer
            systemctl start migrated-verify@migrated && echo 'verified'
            passed() { journalctl --sync; journalctl -u migrated-integrity@migrated -o cat | grep -q 'Finished'; }
            eventually passed
            journalctl --sync; journalctl -u migrated-verify@migrated -o cat | grep -o '^intact: [0-9]* events'
            cat "$prometheus"/*.prom | promtool check metrics
            grep -ho '^migrated_verify_verdict.*1$\\|^migrated_integrity_failures.*\\|^migrated_migrations.*applied.*' "$prometheus"/*.prom
            psql -q -X -h /run/postgresql -U postgres -d app -c "ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER ALL" \\
                -c "UPDATE migrated.migration_rollback_audit SET initiated_by = 'nobody' WHERE seq = 2"
            systemctl start migrated-verify@migrated 2>/dev/null || echo 'not verified'
            eventually alerts >/dev/null
            alerts
            grep -ho '^migrated_verify_verdict.*1$' "$prometheus"/*.prom
            """)
        #expect(
            outcome.output == """
                migrated-verify@migrated.service
                verified
                intact: 3 events
                migrated_integrity_failures{database="app"} 0
                migrated_migrations{database="app",state="applied"} 1
                migrated_verify_verdict{database="app",verdict="intact"} 1
                not verified
                alert migrated-verify@migrated.service 1
                migrated_verify_verdict{database="app",verdict="changed"} 1

                """, "\(outcome)")
    }
}
