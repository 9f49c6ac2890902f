import LiveSupport
import Testing

extension `The journal as a witness` {
    /// Puts what `auditctl verify` answers into one line: the exit status and the first line that it prints, or that it complains with.
    private static let say = """
        say() {
            local status=0 said
            said=$(auditctl verify "$@" 2>&1) || status=$?
            ((status != 2)) || said=$(grep '^auditctl: ' <<<"$said")
            echo "$status ${said%%$'\\n'*}" | sed -E 's/, head .*//; s/[0-9a-f]{32}/MACHINE/'
        }
        apply() {
            systemctl start migrated
            for ((looks = 0; looks < 300; looks++)); do systemctl show -p StatusText migrated | grep -q 'applied 1' && break; sleep 0.1; done
            systemctl stop migrated
            journalctl --sync
        }
        cd /
        """

    @Test func `that was asked and says nothing is never taken for a good word`() throws {
        let outcome = try machine.run(
            """
            \(Self.say)
            mkdir -p /etc/systemd/system/migrated.service.d
            printf '[Service]\\nLogNamespace=app\\n' >/etc/systemd/system/migrated.service.d/namespace.conf
            systemctl daemon-reload
            apply
            journalctl --namespace=app --sync
            echo 'another namespace'
            say --journal --state-directory /nowhere
            say --journal-namespace other --state-directory /nowhere
            say --journal-namespace app --state-directory /nowhere
            say --journal-namespace '*' --require journal
            echo 'no right'
            auditor() { setpriv --reuid=nobody --clear-groups env HOME=/ /usr/bin/auditctl "$@"; }
            auditor verify --journal-namespace app 2>&1 >/dev/null | sed -E 's/[0-9a-f]{32}/MACHINE/'
            auditor verify --state-directory /var/lib/migrated | grep -v '^note: ' | sed -E 's/, head .*//; s/[0-9]+-[0-9]+/ID/'; echo "${PIPESTATUS[0]}"
            auditor verify --state-directory /var/lib/migrated --require state >/dev/null 2>&1; echo "$?"
            auditor report -o markdown --state-directory /var/lib/migrated | grep -c '^- the anchors in the state directory were not seen'
            echo 'vacuumed'
            journalctl --namespace=app --rotate
            journalctl --namespace=app --vacuum-time=1us 2>/dev/null
            rm -f /var/log/journal/*.app/system@*
            say --journal-namespace app --state-directory /var/lib/migrated
            say --journal-namespace app --state-directory /var/lib/migrated --require state
            """)
        #expect(
            outcome.output == """
                another namespace
                2 auditctl: cannot tell: this machine's journal has no entry about this history
                2 auditctl: cannot tell: this machine's journal has no file in namespace 'other'
                0 intact: 4 events
                0 intact: 4 events
                no right
                auditctl: cannot tell: this machine's journal was not read: cannot open '/var/log/journal/MACHINE.app/system.journal': Permission denied
                HINT: Root and the group 'systemd-journal' may read all of it.
                intact: 4 events
                warning: anchors missing: none was found outside of the database; a tail that was cut off, or rewritten to its end, would not be seen
                warning: the anchors in the state directory were not seen: cannot open '/var/lib/migrated/ID/anchors': Permission denied
                0
                2
                1
                vacuumed
                2 auditctl: cannot tell: this machine's journal has no entry about this history in namespace 'app'
                0 intact: 4 events

                """, "\(outcome)")
    }

    @Test func `that many hosts have filled counts for those that the history names, and says which`() throws {
        let outcome = try machine.run(
            """
            \(Self.say)
            journalctl --setup-keys >/dev/null 2>&1
            journalctl --rotate
            apply
            host=$(hostname)
            mkdir /srv/collected
            keep() { cp /var/log/journal/*/system.journal "/srv/collected/$1.journal"; }
            verify() { say --state-directory /nowhere --journal-directory /srv/collected "$@" | sed "s/'$host'/'HOST'/g"; }
            keep "remote-$host"
            verify
            auditctl verify --journal -o json | jq -c '[.witnesses.journal_files, .witnesses.sealed_files, .witnesses.unread_files]'
            echo 'another host'
            id=$(journalctl -u migrated -o json | jq -r '.MIGRATED_DATABASE_ID // empty' | head -n 1)
            journalctl --rotate
            logger --journald <<ENTRY
            MESSAGE=forged
            MIGRATED_DATABASE_ID=$id
            MIGRATED_SCHEMA=migrated
            MIGRATED_SEQ=9
            MIGRATED_HASH=$(printf '00%.0s' {1..32})
            ENTRY
            journalctl --sync
            # The entry claims this host, and the collector knows better.
            keep remote-evil
            verify
            verify --journal-host "$host"
            verify --journal-host "$host" --journal-host evil
            echo 'alone'
            mv "/srv/collected/remote-$host.journal" /srv/
            verify
            verify --journal-host "$host"
            echo 'one of its own'
            mv /srv/collected/remote-evil.journal "/srv/collected/remote-$host@1.journal"
            verify
            echo 'damaged'
            cp "/srv/remote-$host.journal" /srv/collected/
            head -c 100 "/srv/remote-$host.journal" >"/srv/collected/remote-$host@1.journal"
            mkfifo /srv/collected/pipe.journal
            verify
            auditctl verify --state-directory /nowhere --journal-directory /srv/collected | grep -o '2 of 3 journal files were not read'
            """)
        #expect(
            outcome.output == """
                0 intact: 4 events
                [2,1,0]
                another host
                2 auditctl: cannot tell: the journal has entries that do not fit this history, of hosts that it does not name: 'evil'
                0 intact: 4 events
                1 truncated: events 5 to 9 are missing at the end: the journal of host 'evil' has an anchor of event 9
                alone
                2 auditctl: cannot tell: the journal in '/srv/collected' has no entry about this history that counts: 1 journal entries about this history are of host 'evil', which is not among those that the history names: ignored
                2 auditctl: cannot tell: the journal in '/srv/collected' has no entry about this history that counts: 1 journal entries about this history are of host 'evil', which is not among those named: ignored
                one of its own
                1 truncated: events 5 to 9 are missing at the end: the journal of host 'HOST' has an anchor of event 9
                damaged
                0 intact: 4 events
                2 of 3 journal files were not read

                """, "\(outcome)")
    }

    /// From systemd-journal-upload(8) to systemd-journal-remote(8), which names its files by the sender's address: the witness of whoever owns this machine or its
    /// database, who can cut both of them, the anchors and the journal here back to one event.
    @Test func `that was sent to a collector still has what was cut off everywhere here`() throws {
        let outcome = try machine.run(
            """
            \(Self.say)
            query() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d 'host=/srv/postgresql user=postgres dbname=\(database.name)' -c "$1"; }
            mkdir -p /srv/collected
            systemd-run --quiet --unit=collector /lib/systemd/systemd-journal-remote --listen-http=127.0.0.1:19532 --output=/srv/collected/
            migrated keygen --out /etc/credstore/migrated-signing-key >/dev/null
            apply
            systemd-run --quiet --unit=sender -p Restart=on-failure -p RestartSec=1 /lib/systemd/systemd-journal-upload --url=http://localhost:19532 --follow --save-state=/run/sent
            verify() { say --public-key /etc/credstore/migrated-signing-key.pub "$@"; }
            collected() { verify --state-directory /nowhere --journal-directory /srv/collected "$@"; }
            for ((looks = 0; looks < 300; looks++)); do
                journalctl -D /srv/collected MIGRATED_SEQ=4 -o cat -q 2>/dev/null | grep -q . && break; sleep 0.1
            done
            ls /srv/collected
            collected | sed 's/ [0-9a-f]*$//'
            collected --journal-host 127.0.0.1
            # The database, the anchor file and the journal here all go back to one signed event.
            query "ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER USER;
                   DELETE FROM migrated.migration_rollback_audit WHERE seq > 3;
                   UPDATE migrated.audit_head SET (seq, hash) = (SELECT seq, hash FROM migrated.migration_rollback_audit WHERE seq = 3);
                   ALTER TABLE migrated.migration_rollback_audit ENABLE ALWAYS TRIGGER migration_rollback_audit_append_only"
            sed -i '/^4 /d' /var/lib/migrated/*/anchors
            systemctl stop sender
            journalctl --rotate
            rm -rf /var/log/journal/*/system@*
            verify --state-directory /var/lib/migrated --require state,signature
            collected --journal-host 127.0.0.1
            """)
        #expect(
            outcome.output == """
                remote-127.0.0.1.journal
                2 auditctl: cannot tell: the journal in '/srv/collected' has no entry about this history that counts: 4 journal entries about this history are of host '127.0.0.1', which is not among those that the history names: ignored; no anchor is signed by key
                0 intact: 4 events
                0 intact: 3 events
                1 truncated: event 4 is missing at the end: the journal of host '127.0.0.1' has an anchor of event 4

                """, "\(outcome)")
    }
}
