"""Reads the pages: every fenced block of them, and what a page says of how it is tested.

A page speaks to the tests in HTML comments, which no reader sees. One stands directly above a block:

    <!-- test: in tests/lab/installed/test_reader.py -->  that file tests it (and names this page)
    <!-- test: skip because it needs an AWS account -->     nothing tests it; the reason is printed

and one anywhere in the page, for its python blocks:

    <!-- test: inside a stack -->     they have `self` (a stack), `app`, and the CDK's modules by their usual names

Without a comment, see `test_docs`: python runs, commands of a known program are parsed, JSON is parsed. A block
for which that gives no way fails the tests, so that no page is forgotten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]

SHELLS = ("", "sh", "shell", "bash", "console")
"""The languages of a block with commands; one without a language is read as commands too."""
OUTPUT = ("text",)
"""What programs print: nothing to run."""

_BLOCK = re.compile(
    r"(?:^ *<!-- *test: *(?P<said>.*?) *-->\n\s*)?^(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<language>[\w+-]*).*\n"
    r"(?P<text>(?:.*\n)*?) *(?P=fence)[`~]* *$",
    re.MULTILINE,
)
_INSIDE_A_STACK = "<!-- test: inside a stack -->"
_NO_BLOCK = re.compile(r"^ *(?:<!-- *test:.*|(?:```|~~~).*)", re.MULTILINE)
_FORMS = re.compile(r"in (?P<elsewhere>tests/\S+)|skip because (?P<skip>.{10,})")


class PageError(Exception):
    """A page that cannot be read; the text names the file, what is wrong, and the fix."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: the file, relative to the checkout.
        line: where its first line of text is, from 1.
        language: the word behind the fence.
        text: its content, without the fence's indentation.
        elsewhere: the file that tests it.
        skip: why nothing does.
    """

    page: str
    line: int
    language: str
    text: str
    elsewhere: str | None = None
    skip: str | None = None

    @property
    def place(self) -> str:
        """`page:line`."""
        return f"{self.page}:{self.line}"

    @property
    def has_directive(self) -> bool:
        """Whether the page says how it is tested."""
        return bool(self.elsewhere or self.skip)


@dataclass(frozen=True)
class Page:
    """A page: its blocks in order, and whether its python blocks stand inside a stack."""

    name: str
    blocks: tuple[Block, ...]
    inside_a_stack: bool = False

    def python(self) -> list[Block]:
        """The python blocks that run with this page."""
        return [block for block in self.blocks if block.language == "python" and not block.has_directive]


def page_files(root: Path = ROOT) -> list[Path]:
    """The pages at the root, and every one under docs/ and examples/."""
    found = [*(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.md")]
    outside = ("cdk.out", "node_modules", ".venv")
    return [*sorted(root.glob("*.md")), *sorted(file for file in found if not set(outside) & set(file.parts))]


def read_page(file: Path) -> Page:
    """The blocks of a page.

    Raises:
        PageError: a block does not end, a comment has no block, or says what no test understands.
    """
    name, text = file.relative_to(ROOT).as_posix(), file.read_text()
    rest = _BLOCK.sub("", text).replace(_INSIDE_A_STACK, "")
    if wrong := _NO_BLOCK.search(rest):
        raise PageError(
            f"{name}: `{wrong[0]}`: a comment stands directly above its block, and a block ends with its fence"
        )
    blocks = tuple(_block(name, text, found) for found in _BLOCK.finditer(text))
    return Page(name, blocks, _INSIDE_A_STACK in text)


def _block(page: str, text: str, found: re.Match[str]) -> Block:
    line = text.count("\n", 0, found.start("text")) + 1
    body = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
    form = _FORMS.fullmatch(found["said"] or "")
    if found["said"] and not form:
        raise PageError(
            f"{page}:{line}: `test: {found['said']}` is not understood: write `in tests/FILE`, or "
            "`skip because REASON` (a sentence)"
        )
    return Block(page, line, found["language"], body, **(form.groupdict() if form else {}))
