import LiveSupport
import Testing

/// Who the units' processes are, and what they can reach.
extension `The units` {
    @Test func `keep the signing key and the passwords from hooks`() throws {
        var machine = self.machine
        machine.setup += [
            """
            mkdir -p "$ROOT/etc/migrated/hooks.d" "$ROOT/etc/credstore"
            echo '*:*:*:*:hunter2' >"$ROOT/etc/credstore/migrated.pgpass"
            cat >"$ROOT/etc/migrated/hooks.d/spy" <<'HOOK'
            #!/bin/bash
            {
                id -un
                cat /run/credentials/migrated.service/* "/proc/$PPID/root/run/credentials/migrated.service/pgpass"
                tr '\\0' '\\n' <"/proc/$PPID/environ" | grep CREDENTIALS
                grep -rls hunter2 /run /var/lib/migrated /dev/shm /tmp
                jq -r .event /dev/stdin
            } >>/tmp/seen 2>/dev/null
            cp /tmp/seen /var/lib/migrated/seen
            HOOK
            chmod 755 "$ROOT/etc/migrated/hooks.d/spy"
            """
        ]
        let outcome = try run(
            """
            migrated keygen --out /etc/credstore/migrated-signing-key >/dev/null
            systemctl start migrated
            eventually status 'applied 1, pending 0, failed 0'
            eventually test -s /var/lib/migrated/seen
            systemctl stop migrated
            cat /var/lib/migrated/seen
            journalctl -u migrated -o cat | grep -c Landlock
            journalctl -u migrated -o json | jq -r 'select(.MIGRATED_SIGNATURE) | "the daemon signs"' | sort -u
            """, on: machine)
        #expect(outcome.output == "migrated\napplied\n0\nthe daemon signs\n", "\(outcome)")
    }

    @Test func `verify as a user of their own, who reads the anchors and can change none of them`() throws {
        let outcome = try run(
            """
            sed -i 's/ user=postgres//' /etc/migrated/migrated.toml
            echo 'state-directory = "/var/lib/migrated"' >>/etc/migrated/migrated.toml
            sql 'CREATE ROLE migrated LOGIN' >/dev/null
            sql 'GRANT CREATE ON DATABASE \(database.name) TO migrated; GRANT ALL ON SCHEMA public TO migrated' >/dev/null
            systemctl start migrated
            eventually status 'applied 1, pending 0, failed 0'
            verify() {
                systemctl start migrated-verify@migrated 2>/dev/null || echo 'refused'
                journalctl --sync
                journalctl -u migrated-verify@migrated -o cat | grep -o "$1" | sort -u
            }
            verify 'role "migrated-verify" does not exist\\|init --source-reader migrated-verify'
            sql 'CREATE ROLE "migrated-verify" LOGIN; GRANT pg_read_all_data TO "migrated-verify"' >/dev/null
            migrated init --database 'host=/srv/postgresql user=postgres dbname=\(database.name)' --migration-login migrated \
                --audit-login migrated --source-reader migrated-verify >/dev/null
            verify '^intact: [0-9]* events\\|anchors: [0-9]* in the state directory'
            integrity() { journalctl --sync; journalctl -u migrated-integrity@migrated -o cat | grep -q 'Finished'; }
            unit=migrated-integrity@migrated eventually integrity
            systemctl show -p User --value migrated-verify@migrated migrated-integrity@migrated | xargs
            # What an earlier version made is read by nobody else, and that is an error with its way out.
            chmod -R g-rwx /var/lib/migrated/*
            verify "Permission denied\\|chmod -R g+rX /var/lib/migrated"
            runuser -u migrated -- chmod -R g+rX /var/lib/migrated
            cat >/tmp/try <<'TRY'
            id -un
            find /var/lib/migrated -type f -readable | grep -c anchors
            find /var/lib/migrated -writable
            touch /var/lib/migrated/mine /var/lib/migrated/*/mine 2>/dev/null && echo 'made a file'
            ls /run/credentials/migrated.service 2>/dev/null
            TRY
            runuser -u migrated-verify -- sh /tmp/try
            """)
        #expect(
            outcome.output == """
                refused
                init --source-reader migrated-verify
                role "migrated-verify" does not exist
                anchors: 3 in the state directory
                intact: 3 events
                migrated-verify migrated-verify
                refused
                Permission denied
                chmod -R g+rX /var/lib/migrated
                migrated-verify
                1

                """, "\(outcome)")
    }

    @Test func `run alerts without capabilities, with the network's names and their own temporary files`() throws {
        var machine = self.machine
        machine.setup += [
            """
            mkdir -p "$ROOT/etc/migrated/alert.d"
            cat >"$ROOT/etc/migrated/alert.d/tell" <<'HOOK'
            #!/bin/sh
            echo "alert $1 $MONITOR_EXIT_STATUS $(grep CapBnd /proc/self/status | cut -f 2) $(id -un)"
            getent hosts localhost >/dev/null && echo "alert has names"
            echo x >/tmp/x && echo "alert has files"
            unshare -U true 2>/dev/null && echo "alert has namespaces"
            touch /var/lib/migrated/x 2>/dev/null && echo "alert has the state directory"
            HOOK
            install -D -m 0644 \(Machine.project)/units/drop-in/alert-mail.conf "$ROOT/usr/share/doc/migrated/alert-mail.conf"
            chmod 755 "$ROOT/etc/migrated/alert.d/tell"; echo 'nonsense = 1' >"$ROOT/etc/migrated/bad.toml"
            """
        ]
        let outcome = try run(
            """
            alerts() { journalctl --sync; journalctl -u 'migrated-alert@*' -o cat | grep -a '^alert'; }
            finished() { alerts | grep -q files; }
            systemctl start migrated@bad 2>/dev/null
            eventually finished
            alerts
            # What the machine's own mail server needs.
            install -D /dev/stdin /etc/systemd/system/migrated-alert@.service.d/mail.conf </usr/share/doc/migrated/alert-mail.conf
            systemctl daemon-reload
            systemctl show -p NoNewPrivileges --value migrated-alert@x
            """, on: machine)
        #expect(
            outcome.output == """
                alert migrated@bad.service 78 0000000000000000 migrated
                alert has names
                alert has files
                no

                """, "\(outcome)")
    }
}
