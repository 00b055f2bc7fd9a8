"""Networks trained on a dataset: which dataset, how, within which limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cole_core.errors import InputError
from cole_core.evaluation.attempts import TrainingEvaluator
from cole_core.evaluation.datasets import Dataset, load_dataset
from cole_core.evaluation.settings import Limits, TrainingSettings
from cole_core.spaces import get_space_for
from cole_core.spaces.base import SearchSpace


@dataclass(frozen=True)
class NetworkTraining:
    """What networks are trained on, and how.

    Attributes:
        dataset: `digits`, `add-digits`, or the path of an `.npz` file or a folder of `.npy` files.
        size: Training images of `add-digits`.
        settings: Of training.
        bounds: Of what an open-ended space draws, by name; where they are not given, small enough
            that most networks train in seconds on one core.
        limits: What one network may cost.
        seed: Of weights, order of images and augmentation.
        workers: Processes, one thread each.
        device: auto, cpu or cuda.
        is_elsewhere: Whether networks run on other machines, whose devices nobody knows here.
    """

    dataset: str = "digits"
    size: int | None = None
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    bounds: Mapping[str, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    seed: int = 0
    workers: int = 2
    device: str = "auto"
    is_elsewhere: bool = False

    def check(self) -> None:
        """Checks the values that need no dataset.

        Raises:
            InputError: One is not possible.
        """
        self.settings.check()
        self.limits.check()
        if self.workers < 1:
            raise InputError(f"--workers {self.workers}: give at least 1")

    def load(self) -> Dataset:
        """The dataset, checked.

        Raises:
            InputError: There is no such dataset, or its content is not what it should be.
        """
        return load_dataset(self.dataset, self.size)

    def space(self, name: str, dataset: Dataset) -> SearchSpace:
        """The search space whose architectures fit the dataset.

        Raises:
            InputError: It is unknown, or has no such bound.
        """
        return get_space_for(name, dataset.input_shape, dataset.classes, self.bounds)

    def settings_for(self, space: SearchSpace) -> TrainingSettings:
        """The settings with the space's whole macro-architecture.

        Raises:
            InputError: The space does not leave that open.
        """
        return replace(self.settings, macro=space.macro_architecture(self.settings.macro))

    def evaluator(self, space: SearchSpace, dataset: Dataset) -> TrainingEvaluator:
        """What trains networks of a space so.

        Raises:
            InputError: The space does not take the settings' macro-architecture.
        """
        settings = self.settings_for(space)
        return TrainingEvaluator(space, dataset, self.limits, self.place(), settings)

    def place(self) -> str:
        """The device that auto stands for.

        Raises:
            InputError: It is not there.
        """
        if self.device not in ("auto", "cpu", "cuda"):
            raise InputError(f"--device {self.device}: choose auto, cpu or cuda")
        if self.is_elsewhere:
            return "cuda" if self.device == "cuda" else "cpu"
        import torch

        if self.device == "cuda" and not torch.cuda.is_available():
            raise InputError("--device cuda: PyTorch finds no GPU here, give cpu or auto")
        return "cuda" if self.device != "cpu" and torch.cuda.is_available() else "cpu"
