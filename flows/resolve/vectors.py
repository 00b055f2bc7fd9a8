"""Which stored vectors are meant, and the architectures that have them.

One set of rules for every command. The beginning of a spec_id says all by itself. Otherwise a
specification fits if it is as it is asked for, and if texts of the encoding were embedded under it;
weights at random are meant only where they are asked for. Where several fit, those that cut no text
come first, and then what is usual: `cole_core.encodings.vectors.USUAL`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from cole_core.encodings.base import VectorEncoding
from cole_core.encodings.proxies import is_proxies
from cole_core.encodings.side_by_side import is_structural, parts
from cole_core.encodings.vectors import (
    USUAL,
    ArchitectureVectors,
    LabelledVectors,
    Vectors,
    VectorSource,
    join_side_by_side,
    label,
    share,
)
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.own import AbsentSpace
from flows.resolve.current import current
from flows.resolve.proxies import load_proxies, with_source
from warehouse import Warehouse

_COLUMNS = {"lm": "language_model", "pooling": "pooling", "precision": "precision"}
_NO_VECTORS = VectorSource("none", "none", None, None)


def find_vectors(
    warehouse: Warehouse,
    space: SearchSpace,
    asked: Sequence[Vectors],
    *,
    whole: bool = False,
) -> list[VectorSource]:
    """The stored vectors that are meant.

    Args:
        warehouse: Where they are.
        space: The search space.
        asked: What is asked for, each by itself.
        whole: Whether vectors of cut texts do not count.

    Raises:
        InputError: An encoding is unknown, some vectors are not there (one line says which commands
            make them all), or several specifications fit.
    """
    stored = warehouse.specifications()
    found: list[VectorSource] = []
    commands: dict[str, None] = {}
    for each in asked:
        asked_for = space.reference(each.context) if each.encoding is None else each.encoding
        structural = is_structural(space, asked_for)
        encoding = with_source(warehouse, space, asked_for)
        if encoding is None:
            commands[f"cole proxies {space.full_name}"] = None
            encoding = asked_for
        if structural:
            found.append(VectorSource(encoding, "none", None, None))
            continue
        texts = [name for name in parts(encoding) if not is_structural(space, name)]
        fitting, lacking = _fitting(warehouse, space, stored, each, texts, whole)
        for name in lacking:
            commands |= dict.fromkeys(_commands(warehouse, space, replace(each, encoding=name)))
        if not lacking:
            spec_id, language_model = _one(fitting, each)
            found.append(VectorSource(encoding, each.context, spec_id, language_model))
    if commands:
        kind = "embeddings of whole texts" if whole else "embeddings"
        if all(command.startswith("cole proxies") for command in commands):
            kind = "proxies"
        raise InputError(f"{kind} are missing: make them with: {'; '.join(commands)}")
    return found


def needs_file(space: SearchSpace, encoding: str) -> bool:
    """Whether only the file of a space that is not at hand could encode its architectures so."""
    return space.is_absent and any(
        is_structural(space, name) and not is_proxies(name) for name in parts(encoding)
    )


def load_vectors(
    warehouse: Warehouse, space: SearchSpace, source: VectorSource
) -> ArchitectureVectors:
    """The space's architectures with their vectors.

    Raises:
        InputError: There are none; says which command makes them.
    """
    names = parts(source.encoding)
    if len(names) > 1:
        return join_side_by_side(
            [load_vectors(warehouse, space, _part(space, source, name)) for name in names]
        )
    if source.spec_id is not None:
        found = warehouse.architecture_vectors(
            space, source.encoding, source.context, source.spec_id
        )
        return found.at(_current_places(space, found)) if space.is_foreign else found
    if is_proxies(names[0]):
        return load_proxies(warehouse, space, names[0])
    rows = current(space, warehouse.architectures(space), only_twice=source == _NO_VECTORS)
    if rows.is_empty():
        raise InputError(f"{space.name} has no architectures: run 'cole enumerate {space.name}'")
    natives = rows["native"].to_list()
    return ArchitectureVectors(
        architecture_ids=rows["architecture_id"].to_list(),
        natives=natives,
        canonical_ids=rows["canonical_id"].to_list(),
        vectors=_encode(space, source, natives),
    )


def load_labelled(
    warehouse: Warehouse, space: SearchSpace, source: VectorSource, target: Target
) -> LabelledVectors:
    """The architectures that have both a vector and a measured value.

    Heads and searches take the highest for the best: where lower is better, values come with their
    sign turned. `Target.sign` turns them back.

    Raises:
        InputError: There are none, or nobody said which is better.
    """
    sign = target.sign
    values = {id_: sign * value for id_, value in warehouse.labels(space, target).iter_rows()}
    found = label(load_vectors(warehouse, space, source), values)
    if not found.natives:
        raise InputError(f"no architecture has both a vector and a value of {target.to_json()}")
    return found


def without_vectors(
    warehouse: Warehouse, space: SearchSpace, target: Target
) -> tuple[VectorSource, LabelledVectors]:
    """The measured architectures, for what reads no vectors.

    Raises:
        InputError: There are none.
    """
    return _NO_VECTORS, load_labelled(warehouse, space, _NO_VECTORS, target)


def find_labelled(
    warehouse: Warehouse, space: SearchSpace, asked: Sequence[Vectors], target: Target
) -> dict[Vectors | None, tuple[VectorSource, LabelledVectors]]:
    """The measured architectures that have all of some vectors, with each of them.

    Args:
        warehouse: Where they are.
        space: The search space.
        asked: Which vectors of whole texts; without any, the architectures of None.
        target: Which values.

    Raises:
        InputError: Vectors are missing (says which command makes them), or none are in common.
    """
    if not asked:
        return {None: without_vectors(warehouse, space, target)}
    sources = find_vectors(warehouse, space, asked, whole=True)
    labelled = [load_labelled(warehouse, space, source, target) for source in sources]
    shared = share(labelled, canonical=False)
    return dict(zip(asked, zip(sources, shared, strict=True), strict=True))


def _current_places(space: SearchSpace, found: ArchitectureVectors) -> list[int]:
    rows = pl.DataFrame({"architecture_id": found.architecture_ids, "native": found.natives})
    return current(space, rows.with_row_index("place"), only_twice=True)["place"].to_list()


def _encode(space: SearchSpace, source: VectorSource, natives: list[str]) -> np.ndarray:
    if source == _NO_VECTORS:
        return np.empty((len(natives), 0), dtype=np.float32)
    encoding = space.encoding(source.encoding)
    if isinstance(space, AbsentSpace):
        raise space.lacks_file()
    assert isinstance(encoding, VectorEncoding)  # a text encoding has a specification
    return encoding.encode(natives)


def _part(space: SearchSpace, source: VectorSource, name: str) -> VectorSource:
    if is_structural(space, name):
        return VectorSource(name, source.context, None, None)
    return replace(source, encoding=name)


def _fitting(
    warehouse: Warehouse,
    space: SearchSpace,
    stored: pl.DataFrame,
    asked: Vectors,
    texts: Sequence[str],
    whole: bool,
) -> tuple[pl.DataFrame, list[str]]:
    """The specifications under which all texts are embedded, and the encodings that have none."""
    named = _as_asked(stored, asked)
    fitting, lacking = named, []
    for name in texts:
        embedded = warehouse.embedded(space, name, asked.context)
        if whole:
            embedded = embedded.filter(pl.col("cut") == 0)
        if named.join(embedded, on="spec_id", how="semi").is_empty():
            lacking.append(name)
        fitting = fitting.join(embedded, on="spec_id", how="semi", maintain_order="left")
    return fitting, lacking or (list(texts) if fitting.is_empty() else [])


def _as_asked(stored: pl.DataFrame, asked: Vectors) -> pl.DataFrame:
    if asked.lm:
        by_id = stored.filter(pl.col("spec_id").str.starts_with(asked.lm))
        if not by_id.is_empty():
            return by_id
    seed = pl.col("specification").str.json_path_match("$.random_init").cast(pl.Int64)
    fitting = stored.filter(seed.eq_missing(pl.lit(asked.random_init, pl.Int64)))
    for name, column in _COLUMNS.items():
        value = getattr(asked, name)
        if value is not None:
            fitting = fitting.filter(pl.col(column) == value)
    return fitting


def _one(fitting: pl.DataFrame, asked: Vectors) -> tuple[str, str]:
    """spec_id and language model of the one that is meant."""
    for preferred in _preferences(asked):
        if fitting.height > 1 and fitting.select(preferred.any()).item():
            fitting = fitting.filter(preferred)
    if fitting.height > 1:
        listed = "; ".join(
            f"{row['spec_id']} ({row['language_model']}, {row['pooling']}, {row['precision']})"
            for row in fitting.iter_rows(named=True)
        )
        raise InputError(f"several specifications fit: give --lm the beginning of one of {listed}")
    return fitting.select("spec_id", "language_model").row(0)


def _preferences(asked: Vectors) -> Iterator[pl.Expr]:
    # A limit that no text reached changes nothing.
    yield pl.col("specification").str.json_path_match("$.max_length").is_null()
    for name, column in _COLUMNS.items():
        if getattr(asked, name) is None:
            yield pl.col(column) == USUAL[name]


def _commands(warehouse: Warehouse, space: SearchSpace, asked: Vectors) -> list[str]:
    """What makes the vectors of one text encoding."""
    about = f"{space.name} --encoding {asked.encoding}"
    if asked.context != "none":
        about += f" --context {asked.context}"
    options = "".join(f" --{name} {getattr(asked, name) or USUAL[name]}" for name in _COLUMNS)
    if asked.random_init is not None:
        options += f" --random-init {asked.random_init}"
    embed = f"cole embed {about}{options}"
    rendered = not warehouse.texts(space, str(asked.encoding), asked.context).is_empty()
    return [embed] if rendered else [f"cole render {about}", embed]
