"""The command of a module that writes a file from botocore's data: `python -m MODULE [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .aws_endpoints import BOTOCORE_VERSION


def write_or_check(module: str, file: Path, render: Callable[[], str], arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the file; the exit status is 1 when a check finds it out of date.

    Args:
        module: the module's name, for messages.
        file: where the text goes, in ASCII.
        render: makes the text.
        arguments: of the command line; by default those of this process.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the table is out of date")
    options = parser.parse_args(arguments)
    text = render()
    old = file.read_text(encoding="ascii") if file.exists() else ""
    if text == old:
        print(f"{file.name} is up to date with botocore {BOTOCORE_VERSION}")
        return 0
    if options.check:
        print(f"{file.name} is out of date with botocore {BOTOCORE_VERSION}: run python -m {module}", file=sys.stderr)
        return 1
    file.write_text(text, encoding="ascii", newline="\n")
    print(f"wrote {file.name} from botocore {BOTOCORE_VERSION}")
    return 0
