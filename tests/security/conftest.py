"""The engine under test."""

from harness.engine import layer, task

__all__ = ["layer", "task"]
