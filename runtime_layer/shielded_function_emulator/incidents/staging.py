"""Puts an incident beside a function's code: a package that is imported at the end of the handler's module."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.incidents import FOLDER, Incident, IncidentError
from shielded_function_emulator.machine import architecture

SECRETS = "drill-secrets"
PROGRAM, STATIC = "drill-program", "drill-static-"
ECHO = '#!/bin/sh\necho "{\\"shielded_drill\\":\\"$1\\",\\"ran\\":$2}" >&2\n'
"""A program of an incident proves that it ran by a line in the log. $1 is the run's nonce, $2 the step's number."""


# elf(5): a program of one segment, without a libc, which writes the 64 bytes at its end to the log. By machine, its
# number, and its code: write(2, text, 64), exit(0).
_CODES = {
    "x86_64": (62, "b801000000 bf02000000 bea0004000 ba40000000 0f05 b83c000000 31ff 0f05"),
    "aarch64": (183, "400080d2 21010010 020880d2 080880d2 010000d4 000080d2 a80b80d2 010000d4"),
}


def static_program(machine: str, text: str) -> bytes:
    """A static executable that writes a text of at most 63 bytes to the log."""
    number, code = _CODES[machine]
    kind = struct.pack("<HHIQQQIHHHHHH", 2, number, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 0xE0, 0xE0, 0x1000)
    elf = b"\x7fELF\2\1\1" + bytes(9) + kind + segment + bytes.fromhex(code)
    return elf.ljust(0xA0, b"\0") + text.ljust(63).encode() + b"\n"


class Language(NamedTuple):
    """A language in which a drill plays.

    Attributes:
        handlers: the endings of a handler's file.
        module: the file of the incident's package; its source is the payload of the same ending.
        line: imports its folder; of Node.js, in modules of both kinds.
        call: ends a line that also calls the package.
        ran: the code for an evaluation, which writes a line to the log.
    """

    handlers: tuple[str, ...]
    module: str
    line: str
    call: str
    ran: str


_REQUIRE = 'process.getBuiltinModule("node:module").createRequire("/var/task/")("./{0}/index.cjs")'
_PYTHON, _NODE = "import os; os.write(2, b'%s\\n')", "require('node:fs').writeSync(2, '%s\\n')"
_MODULES = (".js", ".mjs", ".cjs", "/index.js")
_LANGUAGES = {
    "python": Language((".py", "/__init__.py"), "drill_{}/__init__.py", "import {0}", "; {0}.play()", _PYTHON),
    "nodejs": Language(_MODULES, "node_modules/drill-{}/index.cjs", _REQUIRE, ".play()", _NODE),
}


def language_of(runtime: str) -> Language:
    """The language of a runtime.

    Raises:
        IncidentError: it is neither Python nor Node.js.
    """
    language = next((each for name, each in _LANGUAGES.items() if runtime.startswith(name)), None)
    if language is None:
        raise IncidentError(f"the drill plays in Python and Node.js functions; {runtime} is not supported yet")
    return language


def stage(package: FunctionPackage, incident: Incident, plan: Mapping[str, Any], task: Path) -> None:
    """Unpacks the function's code into `task`, and adds the incident.

    Raises:
        IncidentError: the handler's file is not found, or it is not Python or Node.js.
    """
    language = language_of(package.runtime)
    package.unpack_code(task)
    module = re.sub(r"\.[^./]*$", "", package.handler)
    name = str(incident["package"])
    if package.runtime.startswith("python"):
        module, name = module.replace(".", "/"), name.replace("-", "_")
    tried = [f"{module}{ending}" for ending in language.handlers]
    handler = next((task / name for name in tried if (task / name).is_file()), None)
    if handler is None:
        there = f"there is no {' or '.join(tried)}"
        raise IncidentError(f"the handler {package.handler} is not in the function's own code: {there}")
    payload = Path(language.module.format(name))
    handler.chmod(0o644)  # an archive may have it read-only
    line = language.line + (language.call if plan["when"] == "call" else "")
    # Node.js has no file that each start reads: there, such an incident is imported.
    starts = plan["when"] == "start" and payload.suffix == ".py"
    with (task / f"{name}.pth" if starts else handler).open("a", encoding="utf-8") as opened:
        opened.write(f"\n{line.format(payload.parent)}\n")
    files = {
        payload.with_name("plan.json"): json.dumps(plan),
        payload: (FOLDER / "payload").with_suffix(payload.suffix).read_text(encoding="utf-8"),
        PROGRAM: ECHO,
        f"{SECRETS}/.npmrc": f"//registry.example/:_authToken={plan['nonce']}\n",
        f"{SECRETS}/.env": f"API_KEY={plan['nonce']}\n",
    }
    for file, text in files.items():
        (task / file).parent.mkdir(parents=True, exist_ok=True)
        (task / file).write_text(text, encoding="utf-8")
    for step in plan["steps"]:
        if step["do"] == "run-static":
            text = json.dumps({"shielded_drill": plan["nonce"], "ran": step["step"]}, separators=(",", ":"))
            (task / f"{STATIC}{step['step']}").write_bytes(static_program(architecture(), text))
    for program in (task / PROGRAM, *task.glob(f"{STATIC}*")):
        program.chmod(0o755)
