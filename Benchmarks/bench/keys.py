"""A foreign key over a large child with orphans, while a single-row writer is at work: in one transaction and step by step."""

import os
import random
import statistics
import subprocess
import threading
import time

from .cluster import PSQL
from .measure import line, spread

# One row in a hundred refers to nothing; a parent has fifty children.
TABLES = """
CREATE TABLE parent (id bigint PRIMARY KEY, name text);
INSERT INTO parent SELECT n, 'parent ' || n FROM generate_series(0, {rows} / 50) AS n;
CREATE TABLE child (id bigint PRIMARY KEY, parent_id bigint NOT NULL, touched int NOT NULL DEFAULT 0, note text);
INSERT INTO child SELECT n, CASE WHEN n % 100 = 0 THEN -n ELSE n % ({rows} / 50) END, 0, 'row ' || n || repeat('.', 20)
  FROM generate_series(1, {rows}) AS n;
"""
QUARANTINE = """CREATE TABLE quarantine (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key jsonb, old_row jsonb NOT NULL);
"""
ADD = """ALTER TABLE child ADD CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;
"""
CLEAN = """WITH gone AS (DELETE FROM child AS c WHERE NOT EXISTS (SELECT FROM parent AS p WHERE p.id = c.parent_id)
  RETURNING jsonb_build_object('id', c.id) AS key,
            jsonb_build_object('id', c.id, 'parent_id', c.parent_id, 'touched', c.touched, 'note', c.note) AS old_row)
INSERT INTO quarantine (key, old_row) SELECT key, old_row FROM gone;
"""
PROVE = """ALTER TABLE child VALIDATE CONSTRAINT child_parent;
"""
BY_HAND = {
    "one transaction": "BEGIN;\nLOCK TABLE child, parent IN SHARE ROW EXCLUSIVE MODE;\n" + QUARANTINE + ADD + CLEAN + PROVE
    + "CREATE INDEX child_parent_id_idx ON child (parent_id);\nCOMMIT;\n",
    "step by step": QUARANTINE + ADD + CLEAN + "CREATE INDEX CONCURRENTLY child_parent_id_idx ON child (parent_id);\n" + PROVE,
}
BY_HAND["one transaction without the proof"] = BY_HAND["one transaction"]
WAYS = {
    "one transaction": "foreign-keys=one-transaction",
    "one transaction without the proof": "foreign-keys=one-transaction prove-restore=never",
    "step by step": "foreign-keys=stepwise",
}


class Writer:
    """One psql that updates one row after the other, fifty a second; `longest` of its waits in seconds afterwards."""

    def __init__(self, bench, database):
        self.rows = bench.rows
        self.waits = []
        self.stopped = threading.Event()
        self.psql = subprocess.Popen(
            [PSQL, "-XAtqv", "ON_ERROR_STOP=1", bench.cluster.conninfo(database)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1)
        self.thread = threading.Thread(target=self.write)

    def write(self):
        chance = random.Random(1)
        while not self.stopped.is_set():
            # A row that is no orphan, so that it stands in nobody's way by itself.
            row = chance.randrange(self.rows // 100) * 100 + chance.randrange(1, 100)
            begin = time.perf_counter()
            self.psql.stdin.write(f"UPDATE child SET touched = touched + 1 WHERE id = {row};\n\\echo done\n")
            if self.psql.stdout.readline() != "done\n":
                return
            self.waits.append(time.perf_counter() - begin)
            time.sleep(0.02)

    def __enter__(self):
        self.thread.start()
        time.sleep(0.5)
        # What it takes to warm up is no wait.
        self.waits.clear()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
        self.psql.stdin.close()
        if self.psql.wait() != 0:
            raise SystemExit(f"the writer's psql ended with {self.psql.returncode}")

    def longest(self):
        return max(self.waits)


def keys(bench):
    """Both ways of a foreign key, each beside the same statements by hand; first the total time, then the writer's longest wait."""
    base = bench.cluster.fresh()
    bench.cluster.sql(base, TABLES.format(rows=bench.rows))
    bench.cluster.sql(base, "VACUUM ANALYZE parent, child")
    folders = {}
    for way, directives in WAYS.items():
        folders[way] = f"{bench.folder}/keys.{way.replace(' ', '_')}"
        os.makedirs(folders[way])
        with open(folders[way] + "/001_key.sql", "w") as file:
            file.write(f"-- migrated: orphans=clean index-foreign-keys=yes {directives}\n"
                       "ALTER TABLE child ADD CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent;\n")
        with open(f"{folders[way]}.hand", "w") as file:
            file.write(BY_HAND[way])
    sides = [(way, side) for way in WAYS for side in ("migrated", "by hand")]
    seconds = {side: [] for side in sides}
    stalls = {side: [] for side in sides}
    memory = []
    for turn in range(min(bench.rounds, 3)):
        for way, side in sides if turn % 2 == 0 else sides[::-1]:
            database = f"keys_{turn}_{len(seconds[way, side])}_{sides.index((way, side))}"
            bench.cluster.sql("postgres", f"CREATE DATABASE {database} TEMPLATE {base} STRATEGY file_copy")
            bench.cluster.sql("postgres", "CHECKPOINT")
            writer = Writer(bench, database)
            with writer:
                if side == "migrated":
                    command = bench.verb("apply", bench.cluster.conninfo(database), folders[way])
                else:
                    command = [PSQL, "-Xqv", "ON_ERROR_STOP=1", "-f", folders[way] + ".hand", bench.cluster.conninfo(database)]
                with open(bench.folder + "/said", "wb") as said:
                    begin = time.perf_counter()
                    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
                    _, status, usage = os.wait4(process.pid, 0)
                    seconds[way, side].append(time.perf_counter() - begin)
                    process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise SystemExit(f"{command[0]} ended with {process.returncode}:\n{open(bench.folder + '/said').read()[-2000:]}")
            if side == "migrated":
                memory.append(usage.ru_maxrss)
            stalls[way, side].append(writer.longest())
            check(bench, database)
            bench.cluster.sql("postgres", f"DROP DATABASE {database}")
    title = f"{bench.rows:,} rows, 1 % orphans, "
    for way in WAYS:
        mine, hand = seconds[way, "migrated"], seconds[way, "by hand"]
        ratio = statistics.median(a / b for a, b in zip(mine, hand))
        line("keys", f"{title}{way}: migrated {spread(mine, 1)} s, by hand {spread(hand, 1)} s: {ratio:.2f} times", ratio, 1.2, " times")
        mine, hand = stalls[way, "migrated"], stalls[way, "by hand"]
        line("keys", f"{title}{way}: a writer's longest wait: migrated {spread(mine, 1000, 0)} ms, by hand {spread(hand, 1000, 0)} ms")
    quiet, hand = stalls["step by step", "migrated"], stalls["step by step", "by hand"]
    ratio = statistics.median(quiet) / statistics.median(hand)
    line("keys", f"the longest wait step by step: {ratio:.2f} times that of NOT VALID and VALIDATE by hand", ratio, 1, " times")
    line("keys", f"the most memory of migrated: {max(memory) / 1024:.1f} MiB resident")


def check(bench, database):
    """Both sides must have done the same thing."""
    found = bench.cluster.sql(
        database, "SELECT (SELECT count(*) FROM child), (SELECT bool_and(convalidated) FROM pg_constraint WHERE conname = 'child_parent'), "
        "(SELECT count(*) FROM pg_index WHERE indrelid = 'child'::regclass AND indisvalid)")
    wanted = f"{bench.rows - bench.rows // 100}|t|2"
    if found != wanted:
        raise SystemExit(f"{database} holds {found} and not {wanted}")
