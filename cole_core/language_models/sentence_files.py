"""The files of sentence-transformers beside a model: its steps, its own pooling, its prompt."""

from pathlib import Path
from typing import NamedTuple

from cole_core.errors import InputError
from cole_core.language_models.damage import read_json, read_json_list

_MODULES = "modules.json"
_KNOWN = {"Transformer", "Pooling", "Normalize"}
_POOLINGS = {
    "mean": ("pooling_mode_mean_tokens", "mean"),
    "cls": ("pooling_mode_cls_token", "cls"),
    "last_token": ("pooling_mode_lasttoken", "lasttoken"),
}


class OwnPooling(NamedTuple):
    """What the files say of a text's vector.

    Attributes:
        pooling: mean, cls or last_token.
        normalize: Whether vectors are scaled to length one.
        prompt: The default prefix of a text.
    """

    pooling: str
    normalize: bool
    prompt: str


def transformer_path(name: str, folder: Path) -> str:
    """The folder below in which older layouts keep the transformer (`0_Transformer`), or "".

    Args:
        name: What the person called the model.
        folder: Where `modules.json` is, if it is anywhere.

    Raises:
        InputError: The first step is no transformer, or the file is broken.
    """
    steps = _steps(name, folder)
    if steps and next(iter(steps)) != "Transformer":
        raise InputError(
            f"{name} begins with a {next(iter(steps))} step and only a Transformer is read: "
            "choose another model"
        )
    return steps.get("Transformer", "")


def own_pooling(name: str, folder: Path) -> OwnPooling:
    """Pooling, scaling and prompt as the files say.

    Args:
        name: What the person called the model.
        folder: Where `modules.json` is.

    Raises:
        InputError: There are no such files, or they name a step or a pooling that is not known.
    """
    steps = _steps(name, folder)
    unknown = [step for step in steps if step not in _KNOWN]
    if "Pooling" not in steps or unknown:
        what = f"a {unknown[0]} step" if unknown else "no pooling of its own"
        raise InputError(f"{name} has {what}: name a pooling such as mean or last_token")
    settings = read_json(folder / steps["Pooling"] / "config.json")
    chosen = [
        pooling
        for pooling, (flag, mode) in _POOLINGS.items()
        if settings.get(flag) or settings.get("pooling_mode") == mode
    ]
    others = [
        flag
        for flag, on in settings.items()
        if on is True and flag.startswith("pooling_mode_") and flag not in dict(_POOLINGS.values())
    ]
    if len(chosen) != 1 or others:
        raise InputError(f"{name} has a pooling that is not known here: name mean or cls")
    prompts = read_json(folder / "config_sentence_transformers.json")
    prompt = (prompts.get("prompts") or {}).get(prompts.get("default_prompt_name"), "")
    if prompt and settings.get("include_prompt") is False:
        raise InputError(
            f"{name} pools without its prompt, which is not known here: name a pooling such as mean"
        )
    return OwnPooling(chosen[0], "Normalize" in steps, prompt)


def _steps(name: str, folder: Path) -> dict[str, str]:
    """The kinds of a model's steps, in order, with their folders."""
    steps = {}
    for step in read_json_list(folder / _MODULES):
        said = step if isinstance(step, dict) else {}
        kind, path = said.get("type"), said.get("path")
        if not isinstance(kind, str) or not isinstance(path, str) or Path(path).name != path:
            raise InputError(
                f"{folder / _MODULES} of {name} has a step without a kind or a folder of its own: "
                "fetch it again"
            )
        steps[kind.rsplit(".", 1)[-1]] = path
    return steps
