"""The test matrix: each promise of docs/security/promises.toml, and where the tests that show it run.

`python -m integration.docs.matrix` (in tests/) writes docs/security/test-matrix.md anew.
"""

from __future__ import annotations

from collections import Counter

from integration.docs.pages import ROOT
from integration.docs.promises import Test, all_tests, promises, sections

PAGE = ROOT / "docs" / "security" / "test-matrix.md"

HEAD = """\
# Test matrix

Every promise in full, and the tests that show it. `python -m integration.docs.matrix` (in `tests/`) makes this page
from `docs/security/promises.toml` and the marks of the tests (`@pytest.mark.promise`); a test fails when it is stale.
The [model](model.md) is the short version, [limits](limits.md) is what is not promised.

`make test` runs these tests, and a sample where a test has very many cases; `make test-long` runs all cases. A test
marked *race* repeats an attempt to win a race, for three seconds in `make test-long`. One marked *aarch64* runs as an
aarch64 program too, in `make test-arm64` (under qemu-user); *only aarch64* means nowhere else. A file stands for those
of its tests that name no promise by themselves.
"""


def _link(test: Test) -> str:
    rounds = f" *{', '.join(test.rounds)}*" if test.rounds else ""
    return f"[`{test.name}`](../../{test.file}){rounds}"


def _cells(promise: str) -> str:
    """The tests of a promise: those that name it by themselves, then the files."""
    shown = [test for test in all_tests() if promise in test.promises]
    files = Counter(test.file for test in shown if not test.by_itself)
    named = [_link(test) for test in shown if test.by_itself]
    whole = [f"[{file.removeprefix('tests/')}](../../{file}): {count}" for file, count in files.items()]
    return "<br>".join([*named, *whole])


def page() -> str:
    """docs/security/test-matrix.md."""
    lines = [HEAD]
    for section in sections():
        lines.append(f"## {section['title']}\n\n| promise | shown by |\n|---|---|")
        for promise in section["promise"]:
            lines.append(f"| `{promise['id']}`: {promise['says']} | {_cells(promise['id'])} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE.relative_to(ROOT)}: {len(promises())} promises")
