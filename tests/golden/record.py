"""Writes what the golden tests compare with: `python -m tests.golden.record WHAT`.

Only for what is meant to change, and the change belongs into the commit's message: an id that is
another one than before makes every stored vector, trial and search of a kept warehouse unknown.
"""

import json
import sys
import tempfile
from pathlib import Path

from prefect.testing.utilities import prefect_test_harness

from tests.golden import observe, old_warehouse

IDENTITIES = Path(__file__).with_name("identities.json")


def main(what: str) -> None:
    """Records `identities` or makes the `old-warehouse`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        prefect_test_harness(server_startup_timeout=300),
    ):
        if what == "identities":
            found = observe.observe_all(Path(folder))
            IDENTITIES.write_text(json.dumps(found, indent=1) + "\n")
        elif what == "old-warehouse":
            old_warehouse.make(Path(folder))
        else:
            sys.exit(f"{what}: say identities or old-warehouse")


if __name__ == "__main__":
    main(*sys.argv[1:])
