"""What `cole run` is asked."""

from cole_core.errors import InputError
from cole_core.spaces import parse_name
from cole_core.spaces.corpus import is_corpus
from flows.resolve.requests import Device, InWarehouse, Seed, request

IMPORTS = ("cole_core.predictors.surrogate",)  # by its stages, and not by its plan


@request
class RunRequest(InWarehouse):
    """A space with accuracies from elsewhere, or whose networks are trained here.

    Attributes:
        source: Accuracies: a known source, or a file or folder; by default the space's.
        samples: No accuracies from elsewhere: draw so many architectures and train them on
            --dataset.
        dataset: Of the accuracies, by default the space's; or what networks are trained on: digits
            by default, add-digits, an .npz file or a folder of .npy files.
        metric: Metric of the accuracies.
        split: valid or test.
        epochs: Epochs of training behind the accuracies; or how long networks are trained.
        lm: Language model: a known name, a hub id or a local path.
        device: auto, cpu or cuda.
        seed: Seed of every random choice.
    """

    source: str | None = None
    samples: int | None = None
    dataset: str | None = None
    metric: str | None = None
    split: str | None = None
    epochs: int | None = None
    lm: str = "minilm"
    device: Device = "auto"
    seed: Seed = 0

    @property
    def origin(self) -> str | None:
        """Where accuracies come from; None where networks are trained here."""
        if is_corpus(self.space):
            raise InputError(
                f"{self.space} is no space of which 'cole run' could make everything: begin with "
                f"'cole ingest {self.space} SOURCE', then render, embed and train"
            )
        if self.samples is not None:
            return None
        return self.source or parse_name(self.space)[0].default_source

    def check_training(self) -> None:
        """Checks that nothing is said of stored accuracies.

        Raises:
            InputError: Something is.
        """
        for name in ("metric", "split", "source"):
            if getattr(self, name) is not None:
                raise InputError(
                    f"--{name} {getattr(self, name)} names stored accuracies, and networks that "
                    "are trained here are compared by valid accuracy: leave it out"
                )
