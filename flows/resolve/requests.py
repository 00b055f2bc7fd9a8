"""What requests have in common: each thing that people name is declared once, here.

A request is one immutable object that says what a stage is asked to do. The command line fills it
(its fields are the options, `Attributes` in its docstring is their help), the flow takes it as its
one argument, Prefect's page shows it as a form, and the catalog keeps it as it was.
"""

import re
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, TypeVar, dataclass_transform

from cyclopts import Parameter
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass as validated

from cole_core.encodings.base import NO_CONTEXT
from cole_core.encodings.vectors import USUAL, Vectors
from cole_core.errors import InputError
from cole_core.language_models.specify import EmbeddingOptions

MAX_SEED = 2**31 - 1
"""What the catalog holds, and every library takes."""

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def request(cls: type[T]) -> type[T]:
    """Makes a class an immutable, validated object whose fields the command line flattens.

    Its `__post_init__` may raise `InputError` where values do not fit each other.
    """
    made: Any = validated(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))(cls)
    flattened: type[T] = Parameter(name="*")(made)
    return flattened


def to_plain(value: Any) -> dict[str, Any]:
    """A request as plain values that JSON holds; without `home`, which is where it is kept."""
    plain: dict[str, Any] = TypeAdapter(type(value)).dump_python(value, mode="json")
    plain.pop("home", None)
    return plain


def repeatable(*names: str) -> Parameter:
    """An option that may be given several times, and takes one value each time."""
    return Parameter(name=names, consume_multiple=False, negative=())


def one_of(names: Iterable[str], about: str) -> Parameter:
    """An option that takes a name; its help lists those that there are."""
    return Parameter(help=f"{about}: {', '.join(names)}.")


def _check_device(device: str) -> str:
    """A device's name, checked without PyTorch, which takes a second to import."""
    if not re.fullmatch(r"auto|cpu|(cuda|mps|xpu)(:\d+)?", device):
        raise InputError(f"no device '{device}': choose auto, cpu or cuda")
    return device


Device = Annotated[str, AfterValidator(_check_device)]
Home = Annotated[Path, Parameter(env_var="COLE_HOME")]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
HOME = Path("cole-home")
DEFAULT_SPACE = "nasbench201"
"""What is meant where a question or a comparison names no space."""


@request
class InWarehouse:
    """What every stage is told.

    Attributes:
        space: The search space: a registered name, with parameters after a colon where it has any.
        home: The warehouse's directory.
    """

    space: str = field(kw_only=False)
    home: Home = HOME


@request
class Measured:
    """Which measured values; None admits any, as long as one kind fits.

    Attributes:
        dataset: Dataset of the measured values, such as cifar10.
        metric: Metric of the measured values; where nobody said whether higher or lower is better,
            with that behind it, as synflow:higher.
        split: valid or test.
        epochs: Epochs of training behind the values.
        source: Source of the values, where several hold them.
    """

    dataset: str | None = None
    metric: str | None = None
    split: str | None = None
    epochs: int | None = None
    source: str | None = None

    @property
    def named_dataset(self) -> str:
        """The dataset, where one must be named.

        Raises:
            InputError: None is.
        """
        if self.dataset is None:
            raise InputError("--dataset is missing: name one, such as --dataset cifar10")
        return self.dataset

    @property
    def asked(self) -> dict[str, Any]:
        """What is named, by the columns of a target."""
        return {name: value for name, value in vars(self).items() if value is not None}


@request
class AskedEmbeddings(EmbeddingOptions):
    """What a person says of the vectors that they want made."""

    layers: Annotated[tuple[int, ...] | None, repeatable("--layer")] = None


AskedVectors = Annotated[Vectors, Parameter(name="*")]
Flag = Annotated[bool, Parameter(negative=())]
Seeds = Annotated[tuple[Seed, ...], repeatable("--seed")]


@request
class Compared:
    """What every comparison is told.

    Attributes:
        space: The search space.
        home: The warehouse's directory.
        measured: Which measured values.
        lm: Language model, or a spec_id.
        context: What stands around the architecture in its text.
        pooling: avg_avg, mean, last_token or cls.
        precision: bf16 or fp32.
    """

    experiment: str | None = field(default=None, kw_only=False)
    space: str = DEFAULT_SPACE
    home: Home = HOME
    measured: Measured = Measured()
    configuration: Annotated[tuple[str, ...], repeatable("--configuration", "-c")] = ()
    lm: str = USUAL["lm"]
    context: str = NO_CONTEXT
    pooling: str = USUAL["pooling"]
    precision: str = USUAL["precision"]

    @property
    def vectors(self) -> dict[str, Any]:
        """The fields of a configuration that say how texts were embedded."""
        names = ("context", "lm", "pooling", "precision")
        return {name: getattr(self, name) for name in names}
