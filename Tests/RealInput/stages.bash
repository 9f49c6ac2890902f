# shellcheck shell=bash
# What is tried on each folder: from empty, adopted in the middle, baseline at the end, replayed, rolled back. Sourced by `conformance`.

migrated() { # migrated DATABASE VERB…
    local database=$1
    shift
    "${clean[@]}" "$programs/migrated" "$@" --database "$(connection "$database")" --directory "$directory" --layout "$layout" \
        --state-directory "$work/state" --settle 0 --lock-timeout 10s
}
auditctl() {
    local database=$1
    shift
    "${clean[@]}" "$programs/auditctl" "$@" --database "$(connection "$database")" --state-directory "$work/state"
}
run() { # run NAME COMMAND…: its output in $f/NAME and $f/NAME.errors, its exit code in $code
    local name=$1
    shift
    code=0
    "$@" >"$f/$name" 2>"$f/$name.errors" </dev/null || code=$?
}
wrong() { # wrong WHAT [NAME]: with the ends of that command's output
    bad=1
    echo "    $1" >>"$f/report"
    [[ ! ${2-} ]] || { cat "$f/$2" "$f/$2.errors" 2>/dev/null || true; } |
        awk '!/^{/' | tail -n "$lines" | cut -c 1-300 | sed 's/^/        /' >>"$f/report"
}
must() { # must NAME COMMAND…: which ends with 0
    run "$@"
    ((code == 0)) || wrong "$1 ends with $code" "$1"
    ((code == 0))
}
version_of() { jq -r --arg path "$1" '.migrations[] | select(.path == $path) | .version // .name' "$f/plan"; }

# A database with what the folder starts from: where roles were made, alone on the server.
start_from() { # start_from DATABASE COUNT: empty for 0
    if ((roles)); then
        reset_server
        prepared "$1" "$2"
    elif (($2 == 0)); then
        prepared "$1" 0
    else
        new_database "$1" "$(if (($2 == count)); then echo by_psql; else echo by_psql_half; fi)"
    fi
}

stage_empty() {
    checked
    start_from by_migrated 0
    must preflight migrated by_migrated preflight "${to[@]}" || true
    head -n "$count" "$f/order" >"$f/expected"
    jq -r '.migrations[] | select(.state == "pending") | .path' "$f/plan" | head -n "$count" >"$f/planned"
    diff "$f/expected" "$f/planned" >"$f/difference" || wrong "the plan (>) has another order than the tool (<)" difference
    must apply migrated by_migrated apply "${to[@]}" || return 0
    same by_migrated by_psql
    must verify auditctl by_migrated verify || true
    auditctl by_migrated log --limit all --output ndjson >"$f/events"
    accounted
    run again migrated by_migrated apply "${to[@]}"
    ((code == 0)) || wrong "a second apply ends with $code" again
    [[ $(auditctl by_migrated log --limit all --output ndjson | wc -l) == "$(wc -l <"$f/events")" ]] || wrong "a second apply adds events"
}

# An error of `check` is right where psql finds a syntax error in that file, too: a down file that nobody ever ran.
checked() {
    local file code
    run check "${clean[@]}" "$programs/migrated" check --directory "$directory" --layout "$layout" --output json
    tail -n +"$((count + 1))" "$f/order" >"$f/beyond"
    jq -r '.findings[] | select(.severity == "error") | [.file, .code] | @tsv' "$f/check" | sort -u | while IFS=$'\t' read -r file code; do
        ! grep -qxF -- "$file" "$f/beyond" || continue
        { sql -d planned -v ON_ERROR_STOP=0 -f "$directory/$file" 2>&1 </dev/null || true; } | grep -q 'ERROR:  syntax error' ||
            jq -r --arg file "$file" --arg code "$code" '.findings[] | select(.file == $file and .code == $code and .severity == "error") |
                "\(.file):\(.line): \(.code) \(.message)"' "$f/check"
    done >"$f/false"
    [[ ! -s $f/false ]] || wrong "check has errors in what runs: $(wc -l <"$f/false")" false
    ((code != 65)) || wrong "check ends with 65" check
}

# Every file is in an event: applied, or skipped with a reason; what undoes a migration belongs to it.
accounted() {
    local file
    ((count == total)) || return 0
    jq -r 'select(.event == "applied") | .attempt_id' "$f/events" | sort >"$f/done"
    jq -r 'select(.event == "started") | "\(.attempt_id)\t\(.detail | if type == "string" then fromjson else . end | .path)"' "$f/events" | sort |
        join -t $'\t' -o 1.2 - "$f/done" | sort >"$f/applied"
    sort "$f/order" | diff - "$f/applied" >"$f/difference" || wrong "not the files that were applied (psql <, migrated >)" difference
    jq -r 'select(.event == "skipped") | .name' "$f/events" | sort -u >"$f/skipped"
    (cd "$directory" && find . -name '*.sql' -type f -printf '%P\n') | sort | comm -23 - "$f/applied" | while IFS= read -r file; do
        [[ $file == *down.sql || $layout/${file##*/} == flyway/U* || $layout/$file == sqitch/@(revert|verify|deploy)/* ]] ||
            grep -qxF -e "$file" -e "${file%.sql}" "$f/skipped" || echo "$file"
    done >"$f/lost"
    [[ ! -s $f/lost ]] || wrong "in no event" lost
}

stage_adopted() {
    history_of "$layout" "$directory" </dev/null >/dev/null || { without="no history of that tool"; return 0; }
    head -n "$half" "$f/order" >"$f/first"
    start_from by_both "$half"
    history_of "$layout" "$directory" <"$f/first" >"$f/history.sql"
    run history sql -d by_both -f "$f/history.sql"
    ((code == 0)) || { wrong "the tool's history cannot be written" history; return 0; }
    must adopt migrated by_both adopt --output json || return 0
    [[ $(jq '.adopted | length' "$f/adopt") == "$half" ]] || wrong "adopt adopts $(jq '.adopted | length' "$f/adopt"), not $half"
    jq -r '.adopted[] | select(.tool_checksum | IN("same", "not_kept") | not) | .name' "$f/adopt" >"$f/unlike"
    [[ ! -s $f/unlike ]] || wrong "adopt finds other texts" unlike
    must rest migrated by_both apply "${to[@]}" && same by_both by_psql
}

# proof DATABASE VERSION CODE: with what `adopt --baseline` of that version has to end.
proof() {
    run proof migrated "$1" adopt --dry-run --baseline "$2" "${scratch[@]}"
    ((code == $3)) || wrong "adopt --baseline '$2' in $1 ends with $code, not $3" proof
}

schema() { # schema DATABASE
    "${clean[@]}" "$postgresql/pg_dump" --schema-only --no-comments --no-owner "$1" | grep -vE '^\\(un)?restrict '
}

stage_baseline() {
    local half_file scratch=()
    # What belongs to the whole server cannot be made twice on one.
    ((roles == 0)) || { without="makes roles"; return 0; }
    start_from by_baseline "$count"
    if [[ $prelude ]]; then
        prepared by_prelude 0
        scratch=(--scratch "$(connection by_prelude)")
    fi
    start_from by_nothing 0
    proof by_nothing "$newest" 1
    half_file=$(head -n "$half" "$f/order" | grep -v '^R__' | tail -n 1)
    if ((half < count)) && [[ $half_file ]]; then
        start_from by_half "$half"
        proof by_half "$(version_of "$half_file")" 0
        # Where the rest changes rows alone, nothing tells the two apart.
        cmp -s <(schema by_half) <(schema by_baseline) || proof by_half "$newest" 1
    fi
    must baseline migrated by_baseline adopt --baseline "$newest" --output json "${scratch[@]}" || return 0
    must after migrated by_baseline apply "${to[@]}" || return 0
    same by_baseline by_psql
    run plan.after migrated by_baseline plan "${to[@]}" --output json
    [[ -z $(jq -r '.migrations[] | select(.state == "pending") | .path' "$f/plan.after") ]] || wrong "something is pending after the baseline" plan.after
    must integrity auditctl by_baseline integrity --directory "$directory" || true
}

# Where a file was in the end undone by a later one, running it again is what the setting must not do.
stage_replayed() {
    ((roles == 0)) || { without="makes roles"; return 0; }
    [[ ! $prelude ]] || { without="needs a prelude, which a scratch database of its own does not have"; return 0; }
    start_from by_replay "$count"
    echo 'existing = "skip-identical"' >"$work/skip-identical.toml"
    must replay migrated by_replay apply --config "$work/skip-identical.toml" "${to[@]}" || return 0
    same by_replay by_psql
    auditctl by_replay log --limit all --output ndjson >"$f/replayed"
    jq -r 'select(.event | IN("started", "applied")) | .name' "$f/replayed" | sort -u >"$f/ran"
    [[ ! -s $f/ran ]] || wrong "ran again" ran
    [[ $(jq -r 'select(.event == "adopted" and .reason == "replayed") | .name' "$f/replayed" | wc -l) == "$count" ]] ||
        wrong "not every file is adopted as replayed" replay
}

# undo_by_psql MOST: undoes up to that many of the last files, each as a whole or else statement by statement; $undone is how many, and $partial is set where
# the next one was undone in part.
undo_by_psql() {
    local number file
    undone=0 partial=
    for ((number = count; number > count - $1; number--)); do
        file=$(sed -n "${number}p" "$f/order")
        direction "$layout" down "$directory" "$file" >"$f/down.sql" 2>/dev/null || return 0
        if ! sql -d by_psql_undone -1 -f "$f/down.sql" >"$f/psql" 2>&1 </dev/null; then
            sql -d by_psql_undone -f "$f/down.sql" >"$f/psql" 2>&1 </dev/null || { partial=$file; return 0; }
        fi
        undone=$((undone + 1))
    done
}

# As many from the end as psql can undo.
stage_rolled_back() {
    start_from by_psql_undone "$count"
    undo_by_psql "$count"
    if [[ $partial ]]; then
        start_from by_psql_undone "$count"
        undo_by_psql "$undone"
    fi
    ((undone > 0)) || { without="no downs that psql can run"; return 0; }
    note="$undone of $count undone"
    measure by_psql_undone by_psql_undone
    if ((roles)); then
        reset_server
        prepared by_migrated 0
        must apply migrated by_migrated apply "${to[@]}" || return 0
    elif ! sql -d by_migrated -c '' 2>/dev/null; then
        return 0
    fi
    must rollback migrated by_migrated rollback --last "$undone" --reason conformance || return 0
    same by_migrated by_psql_undone
    must verify auditctl by_migrated verify || true
}
