"""Puts an incident beside a function's code: a package that is imported at the end of the handler's module."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.incidents import FOLDER, PROGRAM, Incident, IncidentError

SECRETS = "drill-secrets"
_LANGUAGES = {"python": ((".py",), "/__init__.py"), "nodejs": ((".js", ".mjs", ".cjs"), "/index.js")}


def language_of(runtime: str) -> str:
    """`python` or `nodejs`.

    Raises:
        IncidentError: it is another.
    """
    language = next((name for name in _LANGUAGES if runtime.startswith(name)), None)
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
    handler = _handler_file(task, package.handler, language)
    name = f"drill-{incident.package}"
    folder = task / (name.replace("-", "_") if language == "python" else f"node_modules/{name}")
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps(plan))
    program = task / "drill-program"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    if language == "python":
        shutil.copy(FOLDER / "payload.py", folder / "__init__.py")
        line = f"import {folder.name}"
    else:
        shutil.copy(FOLDER / "payload.cjs", folder / "index.cjs")
        (folder / "package.json").write_text(json.dumps({"name": name, "main": "index.cjs"}))
        line = f"import {json.dumps(name)};" if _is_module(task, handler) else f"require({json.dumps(name)});"
    handler.chmod(0o644)  # an archive may have it read-only
    with handler.open("a", encoding="utf-8") as opened:
        opened.write(f"\n{line}\n")
    secrets = task / SECRETS
    secrets.mkdir()
    (secrets / ".npmrc").write_text(f"//registry.example/:_authToken={plan['nonce']}\n")
    (secrets / ".env").write_text(f"API_KEY={plan['nonce']}\n")


def _handler_file(task: Path, handler: str, language: str) -> Path:
    endings, index = _LANGUAGES[language]
    module = re.sub(r"\.[^./]*$", "", handler)
    stem = module.replace(".", "/") if language == "python" else module
    tried = [f"{stem}{ending}" for ending in (*endings, index)]
    for name in tried:
        if (task / name).is_file():
            return task / name
    raise IncidentError(f"the handler {handler} is not in the function's own code: there is no {' or '.join(tried)}")


def _is_module(task: Path, handler: Path) -> bool:
    """Whether Node.js reads it as an ECMAScript module: by its ending, or the nearest package.json.

    Raises:
        IncidentError: that is not JSON.

    https://nodejs.org/api/packages.html#determining-module-system
    """
    if handler.suffix != ".js":
        return handler.suffix == ".mjs"
    for folder in handler.relative_to(task).parents:
        if (manifest := task / folder / "package.json").is_file():
            try:
                said = json.loads(manifest.read_text(encoding="utf-8"))
            except ValueError as error:
                raise IncidentError(
                    f"the function's {folder / 'package.json'} is not JSON: {error}; mend it"
                ) from error
            return isinstance(said, dict) and said.get("type") == "module"
    return False
