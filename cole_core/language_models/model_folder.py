"""What a person gave as a language model: its folder, or why it is none."""

import contextlib
import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from cole_core.errors import InputError
from cole_core.language_models.damage import read_json
from cole_core.language_models.sentence_files import transformer_path

_GGUF = b"GGUF"


def model_folder(name: str, given: Path) -> Path:
    """The folder with `config.json`: the one given, or the one below it that its steps name.

    Args:
        name: What the person called the model.
        given: A path that exists.

    Raises:
        InputError: It holds no language model that is read; says what it looks like instead.
    """
    if not given.is_dir():
        raise InputError(_about_file(name, given))
    if (given / "adapter_config.json").exists():
        raise InputError(_about_adapter(name, given))
    if (given / "config.json").exists():
        return given
    below = transformer_path(name, given)
    if below and (given / below / "config.json").is_file():
        return given / below
    raise InputError(f"{name} holds no language model, no config.json: {_remedy(given)}")


def resembling(name: str, known: Iterable[str]) -> str:
    """Names like one that is nowhere, as the end of a sentence: known ones, and folders beside it.

    Args:
        name: What the person called the model.
        known: Names of the catalog.
    """
    path = Path(os.path.expanduser(name))
    beside = {}
    if os.path.isdir(path.parent):
        with contextlib.suppress(OSError):  # one that may not be read
            beside = {each.name: str(each) for each in path.parent.iterdir() if each.is_dir()}
    close = difflib.get_close_matches(name, known, n=2)
    close += [beside[each] for each in difflib.get_close_matches(path.name, beside, n=2)]
    return f" (did you mean {' or '.join(close)}?)" if close else ""


def _about_file(name: str, path: Path) -> str:
    """Why a file is no model's folder."""
    if not path.is_file():
        return f"{name} is neither a folder nor a file: give a model's folder"
    with path.open("rb") as file:
        start = file.read(4)
    if start == _GGUF or path.suffix == ".gguf":
        return (
            f"{name} is a GGUF file, quantized for llama.cpp: give the folder of the model that "
            "it was made from, in safetensors"
        )
    if path.suffix in (".zip", ".gz", ".tar", ".tgz"):
        return f"{name} is an archive: unpack it and give the model's folder"
    if (path.parent / "config.json").is_file():
        return f"{name} is a file of a model: give its folder, {path.parent}"
    return f"{name} is a file and no language model's folder: give the folder with config.json"


def _about_adapter(name: str, folder: Path) -> str:
    """Why an adapter is not read."""
    base = read_json(folder / "adapter_config.json").get("base_model_name_or_path")
    of = f" of {base}" if base else ""
    if (folder / "config.json").exists():
        return (
            f"{name} holds a whole model and a PEFT adapter{of}: remove adapter_config.json, or "
            "merge the adapter into its base first (merge_and_unload) and save that"
        )
    return (
        f"{name} is a PEFT adapter{of}, no whole model: merge it into its base first "
        "(merge_and_unload), save that with its tokenizer, and give that folder"
    )


def _remedy(folder: Path) -> str:
    """What to do about a folder without `config.json`."""
    if not any(folder.iterdir()):
        return "the folder is empty, fetch the model again"
    if any(folder.glob("*.gguf")):
        return (
            "it is GGUF, quantized for llama.cpp; give the folder of the model that it was made "
            "from, in safetensors"
        )
    below = sorted([*folder.glob("*/config.json"), *folder.glob("snapshots/*/config.json")])
    if below:
        return f"give the folder below it, {below[0].parent}"
    if any(folder.glob("*.safetensors")) or (folder / "tokenizer.json").exists():
        return "half a download, fetch it again"
    return "give the folder of one"
