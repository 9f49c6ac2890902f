"""What it costs to read what each file has changed, in a database of 10,000 tables and views: with `catalog-drift` on and off, in turn."""

import os
import statistics

from .measure import line, spread

TABLES, VIEWS, FILES = 5_000, 5_000, 40
# Each makes its own end: what a transaction locks has its place in the server's memory.
CATALOG = f"""
DO $$ BEGIN
  FOR i IN 1..{TABLES} LOOP
    EXECUTE format('CREATE TABLE t%s (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL DEFAULT ''x'', kind integer, at timestamptz)', i);
    IF i % 250 = 0 THEN COMMIT; END IF;
  END LOOP;
  FOR i IN 1..{VIEWS} LOOP
    EXECUTE format('CREATE VIEW v%s AS SELECT id, name FROM t%s WHERE kind > 3', i, i);
    IF i % 250 = 0 THEN COMMIT; END IF;
  END LOOP;
END $$
"""


def rows(number):
    return f"INSERT INTO t{number} (kind) VALUES (1); UPDATE t{number} SET kind = 2;\n"


def objects(number):
    """What migrations do to tables, one kind in each."""
    kinds = [
        f"ALTER TABLE t{number} ADD COLUMN more text;", f"CREATE TABLE n{number} (id bigint PRIMARY KEY, name text);",
        f"CREATE INDEX t{number}_kind ON t{number} (kind);", f"ALTER TABLE t{number} RENAME TO r{number};",
        f"ALTER TABLE t{number} ALTER COLUMN kind SET NOT NULL;", f"DROP VIEW v{number};",
        f"CREATE OR REPLACE VIEW v{number} AS SELECT id, name FROM t{number} WHERE kind > 4;", f"GRANT SELECT ON t{number} TO PUBLIC;",
    ]
    return kinds[number % len(kinds)] + "\n"


def changes(bench):
    base = bench.cluster.fresh()
    bench.cluster.sql(base, CATALOG)
    bench.cluster.sql(base, "VACUUM ANALYZE")
    sides = {}
    for side in ("on", "off"):
        database = f"changes_{side}"
        bench.cluster.sql("postgres", f"CREATE DATABASE {database} TEMPLATE {base} STRATEGY file_copy")
        folder = f"{bench.folder}/changes_{side}"
        os.makedirs(folder)
        with open(f"{folder}.toml", "w") as file:
            file.write("" if side == "on" else 'catalog-drift = "off"\n')
        sides[side] = Side(bench, database, folder, f"{folder}.toml")
        sides[side].run(1, rows)
    bench.cluster.sql("postgres", "CHECKPOINT")
    for word, text, limit in [("without DDL", rows, 5), ("with DDL", objects, 60)]:
        found = {side: [] for side in sides}
        for turn in range(bench.rounds):
            for side in list(sides) if turn % 2 == 0 else list(sides)[::-1]:
                found[side].append(sides[side].run(FILES, text))
        more = statistics.median([a - b for a, b in zip(found["on"], found["off"])]) * 1000
        ratio = statistics.median([a / b for a, b in zip(found["on"], found["off"])])
        line("changes", f"{TABLES + VIEWS:,} tables and views, a file {word}: {spread(found['on'])} ms, with catalog-drift = off "
             f"{spread(found['off'])} ms, {ratio:.2f} times")
        line("changes", f"a file {word}: {more:.1f} ms more", more, limit, " ms")


class Side:
    """One database and its growing folder."""

    def __init__(self, bench, database, folder, config):
        self.bench, self.database, self.folder, self.config, self.count = bench, database, folder, config, 0
        self.conninfo = bench.cluster.conninfo(database)

    def run(self, files, text):
        """The median of the seconds from the record of one of so many new files to the next one's: a run's begin, which reads everything, is not in it."""
        for _ in range(files):
            self.count += 1
            with open(f"{self.folder}/{self.count:05d}_change.sql", "w") as file:
                file.write(text(self.count))
        self.bench.apply(self.conninfo, self.folder, "--config", self.config)
        if files == 1:
            return None
        return float(self.bench.cluster.sql(self.database, f"""
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.recorded_at - a.before)) FROM (
                SELECT e.recorded_at, lag(e.recorded_at) OVER (ORDER BY e.seq) AS before FROM (
                    SELECT * FROM migrated.migration_rollback_audit WHERE event = 'applied' ORDER BY seq DESC LIMIT {files}) AS e) AS a"""))
