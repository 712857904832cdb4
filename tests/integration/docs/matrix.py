"""The test matrix: each promise of docs/security/promises.toml, and where the tests that show it run.

`python -m integration.docs.matrix` (in tests/) prints it; docs/stage_site.py puts it into the site.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from integration.docs.promises import all_tests, sections


def _tests_of(promise: str) -> Iterator[str]:
    """The tests of a promise: those that name it by themselves, then the files."""
    shown = [test for test in all_tests() if promise in test.promises]
    for test in shown:
        if test.by_itself:
            rounds = f" *{', '.join(test.rounds)}*" if test.rounds else ""
            yield f"`{test.file.removeprefix('tests/')}::{test.name}`{rounds}"
    for file, count in Counter(test.file for test in shown if not test.by_itself).items():
        yield f"`{file.removeprefix('tests/')}`: {count}"


def tables() -> str:
    """A table for each section."""
    lines: list[str] = []
    for title, section in sections().items():
        lines += [f"## {title}", "", "| promise | shown by |", "|---|---|"]
        lines += [f"| `{promise}`: {says} | {'<br>'.join(_tests_of(promise))} |" for promise, says in section.items()]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(tables())
