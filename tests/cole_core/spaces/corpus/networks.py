"""Code that people may give: networks, and what is none."""

CONV = '''
"""A network that somebody published."""
from torch import nn


class Net(nn.Module):
    """With its training in it."""

    def __init__(self, num_classes: int = 10, in_channels: int = 1, width: int = {width}):
        super().__init__()
        print("made")  # which is nothing that it computes
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.{act}()
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_classes)
        )

    def forward(self, x):
        return self.head(self.features(x))

    def fit(self, loader):
        for images, labels in loader:
            print(len(images))
'''

# The same block four ways; each is the cell
# |nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|.
RESIDUAL = {
    "modules": """
import torch.nn as nn

class Residual(nn.Module):
    def __init__(self, channels=16):
        super().__init__()
        self.relu = nn.ReLU(inplace=False)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        out = self.bn1(self.conv1(self.relu(x)))
        out = self.bn2(self.conv2(self.relu(out)))
        return out + x
""",
    "functions": """
import torch
from torch import nn
from torch.nn import functional as F

class Residual(nn.Module):
    def __init__(self, channels=32):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=(3, 3), padding=(1, 1), bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.bn1(self.conv1(F.relu(x)))
        y = self.bn2(self.conv2(torch.relu(y)))
        return torch.add(x, y)
""",
    "sequential": """
from torch import nn

def half(c):
    return nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c))

class Residual(nn.Module):
    def __init__(self, channels=8):
        super().__init__()
        self.body = nn.Sequential(half(channels), half(channels))

    def forward(self, x):
        return x + self.body(x)
""",
    "loop": """
import torch.nn as nn

class Half(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(c)

    def forward(self, x):
        return self.norm(self.conv(x.relu()))

class Residual(nn.Module):
    def __init__(self, channels=16, repeats=2):
        super().__init__()
        self.halves = nn.ModuleList([Half(channels) for _ in range(repeats)])

    def forward(self, x):
        y = x
        for half in self.halves:
            y = half(y)
        y += x
        return y
""",
}

NEEDS = """
from torch import nn

class Net(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3)

    def forward(self, x):
        return self.conv(x)
"""

_BAD = """
from torch import nn
import torch

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        {body}

    def forward(self, x):
        return x
"""
ENDLESS = _BAD.format(body="while True: pass")
HOARD = _BAD.format(body="self.kept = [torch.ones(2**24, device='cpu') for _ in range(10**6)]")
RAISES = _BAD.format(body="raise KeyError('no such width')")
LEAVES = _BAD.format(body="raise SystemExit(3)")
NO_MODULE = "import math\n\ndef area(r):\n    return math.pi * r * r\n"
BROKEN = "from torch import nn\n\nclass Net(nn.Module:\n    pass\n"
TWO = """
from torch import nn

class One(nn.Module):
    def forward(self, x):
        return x

class Two(nn.Module):
    def forward(self, x):
        return x + 1
"""
LONG = CONV.format(width=8, act="ReLU") + "".join(f"# note {n}\n" for n in range(5_000))
