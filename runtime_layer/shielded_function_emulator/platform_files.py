"""Where the platform puts things in a sandbox, whatever the language; `languages` says what it puts there."""

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
