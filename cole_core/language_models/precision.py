"""What weights are rounded to, and what a device computes in."""

import torch
from torch import nn

from cole_core.errors import InputError

_ROUNDED = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def is_quantized(precision: str) -> bool:
    """Whether a precision keeps weights as integers with scales."""
    return precision in ("int8", "int4")


def weight_dtype(precision: str) -> torch.dtype:
    """What weights are rounded to; those that become integers start from bf16."""
    return _ROUNDED.get(precision, torch.bfloat16)


def compute_dtype(precision: str, device: torch.device) -> torch.dtype:
    """What a device computes in: the weights' type where it multiplies that natively, else fp32."""
    rounded = weight_dtype(precision)
    if device.type == "cuda":
        native = rounded != torch.bfloat16 or torch.cuda.is_bf16_supported(
            including_emulation=False
        )
    elif device.type == "cpu":
        native = rounded == torch.bfloat16 and (
            torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        )
    else:
        native = True
    return rounded if native else torch.float32


def quantize(model: nn.Module, precision: str, device: torch.device) -> None:
    """Turns the weights of a model's linear layers into integers, in place, by torchao.

    Args:
        model: On its device.
        precision: int8 (any device) or int4 (CUDA).
        device: Where the model is.

    Raises:
        InputError: torchao is not installed, or the device or the model cannot do it.
    """
    if precision == "int4" and device.type != "cuda":
        raise InputError(f"int4 weights need a CUDA device, not {device.type}: take int8 or bf16")
    if not any(isinstance(module, nn.Linear) for module in model.modules()):
        raise InputError(f"no linear layers to turn into {precision}: take bf16")
    try:
        from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig, quantize_

        quantize_(model, Int8WeightOnlyConfig() if precision == "int8" else Int4WeightOnlyConfig())
    except ImportError as error:
        raise InputError(
            f"{precision} weights need torchao (pip install torchao; {error}): or take bf16"
        ) from error
