# Sourced by the commands of this project: one line of progress per step, its output kept in a log that is shown only
# when the step fails. Needs `set -euo pipefail` and the folder $logs in the caller.

# step TEXT COMMAND...: runs COMMAND and says how long it took. Where that is long it says every so often what
# the command is doing; it ends the caller when the command fails. Set for one call: $step_closing, a pattern of the
# lines that are worth telling after success; $step_show, a pattern of those that tell of a failure.
step() {
    local text=$1 started=$SECONDS code=0 log
    shift
    log=$logs/$((step_number = ${step_number:-0} + 1))
    [[ -t 1 ]] && printf '%s …' "$text"
    tell_meanwhile "$text" "$log" &
    local teller=$!
    "$@" >"$log" 2>&1 </dev/null || code=$?
    kill "$teller" 2>/dev/null || true
    wait "$teller" 2>/dev/null || true
    local took=$((SECONDS - started))
    [[ -t 1 ]] && printf '\r\e[K'
    if ((code == 0)); then
        echo "$text: done, $took s"
        # As the tool wrote it, on a line of its own: others read a test runner's closing line.
        [[ ${step_closing:-} ]] && grep -aE "$step_closing" "$log" | sed 's/\x1b\[[0-9;]*m//g'
        return 0
    else
        echo "$text: FAILED after $took s, exit code $code"
        [[ ${step_show:-} ]] && grep -aE -A 3 "$step_show" "$log" | sed -n '1,200s/^/    /p'
        echo "    the last lines:"
        tail -n 40 "$log" | sed 's/^/    /'
        exit 1
    fi
}

# A line every half minute; on a terminal the same line again every second.
tell_meanwhile() {
    local text=$1 log=$2 started=$SECONDS pause=30 latest
    trap 'kill "${sleeper:-}" 2>/dev/null; exit 0' TERM
    [[ -t 1 ]] && pause=1
    while :; do
        sleep "$pause" &
        sleeper=$!
        wait "$sleeper"
        latest=$(tail -c 4000 "$log" 2>/dev/null | tr '\r' '\n' | grep -av '^[[:space:]]*$' | tail -n 1 |
            tr -dc '[:print:]' | cut -c 1-60) || true
        if [[ -t 1 ]]; then
            printf '\r\e[K%s … %s s  %s' "$text" $((SECONDS - started)) "$latest"
        else
            echo "$text … $((SECONDS - started)) s  $latest"
        fi
    done
}

# has PACKAGE: whether Debian's package is installed.
has() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}
