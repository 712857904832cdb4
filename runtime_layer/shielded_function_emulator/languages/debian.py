"""Debian's packages below `.tools`, with all that they require and this machine lacks: nothing is installed.

The machine's own apt fetches them, as any user may: with its own lists and cache, from the mirrors that the
machine is set up for, checked by its keys. Packages of another release than the machine's come with all that they
require, the C library too.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path

from shielded_function_emulator.languages.parts import KEPT, Part, Unavailable, alone, run, scratch

_LISTS = KEPT.parent / "apt-lists"
_FRESH_SECONDS = 3600
_MACHINE = Path("/")
NEWEST = "sid experimental"  # for `unpack`
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def packages(name: str, wanted: Sequence[str], files: Sequence[str]) -> Part:
    """A part that is made of packages.

    Args:
        name: of the part.
        wanted: packages; `this|that` is the first of them that there is.
        files: the needed files, as globs below the root (`usr/bin/redis-server`): where the machine has all of them,
            nothing is fetched.
    """
    return Part(
        name,
        tuple(wanted),
        partial(unpack, wanted),
        enough=lambda: all(any(_MACHINE.glob(file)) for file in files),
        effort=f"Debian's {', '.join(wanted)} by apt",
    )


def find(part: Part, file: str) -> Path | None:
    """The machine's file, else the part's; None when neither exists."""
    return next((path for root in (_MACHINE, part.folder) for path in sorted(root.glob(file))), None)


def libraries(part: Part) -> tuple[Path, ...]:
    """Folders for LD_LIBRARY_PATH."""
    return tuple(sorted(folder for place in ("lib", "usr/lib") for folder in part.folder.glob(f"{place}/*-linux-gnu*")))


def unpack(wanted: Sequence[str], into: Path, release: str = "") -> None:
    """Packages and their dependencies, of the machine's release of Debian or of another one, by its name.

    Raises Unavailable: there is no apt here, or it has no such package.
    """
    apt = options_of(release) if release else options()
    names = [_first_known(alternatives.split("|"), apt) for alternatives in wanted]
    with scratch() as folder:
        (folder / "archives" / "partial").mkdir(parents=True)
        command = ["apt-get", *apt, "-o", f"Dir::Cache={folder}", "-qq", "--yes", "--no-install-recommends"]
        run([*command, "--download-only", "install", *names])
        for package in (folder / "archives").glob("*.deb"):
            run(["dpkg-deb", "--extract", package, into])
    _replace_absolute_links(into)


def unpack_matching(wanted: str, name: str, into: Path) -> None:
    """A package and those that it requires, as far as the regular expression `wanted` matches their names.

    Raises Unavailable, as `unpack`.
    """
    apt = options()
    words = run(["apt-cache", *apt, "depends", "--recurse", "--important", name]).split()
    with scratch() as folder:
        run(["apt-get", *apt, "-qq", "download", *sorted({w for w in words if re.fullmatch(wanted, w)})], cwd=folder)
        for package in folder.glob("*.deb"):
            run(["dpkg-deb", "--extract", package, into])
    _replace_absolute_links(into)


@lru_cache(maxsize=1)
def options() -> tuple[str, ...]:
    """Options for apt-get and apt-cache: with them they read lists of our own, an hour old at most, and lock nothing.

    Raises Unavailable when there is no apt here, or no mirror answers it.
    """
    if not shutil.which("apt-get"):
        raise Unavailable("Debian's apt is needed to fetch it, and there is none here")
    return _updated(_LISTS, {})


@lru_cache(maxsize=4)
def options_of(release: str) -> tuple[str, ...]:
    """The same for a release by its name (`forky`), or several (`sid experimental`), as if nothing were installed.

    Raises Unavailable, as `options`, and where apt has no mirror of Debian.
    """
    asked = ["apt-get", *options(), "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    if not (mirrors := run(asked).split()):
        raise Unavailable("apt has no mirror of Debian here to fetch it from")
    lists = _LISTS.with_name("-".join((_LISTS.name, *release.split())))
    lists.mkdir(parents=True, exist_ok=True)
    sources, status = lists.with_suffix(".list"), lists.with_suffix(".status")
    sources.write_text("".join(f"deb [signed-by={_KEYRING}] {mirrors[0]} {one} main\n" for one in release.split()))
    status.touch()
    own = {"Dir::Etc::SourceList": str(sources), "Dir::Etc::SourceParts": "-", "Dir::State::Status": str(status)}
    return _updated(lists, own)


def _updated(lists: Path, more: Mapping[str, str]) -> tuple[str, ...]:
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    settings = {"Dir::State::Lists": str(lists), "Debug::NoLocking": "true", "Acquire::Languages": "none", **more}
    if os.geteuid() == 0:
        settings["APT::Sandbox::User"] = "root"  # apt's own user may not come to where we are
    made = tuple(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))
    updated = lists / "updated"
    with alone(lists.name):
        if not updated.exists() or time.time() - updated.stat().st_mtime > _FRESH_SECONDS:
            with scratch() as folder:
                run(["apt-get", *made, "-o", f"Dir::Cache={folder}", "-qq", "update"])
            updated.touch()
    return made


def _first_known(names: Sequence[str], apt: Iterable[str]) -> str:
    for name in names:
        try:
            run(["apt-cache", *apt, "--quiet", "show", name])
        except Unavailable:
            continue
        return name
    raise Unavailable(f"apt knows no {' or '.join(names)}")


def _replace_absolute_links(root: Path) -> None:
    """Replaces each by its target, below the root or on this machine: elsewhere the link would be broken."""
    for link in [path for path in root.rglob("*") if path.is_symlink() and path.readlink().is_absolute()]:
        inside = _follow(link, root)
        source = inside if inside.exists() else link.readlink()
        link.unlink()
        if source.is_dir():
            shutil.copytree(source, link, symlinks=True)
        elif source.is_file():
            shutil.copy2(source, link)


def _follow(path: Path, root: Path) -> Path:
    for _ in range(8):
        if not path.is_symlink():
            break
        target = path.readlink()
        path = root / target.relative_to("/") if target.is_absolute() else path.parent / target
    return path
