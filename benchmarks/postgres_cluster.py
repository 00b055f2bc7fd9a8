"""A PostgreSQL of one's own for as long as a block lasts: made, killed, started again, removed."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cole_core.errors import InputError

_ROLE = "cole"
_DEBIAN = Path("/usr/lib/postgresql")  # which puts the server's programs on nobody's PATH
_UNPRIVILEGED = "postgres"  # the server does not run as root
_PATIENCE = 30.0


@dataclass(frozen=True)
class Cluster:
    """A running server that listens at a socket in its own folder, and nowhere else.

    Attributes:
        folder: Its data, its socket and its log.
        programs: Where `initdb`, `pg_ctl` and `psql` are.
        user: Whose processes they are; None: the caller's.
    """

    folder: Path
    programs: Path
    user: str | None

    def database(self, name: str) -> str:
        """Makes an empty database; returns what libpq connects with."""
        self.ask(f"CREATE DATABASE {name}")
        return f"host={self.folder} user={_ROLE} dbname={name}"

    def ask(self, statement: str, database: str = "postgres") -> str:
        """What `psql` prints for one statement."""
        command = ["psql", "-h", str(self.folder), "-U", _ROLE, "-Atc", statement, database]
        return self._run(*command).strip()

    def bytes_of(self, database: str) -> int:
        """What a database takes on disk."""
        return int(self.ask(f"SELECT pg_database_size('{database}')"))

    def start(self) -> None:
        """Starts the server and waits until it answers, after it recovered if it must."""
        options = f"-k {self.folder} -h ''"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", self._data, "-w", "-o", options, "-l", log, "start")

    def kill(self) -> None:
        """Ends every process of the server by SIGKILL, all within a moment."""
        parent = int((Path(self._data) / "postmaster.pid").read_text().split()[0])
        listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        processes = [parent, *map(int, listed)]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + _PATIENCE
        while any(_lives(process) for process in processes):
            if time.monotonic() > deadline:
                raise RuntimeError("a process of PostgreSQL survives SIGKILL")
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends the server; whoever is connected is cut off."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            user=self.user,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stdout}")
        return done.stdout


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A new server with its own settings as they come, in a temporary folder.

    Raises:
        InputError: PostgreSQL is not installed, or would run as root.
    """
    programs = _programs()
    user = None
    if os.geteuid() == 0:
        user = _UNPRIVILEGED
        try:
            pwd.getpwnam(user)
        except KeyError:
            raise InputError(
                f"PostgreSQL does not run as root, and there is no user '{user}': "
                "run this as another user"
            ) from None
    with tempfile.TemporaryDirectory(prefix="cole-pg-") as folder:
        if user is not None:
            shutil.chown(folder, user)
        made = Cluster(Path(folder), programs, user)
        made._run("initdb", "-D", made._data, "-U", _ROLE, "-A", "trust", "-E", "UTF8")
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _programs() -> Path:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise InputError("there is no initdb: install PostgreSQL, on Debian the package postgresql")
    return versions[-1].parent


def _lives(process: int) -> bool:
    """Whether it runs; one that only waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
