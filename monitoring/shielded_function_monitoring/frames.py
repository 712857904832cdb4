"""The caller of a system call in the function's own language: its frame, and the chain of packages that led to it.

A hint for people. The function's own code can name any package there, so nothing may be decided on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

UNKNOWN_PACKAGE: Final = "(unknown)"
"""The placeholder for a package where the lines name none."""
MAX_THROUGH: Final = 6
"""Packages of a line's `through`, at most."""

Chain = tuple[str, ...]
"""Packages from the one that made the call outward; empty where they are unknown."""


@dataclass(frozen=True)
class Frame:
    """The innermost frame outside of the standard library. A field that the line lacks is None, or empty.

    Attributes:
        function: the function that the frame is of.
        file: its source file.
        line: the line in it.
        package: the package that the file is of.
        through: the packages that led to the call, `package` first.
    """

    function: str | None = None
    file: str | None = None
    line: int | None = None
    package: str | None = None
    through: tuple[str, ...] = ()

    @property
    def chain(self) -> Chain:
        """The packages, from the one that made the call outward."""
        return chain_of(self.package or "", self.through[1:])

    @property
    def place(self) -> str:
        """`/var/task/urllib3/util/connection.py:73`; empty where it is unknown."""
        if not self.file:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"


def chain_of(package: str, outer: Sequence[str]) -> Chain:
    """A package and those outside of it, up to the first unknown one."""
    if not package:
        return ()
    return (package, *takewhile(bool, outer))


def outermost(chain: Chain) -> str:
    """The package that a call is counted for: the last in front of the function's own code, which ends a chain.

    The innermost one is often a library that anybody uses. In a thread without a frame of the function's own code, the
    chain ends with a package, and the one in front of it is counted.

    >>> outermost(("urllib3", "requests", "leftpad", "app")), outermost(("app",)), outermost(())
    ('leftpad', 'app', '')
    """
    return chain[-2] if len(chain) > 1 else "".join(chain)


def chain_text(chain: Chain) -> str:
    """As people read it, the outermost first.

    >>> chain_text(("urllib3", "requests", "app"))
    'app > requests > urllib3'
    >>> chain_text(())
    '(unknown)'
    """
    return " > ".join(reversed(chain)) or UNKNOWN_PACKAGE
