"""The engine under test."""

from harness.engine import layer, sandbox, task

__all__ = ["layer", "sandbox", "task"]
