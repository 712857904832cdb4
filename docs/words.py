"""Counts telltale words, and fails where a place has more of them than words.json records (`--record` writes it anew).

Each stands for a sentence that is read twice. Not "What an invocation makes goes before the next one", but "Files
created in an invocation are deleted before the next one". `--list` shows every hit, `--count` the sources and words.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
RECORDED: Final = Path(__file__).with_name("words.json")
PLACES: Final = ("*.md", "docs/**/*", "constructs/**/*", "monitoring/**/*", "runtime_layer/**/*")
KINDS: Final = (".md", ".py", ".c", ".h", ".js", ".cjs", ".json")
OMITTED: Final = {"CHANGELOG.md", "words.py", "binaries"}  # of the past, or made from other text
WORDS: Final = {
    "whoever": r"\bwho(m)?ever\b",
    "nobody": r"\bnobody\b",
    "to be had": r"\b(to|can|cannot) be had\b",
    "but for": r"\bbut for\b",
    "of its own": r"\bof (its|their) own\b",
    "learnt": r"\b(un)?learnt\b",
    "goes": r"\b(goes|go) (too|as well|away|all the same|before the next|with (it|them|the next))\b",
    "told": r"\b(is|are|was|be|not) told\b",
    "mend": r"\bmend(s|ed)?\b",
    "admits": r"\badmits? (the|any|every|all|a|no) ",
    "three thats": r"\bthat\b(?:(?!\n\n)[^.:;|])*?\bthat\b(?:(?!\n\n)[^.:;|])*?\bthat\b",
    "what": r"\bwhat (?!to\b)(?![^|\n]*\?)",
}


def without_code(page: str) -> str:
    """The page with an empty line for each line of its fenced code."""
    return re.sub(r"^ *(`{3,}).*?^ *\1", lambda code: "\n" * code[0].count("\n"), page, flags=re.M | re.S)


def count_pages(root: Path = ROOT) -> None:
    """Prints sources and words of the pages by folder; fenced code, rules of tables and the changelog do not count."""
    counts: dict[str, list[int]] = {"": []}
    for file in (*root.glob("*.md"), *root.glob("docs/**/*.md")):
        if file.name not in OMITTED:
            words = len(re.findall(r"\S*\w\S*", without_code(file.read_text(encoding="utf-8"))))
            for folder in ("", f"{file.parent.relative_to(root)}"):
                counts.setdefault(folder, []).append(words)
    for folder, words in sorted(counts.items(), reverse=True):
        print(f"{folder or 'all':20} {len(words):3} sources {sum(words):6,} words")


def find_words(text: str, *, is_page: bool) -> Iterator[tuple[int, str]]:
    """The line and the word of each hit; fenced code of a page is left out."""
    text = without_code(text) if is_page else text
    for word, pattern in WORDS.items():
        for hit in re.finditer(pattern, text, re.IGNORECASE):
            yield text.count("\n", 0, hit.start()) + 1, word


def main(options: list[str], root: Path = ROOT, recorded: Path = RECORDED) -> str:
    """Prints the hits of places that have more than was recorded, and returns a line about each such place."""
    if "--count" in options:
        count_pages()
        return ""
    hits: dict[str, list[str]] = {place: [] for place in PLACES}
    for place in PLACES:
        for file in sorted(each for each in root.glob(place) if each.suffix in KINDS and not OMITTED & set(each.parts)):
            for line, word in find_words(file.read_text(encoding="utf-8"), is_page=file.suffix == ".md"):
                hits[place].append(f"{file.relative_to(root)}:{line}: {word}")
    if "--record" in options:
        recorded.write_text(json.dumps({place: len(found) for place, found in hits.items()}, indent=2) + "\n")
    most: dict[str, int] = json.loads(recorded.read_text(encoding="utf-8"))
    risen = [place for place in PLACES if len(hits[place]) > most[place]]
    print("\n".join(line for place in (PLACES if "--list" in options else risen) for line in hits[place]), end="")
    return "".join(f"\n{each}: {len(hits[each])} telltale words, {most[each]} recorded: rewrite one" for each in risen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or None)
