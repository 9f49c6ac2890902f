"""A private PostgreSQL for the time of a run: fsync on, on the disk that the caller names, reached by a socket."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time

BIN = os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin")
PSQL = BIN + "/psql"
QUIET = " options='-c client_min_messages=warning'"


class Cluster:
    """Started when entered, stopped and removed when left, whatever happened in between."""

    def __init__(self, parent):
        self.folder = tempfile.mkdtemp(prefix="mb.", dir=parent)
        os.chmod(self.folder, 0o711)
        self.data = self.folder + "/data"
        self.socket = self.folder + "/s"
        # The server's log: nothing but its complaints, since the settings are the defaults.
        self.log = self.folder + "/log"
        os.mkdir(self.data, 0o700)
        os.mkdir(self.socket, 0o755)
        self.prefix = []
        if os.geteuid() == 0:
            # The server refuses to run as root.
            user = pwd.getpwnam("postgres")
            os.chown(self.data, user.pw_uid, user.pw_gid)
            os.chown(self.socket, user.pw_uid, user.pw_gid)
            self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        self.server = None
        self.count = 0

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def start(self):
        subprocess.run(
            self.prefix + [BIN + "/initdb", "-D", self.data, "--no-instructions", "-A", "trust", "-U", "postgres",
                           "-E", "UTF8", "--locale=C"],
            check=True, stdout=subprocess.DEVNULL, cwd="/")
        # Default settings, so fsync, synchronous_commit and full_page_writes are on. Commit times are kept for the latency
        # figure; no checkpoint falls into a measurement by chance, for either side.
        settings = {
            "listen_addresses": "", "unix_socket_directories": self.socket, "track_commit_timestamp": "on",
            "checkpoint_timeout": "1h", "max_wal_size": "4GB",
        }
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.log, "ab") as log:
            self.server = subprocess.Popen(
                self.prefix + [BIN + "/postgres", "-D", self.data] + arguments, stdout=log, stderr=log, cwd="/")
        deadline = time.monotonic() + 20
        while True:
            if subprocess.run([PSQL, "-Xqc", "", self.conninfo("postgres")], stderr=subprocess.DEVNULL).returncode == 0:
                return self
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise SystemExit(f"the server did not start:\n{open(self.log).read()}")
            time.sleep(0.02)

    def __exit__(self, *_):
        if self.server and self.server.poll() is None:
            # SIGINT is PostgreSQL's fast shutdown.
            self.server.send_signal(2)
            try:
                self.server.wait(30)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def conninfo(self, database):
        return f"host={self.socket} user=postgres dbname={database}"

    def sql(self, database, text):
        """The rows of `text` as psql prints them, unaligned."""
        done = subprocess.run(
            [PSQL, "-XAtqv", "ON_ERROR_STOP=1", "-c", text, self.conninfo(database) + QUIET], check=True,
            stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    def fresh(self):
        """The name of an empty database, behind a checkpoint, so that each measurement begins alike.

        None is dropped before the end: ext4 without a journal searches long for a new inode where many were freed lately, and
        the next measurement would pay for it.
        """
        self.count += 1
        name = f"bench_{self.count}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE template0")
        self.sql("postgres", "CHECKPOINT")
        return name
