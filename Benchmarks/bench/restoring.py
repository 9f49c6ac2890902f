"""The way back of a cleanup: 100,000 rows, half of them deleted and half of them changed, beside the same INSERT and UPDATE by hand."""

import os
import statistics
import subprocess
import time

from .cluster import PSQL
from .measure import line, ratios, spread

ROWS = 50_000
# As many clean rows as orphans; both keys with an index, as index-foreign-keys=yes makes it.
TABLES = f"""
CREATE TABLE parent (id bigint PRIMARY KEY); INSERT INTO parent VALUES (1);
CREATE TABLE gone (id bigint PRIMARY KEY, parent_id bigint NOT NULL, note text, at timestamptz);
INSERT INTO gone SELECT n, CASE WHEN n % 2 = 0 THEN 1 ELSE 2 END, 'row ' || n || repeat('.', 20), now() FROM generate_series(1, 2 * {ROWS}) AS n;
CREATE TABLE changed (id bigint PRIMARY KEY, parent_id bigint, note text);
INSERT INTO changed SELECT n, CASE WHEN n % 2 = 0 THEN 1 ELSE 2 END, 'row ' || n || repeat('.', 20) FROM generate_series(1, 2 * {ROWS}) AS n;
CREATE TABLE backup AS SELECT * FROM gone WHERE parent_id = 2;
CREATE TABLE backup_of_changed AS SELECT id, parent_id FROM changed WHERE parent_id = 2;
"""
UP = """-- migrated: orphans=clean orphan-limit=100% index-foreign-keys=yes
ALTER TABLE gone ADD CONSTRAINT gone_parent FOREIGN KEY (parent_id) REFERENCES parent;
ALTER TABLE changed ADD CONSTRAINT changed_parent FOREIGN KEY (parent_id) REFERENCES parent;
"""
DOWN = """ALTER TABLE gone DROP CONSTRAINT gone_parent;
ALTER TABLE changed DROP CONSTRAINT changed_parent;
"""
BY_HAND = f"""BEGIN;
{DOWN}
INSERT INTO gone SELECT * FROM backup;
UPDATE changed AS c SET parent_id = b.parent_id FROM backup_of_changed AS b WHERE b.id = c.id AND c.parent_id IS NULL;
COMMIT;
"""


def restoring(bench):
    folder = f"{bench.folder}/restore"
    os.makedirs(folder)
    for name, text in [("001_key.up.sql", UP), ("001_key.down.sql", DOWN), ("../restore.hand", BY_HAND)]:
        with open(f"{folder}/{name}", "w") as file:
            file.write(text)
    base = bench.cluster.fresh()
    bench.cluster.sql(base, TABLES)
    bench.cluster.sql(base, "VACUUM ANALYZE")
    bench.apply(bench.cluster.conninfo(base), folder)
    seconds = {"migrated": [], "by hand": []}
    for turn in range(bench.rounds):
        sides = list(seconds)
        for side in sides if turn % 2 == 0 else sides[::-1]:
            database = f"restore_{turn}_{side[0]}"
            bench.cluster.sql("postgres", f"CREATE DATABASE {database} TEMPLATE {base} STRATEGY file_copy")
            bench.cluster.sql("postgres", "CHECKPOINT")
            conninfo = bench.cluster.conninfo(database)
            if side == "migrated":
                command = bench.verb("rollback", conninfo, folder, "--last", "1")
            else:
                command = [PSQL, "-Xqv", "ON_ERROR_STOP=1", "-f", f"{folder}/../restore.hand", conninfo]
            begin = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True)
            seconds[side].append(time.perf_counter() - begin)
            if done.returncode != 0:
                raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
            found = bench.cluster.sql(
                database, "SELECT (SELECT count(*) FROM gone WHERE parent_id = 2), (SELECT count(*) FROM changed WHERE parent_id = 2)")
            if found != f"{ROWS}|{ROWS}":
                raise SystemExit(f"{database} holds {found} after {side}")
            bench.cluster.sql("postgres", f"DROP DATABASE {database}")
    ratio = statistics.median(ratios(seconds, "migrated", "by hand"))
    line("restore", f"{2 * ROWS:,} rows: migrated {spread(seconds['migrated'], 1000, 0)} ms, "
         f"by hand {spread(seconds['by hand'], 1000, 0)} ms: {ratio:.2f} times", ratio, 2, " times")
