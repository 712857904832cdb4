"""The runtimes that can be emulated, one row each; a language's module says how its rows come about.

A further language is a module with a `RUNTIMES` table (and `PARTS`, where something must be fetched for it), and one
line here. `make runtimes` fetches the parts.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from shielded_function_emulator.languages import dotnet, java, node, python, python_versions, ruby
from shielded_function_emulator.languages.parts import Part
from shielded_function_emulator.languages.runtime import Runtime

RUNTIMES: Sequence[Runtime] = (*java.RUNTIMES, *node.RUNTIMES, *python.RUNTIMES)
PARTS: Sequence[Part] = (*dotnet.PARTS, *java.PARTS, *node.PARTS, *python_versions.PARTS, *ruby.PARTS)


def find(name: str) -> Runtime:
    """The row for a Lambda runtime, by its identifier (`nodejs22.x`).

    Raises LookupError, naming those that there are, when it is not emulated.
    """
    for runtime in RUNTIMES:
        if fnmatch.fnmatchcase(name, runtime.name):
            return runtime
    raise LookupError(f"{name} is not emulated; there are: {', '.join(runtime.name for runtime in RUNTIMES)}")
