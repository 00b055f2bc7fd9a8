"""What a person names when they ask for networks to be trained."""

from dataclasses import dataclass, field, replace

from cole_core.errors import InputError
from cole_core.evaluation.datasets import Dataset, load_dataset
from cole_core.evaluation.settings import Limits, TrainingSettings
from cole_core.spaces import get_space_for
from cole_core.spaces.base import SearchSpace

# With these most of einspace's networks train on the digits in a second, few in ten.
_ACTIVATIONS_PER_PIXEL = 3_000
_PARAMETERS = 500_000


@dataclass(frozen=True)
class TrainingTask:
    """What networks are trained on, and how.

    Attributes:
        dataset: `digits`, `add-digits`, or the path of an `.npz` file or a folder of `.npy` files.
        size: Training images of `add-digits`.
        settings: Of training.
        bounds: Of what an open-ended space draws: `max_activations` and `max_parameters`; where
            they are not given, small enough that most networks train in seconds on one core.
        limits: What one network may cost.
        seed: Of weights, order of images and augmentation.
        workers: Processes, one thread each.
        device: auto, cpu or cuda.
    """

    dataset: str = "digits"
    size: int | None = None
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    bounds: dict[str, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    seed: int = 0
    workers: int = 2
    device: str = "auto"

    def check(self) -> None:
        """Checks the values that need no dataset.

        Raises:
            InputError: One is not possible.
        """
        self.settings.check()
        self.limits.check()
        if self.workers < 1:
            raise InputError(f"--workers {self.workers}: at least 1")

    def load(self) -> Dataset:
        """The dataset, checked.

        Raises:
            InputError: There is no such dataset, or its content is not what it should be.
        """
        return load_dataset(self.dataset, self.size)

    def space(self, name: str, dataset: Dataset) -> SearchSpace:
        """The search space whose architectures fit the dataset.

        Raises:
            InputError: It is unknown, or takes no bounds.
        """
        _, height, width = dataset.input_shape
        bounds = {
            "max_activations": _ACTIVATIONS_PER_PIXEL * height * width,
            "max_parameters": _PARAMETERS,
        }
        space = get_space_for(name, dataset.input_shape, dataset.classes, **(bounds | self.bounds))
        if self.bounds and space.size is not None:
            raise InputError(f"{name} has {space.size:,} architectures and takes no bounds")
        return space

    def settings_for(self, space: SearchSpace) -> TrainingSettings:
        """The settings with the space's whole macro-architecture.

        Raises:
            InputError: The space does not leave that open.
        """
        return replace(self.settings, macro=space.macro_architecture(self.settings.macro))

    def place(self) -> str:
        """The device that auto stands for.

        Raises:
            InputError: It is not there.
        """
        import torch

        if self.device not in ("auto", "cpu", "cuda"):
            raise InputError(f"--device {self.device}: choose auto, cpu or cuda")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise InputError("--device cuda: PyTorch finds no GPU here, give cpu or auto")
        return "cuda" if self.device != "cpu" and torch.cuda.is_available() else "cpu"


def training_task(dataset: str, epochs: int | None = None, seed: int = 0) -> TrainingTask:
    """The task with the default settings but for what is named."""
    settings = TrainingSettings() if epochs is None else TrainingSettings(epochs=epochs)
    return TrainingTask(dataset=dataset, settings=settings, seed=seed)
