"""The figures, one function each. Every comparison is with the real psql, in turn with it, in the same run."""

import os
import shutil
import statistics
import subprocess
import time

from . import files, reading
from .changes import changes
from .cluster import PSQL
from .daemon import Daemon
from .keys import keys
from .memory import memory
from .restoring import restoring
from .measure import alternate, line, ratios, spread, timed


class Bench:
    """What all figures need: the program, the server, a folder, and how often to repeat."""

    def __init__(self, migrated, auditctl, cluster, rounds, rows, events):
        self.migrated = migrated
        self.auditctl = auditctl
        # How long a history auditctl reads.
        self.events = events
        self.cluster = cluster
        self.rounds = rounds
        # Of the child table of `keys`.
        self.rows = rows
        # A database with the 1,000 small files applied, once there is one.
        self.applied = None
        self.folder = cluster.folder + "/work"
        os.makedirs(self.folder)

    def verb(self, verb, conninfo, directory, *options):
        return [self.migrated, verb, "--directory", directory, "--database", conninfo,
                "--state-directory", self.folder + "/state", *options]

    def apply(self, conninfo, directory, *options):
        """`migrated apply`; what it says goes into a file, as it would into the journal."""
        with open(self.folder + "/said", "wb") as said:
            begin = time.perf_counter()
            done = subprocess.run(
                self.verb("apply", conninfo, directory, *options), stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            seconds = time.perf_counter() - begin
        if done.returncode != 0:
            raise SystemExit(f"migrated apply ended with {done.returncode}:\n" + open(self.folder + "/said").read()[-3000:])
        return seconds


AUDIT_TABLE = """CREATE TABLE audit (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT
clock_timestamp(), name text NOT NULL UNIQUE, checksum text NOT NULL)"""


def apply_files(bench):
    """1,000 small files on an empty database."""
    for word, text, limit in [("small", files.small, 1.2), ("tiny", files.tiny, None)]:
        folder = f"{bench.folder}/{word}"
        paths = files.write(folder, 1000, text)
        plain, audited = f"{bench.folder}/{word}.psql", f"{bench.folder}/{word}.audit.psql"
        with open(plain, "w") as script:
            for path in paths:
                script.write(f"BEGIN;\n\\i {path}\nCOMMIT;\n")
        with open(audited, "w") as script:
            script.write(AUDIT_TABLE + ";\n")
            for path in paths:
                name = os.path.basename(path)
                script.write(f"BEGIN;\n\\i {path}\nINSERT INTO audit (name, checksum) VALUES ('{name}', '{'0' * 64}');\nCOMMIT;\n")

        last = {}

        def psql(side, script):
            last[side] = bench.cluster.fresh()
            return timed([PSQL, "-Xqv", "ON_ERROR_STOP=1", "-f", script, bench.cluster.conninfo(last[side])])

        def migrated():
            last["migrated"] = bench.cluster.fresh()
            return bench.apply(bench.cluster.conninfo(last["migrated"]), folder)

        found = alternate(bench.rounds, {
            "psql": lambda: psql("psql", plain), "migrated": migrated, "audited": lambda: psql("audited", audited)})
        check_same_schema(bench, word, last["migrated"], last["psql"])
        if word == "small":
            bench.applied = last["migrated"]
        ratio = statistics.median(ratios(found, "migrated", "psql"))
        with_row = statistics.median(ratios(found, "migrated", "audited"))
        bytes_of = sum(os.path.getsize(path) for path in paths)
        line("apply", f"1,000 {word} files ({bytes_of // 1000} bytes each): migrated {spread(found['migrated'])} ms, "
             f"psql {spread(found['psql'])} ms, psql with an audit row {spread(found['audited'])} ms")
        line("apply", f"1,000 {word} files: {ratio:.2f} times psql, {with_row:.2f} times psql with an audit row",
             ratio, limit, " times")


def check_same_schema(bench, word, ours, theirs):
    """Both sides must have made the same, or the comparison is none."""
    count = "SELECT count(*), sum(relnatts) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    found = [bench.cluster.sql(database, count) for database in (ours, theirs)]
    if found[0] != found[1]:
        raise SystemExit(f"the schemas differ after the {word} files: {found[0]} and {found[1]}")


def nothing(bench):
    """A run with 1,000 applied and nothing pending."""
    folder, conninfo = ensure_applied(bench)
    quiet = {"env": {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}}
    found = alternate(bench.rounds * 5, {
        "psql": lambda: timed([PSQL, "-Xc", "select 1", conninfo], **quiet),
        "migrated": lambda: timed(bench.verb("apply", conninfo, folder), **quiet),
        "version": lambda: timed([bench.migrated, "--version"], **quiet)})
    ratio = statistics.median(ratios(found, "migrated", "psql"))
    line("nothing", f"1,000 applied, nothing pending: migrated {spread(found['migrated'])} ms, "
         f"psql -c 'select 1' {spread(found['psql'])} ms; of it migrated --version {spread(found['version'])} ms")
    line("nothing", f"1,000 applied, nothing pending: {ratio:.2f} times psql -c 'select 1'", ratio, 1.3, " times")


def ensure_applied(bench):
    """The 1,000 small files, and the connection string of a database that has them."""
    folder = f"{bench.folder}/small"
    if not os.path.isdir(folder):
        files.write(folder, 1000, files.small)
    if not bench.applied:
        bench.applied = bench.cluster.fresh()
        bench.apply(bench.cluster.conninfo(bench.applied), folder)
    return folder, bench.cluster.conninfo(bench.applied)


LOOP = """
inotifywait -qme moved_to --format %f "$1" | while read -r name; do
    "$2" -Xqv ON_ERROR_STOP=1 -1 -f "$1/$name" "$3"
done
"""


def latency(bench):
    """A file renamed in, to its COMMIT: by PostgreSQL's commit timestamp and the same clock before the rename."""
    ours, theirs = f"{bench.folder}/in", f"{bench.folder}/in.psql"
    shutil.rmtree(ours, ignore_errors=True), shutil.rmtree(theirs, ignore_errors=True)
    os.makedirs(ours), os.makedirs(theirs)
    one, two = bench.cluster.fresh(), bench.cluster.fresh()
    loop = subprocess.Popen(
        ["bash", "-c", LOOP, "loop", theirs, PSQL, bench.cluster.conninfo(two)], start_new_session=True)
    try:
        with Daemon(bench.migrated, f"{bench.folder}/d", bench.cluster.conninfo(one), ours, "--settle", "0") as daemon:
            time.sleep(1)
            number = 0

            def rename(folder, database):
                nonlocal number
                number += 1
                table = f"t{number:04d}"
                path = f"{folder}/{number:04d}_{table}.sql"
                with open(path + ".tmp", "w") as file:
                    file.write(files.tiny(number))
                time.sleep(0.15)
                begin = time.time()
                os.rename(path + ".tmp", path)
                end = begin + 10
                while time.time() < end:
                    time.sleep(0.1)
                    found = bench.cluster.sql(
                        database, "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM pg_class "
                        f"WHERE relname = '{table}'")
                    if found:
                        return float(found) - begin
                raise SystemExit(f"'{path}' was not applied within 10 s:\n{open(daemon.log).read()[-2000:]}")

            found = alternate(bench.rounds * 3, {
                "psql": lambda: rename(theirs, two), "migrated": lambda: rename(ours, one)})
    finally:
        os.killpg(loop.pid, 15)
        loop.wait()
    middle = statistics.median(found["migrated"]) * 1000
    line("latency", f"renamed in to COMMIT, settle = 0: migrated {spread(found['migrated'])} ms, "
         f"inotifywait and psql {spread(found['psql'])} ms, "
         f"{statistics.median(ratios(found, 'migrated', 'psql')):.2f} times")
    line("latency", f"renamed in to COMMIT, settle = 0: {middle:.1f} ms", middle, 10, " ms")


def idle(bench):
    """An idle daemon with 1,000 applied: memory, and what wakes it."""
    folder, conninfo = ensure_applied(bench)
    seconds = 65
    with Daemon(bench.migrated, f"{bench.folder}/d", conninfo, folder) as daemon:
        daemon.wait_for("never said", 3)
        switches, ticks, told = daemon.status("voluntary_ctxt_switches"), daemon.cpu_ticks(), len(daemon.messages)
        daemon.wait_for("never said", seconds)
        switches = daemon.status("voluntary_ctxt_switches") - switches
        ticks = (daemon.cpu_ticks() - ticks) * 1000 // os.sysconf("SC_CLK_TCK")
        pings = sum("WATCHDOG=1" in text for _, text in daemon.messages[told:])
        resident = daemon.status("VmRSS") / 1024
        proportional, private = daemon.smaps("Pss") / 1024, (daemon.smaps("Private_Dirty") / 1024)
        threads = daemon.status("Threads")
    line("idle", f"resident {resident:.1f} MiB with 1,000 applied (proportional {proportional:.1f}, "
         f"private and dirty {private:.1f}), {threads} thread(s)", resident, 20, " MiB")
    line("idle", f"in {seconds} s: {switches} voluntary context switches, {pings} watchdog pings, {ticks} ms of CPU; "
         "one rescan a minute")


def ready(bench):
    """Start to READY, beyond what connecting costs."""
    folder, conninfo = ensure_applied(bench)
    empty = f"{bench.folder}/none"
    os.makedirs(empty, exist_ok=True)

    def start(conninfo, directory):
        with Daemon(bench.migrated, f"{bench.folder}/d", conninfo, directory) as daemon:
            return daemon.ready_after

    found = alternate(bench.rounds * 2, {
        "connect": lambda: timed([PSQL, "-Xc", "select 1", conninfo]),
        "applied": lambda: start(conninfo, folder),
        "new": lambda: start(bench.cluster.conninfo(bench.cluster.fresh()), empty)})
    for word, text in [("applied", "with 1,000 applied"), ("new", "on an empty database, schema installed")]:
        beyond = statistics.median(a - b for a, b in zip(found[word], found["connect"])) * 1000
        line("ready", f"start to READY {text}: {spread(found[word])} ms, psql -c 'select 1' {spread(found['connect'])} ms, "
             f"beyond it {beyond:.1f} ms", beyond, 100, " ms")


def parse(bench):
    """Parse and plan: `migrated check` reads, hashes, parses and cuts every file, in one thread."""
    base = f"{bench.folder}/parse.base"
    files.write(base, 1, files.tiny)
    for word, count, text in [("large", 400, files.large), ("small", 10000, files.small)]:
        folder = f"{bench.folder}/parse.{word}"
        size = sum(os.path.getsize(path) for path in files.write(folder, count, text)) / 1e6
        found = alternate(bench.rounds, {
            "check": lambda: timed([bench.migrated, "check", "--directory", folder]),
            "start": lambda: timed([bench.migrated, "check", "--directory", base])})
        speeds = [size / (a - b) for a, b in zip(found["check"], found["start"])]
        middle = statistics.median(speeds)
        line("parse", f"{count} {word} files, {size:.1f} MB: {spread(speeds, 1)} MB/s beyond the program's start",
             middle, 15 if word == "large" else None, " MB/s", least=True)


def check(bench):
    """`migrated check` on 1,000 files, from the start of the program to its last line: read, hashed, parsed and looked through."""
    folder = f"{bench.folder}/check"
    size = sum(os.path.getsize(path) for path in files.write(folder, 1000, files.small)) / 1e6
    found = alternate(bench.rounds, {"check": lambda: timed([bench.migrated, "check", "--directory", folder])})
    middle = statistics.median(found["check"]) * 1000
    line("check", f"1,000 small files, {size:.2f} MB: {spread(found['check'])} ms", middle, 1000, " ms")


ALL = {"apply": apply_files, "nothing": nothing, "latency": latency, "idle": idle, "ready": ready, "parse": parse,
       "check": check, "memory": memory, "keys": keys, "restore": restoring, "changes": changes, "history": reading.reading}
