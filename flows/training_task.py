"""What a person names when they ask for networks to be trained."""

from dataclasses import dataclass, field

from cole_core.errors import InputError
from cole_core.evaluation.datasets import Dataset, load_dataset
from cole_core.evaluation.settings import Limits, TrainingSettings


@dataclass(frozen=True)
class TrainingTask:
    """What networks are trained on, and how.

    Attributes:
        dataset: `digits`, `add-digits`, or the path of an `.npz` file or a folder of `.npy` files.
        size: Training images of `add-digits`.
        settings: Of training.
        limits: What one network may cost.
        seed: Of weights, order of images and augmentation.
        workers: Processes, one thread each.
        device: auto, cpu or cuda.
    """

    dataset: str = "digits"
    size: int | None = None
    settings: TrainingSettings = field(default_factory=TrainingSettings)
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
