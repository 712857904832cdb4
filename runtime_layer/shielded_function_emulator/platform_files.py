"""The paths of the platform's files in a sandbox, the same for every language; `languages` names the files."""

from __future__ import annotations

from pathlib import Path

from shielded_function_emulator.machine import python_name

TASK_ROOT = "/var/task"
LAYERS_ROOT = "/opt"
LANGUAGE_ROOT = "/var/lang"
RUNTIME_ROOT = "/var/runtime"
RAPID_ROOT = "/var/rapid"

# The Python of a sandbox: the one that runs the tests, or that of another machine.
INTERPRETER = f"{LANGUAGE_ROOT}/bin/{python_name()}"

BOOTSTRAP = Path(__file__).parent / "bootstrap.sh"
