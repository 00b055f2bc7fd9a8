"""A headless Chromium that looks at pages: what they say, what they ask for, how they look.

    with browser(tmp_path) as page:
        page.open("http://127.0.0.1:4210")
        page.wait_for("Runs")
        page.screenshot(tmp_path / "runs.png")

A test that uses it skips where no Chromium is installed.
"""

import base64
import contextlib
import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SIZE = "1400,1000"
_KEYS = {"Enter": 13, "Tab": 9}
_PATIENCE = 120.0  # seconds for a page to say something; a busy machine


class Page:
    """A page in a browser.

    Attributes:
        asked: Addresses that it has asked for.
        errors: What went wrong on it: errors in its console, faults of its programs, addresses
            that gave nothing.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.asked: list[str] = []
        self.errors: list[str] = []
        for part in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{part}.enable")

    def open(self, address: str) -> None:
        """Goes to an address."""
        self._call("Page.navigate", url=address)

    @property
    def text(self) -> str:
        """What can be read on it."""
        asked = self._call("Runtime.evaluate", expression="document.body?.innerText ?? ''")
        return str(asked["result"]["value"])

    def wait_for(self, words: str) -> None:
        """Waits until it says something."""
        deadline = time.monotonic() + _PATIENCE
        while words not in self.text:
            assert time.monotonic() < deadline, f"waited in vain for {words}: {self.text}"
            time.sleep(0.5)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression on it."""
        asked = self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in asked, asked
        return asked["result"].get("value")

    def wait_until(self, expression: str) -> None:
        """Waits until a JavaScript expression is true."""
        deadline = time.monotonic() + _PATIENCE
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"waited in vain for {expression}: {self.text}"
            time.sleep(0.1)

    def click(self, x: float, y: float) -> None:
        """Moves the mouse to a place and clicks there."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = "none" if kind == "mouseMoved" else "left"
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)

    def drag(self, path: Sequence[tuple[float, float]]) -> None:
        """Presses the mouse at the first place, moves it along the others and lets go."""
        self._mouse("mousePressed", path[0])
        for place in path[1:]:
            self._mouse("mouseMoved", place)
        self._mouse("mouseReleased", path[-1])

    def _mouse(self, kind: str, place: tuple[float, float]) -> None:
        x, y = place
        about: dict[str, Any] = {"x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        self._call("Input.dispatchMouseEvent", type=kind, **about)

    def type(self, selector: str, text: str) -> None:
        """Writes into an input, in the place of what is there."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select() ?? true")
        self._call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Presses Enter or another key by its name."""
        for kind in ("keyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=_KEYS[key]
            )

    def resize(self, width: int, height: int, dark: bool = False) -> None:
        """Another size, in the light or in the dark."""
        about = {"deviceScaleFactor": 1, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, **about)
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self, file: Path) -> None:
        """Keeps a picture of it.

        Args:
            file: Of PNG.
        """
        file.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._connection.recv(timeout=_PATIENCE))
            if said.get("id") == number:
                assert "error" not in said, said
                return dict(said["result"])
            self._hear(said)

    def _hear(self, event: dict[str, Any]) -> None:
        match event["method"]:
            case "Network.requestWillBeSent":
                self.asked.append(event["params"]["request"]["url"])
            case "Runtime.consoleAPICalled" if event["params"]["type"] == "error":
                self.errors.append(str(event["params"]["args"]))
            case "Runtime.exceptionThrown":
                self.errors.append(str(event["params"]["exceptionDetails"]))
            case "Log.entryAdded" if event["params"]["entry"]["level"] == "error":
                entry = event["params"]["entry"]
                # The browser asks for this one by itself, whether the page has it or not.
                if not entry.get("url", "").endswith("/favicon.ico"):
                    self.errors.append(str(entry))


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """An empty page in a browser of its own; skips where there is none.

    Args:
        folder: Where the browser keeps its profile.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    process = subprocess.Popen(
        [
            *(program, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={_SIZE}"),
            *("--remote-debugging-port=0", f"--user-data-dir={folder / 'profile'}", "about:blank"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        found = None
        while found is None:
            line = process.stderr.readline()
            assert line, "the browser ended before it listened"
            found = re.search(r"DevTools listening on ws://([\w.:]+)/", line)
        targets = httpx.get(f"http://{found[1]}/json/list").json()
        (address,) = [each["webSocketDebuggerUrl"] for each in targets if each["type"] == "page"]
        with connect(address, max_size=None) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        process.wait(timeout=30)
