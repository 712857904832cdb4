"""`shielded-function demo`: attacks the example of the project's checkout in an emulated Lambda sandbox.

The sandbox is in the wheel; the example and its simulated internet need the checkout and its development tools.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .errors import CliError

_EXAMPLE = Path("examples", "checkout")


def find_checkout(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that holds the demo's example.

    Raises:
        CliError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / _EXAMPLE / "app.py").is_file() and (folder / "runtime_layer").is_dir():
            return folder
    raise CliError("the demo needs the project's checkout: clone the repository, and run `make demo` in it")


def is_checkout() -> bool:
    """Whether this file lies in a checkout: an installed package has no example to attack."""
    try:
        find_checkout(Path(__file__).resolve().parent)
    except CliError:
        return False
    return True


def run(*, json: bool) -> int:
    """Runs the demo; 0 when every attempt went as it should, 1 otherwise.

    Raises:
        CliError: neither the current folder nor this file lies in a checkout, or a development tool is not installed.
    """
    try:
        checkout = find_checkout(Path.cwd())
    except CliError:
        checkout = find_checkout(Path(__file__).resolve().parent)
    try:
        from shielded_function_emulator import demo
    except ImportError as error:
        raise CliError(f"the demo needs the checkout's tools ({error}): run `make demo` in {checkout}") from error
    return demo.run(json=json, app=checkout / _EXAMPLE, after=_look_back)


def _look_back(log: Path) -> list[str]:
    """Makes a report and the needed policy from the log of the function in alert mode."""
    report, policy = log.with_name("report.html"), log.with_name("learned.toml")
    lines = [
        f"report: {report}" if _command("report", str(log), "--output", str(report)) else "",
        f"learned policy: {policy}" if _command("learn", str(log), "--format", "toml", "--output", str(policy)) else "",
    ]
    if policy.exists():
        lines += [f"  {line}" for line in policy.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [line for line in lines if line]


def _command(*arguments: str) -> bool:
    """Runs a command of this program; False, with a note, when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "shielded_function.cli", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"demo: {arguments[0]}: {done.stderr.strip()[-400:]}", file=sys.stderr)
    return not done.returncode
