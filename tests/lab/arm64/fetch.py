"""Gets the emulator, the system and the runtimes of an aarch64 machine: `make arm64`.

Debian's packages come by the machine's own apt, and runtimes from Python's index by pip; each file is checked against
its hash, and what is there already is not fetched again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lab.arm64.packages import EMULATOR, PARTS, SYSTEM
from lab.libcs.fetch import Unavailable, root_of
from shielded_function_emulator.languages.parts import Unavailable as PartUnavailable


def with_shell(root: Path) -> Path:
    """The same root with its /bin/sh, a link that Debian's packages leave to their installer."""
    shell = root / "usr" / "bin" / "sh"
    if not shell.is_symlink():
        shell.symlink_to("dash")
    return root


def main() -> int:
    """Exit status 1 when something cannot be had."""
    try:
        print(f"arm64: {root_of(EMULATOR)}", flush=True)
        print(f"arm64: {with_shell(root_of(SYSTEM))}", flush=True)
        for part in PARTS:
            part.fetch()
            print(f"arm64: {part.folder}", flush=True)
    except (Unavailable, PartUnavailable) as error:
        print(f"arm64: not to be had here: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
