"""What the names of a Python file stand for, as far as its source says."""

import ast
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
_PACKAGES = ("torch.nn.", "torch_geometric.nn.", "torchvision.models.", "timm.models.")
_FOREIGN = {
    "equinox": "Equinox",
    "flax": "Flax",
    "haiku": "Haiku",
    "keras": "Keras",
    "mindspore": "MindSpore",
    "mxnet": "MXNet",
    "paddle": "Paddle",
    "tensorflow": "TensorFlow",
    "tf": "TensorFlow",
    "tf_keras": "Keras",
}
_RENAMES = 10  # one name for another for another


class Names:
    """The imports of a file and its other names for them.

    Args:
        tree: The file.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._meant = dict(_imported(tree))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Assign) or (meant := dotted(node.value)) is None:
                continue
            if isinstance(node.targets[0], ast.Name):
                self._meant.setdefault(node.targets[0].id, meant)

    @property
    def framework(self) -> str | None:
        """Another framework that the file imports, and PyTorch not at all."""
        if any(name.split(".")[0] == "torch" for name in self._meant.values()):
            return None
        return next((whose for name in self._meant.values() if (whose := framework(name))), None)

    def resolve(self, node: ast.expr) -> str | None:
        """A name as its package has it, `torch.nn.Module`; None for what is no name."""
        name = dotted(node)
        for _ in range(_RENAMES):
            head, dot, rest = (name or "").partition(".")
            if head not in self._meant or self._meant[head] == head:
                break
            name = self._meant[head] + dot + rest
        return name


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


def is_torch_module(name: str) -> bool:
    """Whether a class of this name is certainly an nn.Module."""
    if framework(name) is not None:
        return False
    last = name.rsplit(".", 1)[-1]
    if last in _BASES or last.endswith(_ENDINGS):
        return True
    if name.startswith("transformers."):
        return last.endswith("Model") or "ModelFor" in last or "ForS" in last
    return name.startswith(_PACKAGES) and last[:1].isupper()


def framework(name: str) -> str | None:
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
