"""Reads the pages: every fenced block of them, and what a page says of how it is tested.

A page speaks to the tests in HTML comments, which no reader sees. One stands directly above a block:

    <!-- test: run in examples/checkout -->                 run it, in a copy of that folder
    <!-- test: run in examples/checkout against moto -->    the same, where AWS is moto's server on loopback
    <!-- test: in tests/integration/packaging/test_reader.py -->        that file tests it (and names this page)
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

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<language>[\w+-]*)")
_COMMENT = re.compile(r"^ *<!-- *test: *(?P<said>.*?) *-->$")
_INSIDE_A_STACK = "inside a stack"
_FORMS = (
    re.compile(r"run in (?P<folder>\S+?)(?P<moto> against moto)?"),
    re.compile(r"in (?P<file>tests/\S+)"),
    re.compile(r"skip because (?P<reason>.{10,})"),
)


class PageError(Exception):
    """A page that cannot be read; the text names the file, the line and the fix."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: the file, relative to the checkout.
        line: where its first line of text is, from 1.
        language: what stands behind the fence.
        text: what is in it, without the fence's indentation.
        run_in: the folder to run it in, relative to the checkout.
        moto: whether AWS is moto's server then.
        elsewhere: the file that tests it.
        skip: why nothing does.
    """

    page: str
    line: int
    language: str
    text: str
    run_in: str | None = None
    moto: bool = False
    elsewhere: str | None = None
    skip: str | None = None

    @property
    def place(self) -> str:
        """`page:line`."""
        return f"{self.page}:{self.line}"

    @property
    def has_directive(self) -> bool:
        """Whether the page says how it is tested."""
        return any((self.run_in, self.elsewhere, self.skip))


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


def read_page(file: Path, root: Path = ROOT) -> Page:
    """Reads one page."""
    return parse_page(file.relative_to(root).as_posix(), file.read_text())


def parse_page(name: str, text: str) -> Page:
    """The blocks of a page.

    Raises:
        PageError: a block does not end, or a comment says what no test understands.
    """
    blocks: list[Block] = []
    inside_a_stack = False
    said: tuple[int, str] | None = None
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if comment := _COMMENT.match(line):
            if said:
                raise PageError(f"{name}:{said[0]}: no block follows the comment `test: {said[1]}`")
            if comment["said"] == _INSIDE_A_STACK:
                inside_a_stack = True
            else:
                said = (number, comment["said"])
        elif fence := _FENCE.match(line):
            start = number
            closing = re.compile(rf" *{re.escape(fence['fence'])}[`~]* *$")
            while number < len(lines) and not closing.match(lines[number]):
                number += 1
            if number == len(lines):
                raise PageError(f"{name}:{start}: this block does not end")
            width = len(fence["indent"])
            body = [found[width:] if not found[:width].strip() else found for found in lines[start:number]]
            number += 1
            block = Block(name, start + 1, fence["language"], "\n".join(body) + "\n")
            blocks.append(_directed(block, said) if said else block)
            said = None
        elif line.strip() and said:
            raise PageError(f"{name}:{said[0]}: no block follows the comment `test: {said[1]}`")
    if said:
        raise PageError(f"{name}:{said[0]}: no block follows the comment `test: {said[1]}`")
    return Page(name, tuple(blocks), inside_a_stack)


def _directed(block: Block, said: tuple[int, str]) -> Block:
    number, text = said
    for form in _FORMS:
        if found := form.fullmatch(text):
            named = found.groupdict()
            return Block(
                block.page,
                block.line,
                block.language,
                block.text,
                run_in=named.get("folder"),
                moto=bool(named.get("moto")),
                elsewhere=named.get("file"),
                skip=named.get("reason"),
            )
    raise PageError(
        f"{block.page}:{number}: `test: {text}` is not understood: write `run in FOLDER`, "
        "`run in FOLDER against moto`, `in tests/FILE`, or `skip because REASON` (a sentence)"
    )
