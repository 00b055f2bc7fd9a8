"""What an acquisition function promises, as tests."""

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from cole_core.search.acquisitions import Acquisition
from cole_core.testing.checks import attribute, global_generators


class AcquisitionContract:
    """Tests of an acquisition function; see `cole_core.search.acquisitions.Acquisition`.

    Attributes:
        acquisition: What is tested.
        betas: Exploration weights that it is tried with.
    """

    acquisition: Acquisition
    betas: Sequence[float] = (0.0, 1.0, 3.0)

    def worth(
        self,
        mean: np.ndarray,
        std: np.ndarray,
        best: float = 0.5,
        beta: float = 1.0,
        seed: int = 0,
    ) -> np.ndarray:
        """What candidates are worth."""
        function: Acquisition = attribute(self, "acquisition")
        return function(mean, std, best, beta, np.random.default_rng(seed))

    def test_each_candidate_has_a_finite_worth(self) -> None:
        for n in (1, 2, 50):
            mean, std = candidates(n)
            for beta in self.betas:
                for best in (-3.0, 0.5, 3.0):
                    found = self.worth(mean, std, best, beta)
                    assert isinstance(found, np.ndarray)
                    assert found.shape == (n,)
                    assert np.isfinite(found).all()

    def test_it_stands_certain_predictions(self) -> None:
        mean, _ = candidates(20)
        assert np.isfinite(self.worth(mean, np.zeros(20))).all()
        assert np.isfinite(self.worth(mean, np.zeros(20), float(mean.max()))).all()

    def test_its_generator_decides(self) -> None:
        mean, std = candidates(30)
        with global_generators(1):
            once = self.worth(mean, std)
        with global_generators(2):
            np.testing.assert_array_equal(self.worth(mean, std), once)

    def test_its_arguments_are_left_as_they_are(self) -> None:
        mean, std = candidates(30)
        for given in (mean, std):
            given.flags.writeable = False
        self.worth(mean, std)

    def test_a_better_mean_is_worth_no_less(self) -> None:
        """One candidate's mean raised, its deviation and all that is drawn as before."""
        mean, std = candidates(20)
        for beta in self.betas:
            before = self.worth(mean, std, beta=beta)
            for place in range(0, 20, 3):
                raised = mean.copy()
                raised[place] += 0.7
                after = self.worth(raised, std, beta=beta)
                assert after[place] >= before[place] - 1e-12, "a better mean is worth less"

    def test_better_means_are_worth_more_somewhere(self) -> None:
        mean, std = candidates(20)
        equal = np.full_like(std, std.mean())
        assert (self.worth(mean + 1.0, equal) > self.worth(mean, equal)).any()

    def test_candidates_take_nothing_from_each_other_where_nothing_is_drawn(self) -> None:
        mean, std = candidates(20)
        if not np.array_equal(self.worth(mean, std), self.worth(mean, std, seed=1)):
            return
        order = np.random.default_rng(2).permutation(20)
        found = self.worth(mean[order], std[order])
        np.testing.assert_allclose(found, self.worth(mean, std)[order])

    def test_it_pickles(self) -> None:
        """Processes of a comparison have it, too."""
        function: Any = attribute(self, "acquisition")
        assert callable(pickle.loads(pickle.dumps(function)))


def candidates(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and deviations as surrogates give them: scores about zero."""
    rng = np.random.default_rng(n)
    return rng.normal(size=n), rng.uniform(0.05, 1.5, size=n)
