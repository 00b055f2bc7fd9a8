"""Known networks as derivations, from which a search may start.

The einspace paper starts from ResNet-18, WRN-16-4, ViT and MLP-Mixer. The derivations here follow
the architectures' own papers as far as the grammar goes; its leaky ReLU stands where they have
ReLU or GELU, and its linear maps and convolutions have a bias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cole_core.errors import InputError
from cole_core.spaces.einspace.program import lower
from cole_core.spaces.einspace.shapes import State
from cole_core.spaces.einspace.tree import parse

_IDENTITY = "computation<identity>"
_NORM = "computation<norm>"
_RELU = "computation<relu>"
_BLOCKS = 6  # of the transformer and of the mixer
_HEADS = 8
_WIDTH = 512


def starting_points(state: State) -> dict[str, str]:
    """The derivations by name: "resnet18", "wrn16_4", "vit", "mixer".

    Patches are of 4×4 pixels; the Mixer, whose inner maps have to come back to the number of
    patches, takes every second pixel or each where that number is no width of the grammar. Where
    a stride would leave an image too small for 3×3 patches, the stride is 1.

    Args:
        state: The images.

    Returns:
        Those that fit the images.
    """
    return {
        name: fitting[0]
        for name, candidates in _STARTING_POINTS.items()
        if (fitting := [native for native in candidates(state) if _fits(native, state)])
    }


def _fits(native: str, state: State) -> bool:
    try:
        lower(parse(native), state)
    except InputError:
        return False
    return True


def _sequence(*modules: str) -> str:
    return (
        "".join(f"sequential({module}, " for module in modules[:-1])
        + modules[-1]
        + ")" * (len(modules) - 1)
    )


def _linear(width: int) -> str:
    return f"computation<linear({width})>"


def _convolution(width: int, kernel: int = 3, stride: int = 1) -> str:
    return f"routing[im2col({kernel},{stride},{kernel // 2}), {_linear(width)}, col2im]"


def _residual(body: str, shortcut: str = _IDENTITY) -> str:
    return f"branching(2){{clone(2), {body}, {shortcut}, add(2)}}"


def _strides(state: State, stages: int) -> list[int]:
    """The stride that each stage begins with: 2 from the second on, if 3×3 patches fit after it."""
    side, strides = min(state.shape[1:]), [1]
    for _ in range(stages - 1):
        half = (side + 1) // 2
        strides.append(2 if half >= 3 else 1)
        side = half if half >= 3 else side
    return strides


def _resnet18(state: State) -> Iterator[str]:
    """He et al., CVPR 2016: four stages of two blocks; the stem for small images."""
    blocks, inputs = [], 64
    for width, first_stride in zip((64, 128, 256, 512), _strides(state, 4), strict=True):
        for stride in (first_stride, 1):
            body = _sequence(
                _convolution(width, stride=stride), _NORM, _RELU, _convolution(width), _NORM
            )
            changes = stride > 1 or width != inputs
            shortcut = _sequence(_convolution(width, 1, stride), _NORM) if changes else _IDENTITY
            blocks += [_residual(body, shortcut), _RELU]
            inputs = width
    yield _sequence(_convolution(64), _NORM, _RELU, *blocks)


def _wrn16_4(state: State) -> Iterator[str]:
    """Zagoruyko & Komodakis, BMVC 2016: three stages of two blocks that norm first."""
    blocks, inputs = [], 16
    for width, first_stride in zip((64, 128, 256), _strides(state, 3), strict=True):
        for stride in (first_stride, 1):
            before = _sequence(_NORM, _RELU)
            body = _sequence(_convolution(width, stride=stride), _NORM, _RELU, _convolution(width))
            if width != inputs:  # the shortcut begins behind the first norm
                blocks += [before, _residual(body, _convolution(width, 1, stride))]
            else:
                blocks.append(_residual(_sequence(before, body)))
            inputs = width
    yield _sequence(_convolution(16), *blocks, _NORM, _RELU)


def _patches(side: int, *then: str) -> str:
    stride = "1,1" if side == 1 else "1,2" if side == 2 else f"{side},{side}"
    return _sequence(f"routing[im2col({stride},0), {_linear(_WIDTH)}, identity]", *then)


def _feed_forward(hidden: int, width: int) -> str:
    return _sequence(_linear(hidden), _RELU, _linear(width))


def _vit(state: State) -> Iterator[str]:
    """Dosovitskiy et al., ICLR 2021: patches, positions, pre-norm attention and feed-forward.

    A head maps its own part of the features, as branches of a group do.
    """
    head = _WIDTH // _HEADS
    keys = f"routing[identity, {_linear(head)}, perm(0,2,1)]"
    weights = f"branching(2){{clone(2), {_linear(head)}, {keys}, dot_product(scaled)}}"
    attention = (
        f"branching(2){{clone(2), {_sequence(weights, 'computation<softmax>')}, "
        f"{_linear(head)}, dot_product}}"
    )
    heads = f"branching({_HEADS}){{group({_HEADS},2), {attention}, cat({_HEADS},2)}}"
    block = [
        _residual(_sequence(_NORM, heads, _linear(_WIDTH))),
        _residual(_sequence(_NORM, _feed_forward(4 * _WIDTH, _WIDTH))),
    ]
    yield _patches(4, "computation<pos_enc>", *(block * _BLOCKS), _NORM)


def _mixer(state: State) -> Iterator[str]:
    """Tolstikhin et al., NeurIPS 2021: maps over positions and over features in turn."""
    for side in (4, 2, 1):
        positions = (state.shape[1] // side) * (state.shape[2] // side)
        over_positions = (
            f"routing[perm(0,2,1), {_feed_forward(_WIDTH // 2, positions)}, perm(0,2,1)]"
        )
        block = [
            _residual(_sequence(_NORM, over_positions)),
            _residual(_sequence(_NORM, _feed_forward(4 * _WIDTH, _WIDTH))),
        ]
        yield _patches(side, *(block * _BLOCKS), _NORM)


_STARTING_POINTS: dict[str, Callable[[State], Iterator[str]]] = {
    "resnet18": _resnet18,
    "wrn16_4": _wrn16_4,
    "vit": _vit,
    "mixer": _mixer,
}
