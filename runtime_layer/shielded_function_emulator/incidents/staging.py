"""Puts an incident beside a function's code: a package that is imported at the end of the handler's module."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.incidents import FOLDER, Incident, IncidentError

SECRETS = "drill-secrets"
PROGRAM = "drill-program"
ECHO = '#!/bin/sh\necho "{\\"shielded_drill\\":\\"$1\\",\\"ran\\":$2}" >&2\n'
"""A program of an incident proves that it ran by a line in the log. $1 is the run's nonce, $2 the step's number."""


class Language(NamedTuple):
    """A language in which a drill plays.

    Attributes:
        handlers: the endings of a handler's file.
        module: the file of the incident's package; its source is the payload of the same ending.
        line: imports its folder; of Node.js, in modules of both kinds.
        ran: the code for an evaluation, which writes a line to the log.
    """

    handlers: tuple[str, ...]
    module: str
    line: str
    ran: str


_REQUIRE = 'process.getBuiltinModule("node:module").createRequire("/var/task/")("./{}/index.cjs");'
_PYTHON, _NODE = "import os; os.write(2, b'%s\\n')", "require('node:fs').writeSync(2, '%s\\n')"
_MODULES = (".js", ".mjs", ".cjs", "/index.js")
_LANGUAGES = {
    "python": Language((".py", "/__init__.py"), "drill_{}/__init__.py", "import {}", _PYTHON),
    "nodejs": Language(_MODULES, "node_modules/drill-{}/index.cjs", _REQUIRE, _NODE),
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
    with handler.open("a", encoding="utf-8") as opened:
        opened.write(f"\n{language.line.format(payload.parent)}\n")
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
    (task / PROGRAM).chmod(0o755)
