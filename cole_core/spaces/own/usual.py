"""What the encodings of a network are to each other, of which nothing is known but its graph."""

from cole_core.spaces.base import Roles

USUAL_ROLES = Roles(
    reference="code.expression",
    renderings=("code.class", "code.bare"),
    runnable="code.class",
    exported="onnx",
    rival="counts",
    classic="counts",
    controls=("ngram", "graf"),
)
