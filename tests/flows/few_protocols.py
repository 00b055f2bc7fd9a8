"""Published protocols of as few architectures as the small warehouse has, with figures made up."""

from pathlib import Path

from tests.flows.conftest import SIZE

LISTED = f"""
[few]
title = "Few"
about = "n random cells; all ranked"
learned = {{ dataset = "cifar10", split = "valid", metric = "accuracy", epochs = 200 }}
judged = {{ dataset = "cifar10", split = "test", metric = "accuracy", epochs = 200 }}
architectures = {SIZE}
labelled = "random"
sizes = [8, 20]
score = "kendall_tau"
[[few.works]]
name = "Somebody"
source = "table 2 of a paper"
figures = {{ 8 = 0.01, 20 = 0.99 }}

[first]
title = "First"
about = "the first n cells"
learned = {{ dataset = "cifar10", split = "valid", metric = "accuracy", epochs = 200 }}
judged = {{ dataset = "cifar10", split = "test", metric = "accuracy", epochs = 200 }}
architectures = {SIZE}
labelled = "first"
sizes = [20]
score = "spearman"
[[first.works]]
name = "Another"
source = "page 7"
figures = {{ 20 = 0.5 }}

[found]
title = "Search"
about = "the best so far"
judged = {{ dataset = "cifar10", split = "test", metric = "accuracy", epochs = 200 }}
architectures = {SIZE}
sizes = [12, 20]
score = "best"
[[found.works]]
name = "Nobody"
source = "nowhere"
figures = {{ 20 = 94.0 }}
"""


def list_few(path: Path) -> Path:
    """Writes them as a space lists its own."""
    path.write_text(LISTED)
    return path
