"""What the reading of pages makes of a page, and of the mistakes in one."""

from __future__ import annotations

import pytest

from integration.docs.commands import CommandError, check_commands, commands_of
from integration.docs.pages import Block, PageError, parse_page

PAGE = """\
# A page
<!-- test: inside a stack -->
```python
a = 1
```

1. A list:

   <!-- test: run in examples/checkout against moto -->
   ```sh
   cdk diff

     two
   ```

<!-- test: skip because it needs an AWS account -->

````md
```sh
inner
```
````
"""


def test_a_page() -> None:
    page = parse_page("a.md", PAGE)
    assert page.inside_a_stack
    first, second, third = page.blocks
    assert (first.language, first.text, first.place, first.has_directive) == ("python", "a = 1\n", "a.md:4", False)
    assert (second.text, second.run_in, second.moto) == ("cdk diff\n\n  two\n", "examples/checkout", True)
    assert (third.language, third.text, third.skip) == ("md", "```sh\ninner\n```\n", "it needs an AWS account")
    assert page.python() == [first]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```sh\nmake\n", "a.md:1: this block does not end"),
        ("<!-- test: skip because AWS -->\n```sh\nx\n```\n", "is not understood"),
        ("<!-- test: skip -->\n```sh\nx\n```\n", "is not understood"),
        ("<!-- test: run on moto -->\n```sh\nx\n```\n", "is not understood"),
        ("<!-- test: in tests/x.py -->\ntext\n```sh\nx\n```\n", "a.md:1: no block follows"),
        ("<!-- test: in tests/x.py -->\n", "a.md:1: no block follows"),
    ],
)
def test_mistakes_in_a_page(text: str, said: str) -> None:
    with pytest.raises(PageError, match=said):
        parse_page("a.md", text)


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("make demo    # attack\n\n# a comment\nmake test\n", [["make", "demo"], ["make", "test"]]),
        ("$ A=1 B='2 3' make x\n", [["make", "x"]]),
        ("make a && make b | make c; make d\n", [["make", "a"], ["make", "b"], ["make", "c"], ["make", "d"]]),
        ("make \\\n  a\n", [["make", "a"]]),
        ("shielded-function x > out.txt\n", [["shielded-function", "x", ">", "out.txt"]]),
    ],
)
def test_the_commands_of_a_block(text: str, commands: list[list[str]]) -> None:
    assert commands_of(text) == commands


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("make no-such-target\n", "a.md:2: make no-such-target: .*No rule"),
        ("shielded-function explode\n", "No such command 'explode'"),
        ("shielded-function decide connect x:1 --regoin x\n", "No such option"),
        ("shielded-function decide connect\n", "Missing argument"),
        ("aws s3 ls\n", "nothing tests `aws s3 ls`"),
        ("\n", "no command in this block"),
    ],
)
def test_commands_that_do_not(text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        check_commands(Block("a.md", 2, "sh", text))
