"""Thirty and more kinds of networks, as people write them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cole_core.encodings.normal_form import Input

IMAGE = Input((2, 3, 32, 32))
VECTOR = Input((2, 20))
WORDS = Input((2, 12), "int64", 50)


def conv_bn_relu(inputs: int, outputs: int, kernel: int = 3, **options: Any) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False, **options),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class MLP(nn.Module):
    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(20, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU()
        )
        self.head = nn.Linear(hidden, 10)

    def forward(self, x):
        return self.head(self.layers(x))


class BasicBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn_relu(3, 16)
        self.layer1 = nn.Sequential(*[BasicBlock(16, 16) for _ in range(3)])
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2), BasicBlock(32, 32), BasicBlock(32, 32))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = self.avgpool(self.layer2(self.layer1(self.stem(x))))
        return self.fc(torch.flatten(x, 1))


class Grouped(nn.Module):
    """As ResNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2, padding=3)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                conv_bn_relu(32, 32, 1), conv_bn_relu(32, 32, groups=8), conv_bn_relu(32, 32, 1)
            )
            for _ in range(3)
        )
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.pool(self.stem(x))
        for block in self.blocks:
            x = torch.add(x, block(x))
        return self.head(nn.functional.adaptive_avg_pool2d(x, 1).view(x.size(0), -1))


class Dense(nn.Module):
    def __init__(self, growth: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(16 + i * growth),
                nn.ReLU(),
                nn.Conv2d(16 + i * growth, growth, 3, padding=1, bias=False),
            )
            for i in range(4)
        )
        self.head = nn.Linear(16 + 4 * growth, 10)

    def forward(self, x):
        features = [self.stem(x)]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        return self.head(torch.cat(features, 1).mean([2, 3]))


class InvertedBottleneck(nn.Module):
    def __init__(self, channels: int = 16, expansion: int = 4) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, 2, 1)
        hidden = channels * expansion
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, hidden, 1, bias=False),
                nn.BatchNorm2d(hidden),
                nn.ReLU6(inplace=True),
                nn.Conv2d(hidden, hidden, 3, 1, 1, groups=hidden, bias=False),
                nn.BatchNorm2d(hidden),
                nn.ReLU6(inplace=True),
                nn.Conv2d(hidden, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            )
            for _ in range(3)
        )
        self.head = nn.Linear(channels, 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x.mean((-2, -1)))


class Inception(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn_relu(3, 16)
        self.one = conv_bn_relu(16, 8, 1)
        self.three = nn.Sequential(conv_bn_relu(16, 8, 1), conv_bn_relu(8, 16))
        self.five = nn.Sequential(conv_bn_relu(16, 4, 1), conv_bn_relu(4, 8, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_bn_relu(16, 8, 1))
        self.head = nn.Linear(40, 10)

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)
        return self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(x, (1, 1)), 1))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down1 = conv_bn_relu(3, 16)
        self.down2 = conv_bn_relu(16, 32)
        self.bottom = conv_bn_relu(32, 64)
        self.up2 = nn.ConvTranspose2d(64, 32, 2, stride=2)
        self.merge2 = conv_bn_relu(64, 32)
        self.up1 = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.merge1 = conv_bn_relu(48, 16)
        self.out = nn.Conv2d(16, 2, 1)

    def forward(self, x):
        one = self.down1(x)
        two = self.down2(nn.functional.max_pool2d(one, 2))
        x = self.bottom(nn.functional.max_pool2d(two, kernel_size=2, stride=2))
        x = self.merge2(torch.cat((self.up2(x), two), dim=1))
        x = self.merge1(torch.cat((self.up1(x), one), dim=1))
        return self.out(x)


class SqueezeExcitation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = conv_bn_relu(3, 32)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.down, self.up = nn.Linear(32, 8), nn.Linear(8, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.conv(x)
        b, c, _, _ = x.size()
        scale = self.pool(x).view(b, c)
        scale = torch.sigmoid(self.up(nn.functional.relu(self.down(scale)))).view(b, c, 1, 1)
        x = x * scale.expand_as(x)
        return self.head(x.mean(dim=(2, 3)))


class Attention(nn.Module):
    """As it is written by hand in vision transformers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        b, n, c = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        attention = ((q @ k.transpose(-2, -1)) * self.scale).softmax(dim=-1)
        return self.proj((attention @ v).transpose(1, 2).reshape(b, n, c))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(0.1), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    def __init__(self, width: int = 32, depth: int = 4) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, stride=8)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, 17, width))
        self.blocks = nn.Sequential(*[Block(width, 4) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), dim=1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


class MultiheadClassifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 32)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.head = nn.Linear(32, 2)

    def forward(self, x):
        x = self.embed(x)
        attended, _ = self.attention(x, x, x, need_weights=False)
        return self.head((x + attended).mean(1))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 32)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True)
            for _ in range(3)
        )
        self.head = nn.Linear(32, 2)

    def forward(self, x):
        x = self.embed(x)
        for layer in self.layers:
            x = layer(x)
        return self.head(x[:, -1])


class ConvNeXtBlock(nn.Module):
    def __init__(self, width: int, rate: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(1e-6 * torch.ones(width))
        self.rate = rate

    def forward(self, x):
        shortcut = x
        x = self.depthwise(x).permute(0, 2, 3, 1)
        x = self.gamma * self.down(nn.functional.gelu(self.up(self.norm(x))))
        return shortcut + nn.functional.dropout(x.permute(0, 3, 1, 2), self.rate, self.training)


class ConvNeXt(nn.Module):
    """Its constructor reads values, which there are none of on the meta device."""

    def __init__(self, width: int = 16, depth: int = 3) -> None:
        super().__init__()
        rates = [rate.item() for rate in torch.linspace(0, 0.1, depth)]
        self.stem = nn.Conv2d(3, width, 4, stride=4)
        self.blocks = nn.Sequential(*[ConvNeXtBlock(width, rate) for rate in rates])
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean([-2, -1]))


class Mixer(nn.Module):
    def __init__(self, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, 8)
        self.tokens = nn.ModuleList(
            nn.Sequential(nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 16)) for _ in range(depth)
        )
        self.channels = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, 64), nn.GELU(), nn.Linear(64, width)
            )
            for _ in range(depth)
        )
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        for tokens, channels in zip(self.tokens, self.channels, strict=True):
            x = x + tokens(x.transpose(1, 2)).transpose(1, 2)
            x = x + channels(x)
        return self.head(x.mean(dim=1))


class LSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.lstm = nn.LSTM(16, 32, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(64, 3)

    def forward(self, x):
        output, (hidden, _) = self.lstm(self.embed(x))
        return self.head(output[:, -1, :] + hidden.mean())


class GRU(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(20, 32, batch_first=True)
        self.head = nn.Linear(32, 3)

    def forward(self, x):
        return self.head(self.gru(x)[0][:, -1])


class GraphNetwork(nn.Module):
    """On a dense adjacency matrix, its second input."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(20, 32), nn.Linear(32, 32)
        self.head = nn.Linear(32, 4)

    def forward(self, features, adjacency):
        degree = adjacency.sum(dim=-1, keepdim=True).clamp(min=1)
        x = nn.functional.relu(self.first(torch.matmul(adjacency, features) / degree))
        x = nn.functional.relu(self.second(torch.bmm(adjacency, x) / degree)) + x
        return self.head(x.max(dim=1)[0])


class DataDependentDepth(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(20, 20)
        self.head = nn.Linear(20, 2)

    def forward(self, x):
        steps = 0
        while x.norm() > 1 and steps < 10:
            x = torch.tanh(self.layer(x)) / 2
            steps += 1
        return self.head(x)


class SizeDependentLoop(nn.Module):
    """Reads as many positions as there are."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Linear(20 + 16, 16)
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        state = torch.zeros(x.shape[0], 16)
        for position in range(x.shape[1]):
            state = torch.tanh(self.cell(torch.cat([x[:, position], state], dim=1)))
        return self.head(state)


class SharedWeights(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.block = conv_bn_relu(16, 16)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        for _ in range(4):
            x = self.block(x)
        return self.head(x.mean((2, 3)))


class TiedLanguageModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.positions = nn.Embedding(12, 16)
        self.register_buffer("index", torch.arange(12))
        self.layer = nn.Linear(16, 16)
        self.head = nn.Linear(16, 50, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x):
        x = self.embed(x) + self.positions(self.index)
        return self.head(nn.functional.silu(self.layer(x)))


class DropoutEverywhere(nn.Module):
    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Dropout2d(rate), nn.Conv2d(3, 8, 3), nn.Dropout2d(rate), nn.Identity(), nn.ReLU()
        )
        self.head = nn.Linear(8 * 900, 10)
        self.rate = rate

    def forward(self, x):
        x = nn.functional.dropout(self.body(x), self.rate, training=self.training)
        return nn.functional.dropout(self.head(x.flatten(1)), p=self.rate, training=self.training)


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 16))
        self.head = nn.Linear(32, 1)

    def forward(self, one, other):
        one, other = self.body(one), self.body(other)
        return self.head(torch.cat([(one - other).abs(), one * other], -1))


class Temporal(nn.Module):
    """Dilated convolutions in one dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(20 if i == 0 else 24, 24, 3, padding=2**i, dilation=2**i) for i in range(4)
        )
        self.head = nn.Linear(24, 5)

    def forward(self, x):
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), 0.2)
        return self.head(nn.functional.adaptive_max_pool1d(x, 1).squeeze(-1))


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ELU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ELU(), nn.Flatten(),
            nn.Linear(16 * 64, 12),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(12, 16 * 64), nn.Unflatten(1, (16, 8, 8)),
            nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.ELU(), nn.ConvTranspose2d(8, 3, 4, 2, 1),
        )  # fmt: skip

    def forward(self, x):
        return torch.sigmoid(self.decoder(self.encoder(x)))


class Shuffle(nn.Module):
    def __init__(self, groups: int = 4) -> None:
        super().__init__()
        self.groups = groups
        self.first = nn.Conv2d(3, 32, 1)
        self.second = nn.Conv2d(32, 32, 3, padding=1, groups=groups)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.first(x)
        b, c, h, w = x.shape
        x = x.view(b, self.groups, c // self.groups, h, w).transpose(1, 2).contiguous()
        x = self.second(x.view(b, c, h, w))
        return self.head(x.mean(3).mean(2))


class Split(nn.Module):
    """Halves of the channels go different ways."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.one, self.two = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        one, two = self.stem(x).chunk(2, dim=1)
        return self.head(torch.cat([self.one(one), self.two(two)], 1).mean((2, 3)))


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(20, 40) for _ in range(4))
        self.head = nn.Linear(20, 2)

    def forward(self, x):
        for layer in self.layers:
            x = x + nn.functional.glu(layer(x), dim=-1)
        return self.head(x) * math.sqrt(2)


class Volume(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 8, (1, 3, 3), padding=(0, 1, 1))
        self.norm = nn.GroupNorm(2, 8)
        self.pool = nn.AvgPool3d(2)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.pool(nn.functional.relu(self.norm(self.conv(x)))).mean((2, 3, 4)))


class Functional(nn.Module):
    """All its weights are its own parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(8, 3, 3, 3))
        self.bias = nn.Parameter(torch.zeros(8))
        self.weight = nn.Parameter(torch.randn(10, 8))
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        x = nn.functional.conv2d(x, self.kernel, self.bias, padding=1).relu()
        return nn.functional.linear(x.mean((2, 3)), self.weight) * self.scale


class Heads(nn.Module):
    """Several outputs by name."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(20, 32)
        self.one, self.two = nn.Linear(32, 2), nn.Linear(32, 3)

    def forward(self, x, scale: float = 1.0, mask=None):
        x = torch.relu(self.body(x)) * scale
        if mask is not None:
            x = x * mask
        return {"one": self.one(x), "two": self.two(x)}


class Activations(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        kinds = [
            nn.ReLU(),
            nn.PReLU(),
            nn.SiLU(),
            nn.Hardswish(),
            nn.Softplus(),
            nn.Tanh(),
            nn.ELU(),
        ]
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(20, 20), kind) for kind in kinds)

    def forward(self, x):
        return sum(layer(x) for layer in self.layers)


def transformers_model(kind: str, config: str, **options: Any) -> Callable[[], nn.Module]:
    """A model of `transformers` from a small configuration."""

    def make() -> nn.Module:
        import transformers

        model: nn.Module = getattr(transformers, kind)(getattr(transformers, config)(**options))
        return model

    return make


@dataclass(frozen=True)
class Kind:
    """A network of the table.

    Attributes:
        make: Makes it.
        inputs: What it is given.
        path: Which path writes it.
        given: Whether it must be told its inputs.
    """

    make: Callable[[], nn.Module]
    inputs: tuple[Input, ...] = (IMAGE,)
    path: str = "fx"
    given: bool = False


SERIES = Input((2, 20, 32))
POSITIONS = Input((2, 12, 20))
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}

NETWORKS: dict[str, Kind] = {
    "mlp": Kind(MLP, (VECTOR,)),
    "residual": Kind(Residual),
    "grouped": Kind(Grouped),
    "dense": Kind(Dense),
    "inverted bottleneck": Kind(InvertedBottleneck),
    "inception": Kind(Inception),
    "u-net": Kind(UNet),
    "squeeze-excitation": Kind(SqueezeExcitation),
    "vit": Kind(VisionTransformer),
    "multihead attention": Kind(MultiheadClassifier, (WORDS,)),
    "transformer encoder": Kind(Encoder, (WORDS,)),
    "convnext": Kind(ConvNeXt),
    "mixer": Kind(Mixer),
    "lstm": Kind(LSTM, (WORDS,)),
    "gru": Kind(GRU, (POSITIONS,)),
    "graph network": Kind(GraphNetwork, (Input((2, 12, 20)), Input((2, 12, 12)))),
    "data-dependent depth": Kind(DataDependentDepth, (VECTOR,), "source"),
    "size-dependent loop": Kind(SizeDependentLoop, (POSITIONS,), "export", given=True),
    "shared weights": Kind(SharedWeights),
    "tied language model": Kind(TiedLanguageModel, (WORDS,)),
    "dropout everywhere": Kind(DropoutEverywhere),
    "two inputs": Kind(Siamese, (VECTOR, VECTOR)),
    "temporal": Kind(Temporal, (SERIES,)),
    "autoencoder": Kind(Autoencoder),
    "shuffle": Kind(Shuffle),
    "split": Kind(Split),
    "gated": Kind(Gated, (VECTOR,)),
    "volume": Kind(Volume, (Input((2, 1, 8, 16, 16)),)),
    "functional": Kind(Functional),
    "heads": Kind(Heads, (VECTOR,)),
    "activations": Kind(Activations, (VECTOR,)),
    "transformers resnet": Kind(
        transformers_model(
            "ResNetForImageClassification",
            "ResNetConfig",
            embedding_size=8,
            hidden_sizes=[8, 16],
            depths=[1, 2],
            layer_type="basic",
        ),
        path="export",
    ),
    "transformers vit": Kind(
        transformers_model(
            "ViTForImageClassification",
            "ViTConfig",
            image_size=32,
            patch_size=8,
            intermediate_size=64,
            **SMALL,
        ),
        path="export",
    ),
    "transformers convnext": Kind(
        transformers_model(
            "ConvNextForImageClassification", "ConvNextConfig", hidden_sizes=[8, 16, 16, 16],
            depths=[1, 1, 2, 1],
        ),
        (Input((2, 3, 64, 64)),),
        path="export",
    ),
    "transformers bert": Kind(
        transformers_model(
            "BertModel", "BertConfig", vocab_size=50, intermediate_size=64, **SMALL
        ),
        (WORDS,),
        path="export",
    ),
}  # fmt: skip
"""Kinds of networks by name."""
