"""What a network costs, found without allocating it: on PyTorch's meta device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

_BYTES = 4  # fp32; under bf16 autocast weights and gradients are fp32 still, activations half


@dataclass(frozen=True)
class NetworkSize:
    """What one network costs.

    Attributes:
        parameters: Trainable values.
        flops: Of one image's forward pass; a multiplication with its addition counts as two.
        activations: Values that one image's forward pass makes, all together: what the backward
            pass can keep of it at most.
    """

    parameters: int
    flops: int
    activations: int

    def training_bytes(self, batch_size: int, optimizer_states: int) -> int:
        """Memory that training takes at most, but for workspaces of single operations.

        Args:
            batch_size: Images at a time.
            optimizer_states: Values that the optimizer keeps for each parameter.
        """
        weights = self.parameters * (2 + optimizer_states)  # themselves and their gradients
        return _BYTES * (weights + self.activations * batch_size)


def measure(build: Callable[[], nn.Module], input_shape: tuple[int, int, int]) -> NetworkSize:
    """Measures a network on the meta device.

    Args:
        build: Makes the network.
        input_shape: Channels, height, width.
    """
    batch = 2  # batch norm trains on two or more
    with torch.device("meta"), torch.no_grad():
        network = build()
        images = torch.empty(batch, *input_shape)
        with OperationCounter() as counter:
            network(images)
    return NetworkSize(
        parameters=sum(weight.numel() for weight in network.parameters()),
        flops=counter.flops // batch,
        activations=counter.values // batch,
    )


class OperationCounter(TorchDispatchMode):
    """Counts operations and the values that they write; views of others are none."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = self.values = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            count = flop_registry[func.overloadpacket]
            self.flops += int(count(*args, **(kwargs or {}), out_val=result))
        if not func.is_view:
            made = result if isinstance(result, tuple | list) else (result,)
            self.values += sum(each.numel() for each in made if isinstance(each, torch.Tensor))
        return result
