"""What `make test` tries of many that are alike: a few, and all of them with the others in `make test-long`."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import pytest


def long_but(kept: Container[Any], values: Iterable[Any]) -> list[Any]:
    """Parameters of a test: those in `kept` as they are, all others marked `long`.

    A value is one argument, or a tuple of them, as `pytest.mark.parametrize` takes them.
    """
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)), marks=() if value in kept else pytest.mark.long
        )
        for value in values
    ]
