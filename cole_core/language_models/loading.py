"""A specification to a model in memory, in the precision that it names."""

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
from cole_core.language_models.specification import EmbeddingSpecification

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


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


def is_native(precision: str, device: torch.device) -> bool:
    """Whether a device multiplies in a precision rather than emulating it."""
    if precision == "bf16" and device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    if precision == "bf16" and device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return precision == "fp32" or device.type != "cpu"


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
    """The model on its device."""
    rounded = _DTYPES[specification.precision]
    dtype = rounded if is_native(specification.precision, device) else torch.float32
    if is_packed_bert(files.config) and specification.random_init is None:
        weights = {
            name: tensor.to(rounded) for path in files.weights for name, tensor in _read(path)
        }
        return PackedBert(files.config, weights, device, dtype)
    return _transformer(files, specification, device, rounded, dtype)


def _read(path: Path) -> list[tuple[str, Tensor]]:
    """The tensors of a safetensors file, without the prefix that task models put before names."""
    with safe_open(path, framework="pt") as file:
        return [
            (name.removeprefix("bert.").removeprefix("roberta."), file.get_tensor(name))
            for name in file.keys()  # noqa: SIM118
        ]


def _transformer(
    files: ModelFiles,
    specification: EmbeddingSpecification,
    device: torch.device,
    rounded: torch.dtype,
    dtype: torch.dtype,
) -> Backend:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from transformers import AutoConfig, AutoModel
    from transformers.utils.logging import disable_progress_bar

    from cole_core.language_models.prefix_tree import ATTENTION, FAMILIES, PrefixTreeBackend
    from cole_core.language_models.transformer_backend import TransformerBackend

    disable_progress_bar()
    options: dict[str, Any] = {"trust_remote_code": specification.trust_remote_code}
    config = AutoConfig.from_pretrained(files.folder, local_files_only=True, **options)
    shares_prefixes = config.model_type in FAMILIES
    options["attn_implementation"] = ATTENTION if shares_prefixes else "sdpa"
    if specification.random_init is None:
        model = AutoModel.from_pretrained(
            files.folder,
            config=config,
            dtype=rounded,
            use_safetensors=True,
            local_files_only=True,
            **options,
        )
    else:
        with torch.random.fork_rng():
            torch.manual_seed(specification.random_init)
            model = AutoModel.from_config(config, dtype=torch.float32, **options).to(rounded)
    model = model.to(device=device, dtype=dtype).eval()
    backend = PrefixTreeBackend if shares_prefixes else TransformerBackend
    return backend(model, specification.kind == "causal", config.pad_token_id or 0)

