# shellcheck shell=bash
# What psql makes of a folder, and how a database is compared with that. Sourced by `conformance`; needs server.bash and order.bash.

# The tools' own tables, which are no part of what a folder makes.
histories='_prisma_migrations schema_migrations flyway_schema_history goose_db_version __diesel_schema_migrations _sqlx_migrations
    gorp_migrations pgmigrations play_evolutions schema_version changelog'
history_schemas='migrated drizzle supabase_migrations hdb_catalog atlas_schema_revisions sqitch graphile_migrate'

# by_psql DATABASE FROM TO: runs that part of $f/order, a session for each file; the number of the file that fails is in $failed. A file that psql
# cannot run statement by statement it can perhaps run as a whole: those in $f/whole.
by_psql() {
    local file number=0 whole
    failed=
    while IFS= read -r file; do
        number=$((number + 1))
        ((number >= $2)) || continue
        ((number <= $3)) || break
        direction "$layout" up "$directory" "$file" >"$f/psql.sql" 2>"$f/psql" || { failed=$number; return 0; }
        whole=()
        grep -qxF -- "$file" "$f/whole" && whole=(-1)
        sql -d "$1" "${whole[@]}" -f "$f/psql.sql" >"$f/psql" 2>&1 </dev/null || { failed=$number; return 0; }
    done <"$f/order"
}

# One database by psql with the prelude and the first files.
prepared() { # prepared DATABASE COUNT
    new_database "$1"
    [[ -z $prelude ]] || sql -d "$1" -f "$prelude" >/dev/null 2>&1
    by_psql "$1" 1 "$2"
}

# psql_reference: runs the folder in database by_psql; $count is how many files psql can run, $stopped says where it stops.
psql_reference() {
    count=$total stopped=
    : >"$f/whole"
    while prepared by_psql "$count"; [[ $failed ]]; do
        local file
        file=$(sed -n "${failed}p" "$f/order")
        grep -v NOTICE "$f/psql" | head -n 3 >"$f/psql.errors"
        reset_server
        if grep -qxF -- "$file" "$f/whole"; then
            count=$((failed - 1))
            stopped="psql fails at $failed of $total, '$file'"
        else
            echo "$file" >>"$f/whole"
        fi
        ((count > 0)) || return 0
    done
}

# Columns whose values differ from one run to the next (the time, random numbers), as {"schema.table": ["column", …]}.
column_hashes() { # column_hashes DATABASE
    sql -d "$1" -f - <<'SQL' >"$f/columns.sql"
SELECT format('SELECT %L, %L, md5(string_agg(%I::text, '','' ORDER BY %I::text COLLATE "C")) FROM %I.%I;', nspname || '.' || relname, attname,
    attname, attname, nspname, relname)
  FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute ON attrelid = pg_class.oid
 WHERE relkind IN ('r', 'm') AND relispopulated AND attnum > 0 AND NOT attisdropped AND nspname !~ '^pg_' AND nspname <> 'information_schema'
 ORDER BY nspname, relname, attnum;
SQL
    sql -d "$1" -f "$f/columns.sql"
}

# measure DATABASE NAME: the schema, the rows of every table (their number and a hash without the columns that differ anyway) and the
# positions of the sequences, in $f/NAME.schema and $f/NAME.rows.
measure() {
    local name without=() tables
    for name in $histories; do without+=(-T "public.$name*"); done
    for name in $history_schemas; do without+=(-N "$name"); done
    # A dump names a random word for psql's restricted mode.
    "${clean[@]}" "$postgresql/pg_dump" --schema-only "${without[@]}" "$1" | grep -vE '^\\(un)?restrict ' >"$f/$2.schema"
    tables=$(tr -s ' \n' '||' <<<"$histories")
    sql -d "$1" -v "tables=^(${tables%|})" -v "schemas=^(pg_.*|information_schema|${history_schemas// /|})$" \
        -v "volatile=$(cat "$f/volatile" 2>/dev/null || echo '{}')" -f - <<'SQL' >"$f/rows.sql"
SELECT format('SELECT %L, count(*), md5(string_agg(hashed, '''' ORDER BY hashed)) FROM (SELECT md5((to_jsonb(conformance_row) - %L::text[])::text) AS hashed
    FROM %I.%I AS conformance_row) AS hashes;', nspname || '.' || relname,
    coalesce((SELECT array_agg(c) FROM jsonb_array_elements_text(:'volatile'::jsonb -> (nspname || '.' || relname)) AS c), '{}'), nspname, relname)
  FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
 WHERE relkind IN ('r', 'm') AND relispopulated AND nspname !~ :'schemas' AND relname !~ :'tables'
 ORDER BY nspname COLLATE "C", relname COLLATE "C";
SELECT format('SELECT %L, last_value, is_called FROM %I.%I;', nspname || '.' || relname, nspname, relname)
  FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
 WHERE relkind = 'S' AND nspname !~ :'schemas' AND relname !~ :'tables'
 ORDER BY nspname COLLATE "C", relname COLLATE "C";
SQL
    sql -d "$1" -f "$f/rows.sql" >"$f/$2.rows"
}

# A second run by psql shows which columns never come out the same.
find_volatile() {
    column_hashes by_psql >"$f/columns.first"
    grep -qv '|$' "$f/columns.first" || return 0
    ((roles == 0)) || reset_server
    prepared by_psql_again "$count"
    column_hashes by_psql_again >"$f/columns.second"
    sql -d postgres -c 'DROP DATABASE by_psql_again'
    comm -23 <(sort "$f/columns.first") <(sort "$f/columns.second") |
        jq -R -s -c 'split("\n") | map(select(. != "") | split("|")) | group_by(.[0]) | map({(.[0][0]): map(.[1])}) | add // {}' >"$f/volatile"
}

# same DATABASE NAME: whether the database is as psql's, which was measured under that name.
same() {
    measure "$1" "$1"
    diff "$f/$2.schema" "$f/$1.schema" >"$f/difference" || wrong "the schema differs (psql <, migrated >)" difference
    diff "$f/$2.rows" "$f/$1.rows" >"$f/difference" || wrong "rows or sequences differ (psql <, migrated >)" difference
}
