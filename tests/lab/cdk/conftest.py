"""A layer of placeholder files, as of the constructs' unit tests."""

from __future__ import annotations

from unit.constructs.conftest import placeholder_layers

__all__ = ["placeholder_layers"]

PROMISE = "construct.granted"
