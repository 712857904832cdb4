"""The programs that run in the sandbox, and what each tries: `python -m integration.docs.attempts` (in tests/).

An attempt is a decorated function of a program below a folder `inside`, or a C program below a folder `c`. It belongs
to the promises of the tests whose source has its name; beside the program there may be such tests, and then no other
counts. Where none has, the file that has it, or its program's name, or lies beside it, decides: a guess. The cases of
tests/security/cases are listed by the test that runs them.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

from harness.ways import declared
from integration.docs.pages import ROOT
from integration.docs.promises import Test, all_tests, find_tests, promises
from security.cases.catalogue import cases

_CASES = ROOT / "tests" / "security" / "cases"
_LIMIT = "limit"
_NO_ATTEMPT = re.compile(r"(contextlib|dataclasses?|functools|property|staticmethod|classmethod|override|app|route)\b")
# By section and the beginning of the name, the first that fits.
_TEST_OF = {
    **dict.fromkeys(("tmp:", "tmp_spellings:", "tmp_calls:"), "test_read_write_tmp"),
    "tmp_allowed:": "test_what_is_listed_in_tmp",
    "handler:": "test_read_handler",
    **dict.fromkeys(("child:", "child_allowed:", "forks:"), "test_create_child_process"),
    "network:": "test_outbound_connectivity",
    **dict.fromkeys(("gate:leave_number_", "gate:leave_x32"), "test_numbers_that_look_like_others"),
    **dict.fromkeys(("gate:entry_inline_", "gate:entry_second_libc"), "test_calls_of_libraries_that_come_later"),
    "alerts:log_": "test_the_channel_of_alerts",
    "alerts:line_": "test_lines_whatever_the_bytes",
    "alerts:storm_": "test_storms_are_counted",
    "memory:text_": "test_patched_text",
    **dict.fromkeys(("memory:engine_", "memory:segment_"), "test_the_engines_own_pages"),
    "memory:": "test_memory_that_is_to_run",
    "states:": "test_signals_threads_and_odd_states",
    "": "test_ways_into_the_kernel",
}


def attempts() -> dict[str, dict[str, list[str]]]:
    """Names of attempts, by promise and program; of limits under `limit`, the rest under the empty id."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for program, names in _programs():
        for name in names:
            for promise in _promises_of(program, name) or ("",):
                found[promise][program.relative_to(ROOT / "tests").as_posix()].append(name)
    for case in cases():
        name = f"{case.section}:{case.name}"
        (test,) = find_tests(next(test for begin, test in _TEST_OF.items() if name.startswith(begin)))
        for promise in test.promises:
            found[promise][f"security/cases/inside/{case.section}.py"].append(case.name)
    return found


def _programs() -> Iterator[tuple[Path, list[str]]]:
    """Each program with its attempts; itself where it has none, unless other programs import it."""
    files = [file for file in sorted((ROOT / "tests").rglob("*")) if _CASES not in file.parents]
    bodies = {file: ast.parse(file.read_text()).body for file in files if file.suffix == ".py" and _is_inside(file)}
    imported = {node.module for body in bodies.values() for node in body if isinstance(node, ast.ImportFrom)}
    for file, body in bodies.items():
        names = list(dict.fromkeys(name for decorator, name in declared(body) if not _NO_ATTEMPT.match(decorator)))
        if names or file.stem not in imported:
            yield file, names or [file.stem]
    for file in files:
        if file.suffix == ".c" and file.parent.name == "c":
            yield file, [file.stem]


def _is_inside(file: Path) -> bool:
    return "inside" in file.relative_to(ROOT / "tests").parts


@cache
def _named() -> tuple[dict[str, list[Test]], dict[str, list[Test]]]:
    """The tests whose texts hold a word, and those whose file's texts do."""
    of_tests: dict[str, list[Test]] = defaultdict(list)
    of_files: dict[str, list[Test]] = defaultdict(list)
    for file, tests in groupby(all_tests(), key=lambda test: test.file):
        body = ast.parse((ROOT / file).read_text())
        nodes = {node.name: node for node in body.body if isinstance(node, ast.FunctionDef)}
        whole = list(tests)
        for test in whole:
            for word in _words_of(nodes[test.name]):
                of_tests[word].append(test)
        # What the file is about: the promise of its tests that name none by themselves.
        about = [test for test in whole if not test.by_itself][:1] or whole[:1]
        for word in _words_of(body):
            of_files[word] += about
    return of_tests, of_files


def _words_of(tree: ast.AST) -> set[str]:
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {word for text in texts for word in re.findall(r"\w+\.py\b|\w+", text) + re.findall(r"\w+", text)}


def _beside(program: Path) -> list[Test]:
    above = {folder.relative_to(ROOT).as_posix() for folder in program.parents if ROOT in folder.parents}
    return [test for test in all_tests() if test.file.rpartition("/")[0] in above]


def _promises_of(program: Path, name: str) -> tuple[str, ...]:
    of_tests, of_files = _named()
    words = ((of_tests, name), (of_files, name), (of_tests, program.name), (of_files, program.name))
    found = [of.get(word, []) for of, word in (*words, (of_files, program.stem))]
    beside = _beside(program)
    if beside:  # what other folders call by these words is something else
        found = [[test for test in tests if test in beside] for tests in found] + [beside[:1]]
    tests = next(filter(None, found), [])
    return tuple(dict.fromkeys(promise for test in tests for promise in test.promises or (_LIMIT,)))


if __name__ == "__main__":
    found = attempts()
    for promise, says in {**promises(), _LIMIT: "docs/security/limits.md has them", "": "no promise"}.items():
        if promise in found:
            print("\n".join(textwrap.wrap(f"{promise}: {says}", 80)))
            for program, names in found[promise].items():
                text = f"{program} ({len(names)}): {', '.join(names)}"
                print(textwrap.indent("\n".join(textwrap.wrap(text, 76, subsequent_indent="  ")), "    "))
    print(f"{len({n for p in found.values() for ns in p.values() for n in ns})} attempts of {len(found)} promises")
    sys.exit("" in found)
