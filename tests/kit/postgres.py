"""A Postgres of a test's own: made in a folder, on a free port, stopped and started as it likes."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.kit.brokers.process import HOST, BrokerProcess, free_port

USER: Final = "perdure"
DATABASE: Final = "postgres"
# Debian keeps the programs out of PATH.
FOLDERS: Final = Path("/usr/lib/postgresql")
MAKE_DEADLINE_S: Final = 120.0
ASK_DEADLINE_S: Final = 60.0

# How a server is told to stop: after its sessions, without them, or at once as in a crash.
SMART: Final = signal.SIGTERM
FAST: Final = signal.SIGINT
IMMEDIATE: Final = signal.SIGQUIT


def program(name: str) -> str:
    """Return where a program of Postgres is; a machine without one fails the test."""
    path = os.pathsep.join(
        (os.environ.get("PATH", ""), *sorted(map(str, FOLDERS.glob("*/bin")))[-1:])
    )
    found = shutil.which(name, path=path)
    assert found is not None, f"{name} is not installed: the Debian package is postgresql"
    return found


def owner() -> str | None:
    """Return who Postgres runs as: it refuses to be root."""
    return "postgres" if os.geteuid() == 0 else None


class Postgres:
    """One cluster of databases. Every session of it is trusted."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        """Take a folder in which a cluster was made."""
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        options = [f"-c{name}={value}" for name, value in settings.items()]
        self._process = BrokerProcess(
            [
                *(program("postgres"), "-D", str(self.data), "-h", HOST, "-p", str(self.port)),
                *("-k", str(self.data), *options),
            ],
            folder=self.data,
            ready="system is ready to accept",
            user=owner(),
        )

    @classmethod
    def made(cls, settings: Mapping[str, str] | None = None) -> "Postgres":
        """Make a cluster with its defaults, beside the settings that are named.

        It lies in a folder that its own user may enter, which those of a test are not.
        """
        folder = Path(tempfile.mkdtemp(prefix="perdure-postgres-"))
        folder.chmod(0o755)
        postgres = cls(folder, settings or {})
        postgres.data.mkdir(mode=0o700)
        user = owner()
        if user is not None:
            shutil.chown(postgres.data, user)
        command = [program("initdb"), "--no-sync", "-A", "trust", "-U", USER, "-E", "UTF8"]
        done = subprocess.run(
            [*command, "--locale=C.UTF-8", "-D", str(postgres.data)],
            check=False,
            capture_output=True,
            text=True,
            user=user,
            cwd=postgres.data,
            timeout=MAKE_DEADLINE_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return postgres

    @classmethod
    def replica_of(cls, first: "Postgres") -> "Postgres":
        """Copy a cluster that runs, as one that follows it until it is promoted."""
        folder = Path(tempfile.mkdtemp(prefix="perdure-postgres-"))
        folder.chmod(0o755)
        postgres = cls(folder, {})
        user = owner()
        if user is not None:
            shutil.chown(folder, user)
        done = subprocess.run(
            [
                *(program("pg_basebackup"), "-D", str(postgres.data), "--write-recovery-conf"),
                *("--checkpoint=fast", "--no-sync", "-d", first.url),
            ],
            check=False,
            capture_output=True,
            text=True,
            user=user,
            cwd=folder,
            timeout=MAKE_DEADLINE_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return postgres

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.url_by(self.port)

    def url_by(self, port: int, database: str = DATABASE) -> str:
        """Where clients connect by way of another port, or to another database."""
        return f"postgres://{USER}@{HOST}:{port}/{database}"

    def start(self) -> "Postgres":
        """Start it, and return when it takes sessions."""
        self._process.start()
        return self

    def stop(self, how: signal.Signals = FAST) -> None:
        """Stop it, if it runs; IMMEDIATE is a crash, after which it recovers from its log."""
        self._process.stop(how)

    def restart(self, how: signal.Signals = FAST) -> None:
        """Stop it and start it again, on the same port."""
        self.stop(how)
        self.start()

    def asked(self, query: str, database: str = DATABASE) -> str:
        """Return what a query says, without headings."""
        done = subprocess.run(
            [program("psql"), "-X", "-At", "-c", query, self.url_by(self.port, database)],
            check=False,
            capture_output=True,
            text=True,
            timeout=ASK_DEADLINE_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def remove(self) -> None:
        """Stop it for good, and delete what it kept."""
        self.stop(IMMEDIATE)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def running(settings: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """Give a Postgres that runs while the block is entered."""
    postgres = Postgres.made(settings)
    try:
        yield postgres.start()
    finally:
        postgres.remove()


@contextlib.contextmanager
def replica_of(first: Postgres) -> Iterator[Postgres]:
    """Give a replica that follows another server while the block is entered."""
    postgres = Postgres.replica_of(first)
    try:
        yield postgres.start()
    finally:
        postgres.remove()
