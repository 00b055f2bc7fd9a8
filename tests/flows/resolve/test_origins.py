"""What is kept of a file that values are read from."""

import subprocess
from pathlib import Path

from flows.resolve.origins import file_of


def test_a_file_is_known_again_by_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"arch_str,acc\n" * 100_000)
    said = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True)
    expected = {"file": "mine.csv", "bytes": 1_300_000, "sha256": said.stdout.split()[0]}
    assert file_of(str(path)) == expected
    path.write_bytes(b"arch_str,Acc\n" * 100_000)
    assert file_of(str(path))["sha256"] != expected["sha256"]


def test_a_folder_has_the_size_of_its_files_and_a_package_nothing(tmp_path: Path) -> None:
    (tmp_path / "topology" / "part").mkdir(parents=True)
    (tmp_path / "topology" / "meta").write_bytes(b"12345")
    (tmp_path / "topology" / "part" / "a").write_bytes(b"123")
    assert file_of(f"{tmp_path}/topology/") == {"file": "topology", "bytes": 8}
    assert file_of("analog-nasbench") == {}
