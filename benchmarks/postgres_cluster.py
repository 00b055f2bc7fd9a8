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
from pathlib import Path

from cole_core.errors import InputError

_ROLE = "cole"
_DEBIAN = Path("/usr/lib/postgresql")  # which puts the server's programs on nobody's PATH
_UNPRIVILEGED = "postgres"  # the server does not run as root
_PATIENCE = 30.0


class Cluster:
    """A server that listens at a socket in its own folder, and nowhere else.

    Args:
        folder: For its data, its socket and its log.
        programs: Where `initdb`, `postgres` and `psql` are.
        user: Whose processes they are; None: the caller's.
    """

    def __init__(self, folder: Path, programs: Path, user: str | None) -> None:
        self._folder, self._programs, self._user = folder, programs, user
        self._data = folder / "data"
        self._run("initdb", "-D", str(self._data), "-U", _ROLE, "-A", "trust", "-E", "UTF8")
        self.start()

    def database(self, name: str) -> str:
        """Makes an empty database; returns what libpq connects with."""
        self.ask(f"CREATE DATABASE {name}")
        return f"host={self._folder} user={_ROLE} dbname={name}"

    def ask(self, statement: str, database: str = "postgres") -> str:
        """What `psql` prints for one statement."""
        command = ["psql", "-h", str(self._folder), "-U", _ROLE, "-Atc", statement, database]
        return self._run(*command).strip()

    def bytes_of(self, database: str) -> int:
        """What a database takes on disk."""
        return int(self.ask(f"SELECT pg_database_size('{database}')"))

    def start(self) -> None:
        """Starts the server and waits until it answers, after it recovered if it must."""
        with (self._folder / "log").open("a") as log:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self._folder, "-h", ""],
                user=self._user,
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if time.monotonic() > deadline or self._server.poll() is not None:
                raise RuntimeError(
                    f"PostgreSQL did not start: {(self._folder / 'log').read_text()}"
                )
            time.sleep(0.02)

    def kill(self) -> None:
        """Ends every process of the server by SIGKILL, all within a moment."""
        server = self._server.pid
        listed = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        self._server.kill()
        for process in map(int, listed):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._server.wait()

    def stop(self) -> None:
        """Ends the server; whoever is connected is cut off."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(_PATIENCE)

    def _answers(self) -> bool:
        try:
            self.ask("SELECT 1")
        except subprocess.CalledProcessError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> str:
        return subprocess.run(
            [self._programs / program, *arguments],
            user=self._user,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


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
