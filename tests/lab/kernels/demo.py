"""The demo for a guest: what the CDK makes of the app is made on this machine, where it takes no minutes.

python -m lab.kernels.demo --synthesize    here
python -m lab.kernels.demo                 in the guest
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from unittest import mock

from lab.kernels.guest import CHECKOUT
from shielded_function_emulator import demo
from shielded_function_emulator.synthesis import synthesize

_MADE = CHECKOUT / ".tools" / "kernels" / "demo"
_SECONDS = 600


def _copy(_: Path, output: Path) -> None:
    """With more time for each function: an emulated machine is slow."""
    shutil.copytree(_MADE, output, symlinks=True)
    template = output / "Checkout.template.json"
    template.write_text(re.sub(r'"Timeout": \d+', f'"Timeout": {_SECONDS}', template.read_text()))


def main() -> int:
    if sys.argv[1:] == ["--synthesize"]:
        shutil.rmtree(_MADE, ignore_errors=True)
        synthesize(demo.APP, _MADE)
        return 0
    with mock.patch.object(demo, "synthesize", _copy):
        return demo.run()


if __name__ == "__main__":
    sys.exit(main())
