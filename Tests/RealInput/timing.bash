# shellcheck shell=bash
# `apply` beside one psql session over whole folders. Sourced by `conformance`; needs server.bash, order.bash and stages.bash.

# One script for one session of psql: each file between BEGIN and COMMIT where migrated has it in one transaction, else as it is.
one_session() {
    local file
    jq -r '.migrations[] | select((.segments | length) == 1 and .segments[0].kind == "transaction") | .path' "$f/plan" >"$f/transactions"
    while IFS= read -r file; do
        direction "$layout" up "$directory" "$file" >"$f/files/${file//\//+}"
        if grep -qxF -- "$file" "$f/transactions" && ! grep -qiE '^ *(BEGIN|COMMIT|START TRANSACTION) *;' "$f/files/${file//\//+}"; then
            printf 'BEGIN;\n\\i %s\nCOMMIT;\n' "'$f/files/${file//\//+}'"
        else
            printf '\\i %s\n' "'$f/files/${file//\//+}'"
        fi
    done <"$f/order" >"$f/session.sql"
}

timed() { # timed psql|migrated: milliseconds in $elapsed
    local begin=$EPOCHREALTIME
    case $1 in
        psql) run "$1" sql -d timed -f "$f/session.sql" ;;
        migrated) run "$1" migrated timed apply ;;
    esac
    elapsed=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
    ((code == 0)) || { grep -v NOTICE "$f/$1.errors" | tail -n "$lines"; return 1; }
}
median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# For each folder: both in turn, another one first in each round; medians, and the median, least and most of the rounds' ratios.
time_folders() {
    local round who elapsed=0 order
    start_server
    while read -r -u 9 layout directory prelude; do
        [[ $layout && $layout != \#* ]] || continue
        directory=$(readlink -f "$directory") f=$work/$layout+${directory##*/}
        mkdir -p "$f/files"
        in_order "$layout" "$directory" >"$f/order"
        new_database timed
        run plan migrated timed plan --output json
        one_session
        for ((round = 0; round <= rounds; round++)); do
            order=(psql migrated)
            ((round % 2)) || order=(migrated psql)
            for who in "${order[@]}"; do
                reset_server
                rm -rf -- "$work/state"
                mkdir -m 0700 "$work/state"
                new_database timed
                [[ ! $prelude ]] || sql -d timed -f "$prelude" >/dev/null 2>&1
                sql -d postgres -c CHECKPOINT
                timed "$who" || { echo "$layout $directory: $who cannot run it"; continue 3; }
                # The first round warms both up.
                ((round == 0)) || echo "$elapsed" >>"$f/$who.times"
            done
        done
        paste "$f/migrated.times" "$f/psql.times" | awk '{ print $1 / $2 }' >"$f/ratios"
        printf '%-14s %-20s %4s files  migrated %6s ms  psql %6s ms  ratio %.2f (%.2f to %.2f)\n' "$layout" "${directory##*/}" \
            "$(wc -l <"$f/order")" "$(median <"$f/migrated.times")" "$(median <"$f/psql.times")" "$(median <"$f/ratios")" \
            "$(sort -n "$f/ratios" | head -n 1)" "$(sort -n "$f/ratios" | tail -n 1)"
    done 9<"$list"
}
