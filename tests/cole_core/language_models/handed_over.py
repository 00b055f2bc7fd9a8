"""Model folders as people hold them, damaged ones among them: small, random, made on the spot.

A maker gets models that are in order and an empty folder of its own, and returns what a person
would give as `--lm`.
"""

import json
import shutil
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.cole_core.language_models.zoo import make_model, make_tokenizer

WHOLE = ("bert", "gpt2", "llama", "t5", "byt5", "bert_in_shards")
"""Models in order, from which the others are made."""

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 90868376\n"
_STEP = "sentence_transformers.models."

Models = Mapping[str, Path]
Maker = Callable[[Models, Path], Path]


def make_whole(kind: str, folder: Path) -> Path:
    """A model in order."""
    if kind == "bert_in_shards":
        one = make_model("bert", folder)
        hf.AutoModel.from_pretrained(one).save_pretrained(folder, max_shard_size="60KB")
        (folder / WEIGHTS).unlink()
        return folder
    if kind not in ("t5", "byt5"):
        return make_model(kind, folder)
    torch.manual_seed(0)
    config = hf.T5Config(
        vocab_size=400,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=3,
        num_heads=4,
        initializer_factor=2.0,
    )
    if kind == "byt5":  # saved as its encoder alone
        hf.T5EncoderModel(config).save_pretrained(folder)
        hf.ByT5Tokenizer(model_max_length=512).save_pretrained(folder)
        return folder
    hf.T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer = make_tokenizer("bert")
    tokenizer.model_max_length = 256
    tokenizer.save_pretrained(folder)
    return folder


def as_it_is(kind: str) -> Maker:
    """A model in order."""
    return lambda models, folder: shutil.copytree(models[kind], folder / kind)


def but(kind: str, change: Callable[[Path], object]) -> Maker:
    """A model of which one thing is changed."""

    def make(models: Models, folder: Path) -> Path:
        copy = shutil.copytree(models[kind], folder / kind)
        change(copy)
        return copy

    return make


def without(name: str) -> Callable[[Path], object]:
    """A change: a file is gone."""
    return lambda folder: (folder / name).unlink()


def containing(name: str, content: str | bytes) -> Callable[[Path], object]:
    """A change: a file holds something else."""
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data)


def pointer(name: str) -> Callable[[Path], object]:
    """A change: Git LFS left its pointer where the file should be."""
    return containing(name, _POINTER.format("0" * 64))


def with_mark(name: str) -> Callable[[Path], object]:
    """A change: an editor put a byte order mark before a text."""
    return lambda folder: (folder / name).write_text((folder / name).read_text(), "utf-8-sig")


def cut(name: str, share: float = 0.5) -> Callable[[Path], object]:
    """A change: only the beginning of a file was fetched."""

    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return change


def configured(**values: object) -> Callable[[Path], object]:
    """A change: `config.json` says something else; None takes a key out."""

    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text()) | values
        kept = {name: value for name, value in config.items() if value is not None}
        (folder / "config.json").write_text(json.dumps(kept))

    return change


def safetensors(header: int, numbers: int) -> bytes:
    """A file of one tensor whose header has so many bytes."""
    size = 4 * numbers
    tensor = {"dtype": "F32", "shape": [numbers], "data_offsets": [0, size]}
    text = json.dumps({"a": tensor}).ljust(header)
    return struct.pack("<Q", header) + text.encode() + bytes(size)


def weighing(change_of: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], object]:
    """A change of the tensors."""

    def change(folder: Path) -> None:
        tensors = load_file(folder / WEIGHTS)
        (folder / WEIGHTS).unlink()  # they are read from there as they are needed
        change_of(tensors)
        save_file(tensors, folder / WEIGHTS, {"format": "pt"})

    return change


def renamed(old: str, new: str) -> Callable[[Path], object]:
    """A change: a file has another name."""
    return lambda folder: (folder / old).rename(folder / new)


def pickled(models: Models, folder: Path) -> Path:
    """Weights as `torch.save` writes them, and no others."""
    copy = shutil.copytree(models["bert"], folder / "bert")
    torch.save(load_file(copy / WEIGHTS), copy / "pytorch_model.bin")
    (copy / WEIGHTS).unlink()
    return copy


def pickle_under_another_name(folder: Path) -> None:
    """A change: a pickle that somebody renamed."""
    tensors = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()  # they are read from there as they are needed
    torch.save(tensors, folder / WEIGHTS)


def link_to_nothing(folder: Path) -> None:
    """A change: the link of a hub's cache, copied without what it points to."""
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to("../../blobs/" + "0" * 64)


def adapter(models: Models, folder: Path) -> Path:
    """What PEFT saves."""
    made = folder / "adapter"
    make_tokenizer("bert").save_pretrained(made)
    settings = {"peft_type": "LORA", "base_model_name_or_path": "my/base", "r": 4}
    (made / "adapter_config.json").write_text(json.dumps(settings))
    name = "base_model.model.encoder.layer.0.attention.self.query.lora_{}.weight"
    tensors = {name.format("A"): torch.ones(4, 32), name.format("B"): torch.ones(32, 4)}
    save_file(tensors, made / "adapter_model.safetensors")
    return made


def gguf_file(models: Models, folder: Path) -> Path:
    """The header of a GGUF file."""
    path = folder / "model-q4.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    return path


def gguf_folder(models: Models, folder: Path) -> Path:
    """A folder with a GGUF file alone."""
    return gguf_file(models, folder).parent


def gguf_with_config(models: Models, folder: Path) -> Path:
    """A GGUF file beside `config.json` and a tokenizer."""
    copy = but("bert", without(WEIGHTS))(models, folder)
    gguf_file(models, copy)
    return copy


def sentence(*steps: tuple[str, str], pooling: Mapping[str, object] | None = None) -> Maker:
    """The files of sentence-transformers around a model: kinds of steps and their folders."""

    def make(models: Models, folder: Path) -> Path:
        modules = [
            {"idx": i, "name": str(i), "path": path, "type": _STEP + kind}
            for i, (kind, path) in enumerate(steps)
        ]
        (folder / "modules.json").write_text(json.dumps(modules))
        for kind, path in steps:
            if kind == "Transformer":
                shutil.copytree(models["bert"], folder / path, dirs_exist_ok=True)
            else:
                (folder / path).mkdir()
                if kind == "Pooling":
                    (folder / path / "config.json").write_text(json.dumps(pooling or CLS))
        return folder

    return make


CLS = {"word_embedding_dimension": 32, "pooling_mode_cls_token": True}
MEAN_AND_MAX = {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}
NESTED = (("Transformer", "0_Transformer"), ("Pooling", "1_Pooling"))


def containing_steps(content: str) -> Maker:
    """An older layout whose steps were damaged."""

    def make(models: Models, folder: Path) -> Path:
        made = sentence(*NESTED)(models, folder)
        (made / "modules.json").write_text(content)
        return made

    return make


def a_step_of_it(models: Models, folder: Path) -> Path:
    """The pooling's folder, given as the model."""
    return sentence(*NESTED)(models, folder) / "1_Pooling"


def checkpoints(models: Models, folder: Path) -> Path:
    """What a trainer leaves: the models below."""
    shutil.copytree(models["bert"], folder / "checkpoint-500")
    return folder


def empty(models: Models, folder: Path) -> Path:
    """A folder with nothing in it."""
    return folder


def holiday(models: Models, folder: Path) -> Path:
    """A folder of something else."""
    (folder / "notes.txt").write_text("sea")
    return folder


def a_file_of_it(models: Models, folder: Path) -> Path:
    """The weights, given as the model."""
    return as_it_is("bert")(models, folder) / WEIGHTS


def archive(models: Models, folder: Path) -> Path:
    """A model as an archive."""
    return Path(shutil.make_archive(str(folder / "bert"), "zip", models["bert"]))


def a_text(models: Models, folder: Path) -> Path:
    """A file of something else."""
    (folder / "notes.txt").write_text("sea")
    return folder / "notes.txt"


def a_typing_error(models: Models, folder: Path) -> Path:
    """A name like the folder beside it."""
    as_it_is("bert")(models, folder)
    return folder / "brt"


def adapter_beside(folder: Path) -> None:
    """A change: an adapter in a whole model's folder."""
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "my/base"}')


def fewer_words(tensors: dict[str, Tensor]) -> None:
    """A change: embeddings of fewer tokens than the tokenizer has."""
    name = "embeddings.word_embeddings.weight"
    tensors[name] = tensors[name][:50].clone()


def spoilt(name: str) -> Callable[[dict[str, Tensor]], object]:
    """A change: one number of a tensor is none."""
    return lambda tensors: tensors[name][0].fill_(float("nan"))


def both(*changes: Callable[[Path], object]) -> Callable[[Path], object]:
    """A change: several."""
    return lambda folder: [change(folder) for change in changes]


def too_long(models: Models, folder: Path) -> Path:
    """A name that no file can have."""
    return folder / ("x" * 300)
