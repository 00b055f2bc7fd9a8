"""What people say of networks that are trained: the options that stages share."""

from typing import Any

from pydantic import NonNegativeInt

from cole_core.errors import InputError
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.evaluation.own_training import OwnTraining, own_training
from cole_core.evaluation.settings import Limits, TrainingProcedure, TrainingSettings
from cole_core.spaces.own import checked, file_name
from flows.resolve.requests import Flag, request

PROCESSES = 2  # of this machine, unless somebody says


@request
class NetworkOptions:
    """Which networks are trained and what they may cost.

    Attributes:
        size: Training images of add-digits; by default 4,000.
        channels: Of the first stage, where the space leaves that open; by default the space's.
        cells: In each stage, where the space leaves that open; by default the space's.
        max_activations: Of what an open-ended space draws, for one image; by default the space's.
        max_parameters: Of what an open-ended space draws; by default the space's.
        workers: Networks at a time, each in a process with one thread: of this machine, 2 unless
            given, or of a cluster on it, one per core unless given.
        runner: Where networks run: local, or on a cluster: ray or dask.
        address: A cluster that runs already, such as ray://head:10001; as many networks at a time
            as it has room for.
        gpus_per_network: Of a Ray cluster: GPUs, or a share of one such as 0.25, for each network.
        time_limit: Seconds that one network may take.
        memory_limit: MiB that one network may take, inferred before it is built.
        run: Networks of a corpus: run the code that builds them.
    """

    size: int | None = None
    channels: int | None = None
    cells: int | None = None
    max_activations: int | None = None
    max_parameters: int | None = None
    workers: int | None = None
    runner: str = "local"
    address: str | None = None
    gpus_per_network: float | None = None
    time_limit: float = 300.0
    memory_limit: int = 2_048
    run: Flag = False

    @property
    def macro(self) -> dict[str, int]:
        """What is said of the network around an architecture."""
        return _given(channels=self.channels, cells=self.cells)

    @property
    def processes(self) -> int:
        """Of this machine."""
        return PROCESSES if self.workers is None else self.workers

    def _device(self, device: str) -> str:
        """Where networks are: on a cluster that is told here, by how many GPUs each is given."""
        if self.runner == "local" or device not in ("auto", "cpu"):
            return device
        if self.gpus_per_network is None:
            return "cpu"
        if device == "cpu":
            raise InputError(
                f"--gpus-per-network {self.gpus_per_network:g} and --device cpu: leave one out"
            )
        return "cuda"

    def training(
        self, dataset: str, settings: TrainingSettings, seed: int, device: str = "auto"
    ) -> NetworkTraining:
        """The training of networks on a dataset, checked.

        Args:
            dataset: Its name or path.
            settings: Of training; the macro-architecture is said here.
            seed: Of weights, order of images and augmentation.
            device: auto, cpu or cuda.

        Raises:
            InputError: A value is not possible.
        """
        made = NetworkTraining(
            dataset=dataset,
            size=self.size,
            settings=settings,
            bounds=_given(max_activations=self.max_activations, max_parameters=self.max_parameters),
            limits=Limits(self.time_limit, self.memory_limit),
            seed=seed,
            workers=self.processes,
            device=self._device(device),
            is_elsewhere=self.runner != "local",
        )
        made.check()
        return made

    def own_training(
        self, function: str, *, metric: str | None, dataset: str | None, epochs: int, seed: int
    ) -> OwnTraining:
        """Somebody's own training, checked; nothing is run.

        Args:
            function: FILE.py:FUNCTION.
            metric: What a bare number is.
            dataset: What the values are called to be of.
            epochs: That the function is told, if it has such an argument.
            seed: As well.

        Raises:
            InputError: There is no such function, or something is said of our training.
        """
        usual = NetworkOptions()
        for name in ("size", "channels", "cells", "max_activations", "max_parameters"):
            if getattr(self, name) != getattr(usual, name):
                option = name.replace("_", "-")
                raise InputError(
                    f"--{option} {getattr(self, name)} is for our own training, and --train "
                    f"{function} is yours: leave it out"
                )
        file = file_name(function)
        if file is None:
            raise InputError(f"--train {function}: name FILE.py:FUNCTION, or --train alone")
        checked(file, "function")
        return own_training(
            file.path,
            file.thing,
            metric=metric,
            dataset=dataset,
            epochs=epochs,
            limits=Limits(self.time_limit, self.memory_limit),
            seed=seed,
            workers=self.processes,
        )


@request
class TrainingOptions(TrainingProcedure):
    """How networks are trained; what a space leaves open of them is said by `NetworkOptions`."""

    def settings(self, macro: dict[str, int]) -> TrainingSettings:
        """The same for a macro-architecture."""
        return TrainingSettings(**vars(self), macro=macro)


TrainingSeed = NonNegativeInt


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
