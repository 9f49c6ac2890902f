"""auditctl over a long history, beside psql on the same one."""

import os
import statistics
import subprocess

from . import history
from .cluster import PSQL
from .measure import alternate, line, ratios, spread, timed

TABLE = "migrated.migration_rollback_audit"


def peak(command):
    """The most resident memory of one process, in MiB; it must succeed."""
    with open(os.devnull, "w") as nothing:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=nothing)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return usage.ru_maxrss / 1024


def reading(bench):
    """`log`, `export` and `verify` over a history of `bench.events` events."""
    database = bench.cluster.fresh()
    empty = f"{bench.folder}/empty"
    os.makedirs(empty, exist_ok=True)
    history.install(bench.cluster, database, bench.migrated, empty)
    history.fill(bench.cluster, database, bench.events)
    conninfo = bench.cluster.conninfo(database)
    middle = history.START + bench.events // 2 * history.STEP
    begin, end = (history.stamp(*divmod(middle + shift, 1_000_000)).replace("+00", " UTC") for shift in (0, 86_400_000_000))
    size = bench.cluster.sql(database, f"SELECT pg_size_pretty(pg_table_size('{TABLE}')), pg_size_pretty(pg_indexes_size('{TABLE}'))")
    line("history", f"{bench.events} events, table and indexes {size.replace('|', ' and ')}")

    def auditctl(*words):
        return [bench.auditctl, *words, "--database", conninfo]

    def psql(query, *words):
        return [PSQL, "-Xq", *words, "-c", query, conninfo]

    questions = {
        "last 50": (auditctl("log"), psql(f"SELECT * FROM {TABLE} ORDER BY seq DESC LIMIT 50")),
        "50 of a version": (
            auditctl("log", "--migration", "0123"),
            psql(f"SELECT * FROM {TABLE} WHERE version = '0123' ORDER BY seq DESC LIMIT 50")),
        "failed in a day": (
            auditctl("log", "-o", "csv", "--event", "failed", "--since", begin, "--until", end),
            psql(f"SELECT * FROM {TABLE} WHERE event = 'failed' AND recorded_at >= '{begin}' AND recorded_at <= '{end}' ORDER BY seq",
                 "--csv")),
    }
    for name, (ours, theirs) in questions.items():
        found = alternate(bench.rounds * 5 if "50" in name else bench.rounds, {
            "psql": lambda: timed(theirs), "auditctl": lambda: timed(ours)})
        ratio = statistics.median(ratios(found, "auditctl", "psql"))
        line("history", f"log, {name}: auditctl {spread(found['auditctl'])} ms, psql {spread(found['psql'])} ms, "
             f"{ratio:.2f} times", ratio, 1.5, " times")
    copy = psql(f"COPY {TABLE} TO STDOUT (FORMAT csv)")
    kept = f"{bench.folder}/export.ndjson"
    subprocess.run(auditctl("export", "--output", kept), check=True)
    state = ["--state-directory", bench.folder + "/none"]
    sides = {
        "export ndjson": (auditctl("export"), 0.8), "export csv": (auditctl("export", "-o", "csv"), 0.8),
        "verify": (auditctl("verify", *state), 0.7), "verify --file": ([bench.auditctl, "verify", "--file", kept], None),
    }
    found = alternate(max(1, bench.rounds // 2), {
        "COPY": lambda: timed(copy), **{name: (lambda command=command: timed(command)) for name, (command, _) in sides.items()}})
    rate = {name: [bench.events / seconds / 1000 for seconds in times] for name, times in found.items()}
    line("history", f"psql COPY TO STDOUT (FORMAT csv): {spread(rate['COPY'], 1, 0)} thousand rows a second")
    for name, (command, limit) in sides.items():
        share = statistics.median(ratios(rate, name, "COPY"))
        line("history", f"{name}: {spread(rate[name], 1, 0)} thousand rows a second, {share:.2f} of COPY", share, limit, " of COPY",
             least=True)
    memory = {name: peak(command) for name, (command, _) in sides.items()}
    memory["log --limit all"] = peak(auditctl("log", "--limit", "all", "-o", "ndjson"))
    line("history", "memory, most resident: " + ", ".join(f"{name} {size:.1f}" for name, size in memory.items()) + " MiB",
         max(memory.values()), 64, " MiB")
