"""Arguments of a constructor that the task decides, by the names that people give them."""

from collections.abc import Mapping

TASK: Mapping[str, str] = {
    "classes": "classes",
    "num_classes": "classes",
    "in_channels": "channels",
    "input_shape": "shape",
}
"""Arguments that the task decides, whatever their annotation: name, and what of the task it is."""
