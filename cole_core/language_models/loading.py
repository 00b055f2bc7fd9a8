"""A specification to a model in memory, in the precision that it names."""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from torch import Tensor

from cole_core.errors import InputError
from cole_core.language_models.backend import Backend
from cole_core.language_models.files import ModelFiles
from cole_core.language_models.library_errors import as_input_error
from cole_core.language_models.packed_bert import PackedBert, is_packed_bert, tensor_shapes
from cole_core.language_models.precision import (
    compute_dtype,
    is_quantized,
    quantize,
    weight_dtype,
)
from cole_core.language_models.specification import EmbeddingSpecification
from cole_core.language_models.specify import ENCODER_DECODERS

_COUNTS = ("hidden_size", "max_position_embeddings", "num_attention_heads", "num_hidden_layers")


def choose_device(device: str) -> torch.device:
    """The device of a name; "auto" is CUDA where there is one, otherwise the CPU.

    Raises:
        InputError: There is no such device.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"no device '{device}' here: take auto or cpu") from error
    return chosen


def load_tokenizer(files: ModelFiles, trust_remote_code: bool) -> Tokenizer:
    """The tokenizer; for a model that transformers runs, as transformers sets it up."""
    path = files.folder / "tokenizer.json"
    if path.is_file() and is_packed_bert(files.config):
        return Tokenizer.from_file(str(path))
    from transformers import AutoTokenizer

    _silence()
    with as_input_error(files.name, "its tokenizer cannot be loaded"):
        tokenizer = AutoTokenizer.from_pretrained(
            files.folder, local_files_only=True, trust_remote_code=trust_remote_code
        )
    if type(tokenizer).__name__ == "ByT5Tokenizer":
        from cole_core.language_models.byte_tokenizer import byte_tokenizer

        return byte_tokenizer(tokenizer)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise InputError(f"{files.name} has no fast tokenizer: add a tokenizer.json")
    return backend


def load_backend(
    files: ModelFiles, specification: EmbeddingSpecification, device: torch.device
) -> Backend:
    """The model on its device.

    Raises:
        InputError: The model or the precision needs what is not here.
    """
    if device.type == "cuda":
        # cuDNN plans its attention anew for every shape: milliseconds, and each batch has its own.
        torch.backends.cuda.enable_cudnn_sdp(False)
    precision = specification.precision
    plain = specification.random_init is None and not is_quantized(precision)
    if plain and is_packed_bert(files.config):
        rounded = weight_dtype(precision)
        weights = {
            name: tensor.to(rounded) for path in files.weights for name, tensor in _read(path)
        }
        _check_tensors(files, weights)
        return PackedBert(files.config, weights, device, compute_dtype(precision, device))
    return _transformer(files, specification, device)


def _check_tensors(files: ModelFiles, weights: Mapping[str, Tensor]) -> None:
    """Checks that the weights are those that the configuration speaks of.

    Raises:
        InputError: One is missing or has another shape, or the configuration lacks a number.
    """
    for key in _COUNTS:
        if type(count := files.config.get(key)) is not int:
            raise InputError(
                f"config.json of {files.name} has {count!r} for {key}, which is no count: fetch "
                "it again"
            )
    epsilon = files.config.get("layer_norm_eps", 0.0)
    if not isinstance(epsilon, int | float):
        raise InputError(
            f"config.json of {files.name} has {epsilon!r} for layer_norm_eps, which is no number: "
            "fetch it again"
        )
    hidden, heads = files.config["hidden_size"], files.config["num_attention_heads"]
    if heads < 1 or hidden % heads:
        raise InputError(
            f"config.json of {files.name} divides a hidden_size of {hidden} among {heads} heads: "
            "fetch it again"
        )
    for name, shape in tensor_shapes(files.config).items():
        if name not in weights:
            raise InputError(
                f"{files.name} has no tensor {name}: half a model, or another one's config.json; "
                "fetch both again"
            )
        there = weights[name].shape
        sizes = zip(there, shape, strict=False)
        if len(there) != len(shape) or any(said not in (None, size) for size, said in sizes):
            raise InputError(_another_shape(files, name, there, shape))


def _another_shape(
    files: ModelFiles, name: str, there: Sequence[int], expected: Sequence[int | None]
) -> str:
    return (
        f"{files.name} has {name} as {list(there)} and its config.json says {list(expected)}: one "
        "of them is another model's, fetch both again"
    )


def _read(path: Path) -> list[tuple[str, Tensor]]:
    """The tensors of a safetensors file by the names of today, without a task model's prefix."""
    with safe_open(path, framework="pt") as file:
        return [(_current_name(name), file.get_tensor(name)) for name in file.keys()]  # noqa: SIM118


def _current_name(name: str) -> str:
    name = name.removeprefix("bert.").removeprefix("roberta.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def _silence() -> None:
    """Keeps transformers from writing between the lines that people read."""
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    disable_progress_bar()
    set_verbosity_error()  # what it warns of is told here in a line, or concerns training


def _transformer(
    files: ModelFiles, specification: EmbeddingSpecification, device: torch.device
) -> Backend:
    """Any other model, by transformers."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from cole_core.language_models.prefix_tree import ATTENTION, FAMILIES, PrefixTreeBackend
    from cole_core.language_models.transformer_backend import TransformerBackend

    _silence()
    shares_prefixes = specification.model_type in FAMILIES
    # Else transformers chooses: some families have no fused attention.
    model = _model(files, specification, device, ATTENTION if shares_prefixes else None)
    if is_quantized(specification.precision):
        quantize(model, specification.precision, device)
    backend = PrefixTreeBackend if shares_prefixes else TransformerBackend
    pad_id = model.config.pad_token_id or 0
    return backend(model.eval(), files.name, specification.kind == "causal", pad_id)


def _model(
    files: ModelFiles,
    specification: EmbeddingSpecification,
    device: torch.device,
    attention: str | None,
) -> Any:
    """The transformers model with its weights, spread over the devices where one is too small."""
    from transformers import CONFIG_MAPPING, AutoConfig, AutoModel, AutoModelForTextEncoding
    from transformers import __version__ as transformers_version

    model_class: Any = AutoModel
    if specification.model_type in ENCODER_DECODERS:
        model_class = AutoModelForTextEncoding
    rounded = weight_dtype(specification.precision)
    dtype = compute_dtype(specification.precision, device)
    options: dict[str, Any] = {"trust_remote_code": specification.trust_remote_code}
    if specification.model_type not in CONFIG_MAPPING and not specification.trust_remote_code:
        raise InputError(
            f"{files.name} has the model_type '{specification.model_type}', which transformers "
            f"{transformers_version} does not know: upgrade it, or fetch config.json again"
        )
    with as_input_error(files.name, "its config.json cannot be read"):
        config = AutoConfig.from_pretrained(files.folder, local_files_only=True, **options)
    if attention is not None:
        options["attn_implementation"] = attention
    if specification.random_init is not None:
        with torch.random.fork_rng():
            torch.manual_seed(specification.random_init)
            model = model_class.from_config(config, dtype=torch.float32, **options)
        return model.to(rounded).to(device=device, dtype=dtype)
    options |= {"config": config, "use_safetensors": True, "local_files_only": True}
    if _is_too_large(files, device):
        if importlib.util.find_spec("accelerate") is None:
            raise InputError(
                f"{files.name} is larger than one GPU: pip install accelerate, which spreads it"
            )
        return _with_weights(files, model_class, dtype=dtype, device_map="auto", **options)
    model = _with_weights(files, model_class, dtype=rounded, **options)
    return model.to(device=device, dtype=dtype)


def _with_weights(files: ModelFiles, model_class: Any, **options: Any) -> Any:
    """The model with all of its weights.

    Raises:
        InputError: Some that a hidden state depends on are missing or have another shape:
            transformers would make them up.
    """
    with as_input_error(files.name, "its weights cannot be loaded"):
        model, found = model_class.from_pretrained(
            files.folder, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    for name, there, expected in sorted(found["mismatched_keys"]):
        raise InputError(_another_shape(files, name, there, expected))
    # The pooler comes after the last hidden state.
    missing = sorted(name for name in found["missing_keys"] if "pooler" not in name)
    if missing:
        raise InputError(
            f"{files.name} lacks {len(missing)} tensors, such as {missing[0]}: half a model, or "
            "another one's config.json; fetch both again"
        )
    return model


def _is_too_large(files: ModelFiles, device: torch.device) -> bool:
    """Whether the weights' files alone would fill most of a GPU."""
    if device.type != "cuda":
        return False
    return sum(path.stat().st_size for path in files.weights) > 0.8 * torch.cuda.mem_get_info()[0]
