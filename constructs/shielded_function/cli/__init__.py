"""The command line `shielded-function`: try the shield, inspect a sandbox, explain a policy.

Each command is one module here; `app` defines the options. Results are printed on stdout, everything else on stderr.
Exit status 2 always means that the command failed.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

__all__ = ["main"]

_EXTRA: Final = ("boto3", "jinja2", "rich", "typer")
"""The packages of the extra `cli` in pyproject.toml."""


def main() -> None:
    """The entry point: one line on stderr and exit status 2 when a command fails."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        text = f"the command line needs {', '.join(missing)}: pip install 'shielded-function[cli]'"
        print(f"shielded-function: {text}", file=sys.stderr)
        sys.exit(2)
    from . import app

    app.main()
