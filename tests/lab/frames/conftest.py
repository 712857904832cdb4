"""The engine under test."""

from harness.engine import layer

__all__ = ["layer"]
