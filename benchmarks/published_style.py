"""Convolutional networks as people publish them: a file each, made from a seed.

Each differs in what it computes (depth, kernels, widths, pools, shortcuts, normalisation,
activation, separable convolutions, dense layers) and, by itself, in how it is written: names,
docstrings, prints, training methods in the class.
"""

import textwrap
from dataclasses import dataclass

import numpy as np

_ACTIVATIONS = ("relu", "gelu", "tanh", "leaky_relu", "elu", "sigmoid")
_NAMES = ("Net", "ConvNet", "SmallCNN", "Classifier", "ImageModel", "DigitNet", "Model")
_BLOCK_NAMES = ("conv", "stage", "block", "layer", "feat")
_NOTES = (
    "A small convolutional network for image classification.",
    "Baseline from our ablation study, see table 3 of the appendix.",
    "Simple CNN. Inspired by LeNet and VGG.",
    "Reference implementation; tested with PyTorch 1.8 and later.",
)


@dataclass(frozen=True)
class Stage:
    """One convolution and what surrounds it."""

    width: int
    kernel: int
    separable: bool
    shortcut: bool
    pool: str


@dataclass(frozen=True)
class Shape:
    """What a network computes."""

    stages: tuple[Stage, ...]
    norm: bool
    activation: str
    head: tuple[int, ...]
    dropout: float
    is_global: bool


def draw_shape(rng: np.random.Generator) -> Shape:
    """A network at random."""
    stages: list[Stage] = []
    size, width = 8, 1
    for _ in range(int(rng.integers(1, 6))):
        last, width = width, int(rng.choice([4, 8, 16, 32]))
        pool = str(rng.choice(["none", "none", "max", "avg"])) if size > 2 else "none"
        size = size // 2 if pool != "none" else size
        shortcut = bool(rng.random() < 0.35) and last > 1
        stages.append(
            Stage(
                width=last if shortcut else width,
                kernel=int(rng.choice([1, 3, 3, 5])),
                separable=bool(rng.random() < 0.25) and last > 1,
                shortcut=shortcut,
                pool=pool,
            )
        )
        width = stages[-1].width
    return Shape(
        tuple(stages),
        norm=bool(rng.random() < 0.5),
        activation=str(rng.choice(_ACTIVATIONS)),
        head=tuple(int(rng.choice([16, 32, 64])) for _ in range(int(rng.integers(0, 3)))),
        dropout=float(rng.choice([0.0, 0.0, 0.1, 0.3])),
        is_global=bool(rng.random() < 0.4),
    )


def write_file(shape: Shape, rng: np.random.Generator) -> str:
    """A network as a file of Python, in one of the ways in which it could be written."""
    name, block = str(rng.choice(_NAMES)), str(rng.choice(_BLOCK_NAMES))
    note = str(rng.choice(_NOTES))
    functional = bool(rng.random() < 0.5)
    made: list[str] = []
    used: list[str] = []
    if not functional:
        made.append(f"self.act = {_activation_module(shape.activation)}")
    last, size = "in_channels", 8
    for place, stage in enumerate(shape.stages, start=1):
        label = f"{block}{place}"
        bias = ", bias=False" if shape.norm else ""
        padding = f", padding={stage.kernel // 2}" if stage.kernel > 1 else ""
        if stage.separable:
            made += [
                f"self.{label}_dw = nn.Conv2d({last}, {last}, {stage.kernel}{padding}, "
                f"groups={last}{bias})",
                f"self.{label}_pw = nn.Conv2d({last}, {stage.width}, 1{bias})",
            ]
            value = f"self.{label}_pw(self.{label}_dw(x))"
        else:
            made.append(
                f"self.{label} = nn.Conv2d({last}, {stage.width}, {stage.kernel}{padding}{bias})"
            )
            value = f"self.{label}(x)"
        if shape.norm:
            made.append(f"self.bn{place} = nn.BatchNorm2d({stage.width})")
            value = f"self.bn{place}({value})"
        value = _activated(value, shape.activation, functional)
        used.append(f"x = x + {value}" if stage.shortcut else f"x = {value}")
        if stage.pool != "none":
            used.append(f"x = F.{stage.pool}_pool2d(x, 2)")
            size //= 2
        last = str(stage.width)
    if shape.is_global:
        used.append("x = F.adaptive_avg_pool2d(x, 1)")
        features = int(last)
    else:
        features = int(last) * size * size
    used.append(str(rng.choice(["x = torch.flatten(x, 1)", "x = x.view(x.size(0), -1)"])))
    if shape.dropout:
        made.append("self.drop = nn.Dropout(dropout)")
        used.append("x = self.drop(x)")
    for place, width in enumerate(shape.head, start=1):
        made.append(f"self.fc{place} = nn.Linear({features}, {width})")
        used.append(f"x = {_activated(f'self.fc{place}(x)', shape.activation, functional)}")
        features = width
    made.append(f"self.out = nn.Linear({features}, num_classes)")
    used.append("return self.out(x)")
    return "\n".join(
        [
            f'"""{note}"""',
            "import time",
            "",
            "import torch",
            "import torch.nn as nn",
            "import torch.nn.functional as F",
            "",
            "",
            f"class {name}(nn.Module):",
            f'    """{note}',
            "",
            "    Args:",
            "        in_channels (int): number of input channels",
            "        num_classes (int): number of classes",
            "        dropout (float): dropout probability",
            '    """',
            "",
            "    def __init__(self, in_channels: int = 1, num_classes: int = 10, "
            f"dropout: float = {shape.dropout}):",
            f"        super({name}, self).__init__()",
            *(f"        {line}" for line in made),
            f"        print('{name}:', sum(p.numel() for p in self.parameters()), 'parameters')",
            "",
            "    def forward(self, x: torch.Tensor) -> torch.Tensor:",
            *(f"        {line}" for line in used),
            "",
            textwrap.indent(_training(rng), "    "),
        ]
    )


def _activated(value: str, activation: str, functional: bool) -> str:
    if not functional:
        return f"self.act({value})"
    return (
        f"torch.{activation}({value})"
        if activation in ("tanh", "sigmoid")
        else (f"F.{activation}({value})")
    )


def _activation_module(activation: str) -> str:
    modules = {"relu": "ReLU", "gelu": "GELU", "tanh": "Tanh", "leaky_relu": "LeakyReLU"}
    modules |= {"elu": "ELU", "sigmoid": "Sigmoid"}
    return f"nn.{modules[activation]}()"


def _training(rng: np.random.Generator) -> str:
    """Methods that train, as people put them into the class."""
    rate, epochs = rng.choice([0.1, 0.01, 0.001, 3e-4]), int(rng.choice([5, 10, 20, 50]))
    optimizer = str(rng.choice(["torch.optim.SGD", "torch.optim.Adam", "torch.optim.AdamW"]))
    every = int(rng.choice([10, 50, 100, 200]))
    device = str(rng.choice(["cuda", "cuda:0", "cpu"]))
    scheduler = bool(rng.random() < 0.5)
    lines = [
        f"def fit(self, loader, val_loader=None, epochs={epochs}, lr={rate}):",
        '    """Trains the network and prints the loss as it goes."""',
        f"    device = torch.device('{device}' if torch.cuda.is_available() else 'cpu')",
        "    self.to(device)",
        f"    optimizer = {optimizer}(self.parameters(), lr=lr, weight_decay=1e-4)",
        *(
            ["    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.1)"]
            if scheduler
            else []
        ),
        "    criterion = nn.CrossEntropyLoss()",
        "    best = 0.0",
        "    for epoch in range(epochs):",
        "        self.train()",
        "        start, running = time.time(), 0.0",
        "        for step, (images, labels) in enumerate(loader):",
        "            images, labels = images.to(device), labels.to(device)",
        "            optimizer.zero_grad()",
        "            loss = criterion(self(images), labels)",
        "            loss.backward()",
        "            nn.utils.clip_grad_norm_(self.parameters(), 1.0)",
        "            optimizer.step()",
        "            running += loss.item()",
        f"            if step % {every} == 0:",
        "                print(f'epoch {epoch} step {step} loss {running / (step + 1):.4f}')",
        *(["        scheduler.step()"] if scheduler else []),
        "        print(f'epoch {epoch} took {time.time() - start:.1f}s')",
        "        if val_loader is not None:",
        "            accuracy = self.evaluate(val_loader, device)",
        "            print(f'validation accuracy {accuracy:.2f}')",
        "            if accuracy > best:",
        "                best = accuracy",
        "                self.save('best.pth')",
        "    return best",
        "",
        "@torch.no_grad()",
        f"def evaluate(self, loader, device='{device}'):",
        '    """Accuracy in percent."""',
        "    self.eval()",
        "    correct = total = 0",
        "    for images, labels in loader:",
        "        images, labels = images.to(device), labels.to(device)",
        "        predicted = self(images).argmax(dim=1)",
        "        correct += (predicted == labels).sum().item()",
        "        total += labels.size(0)",
        "    return 100.0 * correct / max(total, 1)",
        "",
        "def predict(self, image):",
        '    """The class of one image."""',
        "    self.eval()",
        "    with torch.no_grad():",
        "        logits = self(image.unsqueeze(0))",
        "        probabilities = F.softmax(logits, dim=1)",
        "    confidence, label = probabilities.max(dim=1)",
        "    print(f'predicted {label.item()} with {confidence.item():.3f}')",
        "    return label.item()",
        "",
        "def save(self, path):",
        "    print('saving to', path)",
        "    torch.save({'state_dict': self.state_dict()}, path)",
        "",
        "def load(self, path, map_location='cpu'):",
        "    checkpoint = torch.load(path, map_location=map_location)",
        "    self.load_state_dict(checkpoint['state_dict'])",
        "    print('loaded', path)",
        "    return self",
        "",
    ]
    return "\n".join(lines)
