"""Lays out the pages of the docs site: docs/, the pages at the root of the checkout, the commands, linked sources.

    python docs/stage_site.py .site

Links in the pages are those that GitHub follows, relative to the file. Here they are made those of the site: a page
outside of docs/ has a place in it, and any other file that a page links to is shown as a page below source/. The
generator gets a folder of plain pages, so that it can be replaced.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
OUTSIDE: Final = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing/index.md",
    "SECURITY.md": "security/reporting.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages at the root of the checkout, and where the site has them."""
_LINK: Final = re.compile(r"(?P<before>\]\(|^\[[\w-]+\]: )(?P<target>[^)\s]+)")
_FENCE: Final = re.compile(r"^ *(?P<fence>`{3,}|~{3,})")
_SCHEME: Final = re.compile(r"[a-z]+:")
_LANGUAGES: Final = {".py": "python", ".c": "c", ".h": "c", ".json": "json", ".toml": "toml", ".yml": "yaml"}


class SiteError(Exception):
    """A page cannot be laid out; the text names the file and the fix."""


def stage(folder: Path) -> list[str]:
    """Writes the pages and returns their places, those of docs/ and the root first."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    waiting = [*OUTSIDE, *(file.relative_to(ROOT).as_posix() for file in sorted((ROOT / "docs").rglob("*.md")))]
    staged: list[str] = []
    for name in waiting:  # grows: a page that is linked may link to others
        text = (ROOT / name).read_text(encoding="utf-8")
        if name.endswith(".md"):
            text = _MADE.sub(lambda mark: MADE[mark["by"]](), text)
            linked = targets_of(text, name)
            waiting += sorted(each for each in linked - set(waiting) if not each.startswith("docs/"))
            text = with_links(text, lambda target, name=name: site_link(target, name))
        place = place_of(name)
        if place.startswith("source/"):
            text = "---\nsearch:\n  exclude: true\n---\n" + (text if name.endswith(".md") else listing(name, text))
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
        staged.append(place)
    return staged


def place_of(name: str) -> str:
    """Where the site has a file of the checkout.

    >>> place_of("docs/guide/aws.md"), place_of("CHANGELOG.md"), place_of("tests/needs.py")
    ('guide/aws.md', 'changelog.md', 'source/tests/needs.py.md')
    """
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    return OUTSIDE.get(name) or f"source/{name}" + ("" if name.endswith(".md") else ".md")


def site_link(target: str, name: str) -> str:
    """A link in the file `name`, as the site has it.

    >>> site_link("../../CONTRIBUTING.md#where-to-begin", "docs/guide/aws.md")
    '../contributing/index.md#where-to-begin'
    """
    if not _is_file(target):
        return target
    path, mark, anchor = target.partition("#")
    here = PurePosixPath(place_of(name)).parent.as_posix()
    return os.path.relpath(place_of(resolved(path, name)), here) + mark + anchor


def targets_of(text: str, name: str) -> set[str]:
    """The files of the checkout that the page `name` links to."""
    found: set[str] = set()

    def note(target: str) -> str:
        if _is_file(target):
            found.add(resolved(target.partition("#")[0], name))
        return target

    with_links(text, note)
    return found


def resolved(path: str, name: str) -> str:
    """The file of the checkout that a link in the file `name` leads to.

    Raises:
        SiteError: there is none.
    """
    found = os.path.normpath(PurePosixPath(name).parent / path)
    if found.startswith("..") or not (ROOT / found).is_file():
        raise SiteError(f"{name}: the link `{path}` leads to no file: name a file of the checkout")
    return found


def _is_file(target: str) -> bool:
    return not (target.startswith("#") or _SCHEME.match(target))


def with_links(text: str, change: Callable[[str], str]) -> str:
    """The page with the target of each link replaced, except in code blocks."""
    lines = text.split("\n")
    fence = ""
    for number, line in enumerate(lines):
        found = _FENCE.match(line)
        if found and not fence:
            fence = found["fence"]
        elif found and found["fence"].startswith(fence) and line.strip() == found["fence"]:
            fence = ""
        elif not fence:
            lines[number] = _LINK.sub(lambda link: link["before"] + change(link["target"]), line)
    return "\n".join(lines)


def listing(name: str, text: str) -> str:
    """A page that shows a file."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"# {name}\n\n{fence}{_LANGUAGES.get(Path(name).suffix, 'text')}\n{text}{fence}\n"


def commands() -> str:
    """typer's text about the command line, without its heading."""
    text = _printed("-m", "typer", "shielded_function.cli.app", "utils", "docs", "--name", "shielded-function")
    return with_whole_summaries(text.partition("\n")[2])


def matrix() -> str:
    """The promises, and the tests that show them."""
    return _printed("-m", "integration.docs.matrix", folder="tests")


def system_calls() -> str:
    """The verdict on each system call."""
    return _printed("-m", "harness.system_calls", folder="tests")


def libraries() -> str:
    """The uses of libraries that were tried."""
    return _printed("-m", "lab.workloads.page", folder="tests")


def presets() -> str:
    """The entries of each preset."""
    return _printed("-m", "integration.docs.presets", folder="tests")


def _printed(*arguments: str, folder: str = ".") -> str:
    """Markdown that a program of the checkout prints.

    Raises:
        SiteError: it wrote none.
    """
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT / folder, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not re.search(r"^(## |\|)", done.stdout, re.MULTILINE):
        raise SiteError(f"`{' '.join(arguments)}` wrote no text for the site: {done.stderr}")
    return done.stdout


def with_whole_summaries(text: str) -> str:
    """The list of commands with whole sentences, where typer cuts them."""

    def whole(cut: re.Match[str]) -> str:
        about = re.search(rf"^## `shielded-function {cut['name']}`\n\n(.+?)\n\n", text, re.MULTILINE | re.DOTALL)
        return f"* `{cut['name']}`: {' '.join(about[1].split()) if about else cut['begun']}"

    return re.sub(r"^\* `(?P<name>[a-z-]+)`: (?P<begun>.*\.\.\.)$", whole, text, flags=re.MULTILINE)


MADE: Final = {
    "commands": commands,
    "libraries": libraries,
    "matrix": matrix,
    "presets": presets,
    "system calls": system_calls,
}
"""The text that the site puts in the place of `<!-- name -->`."""
_MADE: Final = re.compile(rf"<!-- (?P<by>{'|'.join(MADE)}) -->")

if __name__ == "__main__":
    try:
        print(f"{len(stage(Path(sys.argv[1])))} pages")
    except SiteError as error:
        sys.exit(str(error))
