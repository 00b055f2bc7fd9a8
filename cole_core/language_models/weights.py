"""The weights' files of a model's folder: which they are, and whether they are whole.

Only safetensors files are read: a pickle runs what is in it. Neither torch nor transformers is
imported.
"""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from cole_core.errors import InputError
from cole_core.language_models.damage import likely_cause, read_json

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"

# Weights that are not read: a pattern of their names, what they are, what to do.
_SAVE_ANEW = (
    "convert it with transformers, "
    "AutoModel.from_pretrained({folder!r}).save_pretrained({folder!r})"
)
_OTHERS = (
    ("*.gguf", "quantized GGUF weights", "give the folder of the model that they were made from"),
    ("pytorch_model*.bin", "pickled weights (pytorch_model.bin)", _SAVE_ANEW),
    ("tf_model*.h5", "TensorFlow weights", "convert it to PyTorch, or fetch its safetensors"),
    ("flax_model*.msgpack", "Flax weights", "convert it to PyTorch, or fetch its safetensors"),
    ("*.onnx", "an ONNX export", "give the model that was exported"),
    ("consolidated.*", "weights in the layout of their makers", "fetch the version 'hf' of it"),
    ("*.ckpt", "a training checkpoint", "save its model with save_pretrained"),
    ("*.pt*", "a training checkpoint", "save its model with save_pretrained"),
)


def weight_files(folder: Path, name: str) -> list[Path]:
    """The safetensors files of a folder, shards in order.

    Args:
        folder: With `config.json`.
        name: What the person called the model.

    Raises:
        InputError: There are none, or one is missing.
    """
    index = read_json(folder / INDEX)
    if not index and (folder / INDEX).exists():
        raise InputError(f"{folder / INDEX} is empty: half a download, fetch it again")
    if not index:
        if not (folder / SINGLE).is_file():
            raise InputError(f"{name} {_instead(folder)}")
        return [folder / SINGLE]
    shards = index.get("weight_map")
    if (
        not isinstance(shards, dict)
        or not shards
        or not all(isinstance(n, str) for n in shards.values())
    ):
        raise InputError(f"{folder / INDEX} names no shards: fetch it again")
    names = sorted(set(shards.values()))
    for shard in names:
        if Path(shard).name != shard:
            raise InputError(
                f"{name} names the weights' file {shard}, outside its folder: save the model anew"
            )
    missing = [shard for shard in names if not (folder / shard).is_file()]
    if missing:
        raise InputError(
            f"{name} has {len(names) - len(missing)} of {len(names)} shards, no {missing[0]}: "
            "half a download, fetch it again"
        )
    return [folder / shard for shard in names]


def check_whole(path: Path) -> None:
    """Checks that a safetensors file is one, and all of it.

    Raises:
        InputError: It is not; says why, as far as that can be seen.
    """
    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise InputError(f"{path} {likely_cause(path)}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}; fetch it again") from error


def _instead(folder: Path) -> str:
    """What a folder without readable weights has, and the remedy."""
    if (folder / SINGLE).is_symlink():
        return f"has {SINGLE} as a link to a file that is gone: copy the file itself"
    for pattern, what, remedy in _OTHERS:
        if any(folder.glob(pattern)):
            remedy = remedy.format(folder=str(folder))
            return f"has {what} and only safetensors weights are read: {remedy}"
    named = sorted(path.name for path in folder.glob("*.safetensors") if path.is_file())
    if any("-of-" in other for other in named):
        return f"has shards ({named[0]}) and no {INDEX}: half a download, fetch it again"
    if named:
        return f"has {named[0]}, and weights are read from {SINGLE}: rename it"
    return f"has no weights, no {SINGLE}: only safetensors weights are read; fetch them too"
