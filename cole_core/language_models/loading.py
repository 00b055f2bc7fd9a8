"""A specification to a model in memory, in the precision that it names."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from torch import Tensor

from cole_core.errors import InputError
from cole_core.language_models.backend import Backend
from cole_core.language_models.files import ModelFiles
from cole_core.language_models.packed_bert import PackedBert, is_packed_bert
from cole_core.language_models.precision import (
    compute_dtype,
    is_quantized,
    quantize,
    weight_dtype,
)
from cole_core.language_models.specification import EmbeddingSpecification


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

    tokenizer = AutoTokenizer.from_pretrained(
        files.folder, local_files_only=True, trust_remote_code=trust_remote_code
    )
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
    precision = specification.precision
    plain = specification.random_init is None and not is_quantized(precision)
    if plain and is_packed_bert(files.config):
        rounded = weight_dtype(precision)
        weights = {
            name: tensor.to(rounded) for path in files.weights for name, tensor in _read(path)
        }
        return PackedBert(files.config, weights, device, compute_dtype(precision, device))
    return _transformer(files, specification, device)


def _read(path: Path) -> list[tuple[str, Tensor]]:
    """The tensors of a safetensors file by the names of today, without a task model's prefix."""
    with safe_open(path, framework="pt") as file:
        return [(_current_name(name), file.get_tensor(name)) for name in file.keys()]  # noqa: SIM118


def _current_name(name: str) -> str:
    name = name.removeprefix("bert.").removeprefix("roberta.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def _transformer(
    files: ModelFiles, specification: EmbeddingSpecification, device: torch.device
) -> Backend:
    """Any other model, by transformers."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from transformers.utils.logging import disable_progress_bar

    from cole_core.language_models.prefix_tree import ATTENTION, FAMILIES, PrefixTreeBackend
    from cole_core.language_models.transformer_backend import TransformerBackend

    disable_progress_bar()
    shares_prefixes = specification.model_type in FAMILIES
    # Else transformers chooses: some families have no fused attention.
    model = _model(files, specification, device, ATTENTION if shares_prefixes else None)
    if is_quantized(specification.precision):
        quantize(model, specification.precision, device)
    backend = PrefixTreeBackend if shares_prefixes else TransformerBackend
    pad_id = model.config.pad_token_id or 0
    return backend(model.eval(), specification.kind == "causal", pad_id)


def _model(
    files: ModelFiles,
    specification: EmbeddingSpecification,
    device: torch.device,
    attention: str | None,
) -> Any:
    """The transformers model with its weights, spread over the devices where one is too small."""
    from transformers import AutoConfig, AutoModel

    rounded = weight_dtype(specification.precision)
    dtype = compute_dtype(specification.precision, device)
    options: dict[str, Any] = {"trust_remote_code": specification.trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(files.folder, local_files_only=True, **options)
    except (ValueError, ImportError) as error:
        wants_code = "auto_map" in files.config and not specification.trust_remote_code
        remedy = "allow its own code with trust_remote_code" if wants_code else str(error)
        raise InputError(f"{files.name} cannot be loaded: {remedy}") from error
    if attention is not None:
        options["attn_implementation"] = attention
    if specification.random_init is not None:
        with torch.random.fork_rng():
            torch.manual_seed(specification.random_init)
            model = AutoModel.from_config(config, dtype=torch.float32, **options)
        return model.to(rounded).to(device=device, dtype=dtype)
    options |= {"config": config, "use_safetensors": True, "local_files_only": True}
    if _is_too_large(files, device):
        if importlib.util.find_spec("accelerate") is None:
            raise InputError(
                f"{files.name} is larger than one GPU: pip install accelerate, which spreads it"
            )
        return AutoModel.from_pretrained(files.folder, dtype=dtype, device_map="auto", **options)
    model = AutoModel.from_pretrained(files.folder, dtype=rounded, **options)
    return model.to(device=device, dtype=dtype)


def _is_too_large(files: ModelFiles, device: torch.device) -> bool:
    """Whether the weights' files alone would fill most of a GPU."""
    if device.type != "cuda":
        return False
    return sum(path.stat().st_size for path in files.weights) > 0.8 * torch.cuda.mem_get_info()[0]
