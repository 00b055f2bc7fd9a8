"""The Prefect server that a command starts is for this machine alone."""

import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from flows.running.server import LocalServer

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net/tcp")
def test_a_commands_server_listens_on_loopback_alone(prefect_server: LocalServer) -> None:
    port = int(str(PREFECT_API_URL.value()).split(":")[2].removesuffix("/api"))
    listening = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, at = address.split(":")
            if state == "0A" and int(at, 16) == port:
                listening.append(host)
    assert listening == ["0100007F"]  # 127.0.0.1


def test_no_example_listens_elsewhere() -> None:
    files = [
        ROOT / "README.md",
        ROOT / "Makefile",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("flows/**/*.py"),
    ]
    assert ROOT / "flows" / "running" / "server.py" in files
    for path in files:
        assert "0.0.0.0" not in path.read_text(), path
