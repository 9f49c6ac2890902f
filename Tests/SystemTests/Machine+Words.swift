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
}
