"""The shield from Python: `configure` in a function's code, and for development the C core (`core`) and the `build`.

The layer holds only this file and `configuring`: other modules have to be imported by name.
"""

from .configuring import ConfigurationError, configure

__all__ = ["ConfigurationError", "configure"]
