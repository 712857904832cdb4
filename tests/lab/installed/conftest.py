"""What a reader installs: the wheel, with other people's packages from an index."""

from __future__ import annotations

from integration.packaging.conftest import checkout, wheel

__all__ = ["checkout", "wheel"]

PROMISE = "package.installed"
