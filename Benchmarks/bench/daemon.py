"""The daemon as systemd would start it: a notification socket is listened on, the watchdog is on."""

import os
import select
import signal
import socket
import subprocess
import time


class Daemon:
    """Started when entered; `ready_after` holds the seconds from fork to READY=1. Ended by SIGTERM, which must give 0."""

    def __init__(self, migrated, folder, conninfo, directory, *options, watchdog=30.0):
        os.makedirs(folder, exist_ok=True)
        self.path = f"{folder}/notify"
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.log = f"{folder}/daemon.log"
        self.command = [migrated, "run", "--database", conninfo, "--directory", directory,
                        "--state-directory", f"{folder}/state", *options]
        self.environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "NOTIFY_SOCKET": self.path}
        if watchdog:
            self.environment["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
        self.messages = []
        self.process = None
        self.ready_after = None

    def __enter__(self):
        with open(self.log, "wb") as log:
            begin = time.perf_counter()
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not self.wait_for("READY=1", 30):
            self.process.kill()
            raise SystemExit(f"the daemon did not become ready:\n{open(self.log).read()}")
        self.ready_after = self.messages[-1][0] - begin
        return self

    def wait_for(self, word, seconds):
        """Whether a message with that word arrives in time; all messages are kept with their moment."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.socket], [], [], left)[0]:
                text = self.socket.recv(65536).decode(errors="replace")
                self.messages.append((time.perf_counter(), text))
                if word in text:
                    return True
        return False

    def status(self, name):
        """A number from /proc: memory in KiB, or a count of context switches."""
        for row in open(f"/proc/{self.process.pid}/status"):
            if row.startswith(name + ":"):
                return int(row.split()[1])
        raise KeyError(name)

    def smaps(self, name):
        for row in open(f"/proc/{self.process.pid}/smaps_rollup"):
            if row.startswith(name + ":"):
                return int(row.split()[1])
        raise KeyError(name)

    def cpu_ticks(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.socket.close()
        if code != 0 and _[0] is None:
            raise SystemExit(f"the daemon ended with {code}:\n{open(self.log).read()[-2000:]}")
