"""Links between the pages: GitHub and the docs site follow each one, to a file that is there and a heading in it."""

from __future__ import annotations

import re
import runpy
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import yaml

from harness.checkout import ROOT, committed

stage_site = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "stage_site.py")))


@cache
def anchors(name: str) -> set[str]:
    """What GitHub calls the headings of a page: lower case, punctuation left out, spaces as dashes."""
    text = re.sub(r"^ *(`{3,}).*?^ *\1", "", (ROOT / name).read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere() -> None:
    wrong: list[str] = []

    def check(name: str, target: str) -> str:
        path, _, anchor = target.partition("#")
        if not re.match(r"[a-z]+:", target):
            try:
                linked = stage_site.resolved(path, name) if path else name
                if anchor and linked.endswith(".md") and anchor not in anchors(linked):
                    wrong.append(f"{name}: {linked} has no heading for #{anchor}")
            except stage_site.SiteError as error:
                wrong.append(str(error))
        return target

    pages = committed("*.md")
    assert "docs/guide/policy.md" in pages
    for name in pages:
        stage_site.with_links((ROOT / name).read_text(), partial(check, name))
    assert wrong == []


def test_the_sites_links_are_those_of_the_pages(tmp_path: Path) -> None:
    """And it has the commands, the promises, the incidents, the presets, the libraries and the system calls."""
    staged = stage_site.stage(tmp_path)
    assert not any(place.startswith(("source", "examples", "tests")) for place in staged)
    for place in staged:
        for target in re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", (tmp_path / place).read_text()):
            assert (tmp_path / place).parent.joinpath(target).is_file(), f"{place}: {target}"
    assert "collector.evil.example" in (tmp_path / "guide" / "sample-report.html").read_text()
    assert '=== "Terraform"' in (tmp_path / "guide" / "other-deployments.md").read_text()
    assert "!!! warning" in (tmp_path / "index.md").read_text()
    page = (tmp_path / "guide" / "command-line.md").read_text()
    assert "## `shielded-function set-mode`" in page
    assert "--dry-run" in page
    assert "| `outbound.judged`: Every" in (tmp_path / "security" / "test-matrix.md").read_text()
    assert "| [node-ipc 10.1.1" in (tmp_path / "security" / "incidents.md").read_text()
    assert "| `numba` | Python |" in (tmp_path / "guide" / "files-and-programs.md").read_text()
    assert "| `aiohttp` |" in (tmp_path / "guide" / "runtimes.md").read_text()
    assert "| `connect` |" in (tmp_path / "security" / "test-matrix.md").read_text()
    made = [name for name in committed("docs/*.md") if re.search("^<!-- [a-z ]+ -->$", (ROOT / name).read_text(), re.M)]
    assert len(made) > 3, "the tables of these pages are made by the site, and not committed"
    listed = re.findall(r"^\* `[a-z-]+`: (.*)$", page, re.MULTILINE)
    assert len(listed) > 10
    assert [each for each in listed if each.endswith("...")] == []


def test_the_navigation_has_every_page() -> None:
    text = re.sub(r"!(!python/\S+|ENV)", "", (ROOT / "mkdocs.yml").read_text())
    listed = set(re.findall(r"\b([\w/-]+\.md)\b", str(yaml.safe_load(text)["nav"])))
    written = {file.relative_to(ROOT / "docs").as_posix() for file in (ROOT / "docs").rglob("*.md")}
    assert listed == written | set(stage_site.OUTSIDE.values())
