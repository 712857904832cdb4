"""A layer of placeholder files, as of the constructs' unit tests."""

from __future__ import annotations

from unit.constructs.conftest import layers_folder

__all__ = ["layers_folder"]

PROMISE = "construct.granted"
