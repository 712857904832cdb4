"""What the engine's tables say of C libraries is what a search finds; a text that differs in one bit is not known."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from platforms.libcs.fetch import Unavailable
from platforms.libcs.known_texts import (
    ARCHITECTURES,
    find_files,
    find_rows,
    read_rows,
    table_of,
    unpack_image,
    version_of,
    write_rows,
)
from platforms.libcs.releases import LIBCS, Libc

GLIBCS = [libc for libc in LIBCS if libc.family == "gnu"]


def sites_of(tool: Path, library: Path, *how: str) -> list[str]:
    """A line for each site, as `list_sites` prints them."""
    return subprocess.run([tool, library, *how], capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("libc", GLIBCS, ids=lambda libc: libc.id)
def test_known_sites_are_those_of_a_search(
    libc: Libc, root: Callable[[Libc], Path], list_sites: Callable[[str], Path]
) -> None:
    tool, known = list_sites(libc.architecture), {row.key for row in read_rows(libc.architecture)}
    files = find_files(root(libc))
    assert len(files) >= 2, "libc and the loader"
    for library in files:
        is_known = all(row.key in known for row in find_rows(tool, library, ""))
        assert sites_of(tool, library, "--known") == (sites_of(tool, library) if is_known else [])


@pytest.mark.parametrize("architecture", ARCHITECTURES.values())
@pytest.mark.parametrize("name", ["glibc-2.36", "glibc-2.41"])
def test_the_table_holds_what_container_images_have(
    name: str, architecture: str, root: Callable[[Libc], Path], list_sites: Callable[[str], Path]
) -> None:
    libc = next(libc for libc in GLIBCS if (libc.name, libc.architecture) == (name, architecture))
    version = libc.packages[0].path.split("_")[1]
    files = find_files(root(libc))
    if version not in version_of(files):
        pytest.skip(f"Debian has replaced {version}: `make known-libcs` adds {version_of(files)}")
    assert [file.name for file in files if not sites_of(list_sites(architecture), file, "--known")] == []


@pytest.mark.parametrize("place", ["first", "midst", "last"])
@pytest.mark.parametrize("libc", [libc for libc in GLIBCS if libc.name == "glibc-2.36"], ids=lambda libc: libc.id)
def test_a_bit_that_differs_is_noticed(
    libc: Libc, place: str, root: Callable[[Libc], Path], list_sites: Callable[[str], Path], tmp_path: Path
) -> None:
    tool = list_sites(libc.architecture)
    library = next(file for file in find_files(root(libc)) if file.name == "libc.so.6")
    row = find_rows(tool, library, "libc")[0]
    offset, size = int(row.offset, 16), int(row.size, 16)
    content = bytearray(library.read_bytes())
    content[offset + {"first": 4096, "midst": size // 2, "last": size - 1}[place]] ^= 0x80
    changed = tmp_path / "libc.so.6"
    changed.write_bytes(content)
    assert sites_of(tool, changed, "--known") == []
    assert find_rows(tool, changed, "libc")[0].hash != row.hash


def test_rows_are_read_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_rows("x86_64")
    monkeypatch.setattr("platforms.libcs.known_texts.NATIVE", tmp_path)
    table_of("x86_64").parent.mkdir(parents=True)
    write_rows("x86_64", rows)
    assert read_rows("x86_64") == sorted(rows) != []


DOCKER = """#!/bin/sh
echo "$@" >> {folder}/asked
case $1 in
create) [ "$2" = an-image ] && echo 0123abcd || {{ echo "no such image: $2" >&2; exit 1; }} ;;
export) cat {folder}/exported.tar ;;
esac
"""


def test_files_come_out_of_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker` is played: it has one image, whose export is a tar."""
    for name in ("usr/lib64/libc.so.6", "usr/lib64/ld-linux-x86-64.so.2", "etc/passwd"):
        (tmp_path / "system" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "system" / name).write_text(name)
    with tarfile.open(tmp_path / "exported.tar", "w") as archive:
        archive.add(tmp_path / "system", ".")
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(folder=tmp_path))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(docker.parent), prepend=":")
    root = unpack_image("an-image", tmp_path / "unpacked")
    assert [file.name for file in find_files(root)] == ["ld-linux-x86-64.so.2", "libc.so.6"]
    assert (tmp_path / "asked").read_text().splitlines() == ["create an-image true", "export 0123abcd", "rm 0123abcd"]
    with pytest.raises(Unavailable, match="no such image: another"):
        unpack_image("another", tmp_path / "nothing")


WORDS, MASK, ODD = 4, (1 << 64) - 1, 0x9E3779B97F4A7C15


def lane_after(words: list[int], lane: int, state: int = 0) -> int:
    """One of the four chains of `hash_text`, after its share of these words."""
    for word in words[lane::WORDS]:
        state ^= word
        state = (state << 29 | state >> 35) * ODD & MASK
    return state


def test_a_text_can_be_made_to_have_a_known_hash(
    root: Callable[[Libc], Path], list_sites: Callable[[str], Path], tmp_path: Path
) -> None:
    """The hash tells what differs by accident, not what somebody built: one word makes up for another."""
    libc = next(libc for libc in GLIBCS if (libc.name, libc.architecture) == ("glibc-2.36", "x86_64"))
    tool = list_sites("x86_64")
    library = next(file for file in find_files(root(libc)) if file.name == "libc.so.6")
    row = find_rows(tool, library, "libc")[0]
    content, offset, at = bytearray(library.read_bytes()), int(row.offset, 16), 0x1000
    words = [int.from_bytes(content[i : i + 8], "little") for i in range(offset, offset + at + 8 * (WORDS + 1), 8)]
    before, index = words[: at // 8], at // 8
    changed = words[index] ^ 1
    state = lane_after(before, 0)
    old, new = lane_after([words[index]], 0, state), lane_after([changed], 0, state)
    content[offset + at : offset + at + 8] = changed.to_bytes(8, "little")
    content[offset + at + 32 : offset + at + 40] = (words[index + WORDS] ^ old ^ new).to_bytes(8, "little")
    (forged := tmp_path / "libc.so.6").write_bytes(content)
    assert content != library.read_bytes()
    assert find_rows(tool, forged, "libc")[0].hash == row.hash
