"""A made-up history of any length with a true chain, always the same for the same length and genesis."""

import hashlib
import struct
import subprocess
import uuid

from .cluster import PSQL, QUIET

COLUMNS = ("seq event_id recorded_at event attempt_id version name checksum direction reason object row_count duration_us sqlstate "
           "message detail initiated_by host db_user pid invocation_id prev_hash hash").split()
# 2026-01-01 00:00 UTC in microseconds since 2000-01-01.
START = 820_540_800_000_000
# One event every 400 ms: a million is four and a half days.
STEP = 400_000
VERSIONS = 1000
INVOCATION = "0123456789abcdef0123456789abcdef"
DOMAIN = b"\x01migrated-audit-v1"


def source(number):
    return f"CREATE TABLE orders_{number:04d} (id bigint PRIMARY KEY, placed_at timestamptz NOT NULL);\n".encode()


def install(cluster, database, migrated, folder):
    """The schema of the history, as migrated itself makes it."""
    subprocess.run(
        [migrated, "apply", "--database", cluster.conninfo(database), "--directory", folder, "--state-directory", folder + "/.state"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def fill(cluster, database, count, schema="migrated"):
    """Puts `count` events behind the head of an installed history, and the files that they name."""
    table = f"{schema}.migration_rollback_audit"
    seq, head = cluster.sql(database, f"SELECT seq, encode(hash, 'hex') FROM {schema}.audit_head").split("|")
    seq, previous = int(seq), bytes.fromhex(head)
    # The indexes are made anew behind the rows, which is faster than keeping them through millions of rows.
    indexes = cluster.sql(
        database, "SELECT i.indexrelid::regclass, pg_get_indexdef(i.indexrelid) FROM pg_index AS i WHERE i.indrelid = "
        f"'{table}'::regclass AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)").splitlines()
    for index in indexes:
        cluster.sql(database, f"DROP INDEX {index.split('|')[0]}")
    feed = subprocess.Popen(
        [PSQL, "-Xqv", "ON_ERROR_STOP=1", "-c", f"COPY {table} ({', '.join(COLUMNS)}) FROM STDIN", cluster.conninfo(database) + QUIET],
        stdin=subprocess.PIPE)
    rows = []
    for seq in range(seq + 1, seq + count + 1):
        line, previous = event(seq, previous)
        rows.append(line)
        if len(rows) == 5000:
            feed.stdin.write("".join(rows).encode())
            rows.clear()
    feed.stdin.write("".join(rows).encode())
    feed.stdin.close()
    if feed.wait() != 0:
        raise SystemExit("the made-up history was refused")
    for index in indexes:
        cluster.sql(database, index.split("|", 1)[1])
    values = ", ".join(f"('sha256:{hashlib.sha256(source(n)).hexdigest()}', '\\x{source(n).hex()}')" for n in range(VERSIONS))
    subprocess.run(
        [PSQL, "-Xqv", "ON_ERROR_STOP=1", cluster.conninfo(database) + QUIET], check=True, text=True,
        input=f"INSERT INTO {schema}.migration_source (checksum, source) VALUES {values} ON CONFLICT DO NOTHING")
    cluster.sql(database, f"UPDATE {schema}.audit_head SET seq = {seq}, hash = '\\x{previous.hex()}'")
    cluster.sql(database, f"VACUUM ANALYZE {table}")


CHECKSUMS = [f"sha256:{hashlib.sha256(source(n)).hexdigest()}" for n in range(VERSIONS)]


def event(seq, previous):
    """One event as a line for COPY, and its hash. Two of ten fail, one is skipped, one cleans up; half of all are beginnings."""
    turn, number = seq % 10, (seq // 2) % VERSIONS
    # Above the bits of version and variant, so that no number of events makes two ids alike.
    event_id, attempt = uuid.UUID(int=seq << 80 | 0x4000 << 64 | 0x8 << 60), uuid.UUID(int=(seq // 2) << 80 | 0x4000 << 64 | 0x9 << 60)
    version, reason, object_, row_count, duration, state, message, detail = f"{number:04d}", None, None, None, None, None, None, None
    if turn in (0, 2, 4, 6):
        kind, detail = "started", '{"file":"%s_orders.sql","layout":"flat","owner":"deploy","mode":"0644","statements":1}' % version
    elif turn in (3, 5):
        kind, duration, state = "failed", seq % 9000 + 400, "42P07"
        message = f'relation "orders_{version}" already exists'
        detail = '{"column":14,"line":1,"statement":1,"text":"CREATE TABLE orders_%s"}' % version
    elif turn == 8:
        kind, reason, attempt = "skipped", "blocked_by_failure", None
    elif turn == 9:
        kind, object_, row_count = "orphans_deleted", f"public.orders_{version}.user_id", seq % 50
    else:
        kind, duration = "applied", seq % 70000 + 900
    moment = START + seq * STEP
    texts = [kind, version, version + "_orders", CHECKSUMS[number], "up", reason, object_]
    who = ["migrated.service (" + INVOCATION + ")", "web1", "migrated"]
    fields = [event_id.bytes, struct.pack(">q", moment), texts[0].encode(), attempt.bytes if attempt else None]
    fields += [text.encode() if text is not None else None for text in texts[1:]]
    fields += [struct.pack(">q", value) if value is not None else None for value in (row_count, duration)]
    fields += [text.encode() if text is not None else None for text in (state, message, detail, *who)]
    fields += [struct.pack(">i", 4711), INVOCATION.encode()]
    chain = [DOMAIN, struct.pack(">q", seq), previous]
    for field in fields:
        chain.append(b"\xff\xff\xff\xff" if field is None else struct.pack(">i", len(field)) + field)
    own = hashlib.sha256(b"".join(chain)).digest()
    seconds, micros = divmod(moment, 1_000_000)
    values = [seq, event_id, f"epoch:{seconds}.{micros}", kind, attempt, version, texts[2], texts[3], "up", reason, object_, row_count,
              duration, state, message, detail, *who, 4711, INVOCATION, "\\\\x" + previous.hex(), "\\\\x" + own.hex()]
    values[2] = stamp(seconds, micros)
    return "\t".join("\\N" if value is None else str(value) for value in values) + "\n", own


DAYS = {}


def stamp(seconds, micros):
    day, rest = divmod(seconds, 86400)
    if day not in DAYS:
        import datetime
        DAYS[day] = (datetime.date(2000, 1, 1) + datetime.timedelta(days=day)).isoformat()
    return f"{DAYS[day]} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}.{micros:06d}+00"
