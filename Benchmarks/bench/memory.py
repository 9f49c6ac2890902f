"""What one large file takes of memory and time, beside psql: rows as INSERTs, and the same number of bytes as COPY."""

import os
import statistics
import subprocess
import time

from .cluster import PSQL
from .measure import line, spread

MEGABYTES = 200


def inserts(path, size):
    """`size` bytes of INSERTs of one row each, as `pg_dump --inserts` writes them."""
    with open(path, "w") as file:
        written = file.write("CREATE TABLE public.t (id bigint, name text, price numeric, note text);\n")
        number = 0
        while written < size:
            number += 1
            written += file.write(
                f"INSERT INTO public.t VALUES ({number}, 'name of {number}', {number}.25, 'it''s a note; {number * 7919}');\n")


def copies(path, size):
    """`size` bytes of rows behind one COPY, as `pg_dump` writes them."""
    with open(path, "w") as file:
        written = file.write("CREATE TABLE public.t (id bigint, name text, price numeric, note text);\n")
        written += file.write("COPY public.t (id, name, price, note) FROM stdin;\n")
        number = 0
        while written < size:
            number += 1
            written += file.write(f"{number}\tname of {number}\t{number}.25\tit's a note; {number * 7919}\n")
        file.write("\\.\n")


def measured(command):
    """Seconds and the most resident memory of a process, in bytes."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {process.returncode}: {said.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - begin, usage.ru_maxrss * 1024


def memory(bench):
    """The most memory for one file of 200 MB, as a multiple of the file, and the time beside psql."""
    for word, write in [("INSERTs", inserts), ("COPY data", copies)]:
        folder = f"{bench.folder}/memory.{word.split()[0]}"
        os.makedirs(folder)
        path = f"{folder}/001_rows.sql"
        write(path, MEGABYTES * 1_000_000)
        size = os.path.getsize(path)
        config = f"{bench.folder}/memory.toml"
        with open(config, "w") as file:
            file.write('size-limit = "256M"\nstatement-timeout = "1h"\ndeadline = "2h"\n')
        found = {"migrated": [], "psql": []}
        for _ in range(min(bench.rounds, 3)):
            conninfo = bench.cluster.conninfo(bench.cluster.fresh())
            found["migrated"].append(measured(bench.verb("apply", conninfo, folder, "--config", config)))
            conninfo = bench.cluster.conninfo(bench.cluster.fresh())
            found["psql"].append(measured([PSQL, "-Xq1", "-v", "ON_ERROR_STOP=1", "-f", path, conninfo]))
        times = statistics.median(a[0] / b[0] for a, b in zip(found["migrated"], found["psql"]))
        share = statistics.median(used for _, used in found["migrated"]) / size
        line("memory", f"{size / 1e6:.0f} MB of {word}: {spread([used / 1e6 for _, used in found['migrated']], 1)} MB, "
             f"{share:.2f} times the file; psql {spread([used / 1e6 for _, used in found['psql']], 1)} MB; "
             f"{spread([seconds for seconds, _ in found['migrated']], 1)} s, {times:.2f} times psql", share, 4, " times the file")
        os.unlink(path)
