"""`shielded-function fetch`: the runtimes of the emulated Lambda, before a function needs them."""

from __future__ import annotations

from . import run as runs
from .errors import CliError
from .options import Fetch
from .progress import live
from .terminal import Listing, console, note, print_json

_HEADINGS = ("runtime", "state", "MB to fetch")


def run(options: Fetch, *, json: bool) -> int:
    """Fetches the runtimes of these names, or lists all; always 0.

    Raises:
        CliError: there is no such runtime, or it is not available here.
    """
    names, listing = options
    with runs.errors():
        from shielded_function_emulator import interface_emulator, trial

        if not listing and not names:
            raise CliError("name a runtime, as in `shielded-function fetch nodejs22.x`; --list lists them")
        if not listing:
            interface_emulator.provide(note)
            for name in names:
                trial.provided(name, note, live())
        rows = [_row(name) for name in (names or trial.rows())]
    if json:
        keys = ("runtime", "state", "megabytes")
        print_json({"runtimes": [dict(zip(keys, row, strict=True)) for row in rows]})
    else:
        texts = [(name, state, str(size or "")) for name, state, size in rows]
        console().print(Listing("runtimes", _HEADINGS, texts, _HEADINGS[-1:]))
    return 0


def _row(name: str) -> tuple[str, str, int]:
    from shielded_function_emulator import trial

    runtime = trial.wanted(name)
    assert runtime is not None
    lacking = [part for part in runtime.parts if not part.there]
    if lacking:
        return name, "to fetch", sum(part.size for part in lacking)
    if reason := runtime.missing():
        return name, reason, 0
    return name, f"here: {own}" if (own := runtime.own()) else "here", 0
