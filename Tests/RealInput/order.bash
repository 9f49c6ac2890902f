# shellcheck shell=bash
# In which order each tool runs its files, and which part of a file each direction is: worked out here again, by sort, jq, awk, and
# PostgreSQL's ICU for prisma. Sourced by `conformance`; needs `sql` of server.bash.

layouts='prisma|golang-migrate|drizzle|flat|flyway|goose|dbmate|diesel|sqlx|supabase|hasura|atlas|sql-migrate|node-pg-migrate|sqitch|play|tern|graphile|mybatis|liquibase'

# in_order LAYOUT FOLDER: the files that are applied, relative to the folder.
in_order() {
    local layout=$1 directory=$2
    [[ $layout == drizzle && ! -e $directory/meta/_journal.json ]] && layout=prisma
    case $layout in
        prisma)
            find "$directory" -mindepth 2 -maxdepth 2 -name migration.sql -printf '%P\n' | sed 's|/migration.sql$||' |
                jq -R -s -c 'split("\n") | map(select(. != ""))' >"$work/names"
            sql -d postgres -v "names=$(<"$work/names")" -f - <<'SQL'
SELECT name || '/migration.sql' FROM json_array_elements_text(:'names') AS name
 ORDER BY name COLLATE "und-x-icu", name COLLATE "C";
SQL
            ;;
        drizzle) jq -r '.entries | sort_by(.idx)[] | .tag + ".sql"' "$directory/meta/_journal.json" ;;
        # A letter behind the number sorts behind the number alone.
        golang-migrate) find "$directory" -mindepth 1 -maxdepth 1 -name '*.up.sql' -printf '%P\n' |
            sed -E 's/^V?([0-9]+)([a-z]*)[_.].*/\1\t-\2\t&/' | LC_ALL=C sort -t $'\t' -k1,1n -k2,2 | cut -f 3 ;;
        flat) find "$directory" -mindepth 1 -maxdepth 1 -name '*.sql' ! -name '*.down.sql' -printf '%P\n' | LC_ALL=C sort -V ;;
        goose | sql-migrate | tern | play | mybatis | node-pg-migrate)
            find "$directory" -mindepth 1 -maxdepth 1 -name '[0-9]*.sql' -printf '%P\n' | LC_ALL=C sort -n ;;
        sqlx) find "$directory" -mindepth 1 -maxdepth 1 -name '[0-9]*.sql' ! -name '*.down.sql' -printf '%P\n' | LC_ALL=C sort -n ;;
        dbmate | supabase | atlas | liquibase)
            find "$directory" -mindepth 1 -maxdepth 1 -name '[0-9]*.sql' -printf '%P\n' | LC_ALL=C sort ;;
        graphile) find "$directory/committed" -mindepth 1 -maxdepth 1 -name '[0-9]*.sql' -printf 'committed/%P\n' | LC_ALL=C sort ;;
        hasura) find "$directory" -mindepth 2 -maxdepth 2 -name up.sql -printf '%P\n' | LC_ALL=C sort -n ;;
        diesel) find "$directory" -mindepth 2 -maxdepth 2 -name up.sql -printf '%P\n' |
            awk -F _ '{ key = $1; gsub("-", "", key); print key "\t" $0 }' | LC_ALL=C sort -t $'\t' -k1,1 | cut -f 2 ;;
        # Changes that were reworked after a tag have their earlier script as NAME@TAG.sql.
        sqitch) awk '/^[[:space:]]*(%|#|$)/ { next }
            /^@/ { for (i = first + 1; i <= n; i++) tag[i] = $1; first = n; next }
            { n += 1; name[n] = $1; if ($1 in last) again[last[$1]] = 1; last[$1] = n }
            END { for (i = 1; i <= n; i++) print "deploy/" name[i] (i in again ? tag[i] : "") ".sql" }' "$directory/sqitch.plan" ;;
        # Versions part by part, then what is repeatable by its title.
        flyway)
            find "$directory" -mindepth 1 -maxdepth 2 -name 'V[0-9]*__*.sql' -printf '%f\t%P\n' |
                awk -F '\t' '{ key = substr($1, 2); sub(/__.*/, "", key); gsub("_", ".", key); print key "\t" $2 }' |
                LC_ALL=C sort -t . -k1,1n -k2,2n -k3,3n -k4,4n | cut -f 2
            find "$directory" -mindepth 1 -maxdepth 2 -name 'R__*.sql' -printf '%f\t%P\n' | LC_ALL=C sort | cut -f 2
            ;;
    esac
}

# between UP DOWN FILE: the lines from the one that matches UP to the one that matches DOWN.
between() { awk -v up="$1" -v down="$2" '{ line = tolower($0) } line ~ up { on = 1; next } line ~ down { on = 0; next } on' "$3"; }

# direction LAYOUT up|down FOLDER FILE: what psql runs; fails where there is nothing for that direction.
direction() {
    local layout=$1 way=$2 directory=$3 file=$4 up='' down='' undo=''
    case $layout in
        goose) up='^-- *\+goose +up' down='^-- *\+goose +down' ;;
        dbmate) up='^-- *migrate:up' down='^-- *migrate:down' ;;
        sql-migrate) up='^-- *\+migrate +up' down='^-- *\+migrate +down' ;;
        play) up='^(#|--).*!ups' down='^(#|--).*!downs' ;;
        tern) up='^$a' down='^---- create above / drop below ----' ;;
        mybatis) up='^-- *//[^@]' down='^ *-- *//@undo' ;;
        node-pg-migrate) up='^-- *up migration' down='^-- *down migration' ;;
    esac
    case $way/$layout in
        up/tern) awk -v down="$down" 'tolower($0) ~ down { exit } 1' "$directory/$file" ;;
        # Without its line a file cannot be undone.
        down/tern) grep -q -e "$down" "$directory/$file" && between "$down" "$up" "$directory/$file" ;;
        # Two semicolons are one that does not end the statement.
        up/play) between "$up" "$down" "$directory/$file" | sed 's/;;/;/g' ;;
        down/play) between "$down" "$up" "$directory/$file" | sed 's/;;/;/g' ;;
        up/*)
            if [[ $up ]]; then between "$up" "$down" "$directory/$file"; else cat "$directory/$file"; fi
            return
            ;;
        down/goose | down/dbmate | down/sql-migrate | down/mybatis | down/node-pg-migrate)
            between "$down" "$up" "$directory/$file" ;;
        down/diesel | down/hasura) undo=${file%up.sql}down.sql ;;
        down/prisma) undo=${file%migration.sql}down.sql ;;
        down/sqitch) undo=revert/${file#deploy/} ;;
        down/golang-migrate | down/sqlx) undo=${file%.up.sql}.down.sql ;;
        *) return 1 ;;
    esac
    [[ ! $undo ]] || { [[ $undo != "$file" && -f $directory/$undo ]] && cat "$directory/$undo"; }
}
