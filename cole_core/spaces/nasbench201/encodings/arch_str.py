"""The native string, as it is."""

from cole_core.encodings.base import TextEncoding
from cole_core.spaces.nasbench201 import parse


class ArchStr(TextEncoding):
    """The benchmark's own string."""

    name = "arch_str"

    def _render(self, native: str, context: str) -> str:
        return parse(native).format()
