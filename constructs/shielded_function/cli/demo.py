"""`shielded-function demo`: attacks the example of the project's checkout in an emulated Lambda sandbox.

The sandbox is in the wheel; the example and its simulated internet need the checkout and its development tools.
"""

from __future__ import annotations

from pathlib import Path

from .failures import CliError

_EXAMPLE = Path("examples", "checkout")


def find_checkout(*starts: Path) -> Path | None:
    """The nearest folder, from each of `starts` upwards, that holds the demo's example; None where there is none."""
    folders = (folder for start in starts for folder in (start, *start.parents))
    return next((each for each in folders if (each / _EXAMPLE).is_dir() and (each / "runtime_layer").is_dir()), None)


def is_checkout() -> bool:
    """Whether this file lies in a checkout: an installed package has no example to attack."""
    return find_checkout(Path(__file__).resolve().parent) is not None


def run(*, json: bool) -> int:
    """Runs the demo; 0 when every attempt went as it should, 1 otherwise.

    Raises:
        CliError: neither the current folder nor this file lies in a checkout, or a development tool is not installed.
    """
    checkout = find_checkout(Path.cwd(), Path(__file__).resolve().parent)
    if checkout is None:
        raise CliError("the demo needs the project's checkout: clone the repository, and run `make demo` in it")
    try:
        from shielded_function_emulator import demo
    except ImportError as error:
        raise CliError(f"the demo needs the checkout's tools ({error}): run `make demo` in {checkout}") from error
    return demo.run(json=json, app=checkout / _EXAMPLE)
