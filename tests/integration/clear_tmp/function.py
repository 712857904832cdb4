"""A function under AWS's runtime client for Python, whose events are code."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.running import SHIELD, policy
from integration.readiness.api import RUNTIME_API, SECONDS, RuntimeApi, open_box
from shielded_function_emulator.languages import python
from shielded_function_emulator.sandbox import Sandbox, shield_lines

INSIDE = Path(__file__).parent / "inside"
HEADLINE = policy(clear_tmp="on", allow_tmp="/tmp/cache/**,/tmp/lib-*.so")
# A runtime that asks for each event by another program.
_INIT = "mkdir /tmp/init && echo initialization > /tmp/init/cache && touch /tmp/started"
PROGRAM_EACH = ["/bin/sh", "-c", f"{_INIT}; while /var/lang/bin/python3 /var/task/one_event.py; do :; done"]
LOOK = """
import os
result = sorted(os.path.join(folder, name) for folder, folders, files in os.walk("/tmp") for name in folders + files)
"""


class Function:
    """One that was started. Its events are code."""

    def __init__(self, box: Sandbox, api: RuntimeApi, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.api = api
        self._box = box
        self._answers = 0
        self._command, self._environment = command, environment
        self.start()

    def start(self) -> None:
        """Also anew, in the same sandbox, as Lambda does when a function was killed."""
        self.process = self._box.start([*self._command], environment=self._environment)

    def give(self, code: str) -> None:
        """An event."""
        self._answers += 1
        self.api.give({"code": textwrap.dedent(code)})

    def answer(self) -> Any:
        """What the last event left in `result`."""
        return self.api.answers(self._answers)[-1]

    def is_killed_by(self, code: str) -> int:
        """An event without an answer. How the process ends."""
        self.give(code)
        self._answers -= 1
        return self.process.wait(SECONDS)

    def run(self, code: str) -> Any:
        """An event, and its answer."""
        self.give(code)
        return self.answer()

    def left(self, code: str) -> set[str]:
        """What the next event finds that was not there before this one, in /tmp."""
        before = set(self.run(LOOK))
        answer = self.run(code)
        assert not (isinstance(answer, dict) and "errorMessage" in answer), answer
        return set(self.run(LOOK)) - before

    @property
    def tmp(self) -> Path:
        """From outside, where an extension would be: of the same user, and without the engine."""
        return self._box.path("/tmp")

    def own(self, path: Path) -> Path:
        """Gives what the test made to the function's user."""
        owner = self.tmp.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
        return path

    def wait_for_file(self, name: str) -> None:
        """Until it is in /tmp."""
        end = time.monotonic() + SECONDS
        while not (self.tmp / name).exists():
            assert time.monotonic() < end, name
            time.sleep(0.01)

    def end(self) -> list[dict[str, Any]]:
        """The shield's lines, once the function was ended."""
        self.process.kill()
        _, stderr = self.process.communicate(timeout=SECONDS)
        return list(shield_lines(stderr.decode().splitlines()))


@contextmanager
def started(
    settings: Mapping[str, str],
    *,
    shielded: bool = True,
    prepare: Callable[[Sandbox], object] = bool,
    program: Sequence[str] = python.THIS.command,
) -> Iterator[Function]:
    """In a sandbox of its own, which is given to `prepare` before."""
    command = [*([SHIELD] if shielded else []), *program]
    environment = {"_HANDLER": "app.handler", "AWS_LAMBDA_RUNTIME_API": RUNTIME_API, "AWS_REGION": "us-east-1"}
    with open_box(INSIDE) as box, RuntimeApi(box) as api:
        prepare(box)
        function = Function(box, api, command, {**environment, **settings})
        try:
            yield function
        finally:
            function.process.kill()
            function.process.wait()
