"""The engine under test."""

from harness.engine import layer, sandbox, task

PROMISE = "shield.transparent"

__all__ = ["layer", "sandbox", "task"]
