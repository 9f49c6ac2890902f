# shellcheck shell=bash
# A throw-away PostgreSQL server and the programs that are tried on it. Sourced by `conformance`.

project=$(readlink -f "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../..")
programs=${MIGRATED_PROGRAMS:-$(cd "$project" && swift build --show-bin-path)}
postgresql=${POSTGRESQL_BIN:-/usr/lib/postgresql/15/bin}

# The path is short, because a socket's path must stay under 108 bytes.
work=$(mktemp -d /tmp/migrated-conformance.XXXXXX)
server=
leave() {
    local code=$?
    trap - EXIT
    [[ $server ]] && kill -QUIT "$server" 2>/dev/null && wait "$server" || true
    rm -rf -- "$work"
    exit "$code"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 0711 "$work"
mkdir -m 0700 "$work/server" "$work/state"
clean=(env -i "PATH=$PATH" "HOME=$work" LANG=C.UTF-8 "PGHOST=$work/server" PGUSER=postgres)

start_server() { # start_server [SETTING...]: each as NAME=VALUE
    local setting as_server=("${clean[@]}") settings=()
    for setting; do settings+=(-c "$setting"); done
    if ((EUID == 0)); then
        chown postgres: "$work/server"
        as_server+=(setpriv --reuid=postgres --regid=postgres --init-groups)
    fi
    "${as_server[@]}" "$postgresql/initdb" -D "$work/server/data" --no-sync --auth=trust --username=postgres --encoding=UTF8 \
        --locale=C >"$work/initdb" || { cat "$work/initdb"; exit 1; }
    (cd / && exec "${as_server[@]}" "$postgresql/postgres" -D "$work/server/data" -c listen_addresses= \
        -c "unix_socket_directories=$work/server" "${settings[@]}" >"$work/log" 2>&1) &
    server=$!
    until "${clean[@]}" "$postgresql/pg_isready" -q; do
        kill -0 "$server" 2>/dev/null || { cat "$work/log"; exit 1; }
        sleep 0.1
    done
    # A folder can take from its own login what is needed to clean up behind it.
    sql -d postgres -c 'CREATE ROLE conformance SUPERUSER LOGIN'
}

sql() { "${clean[@]}" "$postgresql/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
connection() { echo "host=$work/server user=postgres dbname=$1"; }
new_database() { # new_database NAME [TEMPLATE]
    sql -d postgres -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1 TEMPLATE ${2:-template0}" 2>>"$work/notices"
}

# Roles belong to the server and not to a database: what a folder has made must be gone before its files run again.
made_roles() { sql -d postgres -c "SELECT rolname FROM pg_roles WHERE oid >= 16384 AND rolname <> 'conformance'"; }
reset_server() {
    local name
    sql -U conformance -d template1 -c "SELECT datname FROM pg_database WHERE oid >= 16384" | while IFS= read -r name; do
        sql -U conformance -d template1 -v "name=$name" -f - <<<'DROP DATABASE :"name" WITH (FORCE);'
    done
    made_roles | while IFS= read -r name; do
        sql -U conformance -d postgres -v "name=$name" -f - <<<'DROP OWNED BY :"name"; DROP ROLE :"name";'
    done
    sql -U conformance -d postgres -c "ALTER ROLE ALL RESET ALL" -c "ALTER ROLE postgres RESET ALL" \
        -c "ALTER ROLE postgres SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS"
}
