"""What is run in a guest: the whole table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.kernels.guest import CHECKOUT

_PYTHON = str(CHECKOUT / ".venv" / "bin" / "python")
_PYTEST = (_PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs")
_DEMO = (_PYTHON, "-m", "lab.kernels.demo")


@dataclass(frozen=True)
class Round:
    """One command, in one guest.

    Attributes:
        name: as it is asked for.
        command: run in the checkout, with tests/ on PYTHONPATH.
        minutes: how long it may take, emulated on a busy machine.
        before: run on this machine first; what it compiles is kept for the guest.
    """

    name: str
    command: tuple[str, ...]
    minutes: float
    before: tuple[str, ...] = ()


def _pytest(name: str, *arguments: str) -> Round:
    return Round(name, (*_PYTEST, *arguments), 60, (*_PYTEST, *arguments))


def _cases(name: str, *arguments: str) -> Round:
    return Round(name, (*_PYTEST, "tests/security/cases", *arguments), 180, (_PYTHON, "-m", "security.cases.task"))


ROUNDS = (
    Round("demo", _DEMO, 60, (*_DEMO, "--synthesize")),
    _pytest(
        "refusals",
        "tests/integration/launcher/test_refusals.py",
        "tests/lab/libcs/test_refused.py",
        "tests/lab/refused_calls",
        *("-m", "not long"),
    ),
    _cases("cases", "-m", "not long"),
    _cases("all-cases", "-m", "long or not long"),
)


def chosen(names: Sequence[str]) -> list[Round]:
    """Rounds by their names. What has a slash is a path, or several, for pytest.

    Raises ValueError: nothing is called so.
    """
    known = {one.name: one for one in ROUNDS}
    for name in names:
        if name not in known and "/" not in name:
            raise ValueError(f"no round is called {name}; there are: {', '.join(known)}, and paths of tests")
    return [known.get(name) or _pytest(name, name) for name in names]
