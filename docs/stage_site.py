"""Lays out the pages of the docs site: docs/, the pages at the root of the checkout, tables that the code has.

    python docs/stage_site.py .site

Links in the pages are those that GitHub follows, relative to the file. Here they are made those of the site: a page
outside of docs/ has a place in it, any other file is named by its path, or linked once security-insights.yml has the
repository's address. The generator gets a folder of plain pages, so that it can be replaced.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
OUTSIDE: Final = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing/index.md",
    "SECURITY.md": "security/reporting.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages at the root of the checkout, and where the site has them."""
_LINK: Final = re.compile(r"(?P<before>\]\(|^\[[\w-]+\]: )(?P<target>[^)\s]+)")
_INLINE: Final = re.compile(
    r"^ *(?P<fence>`{3,}).*?^ *(?P=fence)|\[(?P<says>[^\]]+)\]\((?P<target>[^)\s]+)\)", re.MULTILINE | re.DOTALL
)
_DEFINED: Final = re.compile(r'^\[(?P<label>[\w-]+)\]: (?P<target>\S+) "(?P<test>\w+)"\n?', re.MULTILINE)
_FENCE: Final = re.compile(r"^ *(?P<fence>`{3,}|~{3,})")
_CALLOUT: Final = re.compile(r"^> \[!(?P<kind>[A-Z]+)\]\n(?P<lines>(?:>.*\n)+)", re.MULTILINE)
_TABS: Final = re.compile(r"^<!-- tabs -->\n(?P<body>.*?)^<!-- end of tabs -->\n", re.MULTILINE | re.DOTALL)
_TAB: Final = re.compile(
    r"^\*\*(?P<name>[\w ]+)\*\*\n\n(?P<body>.*?)(?=^\*\*[\w ]+\*\*\n\n|\Z)", re.MULTILINE | re.DOTALL
)
_BEGUN: Final = 1_795_737_600  # 2026-11-27
_SAMPLE: Final[tuple[tuple[str, Any, Any, str, str, Iterable[int]], ...]] = (
    ("checkout", "outbound_connectivity", "block", "leftpad", "collector.evil.example", (60, 61, 62, 84, 85, 130)),
    ("checkout", "create_child_process", "block", "leftpad", "/bin/sh", (61, 84)),
    ("refund", "outbound_connectivity", "alert", "sentry_sdk", "o1.ingest.sentry.example", range(2, 160, 9)),
    ("refund", "read_write_tmp", "alert", "pandas", "/tmp/report.csv", range(4, 160, 6)),
    ("thumbnails", "create_child_process", "alert", "ffmpeg", "/opt/bin/ffmpeg", range(20, 150, 12)),
)
"""The sample report: function, control, mode, package, target, hours after _BEGUN."""
_ATTEMPT: Final = ("policy", "mode", "severity", "count", "details", "caller", "allow")
_SCHEME: Final = re.compile(r"[a-z]+:")
_ADDRESS: Final = re.compile(r"^repository:\n(?:  .*\n)*?  url: \"?(https://[^\"\s]+)", re.MULTILINE)


class SiteError(Exception):
    """A page cannot be laid out; the text names the file and the fix."""


def stage(folder: Path) -> list[str]:
    """Writes the pages and returns their places, those of docs/ and the root first."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    staged: list[str] = []
    for name in (*OUTSIDE, *(file.relative_to(ROOT).as_posix() for file in sorted((ROOT / "docs").rglob("*.md")))):
        text = with_sources_named((ROOT / name).read_text(encoding="utf-8"), name)
        text = with_tabs(with_callouts(_MADE.sub(lambda mark: MADE[mark["by"]](), text)))
        place = place_of(name)
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(
            with_links(text, lambda target, name=name: site_link(target, name)), encoding="utf-8"
        )
        staged.append(place)
    write_sample_report(folder / "guide" / "sample-report.html")
    return staged


def write_sample_report(page: Path) -> None:
    """A page of `report` about a week of made-up violations."""
    from shielded_function_monitoring.simulated.log_events import alert_line

    lines: list[str] = []
    for function, policy, mode, package, target, hours in _SAMPLE:
        to = {"path": target} if target.startswith("/") else {"host": target, "port": 443, "protocol": "tcp"}
        caller = {"object": "_socket.so", "package": package, "through": [package, "app"]}
        times = (_BEGUN + 3600 * each for each in hours)
        lines += [alert_line(function, policy, mode, time=time, details=to, caller=caller) for time in times]
        start = {**json.loads(lines[-1]), "event": "armed", "level": "INFO"}
        lines.append(json.dumps({name: start[name] for name in start if name not in _ATTEMPT}))
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "sample.log")
        log.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "shielded_function.cli", "report", log.name, "--output", str(page.resolve())]
        subprocess.run(command, cwd=scratch, check=True, stdout=subprocess.DEVNULL)


def with_callouts(text: str) -> str:
    """GitHub's callouts as the site's.

    >>> print(with_callouts("> [!WARNING]\\n> **Alpha.**\\n> Read on.\\n"))
    !!! warning
    <BLANKLINE>
        **Alpha.**
        Read on.
    <BLANKLINE>
    """

    def made(found: re.Match[str]) -> str:
        return f"!!! {found['kind'].lower()}\n\n" + re.sub(r"^> ?", "    ", found["lines"], flags=re.MULTILINE)

    return _CALLOUT.sub(made, text)


def with_tabs(text: str) -> str:
    """Tabs of the parts between the marks, each of which begins with its name in bold.

    >>> print(with_tabs("<!-- tabs -->\\n**SAM**\\n\\nOne.\\n\\n**Terraform**\\n\\nTwo.\\n<!-- end of tabs -->\\n"))
    === "SAM"
    <BLANKLINE>
        One.
    <BLANKLINE>
    === "Terraform"
    <BLANKLINE>
        Two.
    <BLANKLINE>
    """

    def tab(found: re.Match[str]) -> str:
        return f'=== "{found["name"]}"\n\n' + textwrap.indent(found["body"], "    ")

    return _TABS.sub(lambda found: _TAB.sub(tab, found["body"]), text)


def place_of(name: str) -> str:
    """Where the site has a file of the checkout; nowhere if it is a source.

    >>> place_of("docs/guide/aws.md"), place_of("CHANGELOG.md"), place_of("tests/needs.py")
    ('guide/aws.md', 'changelog.md', '')
    """
    return name.removeprefix("docs/") if name.startswith("docs/") else OUTSIDE.get(name, "")


def with_sources_named(text: str, name: str) -> str:
    """The page `name` with the path of each source in the place of a link to it, or the address in the repository.

    >>> with_sources_named("[an app](../examples/checkout/app.py), [pins](../constraints.txt)", "docs/index.md")
    'an app (`examples/checkout/app.py`), pins (`constraints.txt`)'
    """
    address = _ADDRESS.search((ROOT / "security-insights.yml").read_text(encoding="utf-8"))

    def named(link: re.Match[str]) -> str:
        source = source_of(link["target"], name) if link["target"] else ""
        if not source:
            return link[0]
        if address:
            return f"[{link['says']}]({address[1]}/blob/main/{source})"
        return f"`{source}`" if link["says"].strip("`") in source else f"{link['says']} (`{source}`)"

    def titled(link: re.Match[str]) -> str:
        return f'<abbr title="{titles[link["label"]]}">{link["says"] or link["label"]}</abbr>'

    text = _INLINE.sub(named, text)
    titles: dict[str, str] = {}
    for link in list(_DEFINED.finditer(text)):
        if source := source_of(link["target"], name):
            text = text.replace(link[0], f"[{link['label']}]: {address[1]}/blob/main/{source}\n" if address else "")
            titles[link["label"]] = f"{source}: {link['test']}"
    labels = "|".join(titles)
    return (
        text if address or not titles else re.sub(rf"(?:\[(?P<says>[^\[\]]+)\])?\[(?P<label>{labels})\]", titled, text)
    )


def source_of(target: str, name: str) -> str:
    """The file of the checkout, if a link in the page `name` leads to one that is no page of the site."""
    found = resolved(target.partition("#")[0], name) if _is_file(target) else ""
    return "" if place_of(found) else found


def site_link(target: str, name: str) -> str:
    """A link in the file `name`, as the site has it.

    >>> site_link("../../CONTRIBUTING.md#the-rounds", "docs/guide/aws.md")
    '../contributing/index.md#the-rounds'
    """
    if not _is_file(target):
        return target
    path, mark, anchor = target.partition("#")
    here = PurePosixPath(place_of(name)).parent.as_posix()
    return os.path.relpath(place_of(resolved(path, name)), here) + mark + anchor


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


def incidents() -> str:
    """The incidents, and the outcome of their last drill."""
    return _printed("-m", "integration.docs.incidents", folder="tests")


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


def sample_report() -> str:
    """The link to the sample, which is a page of the site alone."""
    return '<a href="sample-report.html">Open a sample report</a>'


MADE: Final = {
    "commands": commands,
    "incidents": incidents,
    "libraries": libraries,
    "matrix": matrix,
    "presets": presets,
    "sample report": sample_report,
    "system calls": system_calls,
}
"""The text that the site puts in the place of `<!-- name -->`."""
_MADE: Final = re.compile(rf"<!-- (?P<by>{'|'.join(MADE)}) -->")

if __name__ == "__main__":
    try:
        print(f"{len(stage(Path(sys.argv[1])))} pages")
    except SiteError as error:
        sys.exit(str(error))
