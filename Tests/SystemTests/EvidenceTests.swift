import Glibc
import LiveSupport
import Testing

/// The journal as a witness, under a real systemd: what it says of a history, who is believed, and what is missing when a file of it is gone.
@Suite(.enabled(if: geteuid() == 0, "only root can boot a container"))
struct `The journal as a witness` {
    let database: Database
    var machine = Machine()

    init() throws {
        var options = Cluster.Options()
        options.isOpenToOthers = true
        let cluster = try Cluster(options)
        database = try cluster.createDatabase()
        machine.binds = [cluster.directory + ":/srv/postgresql"]
        machine.setup = [
            """
            mkdir -p "$ROOT/etc/migrated" "$ROOT/srv/migrations" "$ROOT/etc/credstore"
            printf 'database = "host=/srv/postgresql user=postgres dbname=\(database.name)"\\ndirectory = "/srv/migrations"\\n' \
                >"$ROOT/etc/migrated/migrated.toml"
            echo 'SELECT 1;' >"$ROOT/srv/migrations/1_a.sql"
            """
        ]
    }

    /// Whoever can write its files can change what it says; then it contradicts the history, and itself.
    @Test func `that was edited in place contradicts the history`() throws {
        let outcome = try machine.run(
            """
            cd /
            systemctl start migrated
            for ((looks = 0; looks < 300; looks++)); do systemctl show -p StatusText migrated | grep -q 'applied 1' && break; sleep 0.1; done
            systemctl stop migrated
            journalctl --sync
            hash=$(journalctl MIGRATED_SEQ=2 -o json | jq -r .MIGRATED_HASH)
            systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald 2>/dev/null
            sed -i "s/MIGRATED_HASH=$hash/MIGRATED_HASH=$(printf '0%.0s' {1..64})/" /var/log/journal/*/system.journal
            auditctl verify --journal --state-directory /nowhere -o json | jq -c '[.verdict, .seq]'
            journalctl --verify >/dev/null 2>&1 || echo 'the journal shows it too'
            """)
        #expect(outcome.output == "[\"fork\",2]\nthe journal shows it too\n", "\(outcome)")
    }

    @Test func `vouches for the history, believes nobody but root and the service, and is missed`() throws {
        let outcome = try machine.run(
            """
            cd /
            verify() { auditctl verify --state-directory "$1" --journal --public-key /etc/credstore/migrated-signing-key.pub -o json \
                | jq -c '[.verdict, .seq, .witnesses.journal, .witnesses.signed, .witnesses.ignored, .witnesses.units, (.warnings | length)]'; }
            query() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d 'host=/srv/postgresql user=postgres dbname=\(database.name)' -c "$1"; }
            migrated keygen --out /etc/credstore/migrated-signing-key >/dev/null
            systemctl start migrated
            for ((looks = 0; looks < 300; looks++)); do systemctl show -p StatusText migrated | grep -q 'applied 1' && break; sleep 0.1; done
            systemctl stop migrated
            journalctl --sync
            verify /nowhere
            verify /var/lib/migrated | jq -c '.[0]'
            # A local user claims another hash for an event.
            id=$(journalctl -u migrated -o json | jq -r '.MIGRATED_DATABASE_ID // empty' | head -n 1)
            setpriv --reuid=nobody --clear-groups logger --journald <<ENTRY
            MESSAGE=forged
            MIGRATED_DATABASE_ID=$id
            MIGRATED_SCHEMA=migrated
            MIGRATED_SEQ=2
            MIGRATED_HASH=$(printf '00%.0s' {1..32})
            ENTRY
            journalctl --sync
            verify /nowhere
            auditctl verify --journal --state-directory /nowhere | grep -o 'written by nobody: ignored'
            # Root may say so, and that is a contradiction.
            auditctl verify --journal --state-directory /nowhere --journal-user root --journal-user nobody | cut -d : -f 1 | head -n 1
            # The end is cut off, and the head made to fit.
            query "ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER USER;
                   DELETE FROM migrated.migration_rollback_audit WHERE seq > 3;
                   UPDATE migrated.audit_head SET (seq, hash) = (SELECT seq, hash FROM migrated.migration_rollback_audit WHERE seq = 3);
                   ALTER TABLE migrated.migration_rollback_audit ENABLE ALWAYS TRIGGER migration_rollback_audit_append_only"
            verify /nowhere
            # Without its files the journal knows nothing, and that is no good word.
            journalctl --rotate
            systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald 2>/dev/null
            rm -rf /var/log/journal/* /run/log/journal/*
            auditctl verify --journal --state-directory /nowhere 2>&1 >/dev/null | grep '^auditctl: '
            auditctl verify --journal --state-directory /var/lib/migrated | cut -d : -f 1 | head -n 1
            """)
        #expect(
            outcome.output == """
                ["intact",null,4,4,0,["migrated.service"],0]
                "intact"
                ["intact",null,4,4,1,["migrated.service"],1]
                written by nobody: ignored
                fork
                ["truncated",4,4,4,1,["migrated.service"],1]
                auditctl: cannot tell: this machine's journal has no file
                truncated

                """, "\(outcome)")
    }
}
