"""Headless Chromium: Debian's, below `.tools` where the machine has none, spoken to over a pipe.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

from shielded_function_emulator.languages import debian
from shielded_function_emulator.languages.parts import Unavailable

PROGRAM = "usr/lib/chromium/chromium"
CHROMIUM = debian.packages("chromium", ("chromium", "fonts-dejavu-core"), (PROGRAM,))
PARTS = (CHROMIUM,)
_SECONDS = 60


class Browser:
    """A browser with one page. Raises Unavailable where there is none."""

    def __enter__(self) -> Self:
        program = debian.find(CHROMIUM, PROGRAM)
        if program is None:
            raise Unavailable(CHROMIUM.missing() or "chromium is not there")
        self._folder = tempfile.TemporaryDirectory(prefix="browser-")
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        # It reads from 3 and writes to 4, whatever the pipes are here.
        command = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        options += ["--remote-debugging-pipe", f"--user-data-dir={self._folder.name}", "about:blank"]
        environment = {**os.environ, "HOME": self._folder.name}
        if not Path("/", PROGRAM).exists():
            folders = debian.libraries(CHROMIUM)
            # libpulse finds its other half by a run path.
            environment["LD_LIBRARY_PATH"] = ":".join(map(str, (*folders, *(each / "pulseaudio" for each in folders))))
        self._process = subprocess.Popen(
            ["bash", "-c", command, str(program), *options],
            env=environment,
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._reader = os.fdopen(self._in, "rb")
        self._left, self._number, self._session = b"", 0, ""
        self.messages: list[dict[str, Any]] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._out)
        self._process.terminate()
        self._process.wait(_SECONDS)
        self._reader.close()
        self._folder.cleanup()

    def call(self, method: str, **parameters: Any) -> Any:
        """Asks the browser; events that come meanwhile are kept in `messages`."""
        self._number += 1
        question: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            question["sessionId"] = self._session
        os.write(self._out, json.dumps(question).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._number:
                assert "error" not in message, message["error"]
                return message["result"]
            self.messages.append(message)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            chunk = os.read(self._in, 1 << 20)
            if not chunk:
                raise Unavailable("chromium ended: it cannot run here")
            self._left += chunk
        text, _, self._left = self._left.partition(b"\0")
        return json.loads(text)

    def open(self, file: Path) -> None:
        """Shows a file, and waits until it is there."""
        self.messages.clear()
        self.call("Page.navigate", url=file.resolve().as_uri())
        while not any(message.get("method") == "Page.loadEventFired" for message in self.messages):
            self.messages.append(self._next())

    def evaluate(self, script: str) -> Any:
        """The value of a script in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def resize(self, width: int, height: int, *, mobile: bool = False) -> None:
        """As a screen of this size shows it."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    @property
    def complaints(self) -> list[str]:
        """What the page's console says of errors, and of what its policy kept out."""
        found = []
        for message in self.messages:
            if message.get("method") == "Log.entryAdded":
                found.append(message["params"]["entry"]["text"])
            elif message.get("method") == "Runtime.exceptionThrown":
                found.append(str(message["params"]["exceptionDetails"]))
        return found

    @property
    def requests(self) -> list[str]:
        """The addresses that were asked for."""
        sent = (message for message in self.messages if message.get("method") == "Network.requestWillBeSent")
        return [message["params"]["request"]["url"] for message in sent]
