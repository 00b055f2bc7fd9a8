"""A warehouse to ask."""

import shutil

import pytest

from cole_core.encodings.vectors import Vectors
from flows.resolve.requests import Measured
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from tests.flows.conftest import Small


@pytest.fixture(scope="package")
def questioned(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small warehouse with a trained head; questions change nothing."""
    home = tmp_path_factory.mktemp("questioned") / "home"
    shutil.copytree(made.home, home)
    fit_heads(
        FitHeadsRequest(
            space="nasbench201",
            home=home,
            measured=Measured(dataset="cifar10"),
            vectors=Vectors(precision="fp32"),
            head="ridge",
            sizes=(20,),
            draws=1,
        )
    )
    return Small(home, made.table)
