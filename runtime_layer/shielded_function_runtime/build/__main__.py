"""`python -m shielded_function_runtime.build [--force] [PREFIX ...]`: brings `binaries/` up to date.

`--symbols PATH FILE` writes one program's symbols instead, for a debugger.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import native


def _show(result: native.Result) -> None:
    if result.compiled:
        print(f"compiled {result.size:>8,} bytes  {result.program.path}", flush=True)


def main() -> int:
    """Builds; the exit status is 1 when something does not compile."""
    parser = argparse.ArgumentParser(prog="python -m shielded_function_runtime.build", description=native.__doc__)
    parser.add_argument("prefix", nargs="*", help="programs to build, e.g. `core` or `layer/x86_64` (default: all)")
    parser.add_argument("--force", action="store_true", help="compile also programs that are up to date")
    parser.add_argument("--symbols", nargs=2, metavar=("PATH", "FILE"), help="write one program with symbols instead")
    options = parser.parse_args()
    try:
        if options.symbols:
            path, file = options.symbols
            native.write_symbols(path, Path(file))
            return 0
        results = native.build(options.prefix, force=options.force, report=_show)
    except native.BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(results)} native programs are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
