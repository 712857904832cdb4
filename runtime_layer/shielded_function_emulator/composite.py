"""A context manager that is made of others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack

from typing_extensions import Self


class Composite(ABC):
    """Its parts are entered in order and left in reverse. Where one cannot be entered, those before it are left."""

    @abstractmethod
    def enter_parts(self, stack: ExitStack) -> None:
        """Enters every part, on a stack that is left with this object."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.enter_parts(stack)
            self._parts = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.close()
