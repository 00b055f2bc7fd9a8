"""What the explorer tells of one architecture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cole_core.encodings.base import RenderingError
from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.corpus.stored_forms import from_json
from flows.explorer.drawing import draw_graph
from flows.questions.network_file import write_network
from flows.questions.show import ShowRequest, predictions_of, show_neighbours, texts_of, values_of
from flows.report.trusted import picture
from flows.resolve.commands import command
from flows.resolve.requests import DEFAULT_SPACE
from flows.resolve.spaces import stored_space
from warehouse import Warehouse

_ID = 12  # digits of a hash that name it
_NEAREST = 10


@dataclass(frozen=True)
class Card:
    """An architecture at a glance: what is told of it at once.

    Attributes:
        architecture_id: Its id.
        space: The space's name, with its parameters.
        native: Its native string.
        picture: As an `<svg>` element; None where there is none.
        code: A stored text of it, and by which encoding; None where there is none.
        values: dataset, metric, split, epochs, source, value, unit of each kind measured.
        parameters: Trainable ones; None where they are not known without building it.
        flops: Multiply-accumulates, likewise.
    """

    architecture_id: str
    space: str
    native: str
    picture: Markup | None
    code: tuple[str, str] | None
    values: list[dict[str, Any]]
    parameters: int | None
    flops: int | None


def find(warehouse: Warehouse, architecture_id: str) -> tuple[str, SearchSpace, str, str]:
    """The id, space, native string and canonical_id of a stored architecture.

    Args:
        warehouse: Where it is.
        architecture_id: Its id or the beginning of it.

    Raises:
        InputError: No architecture has it, or several have.
    """
    rows = warehouse.architectures_by_id(architecture_id, limit=2) if architecture_id else None
    if rows is None or rows.height != 1:
        how = "no architecture" if rows is None or rows.is_empty() else "more than one architecture"
        raise InputError(f"{how} here has the id '{architecture_id}': choose one on the map")
    row = rows.row(0, named=True)
    space = stored_space(warehouse, row)
    return row["architecture_id"], space, row["native"], row["canonical_id"]


def make_card(warehouse: Warehouse, space: SearchSpace, id_: str, native: str) -> Card:
    """What is told of a stored architecture at once."""
    texts = warehouse.texts_of(id_)
    return Card(
        architecture_id=id_,
        space=space.full_name,
        native=native,
        picture=draw(space, native),
        code=None if texts.is_empty() else (texts["text"][0], texts["encoding"][0]),
        values=warehouse.read("own_values_of_architecture", architecture_id=id_).to_dicts(),
        parameters=_known(space.parameter_count, native),
        flops=_known(space.flops, native),
    )


def draw(space: SearchSpace, native: str) -> Markup | None:
    """The picture of an architecture by its space; None where there is none.

    Raises:
        InputError: It is one that does more than draw.
    """
    svg = _known(space.draw, native)
    return None if svg is None else picture(svg)


def draw_traced(warehouse: Warehouse, architecture_id: str) -> Markup | None:
    """The picture of a network by its traced graph: the stored one, or one that is traced now
    where that runs nobody's file.

    Raises:
        InputError: There is no such architecture.
    """
    id_, space, native, _ = find(warehouse, architecture_id)
    stored = warehouse.read("normal_form_of", architecture_id=id_)
    try:
        if not stored.is_empty():
            graph = from_json(str(stored["form"][0])).graph
        elif space.is_absent or space.is_foreign:
            return None
        else:
            graph = space.normal_form(native).graph
    except (ValueError, InputError):  # of another version, or no architecture any more
        return None
    svg = None if graph is None else draw_graph(graph)
    return None if svg is None else picture(svg)


def _known(tell: Any, native: str) -> Any:
    """What a space tells of an architecture, where it still takes it for one."""
    try:
        return tell(native)
    except InputError:
        return None


@dataclass(frozen=True)
class Details:
    """What takes a moment to find out of an architecture.

    Attributes:
        values: As `cole show` gives them, with ranks.
        twins: architecture_id, native of the others that compute the same.
        canonical_form: What they share; None where only the space's file could tell.
        texts: Every stored text.
    """

    values: list[dict[str, Any]]
    twins: list[dict[str, Any]]
    canonical_form: str | None
    texts: list[dict[str, Any]]


def details(warehouse: Warehouse, architecture_id: str) -> Details:
    """Values with their ranks, twins and texts of an architecture.

    Raises:
        InputError: There is no such architecture.
    """
    id_, space, native, canonical_id = find(warehouse, architecture_id)
    return Details(
        values=values_of(warehouse, space, id_),
        twins=warehouse.twins_of(space, id_, canonical_id).to_dicts(),
        canonical_form=None if space.is_absent else _known(space.canonical_form, native),
        texts=texts_of(warehouse, space, native, id_),
    )


def predictions(warehouse: Warehouse, architecture_id: str) -> list[dict[str, Any]]:
    """What stored heads predict of an architecture, as `cole show` gives it."""
    id_, space, _, _ = find(warehouse, architecture_id)
    return predictions_of(warehouse, space, id_)


def nearest(warehouse: Warehouse, architecture_id: str) -> dict[str, Any] | None:
    """The nearest by stored vectors, as `cole show` gives them; None where there are none."""
    id_, space, _, _ = find(warehouse, architecture_id)
    request = ShowRequest(what=id_, home=warehouse.home, space=space.full_name, k=_NEAREST)
    return show_neighbours(request, id_)


def network_file(warehouse: Warehouse, architecture_id: str) -> str:
    """An architecture's network as a file that runs.

    Raises:
        InputError: It has no class that runs, or its file would have to be run for it.
    """
    id_, space, native, _ = find(warehouse, architecture_id)
    if space.is_absent or space.is_foreign:
        raise InputError(
            f"to write {native} as a file its own file is run, which a page does not: "
            f"{show_command(warehouse.home, id_, space)}"
        )
    known = {
        "values": values_of(warehouse, space, id_),
        "trainings": warehouse.trainings_of(id_).to_dicts(),
    }
    try:
        return write_network(space, native, known)
    except RenderingError as error:
        raise InputError(f"{native} has no class that runs ({error})") from error


def commands(home: Path, card: Card) -> dict[str, str]:
    """Commands that tell the same, by what they tell."""
    what = card.architecture_id[:_ID]
    space = None if card.space == DEFAULT_SPACE else card.space
    condition = f"SELECT * FROM evaluations WHERE architecture_id = '{card.architecture_id}'"
    return {
        "everything": command(home, "show", what),
        "its network as a file": command(home, "show", what, output="net.py"),
        "its nearest": command(home, "similar", what, space=space),
        "its values": command(home, "sql", condition),
    }


def show_command(home: Path, architecture_id: str, space: SearchSpace) -> str:
    """The command that writes an architecture's network."""
    words = {"space": None if space.full_name == DEFAULT_SPACE else space.full_name}
    return command(home, "show", architecture_id[:_ID], output="net.py", **words)
