"""Repeated measurements of several sides in turn, and what they come to."""

import os
import platform
import statistics
import subprocess
import time


def timed(command, **more):
    """Wall seconds of one process, start to exit; it must succeed."""
    begin = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return seconds


def alternate(times, sides):
    """Runs each of `sides` (name: function that returns seconds) once a round, A B A B …; the first round is thrown away."""
    found = {name: [] for name in sides}
    for turn in range(times + 1):
        # Every other round the other way round, so that neither side always comes behind the same neighbour.
        for name in list(sides) if turn % 2 == 0 else reversed(list(sides)):
            seconds = sides[name]()
            if turn > 0:
                found[name].append(seconds)
    return found


def ratios(found, side, base):
    """The ratio of each round; the median of these is free of a slow drift of the machine."""
    return [a / b for a, b in zip(found[side], found[base])]


def spread(values, scale=1000.0, digits=1):
    """`median (min to max)`."""
    low, middle, high = min(values) * scale, statistics.median(values) * scale, max(values) * scale
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def line(figure, text, value=None, limit=None, unit="", least=False):
    """Prints one line of results; where a limit is given, whether it is kept."""
    verdict = ""
    if limit is not None:
        kept = value >= limit if least else value <= limit
        verdict = f"  [{'at least' if least else 'at most'} {limit:g}{unit}: {'kept' if kept else 'MISSED'}]"
    print(f"{figure:9} {text}{verdict}", flush=True)


def machine(migrated, parent):
    """The lines that say on what this was measured."""
    cpu = next((row.split(":", 1)[1].strip() for row in open("/proc/cpuinfo") if row.startswith("model name")), "?")
    memory = int(next(row.split()[1] for row in open("/proc/meminfo") if row.startswith("MemTotal"))) / 1048576
    source = subprocess.run(
        ["findmnt", "-no", "SOURCE,FSTYPE", "--target", parent], stdout=subprocess.PIPE, text=True).stdout.strip()
    virtual = subprocess.run(["systemd-detect-virt"], stdout=subprocess.PIPE, text=True).stdout.strip()
    return [
        f"machine   {os.cpu_count()} x {cpu}, {memory:.0f} GB, virtualization {virtual or 'unknown'}",
        f"system    Linux {platform.release()}, {distribution()}, disk {source or parent}",
        f"versions  migrated {version([migrated, '--version'])}; {version([os.environ.get('PG_BIN', '/usr/lib/postgresql/15/bin') + '/postgres', '--version'])}; "
        f"{version(['swift', '--version'])}",
        f"load      {os.getloadavg()[0]:.2f} before the run",
    ]


def distribution():
    for row in open("/etc/os-release"):
        if row.startswith("PRETTY_NAME="):
            return row.split("=", 1)[1].strip().strip('"')
    return "?"


def version(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return f"no {command[0]}"
    words = done.stdout.splitlines()[0] if done.stdout else "?"
    return words


def fsync_microseconds(parent):
    """The median of small write and fdatasync pairs in that folder: what one commit waits for at least."""
    path = f"{parent}/fsync.{os.getpid()}"
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        os.write(descriptor, bytes(8192 * 64))
        os.fsync(descriptor)
        found = []
        for turn in range(200):
            os.pwrite(descriptor, bytes(8192), 8192 * (turn % 64))
            begin = time.perf_counter()
            os.fdatasync(descriptor)
            found.append((time.perf_counter() - begin) * 1e6)
        return statistics.median(found)
    finally:
        os.close(descriptor)
        os.unlink(path)
