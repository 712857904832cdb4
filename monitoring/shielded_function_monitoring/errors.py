"""The base of all errors of `shielded_function` and of this package, and how their messages show a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Final

_TOKEN: Final = re.compile(r"[$#]\{Token\[[^\]]*\]\}")
_OBJECT: Final = re.compile(r"<(?:[\w.]+\.)?(\w+) object at 0x[0-9a-f]+>")
_LONGEST: Final = 200


class ShieldError(ValueError):
    """The request cannot be carried out. Nothing was changed.

    The message begins with the construct path, or the option, and names every problem with its fix.

    Attributes:
        reasons: the problems, without the path.
    """

    def __init__(self, path: str, problems: Sequence[str] = ()) -> None:
        self.reasons = "; ".join(problems) or path
        super().__init__(f"{path}: {self.reasons}" if problems else path)

    @classmethod
    def of_many(cls, problems: Mapping[str, str], fix: str) -> ShieldError:
        """One report of several functions: their problems by construct path, and what to do about all of them."""
        if len(problems) == 1:
            [(path, reasons)] = problems.items()
            return ShieldError(path, [reasons, fix])
        lines = "".join(f"\n  {path}: {reasons}" for path, reasons in problems.items())
        return ShieldError(f"{len(problems)} functions cannot be shielded ({fix})", [lines])


def shown(value: object) -> str:
    """A short value for a message: without fields of options, addresses of objects and numbers of tokens."""
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}(...)"
    text = _TOKEN.sub("<token>", _OBJECT.sub(r"<\1>", repr(value)))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
