import LiveSupport

extension Machine {
    /// Runs shell text with a few words of its own; they ask about the unit `$unit`, and about the server with that
    /// connection string.
    func ask(_ script: String, server: String, within limit: Duration = .seconds(120)) throws -> Program.Outcome {
        try run(
            """
            unit=migrated
            show() { systemctl show -p "$1" "$unit"; }
            status() { show StatusText | grep -qF -- "$1"; }
            restarted() { [[ $(systemctl show -p NRestarts --value "$unit") == 1 ]]; }
            sql() { psql -X -A -t -d '\(server)' -c "$1"; }
            running() { sql "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()" | grep -q 1; }
            entries() { journalctl --sync; journalctl -u "$unit" -o json | jq -r "select($1) | $2"; }
            told() { entries "$1" .MESSAGE | grep -q .; }
            eventually() {
                local looks
                for ((looks = 0; looks < 300; looks++)); do "$@" && return; sleep 0.1; done
                echo "never: $*"
                show ActiveState,StatusText
                journalctl -u "$unit" -o cat --no-pager | tail -n 20
                exit 1
            }
            cd /
            \(script)
            """, within: limit)
    }

    /// One with the package under test at hand.
    static var withPackage: Machine {
        var machine = Machine()
        machine.package = packageUnderTest
        return machine
    }

    /// Installs the package, starts a server inside, whose files lie on a disk of their own, and runs shell text.
    func install(_ script: String, within limit: Duration = .seconds(120)) throws -> Program.Outcome {
        try ask(
            """
            # Where services may not be started, as on a machine that builds.
            rm -f /usr/sbin/policy-rc.d
            dpkg -i /srv/migrated.deb >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log; exit 1; }
            install -d -o postgres -g postgres /run/postgresql /run/trial
            install -d /srv/migrations
            bin=/usr/lib/postgresql/15/bin
            runuser -u postgres -- $bin/initdb -D /run/trial --auth-local=peer --auth-host=scram-sha-256 --no-sync >/dev/null
            echo 'local all postgres peer map=root' >/run/trial/pg_hba.conf
            printf 'local all all peer\\nhost all all 127.0.0.1/32 scram-sha-256\\n' >>/run/trial/pg_hba.conf
            printf 'root root postgres\\nroot postgres postgres\\n' >>/run/trial/pg_ident.conf
            runuser -u postgres -- $bin/pg_ctl -D /run/trial -w -l /run/trial/log \\
                -o '-k /run/postgresql -c listen_addresses=127.0.0.1 -c fsync=off' start >/dev/null
            runuser -u postgres -- createuser -h /run/postgresql migrated
            runuser -u postgres -- createdb -h /run/postgresql -O migrated app
            printf 'database = "host=/run/postgresql dbname=app"\\ndirectory = "/srv/migrations"\\nsettle = "50ms"\\nstate-directory = "/var/lib/migrated"\\n' \\
                >/etc/migrated/migrated.toml
            \(script)
            """, server: "host=/run/postgresql user=postgres dbname=app", within: limit)
    }
}
