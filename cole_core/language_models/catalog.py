"""The language models that have a name: `catalog.toml` beside this module."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True)
class CatalogEntry:
    """One language model of the catalog.

    Attributes:
        hub: Hub id.
        parameters: Number of parameters.
        kind: "encoder" or "causal".
        limit: Tokens it reads at once.
        revision: Hub revision to take, None for the main branch.
        package: Python package that holds the same files.
        weights_sha256: SHA-256 that the packaged weights must have.
        tokenizer_sha256: SHA-256 that the packaged tokenizer must have.
        safetensors: Whether that revision has safetensors weights.
        remote_code: Whether it runs only with `trust_remote_code`.
    """

    hub: str
    parameters: int
    kind: str
    limit: int
    revision: str | None = None
    package: str | None = None
    weights_sha256: str | None = None
    tokenizer_sha256: str | None = None
    safetensors: bool = True
    remote_code: bool = False


@cache
def catalog() -> MappingProxyType[str, CatalogEntry]:
    """The catalog by name."""
    text = resources.files(__package__).joinpath("catalog.toml").read_text("utf-8")
    entries = tomllib.loads(text)
    return MappingProxyType({name: CatalogEntry(**entry) for name, entry in entries.items()})


def find_entry(name: str) -> CatalogEntry | None:
    """The entry of a catalog name or of a hub id that the catalog knows."""
    by_hub_id = {entry.hub: entry for entry in catalog().values()}
    return catalog().get(name) or by_hub_id.get(name)
