"""`shielded-function doctor`: runs the layer's own `shield doctor` on this machine.

A function runs the same program in Lambda, so both reports are comparable.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import resources

from shielded_function_runtime.core import MACHINES

from .failures import CliError


def run(*, json: bool) -> int:
    """Runs the probes, which print their results; returns the program's exit status.

    Raises:
        CliError: this is not Linux on x86_64 or arm64, or the program is missing.
    """
    architecture = MACHINES.get(platform.machine().lower())
    if sys.platform != "linux" or architecture is None:
        raise CliError(f"doctor needs Linux on x86_64 or arm64; this is {platform.system()} on {platform.machine()}")
    shield = resources.files("shielded_function_runtime") / f"binaries/layer/{architecture}/shielded-function/shield"
    try:
        return subprocess.run([str(shield), "doctor", *(["--json"] if json else [])], check=False).returncode
    except OSError as error:
        raise CliError(f"{shield} cannot be run ({error.strerror}): install the wheel, or run `make native`") from error
