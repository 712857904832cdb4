"""What the programs in the sandbox attempt: `python -m integration.docs.attempts` (in tests/).

An attempt is a decorated function of a program below a folder `inside`, or a C program below a folder `c`. The files
that name its program run it; where there are tests beside the program, those alone.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from harness.ways import declared
from integration.docs.pages import ROOT
from security.cases.catalogue import cases

_TESTS = ROOT / "tests"
_CASES = _TESTS / "security" / "cases"
_NO_ATTEMPT = re.compile(r"(contextlib|dataclasses?|functools|property|staticmethod|classmethod|override|app|route)\b")


def attempts() -> dict[str, tuple[list[str], list[str]]]:
    """By program: the files of its tests, and the attempts' names. All paths are relative to tests/."""
    texts = {file: file.read_text() for file in _TESTS.rglob("*.py") if "inside" not in file.parts}
    words = {file: set(re.findall(r"[\w.]+(?=\")", text)) for file, text in texts.items()}
    tests = {file for file in texts if file.name.startswith("test_")}
    found: dict[str, tuple[list[str], list[str]]] = {}
    for program, names in _programs():
        beside = {file for file in tests if file.parent in program.parents}
        named = [{file for file in beside or texts if word in words[file]} for word in (program.name, program.stem)]
        naming = next(filter(None, named), beside)
        found[program.relative_to(_TESTS).as_posix()] = sorted(f.relative_to(_TESTS).as_posix() for f in naming), names
    return found


def _programs() -> Iterator[tuple[Path, list[str]]]:
    """Each program with its attempts; itself where it has none, unless other programs import it."""
    files = [file for file in sorted(_TESTS.rglob("*.*")) if _CASES not in file.parents]
    bodies = {
        file: ast.parse(file.read_text()).body for file in files if file.suffix == ".py" and "inside" in file.parts
    }
    imported = {node.module for body in bodies.values() for node in body if isinstance(node, ast.ImportFrom)}
    for file, body in bodies.items():
        names = list(dict.fromkeys(name for decorator, name in declared(body) if not _NO_ATTEMPT.match(decorator)))
        if names or file.stem not in {*imported, "__init__", "app"}:
            yield file, names or [file.stem]
    yield from ((file, [file.stem]) for file in files if file.suffix == ".c" and file.parent.name == "c")
    for section in sorted({case.section for case in cases()}):
        yield _CASES / "inside" / f"{section}.py", [case.name for case in cases() if case.section == section]


if __name__ == "__main__":
    found = attempts()
    for program, (tests, names) in found.items():
        text = f"{program} ({len(names)}, {', '.join(tests)}): {', '.join(names)}"
        sys.stdout.write("\n".join(textwrap.wrap(text, 80, subsequent_indent="    ", break_on_hyphens=False)) + "\n")
    sys.stdout.write(f"{sum(len(names) for _, names in found.values())} attempts of {len(found)} programs\n")
