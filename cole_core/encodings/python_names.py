"""What the names of a Python file stand for, as far as its source says."""

import ast
import builtins
import sys
from collections.abc import Iterator

_BASES = {
    "LightningModule",
    "MessagePassing",
    "Module",
    "ModuleDict",
    "ModuleList",
    "PreTrainedModel",
    "Sequential",
}
_ENDINGS = ("PreTrainedModel", "LightningModule")  # BertPreTrainedModel
# Whose classes of these names are PyTorch's; "" is of the same package.
_OF_TORCH = {"", "lightning", "pytorch_lightning", "torch", "torch_geometric", "transformers"}
_PACKAGES = ("torch.nn.", "torch_geometric.nn.", "torchvision.models.", "timm.models.")
_NO_MODULES_THERE = ("Buffer", "Parameter", "_Weights")
# How classes are called, whatever their package, that are no nn.Module.
_NO_MODULES = (
    "BaseModel",  # pydantic's
    "Callback",
    "Config",
    "DataModule",
    "Dataset",
    "Enum",
    "Error",
    "Exception",
    "Optimizer",
    "Sampler",
    "TestCase",
    "Trainer",
)
_FOREIGN = {
    "equinox": "Equinox",
    "flax": "Flax",
    "haiku": "Haiku",
    "jittor": "Jittor",
    "keras": "Keras",
    "mindspore": "MindSpore",
    "mlx": "MLX",
    "mxnet": "MXNet",
    "paddle": "Paddle",
    "sonnet": "Sonnet",
    "tensorflow": "TensorFlow",
    "tf": "TensorFlow",
    "tf_keras": "Keras",
    "tinygrad": "tinygrad",
}
_RENAMES = 10  # one name for another for another


class Names:
    """The imports of a file and its other names for them.

    Args:
        tree: The file.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._meant = dict(_imported(tree))
        self._imported = {name.split(".")[0] for name in self._meant.values()}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Assign) or (meant := dotted(node.value)) is None:
                continue
            if isinstance(node.targets[0], ast.Name):
                self._meant.setdefault(node.targets[0].id, meant)

    @property
    def instead_of_torch(self) -> str | None:
        """Another framework that the file imports, and PyTorch not at all."""
        if any(name.split(".")[0] == "torch" for name in self._meant.values()):
            return None
        others = (foreign_framework(name) for name in self._meant.values())
        return next((whose for whose in others if whose), None)

    def resolve(self, node: ast.expr) -> str | None:
        """A name as its package has it, `torch.nn.Module`; None for what is no name."""
        name = dotted(node)
        for _ in range(_RENAMES):
            head, dot, rest = (name or "").partition(".")
            if head not in self._meant or self._meant[head] == head:
                break
            name = self._meant[head] + dot + rest
        return name

    def is_torch_module(self, name: str) -> bool:
        """Whether a class of this name, as its package has it, is certainly an nn.Module."""
        if foreign_framework(name) is not None:
            return False
        first, last = name.split(".")[0], name.rsplit(".", 1)[-1]
        if last in _BASES or last.endswith(_ENDINGS):
            return first in _OF_TORCH or first not in self._imported
        if name.startswith("transformers."):
            return last.endswith("Model") or "ModelFor" in last or "ForS" in last
        if last.endswith(_NO_MODULES_THERE):
            return False
        return name.startswith(_PACKAGES) and last[:1].isupper()

    def is_no_module(self, name: str) -> bool:
        """Whether a class of this name, as its package has it, is certainly no nn.Module."""
        if self.is_torch_module(name):
            return False
        first, last = name.split(".")[0], name.rsplit(".", 1)[-1]
        if foreign_framework(name) is not None or last.endswith(_NO_MODULES):
            return True
        if first == "torch":
            return not last.endswith("Module")  # torch.jit.ScriptModule
        return hasattr(builtins, name) or first in sys.stdlib_module_names


def dotted(node: ast.expr) -> str | None:
    """`a.b.c` as text; of `a.b[c]` the same as of `a.b`; None for anything else."""
    parts: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
        elif not isinstance(node, ast.Subscript):
            return None
        node = node.value
    return ".".join([node.id, *reversed(parts)])


def foreign_framework(name: str) -> str | None:
    """Whose class this is, if another's than PyTorch's: "Keras"."""
    parts = name.split(".")
    if parts[0] in ("tensorflow", "tf") and "keras" in parts:
        return "Keras"
    return _FOREIGN.get(parts[0])


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name
                yield (alias.asname, whole) if alias.asname else (whole.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                yield alias.asname or alias.name, f"{module}.{alias.name}"
