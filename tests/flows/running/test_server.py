"""The Prefect server that a command starts is for this machine alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json
from pathlib import Path
from flows.running.server import LocalServer
with LocalServer() as server, server.ready():
    listening = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, port = address.split(":")
            if state == "0A" and int(port, 16) == server._port:
                listening.append(host)
    print(json.dumps(listening))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net/tcp")
def test_a_commands_server_listens_on_loopback_alone(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment | {"PREFECT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == ["0100007F"]  # 127.0.0.1


def test_no_example_listens_elsewhere() -> None:
    root = Path(__file__).resolve().parents[3]
    files = [
        root / "README.md",
        root / "Makefile",
        *root.glob("docs/*.md"),
        *root.glob("flows/**/*.py"),
    ]
    assert root / "flows" / "running" / "server.py" in files
    for path in files:
        assert "0.0.0.0" not in path.read_text(), path
