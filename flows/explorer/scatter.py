"""Points in the plane that can be hovered, clicked, drawn around, moved and zoomed."""

import base64
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from nicegui.element import Element
from nicegui.events import GenericEventArguments
from numpy.typing import NDArray

from flows.explorer.colouring import Colouring
from flows.explorer.selecting import CORNERS


class Scatter(Element, component="scatter.js"):
    """A scatter plot; what happens on it comes as the row of a point, or as a polygon.

    Args:
        label: What it shows, for those who do not see it.
        on_pick: Called with the row that was clicked.
        on_lasso: Called with the corners, (m, 2), of what was drawn.
        on_hover: Gives the words for a row that the pointer is over.
    """

    def __init__(
        self,
        label: str,
        on_pick: Callable[[int], Any],
        on_lasso: Callable[[NDArray[np.float64]], Any],
        on_hover: Callable[[int], str],
    ) -> None:
        super().__init__()
        self._props["label"] = label
        self._rows = 0
        self.on("pick", lambda event: self._of_row(event, on_pick))
        self.on("hover", lambda event: self._of_row(event, lambda row: self._tell(row, on_hover)))

        def drawn(event: GenericEventArguments) -> Any:
            polygon = read_polygon(event.args)
            return None if polygon is None else on_lasso(polygon)

        self.on("lasso", drawn)

    def set_points(self, xy: NDArray[np.float32]) -> None:
        """Other points, (n, 2), without colours."""
        self._rows = len(xy)
        self.run_method("set_points", _base64(xy.astype("<f4")))

    def set_colours(self, colouring: Colouring) -> None:
        """Other colours of the same points."""
        self.run_method("set_colours", _base64(colouring.codes), list(colouring.palette))

    def set_marks(self, rows: list[int]) -> None:
        """Rings around some points."""
        self.run_method("set_marks", rows)

    def set_mode(self, lasso: bool) -> None:
        """Whether a drag draws a lasso, or moves the map."""
        self.run_method("set_mode", "lasso" if lasso else "move")

    def zoom(self, factor: float) -> None:
        """Makes it larger or smaller."""
        self.run_method("zoom", factor)

    def fit(self) -> None:
        """Shows all."""
        self.run_method("fit")

    def _tell(self, row: int, words: Callable[[int], str]) -> None:
        self.run_method("tell", row, words(row))

    def _of_row(self, event: GenericEventArguments, then: Callable[[int], Any]) -> Any:
        """A browser may send anything: what is no row of these points says nothing."""
        row = event.args.get("row") if isinstance(event.args, dict) else None
        if isinstance(row, int) and not isinstance(row, bool) and 0 <= row < self._rows:
            return then(row)
        return None


def read_polygon(sent: Any) -> NDArray[np.float64] | None:
    """The corners, (m, 2), that a browser sends; None where they are none."""
    corners = sent.get("polygon") if isinstance(sent, dict) else None
    if not isinstance(corners, list) or not 3 <= len(corners) <= CORNERS:
        return None
    for corner in corners:
        if not isinstance(corner, list) or len(corner) != 2:
            return None
        if not all(isinstance(each, int | float) and math.isfinite(each) for each in corner):
            return None
    return np.array(corners, dtype=np.float64)


def _base64(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
