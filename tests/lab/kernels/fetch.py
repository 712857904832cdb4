"""Gets Debian's kernels and qemu below `.tools`, by the machine's own apt: `make test-kernel`. Nothing is installed."""

from __future__ import annotations

import sys

from lab.kernels.kernels import KERNELS, QEMU
from lab.libcs.fetch import Unavailable, root_of
from shielded_function_emulator.languages.parts import Unavailable as PartUnavailable


def main() -> int:
    """Exit status 1 when something cannot be had."""
    try:
        QEMU.fetch()
        for kernel in KERNELS:
            print(f"kernels: {root_of(kernel)}", flush=True)
    except (Unavailable, PartUnavailable) as error:
        print(f"kernels: not to be had here: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
