"""Where the platform puts things in a sandbox, whatever the language; `languages` says what it puts there."""

from __future__ import annotations

import sys
from pathlib import Path

TASK_ROOT = "/var/task"
LAYERS_ROOT = "/opt"
LANGUAGE_ROOT = "/var/lang"
RUNTIME_ROOT = "/var/runtime"
RAPID_ROOT = "/var/rapid"

# The Python that runs the tests, as a sandbox shows it.
INTERPRETER = f"{LANGUAGE_ROOT}/bin/python{sys.version_info.major}.{sys.version_info.minor}"

BOOTSTRAP = Path(__file__).parent / "bootstrap.sh"
