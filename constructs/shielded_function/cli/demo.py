"""`shielded-function demo`: finds the demo in the project's checkout and runs it there.

The demo attacks an example function in an emulated Lambda sandbox. That sandbox is test equipment, so it is not part
of the wheel.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from .errors import CliError

_DEMO = Path("runtime_layer", "shielded_function_emulator", "demo.py")


def find_checkout(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that holds the demo.

    Raises:
        CliError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / _DEMO).is_file():
            return folder
    raise CliError("the demo needs the project's checkout: clone the repository, and run `make demo` in it")


def run(*, json: bool) -> int:
    """Runs the demo; 0 when every attempt went as it should, 1 otherwise.

    Raises:
        CliError: neither the current folder nor this file lies in a checkout.
    """
    try:
        checkout = find_checkout(Path.cwd())
    except CliError:
        checkout = find_checkout(Path(__file__).resolve().parent)
    sys.path.insert(0, str(checkout / "runtime_layer"))
    return importlib.import_module("shielded_function_emulator.demo").run(json=json)
