"""The shield from Python: `configure` in a function's code, and for development the C core (`core`) and the `build`.

The layer brings this file and `configuring` alone: whatever else there is has to be imported by name.
"""

from .configuring import ConfigurationError, configure

__all__ = ["ConfigurationError", "configure"]
