import Glibc
import LiveSupport
import Testing

/// The package in the hands of an administrator, while it works.
@Suite(
    .enabled(
        if: Machine.packageUnderTest != nil && geteuid() == 0, "needs root, and MIGRATED_PACKAGE naming a built package"
    ))
struct `The package at work` {
    private func run(_ script: String) throws -> Program.Outcome { try Machine.withPackage.install(script) }

    @Test
    func `is upgraded to another version in the middle of a migration, with both of its instances, and loses nothing`()
        throws
    {
        let outcome = try run(
            """
            dpkg-deb -R /srv/migrated.deb /tmp/next
            sed -i 's/^Version: .*/Version: 99.1/' /tmp/next/DEBIAN/control
            sed -i 's/^Description=.*/Description=The next one/' /tmp/next/lib/systemd/system/migrated*.service
            dpkg-deb --root-owner-group -b /tmp/next /srv/next.deb >/dev/null
            runuser -u postgres -- createdb -h /run/postgresql -O migrated other
            sed 's/app/other/; s|/srv/migrations|/srv/others|' /etc/migrated/migrated.toml >/etc/migrated/other.toml
            mkdir /srv/others
            echo 'CREATE TABLE o ();' >/srv/others/1_o.sql
            echo 'CREATE TABLE a ();' >/srv/migrations/1_a.sql
            echo 'INSERT INTO kept VALUES (2); SELECT pg_sleep(600);' >/srv/migrations/2_b.sql
            psql -q -X -h /run/postgresql -U postgres -d app -c 'CREATE TABLE kept (i integer); ALTER TABLE kept OWNER TO migrated'
            systemctl enable --quiet --now migrated migrated@other
            eventually running
            unit=migrated@other eventually status 'applied 1'
            before=$(systemctl show -p MainPID --value migrated migrated@other | xargs)
            DEBIAN_FRONTEND=noninteractive apt-get install --yes /srv/next.deb >/tmp/apt.log 2>&1 || cat /tmp/apt.log
            dpkg-query -W -f '${Version}\\n' migrated
            eventually running
            for name in migrated migrated@other; do
                pid=$(systemctl show -p MainPID --value "$name")
                [[ " $before " == *" $pid "* ]] && echo "$name is still the old one"
                readlink "/proc/$pid/exe"
                systemctl show -p Description -p NRestarts --value "$name" | xargs
            done
            sql "SELECT string_agg(event, ' ' ORDER BY seq) FROM migrated.migration_rollback_audit"
            echo 'INSERT INTO kept VALUES (3);' >/srv/migrations/2_b.sql.new
            systemctl stop migrated
            mv /srv/migrations/2_b.sql.new /srv/migrations/2_b.sql
            systemctl start migrated
            eventually status 'applied 2'
            sql 'SELECT * FROM kept'
            for name in migrated other; do
                runuser -u migrated -- auditctl verify --config "/etc/migrated/$name.toml" | grep -o '^intact: [0-9]* events\\|anchors: [0-9]* in the state'
            done
            """)
        #expect(
            outcome.output == """
                99.1
                /usr/bin/migrated
                0 The next one
                /usr/bin/migrated
                0 The next one
                daemon_started started applied started interrupted daemon_stopped daemon_started started
                3
                intact: 13 events
                anchors: 13 in the state
                intact: 5 events
                anchors: 5 in the state

                """, "\(outcome)")
    }

    @Test func `is removed and purged as Debian's are`() throws {
        let outcome = try run(
            """
            echo 'CREATE TABLE a ();' >/srv/migrations/1_a.sql
            systemctl enable --quiet --now migrated migrated-verify@migrated.timer
            eventually status 'applied 1'
            echo 'size-limit = "1M"' >>/etc/migrated/migrated.toml
            dpkg --remove migrated >/dev/null 2>&1 || echo 'the removal failed'
            systemctl is-active migrated migrated-verify@migrated.timer
            [[ -e /usr/bin/migrated || -e /usr/bin/auditctl ]] && echo 'programs are left'
            tail -n 1 /etc/migrated/migrated.toml; ls /var/lib/migrated | wc -l
            dpkg --purge migrated >/dev/null 2>&1 || echo 'the purge failed'
            ls -d /etc/migrated /var/lib/migrated 2>/dev/null
            systemctl list-unit-files --no-legend 'migrated*'
            sql "SELECT count(*) > 3 FROM migrated.migration_rollback_audit"
            """)
        #expect(
            outcome.output == """
                inactive
                inactive
                size-limit = "1M"
                1
                t

                """, "\(outcome)")
    }

    @Test func `reads its configuration anew, and keeps the old one where the new one is wrong`() throws {
        let outcome = try run(
            """
            # 'systemctl reload' is back as soon as the signal is sent; the daemon says when it has read.
            settled() {
                local look
                for look in {1..300}; do
                    [[ $(systemctl show -p ActiveState --value migrated) == reloading ]] || break
                    sleep 0.1
                done
                show ActiveState
            }
            mkdir /srv/others
            echo 'CREATE TABLE a ();' >/srv/migrations/1_a.sql
            echo 'CREATE TABLE b ();' | tee /srv/others/2_b.sql >/dev/null
            cp /srv/migrations/1_a.sql /srv/others/
            systemctl start migrated
            eventually status 'applied 1, pending 0'
            pid=$(systemctl show -p MainPID --value migrated)
            sed -i 's|/srv/migrations|/srv/others|' /etc/migrated/migrated.toml
            systemctl reload migrated && settled
            eventually status 'applied 2, pending 0'
            echo 'nonsense = 1' >>/etc/migrated/migrated.toml
            systemctl reload migrated && settled
            eventually told '.MESSAGE | test("not reloaded")'
            echo 'CREATE TABLE c ();' >/srv/others/3_c.sql
            eventually status 'applied 3, pending 0'
            [[ $(systemctl show -p MainPID --value migrated) == "$pid" ]] && echo 'the same process'
            entries '.MESSAGE | test("reload|nonsense")' '"\\(.PRIORITY) \\(.MESSAGE | split("\\n")[0])"'
            """)
        #expect(
            outcome.output == """
                ActiveState=active
                ActiveState=active
                the same process
                6 configuration reloaded
                3 /etc/migrated/migrated.toml:5:1: unknown key 'nonsense'
                4 configuration not reloaded, the old one stays in force

                """, "\(outcome)")
    }

    @Test
    func
        `goes on where the system's disk is full, its journal and state with it, and makes up for what it could not keep`()
        throws
    {
        var machine = Machine.withPackage
        machine.disk = "400M"
        let outcome = try machine.install(
            """
            # Files and database lie on other disks.
            mount -t tmpfs -o mode=0755 tmpfs /srv/migrations
            echo 'CREATE TABLE a ();' >/srv/migrations/1_a.sql
            systemctl start migrated
            eventually status 'applied 1'
            fill() { local name; for name in 1 2 3 4; do cat /dev/zero >"/var/filler$name"; done 2>/dev/null; }
            fill
            sleep 1
            fill
            df --output=avail / | tail -n 1 | xargs
            journalctl --rotate
            fill
            # More than fits into what a file has of its last block.
            for number in {2..60}; do echo "CREATE TABLE t$number ();" >"/srv/migrations/${number}_t.sql"; done
            eventually status 'applied 60, pending 0, failed 0'
            runuser -u migrated -- auditctl verify | grep -o '^intact up to anchor'
            fill
            echo 'SELECT pg_sleep(600);' >/srv/migrations/61_long.sql
            eventually running
            kill -KILL "$(systemctl show -p MainPID --value migrated)"
            eventually restarted
            eventually running
            sql "SELECT count(*) FROM migrated.migration_rollback_audit WHERE reason = 'process_died'"
            rm /var/filler*
            echo 'SELECT 61;' >/srv/migrations/61_long.new
            systemctl stop migrated
            mv /srv/migrations/61_long.new /srv/migrations/61_long.sql
            systemctl start migrated
            eventually status 'applied 61, pending 0, failed 0'
            entries '.MESSAGE | test("anchors.: No space left on device")' '.PRIORITY' | xargs
            runuser -u migrated -- auditctl verify | cut -d ' ' -f 1 | head -n 1
            """)
        #expect(outcome.output == "0\nintact up to anchor\n1\n4 4\nintact:\n", "\(outcome)")
    }
}
