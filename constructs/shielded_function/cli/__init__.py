"""The command line `shielded-function`: try the shield, look at a sandbox, ask what a policy means.

Each command is one module here; `app` only wires them up. Results go to stdout, everything else to stderr. The exit
status 2 always means that the command could not do its work.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

__all__ = ["main"]

_EXTRA: Final = ("boto3", "rich", "typer")
"""What the extra `cli` of pyproject.toml brings."""


def main() -> None:
    """The entry point: one line on stderr and exit status 2 when a command cannot do its work."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        text = f"the command line needs {', '.join(missing)}: pip install 'shielded-function[cli]'"
        print(f"shielded-function: {text}", file=sys.stderr)
        sys.exit(2)
    from . import app

    app.main()
