"""The libraries of the workloads, from PyPI, npm and Maven: fetched once, and kept in `.tools/workloads/`.

What they are is pinned with all that they require: Python's in `python/requirements.txt` (one `name==version` a line),
Node.js's by npm's own lock file, Java's in the rows of the catalogue, with the hashes of all jars in `java/SHA256SUMS`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from lab.workloads.catalogue import JAVA, Language, Workload
from shielded_function_emulator import node_program as machine_node
from shielded_function_emulator import places
from shielded_function_emulator.languages import java
from shielded_function_emulator.languages.parts import Part, Unavailable, run, scratch

HERE = Path(__file__).parent
KEPT = places.tools_folder() / "workloads"
_LOCK = HERE / "python" / "requirements.txt"
_AT_ONCE = 25  # wheels that pip is asked for in one call, whose time is limited
_SUMS = HERE / "java" / "SHA256SUMS"
_PARENT = "<parent><groupId>workloads</groupId><artifactId>all</artifactId><version>1</version></parent>"
_COPY = """<build><plugins><plugin>
  <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.6.1</version>
  <executions><execution><id>jars</id><phase>process-resources</phase><goals><goal>copy-dependencies</goal></goals>
    <configuration>
      <outputDirectory>${into}/${project.artifactId}</outputDirectory>
      <includeScope>runtime</includeScope>
      <excludeClassifiers>osx-x86_64,osx-aarch_64,windows-x86_64</excludeClassifiers>
    </configuration></execution></executions>
</plugin></plugins></build>"""
_NODE_FILES = (HERE / "node" / "package.json", HERE / "node" / "package-lock.json")


def _install_wheels(requirements: Sequence[str], into: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    for start in range(0, len(requirements), _AT_ONCE):
        # Into a folder of its own: pip leaves out of a target what another call put there of a namespace (`google`).
        with tempfile.TemporaryDirectory(dir=into.parent) as some:
            run([*pip, "--only-binary=:all:", "--target", some, *requirements[start : start + _AT_ONCE]])
            shutil.copytree(some, into, symlinks=True, dirs_exist_ok=True, copy_function=shutil.move)


def _install_modules(names: Sequence[str], into: Path) -> None:
    """These packages with all that they require, in the versions of the lock file."""
    manifest, lock = (json.loads(file.read_text()) for file in _NODE_FILES)
    manifest["dependencies"] = lock["packages"][""]["dependencies"] = {
        name: manifest["dependencies"][name] for name in names
    }
    wanted = {"", *_modules_of(lock["packages"], names)}
    lock["packages"] = {path: each for path, each in lock["packages"].items() if path in wanted}
    for file, content in zip(_NODE_FILES, (manifest, lock), strict=True):
        (into / file.name).write_text(json.dumps(content))
    npm = machine_node.npm(machine_node.choose())
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=into)


def _modules_of(locked: Mapping[str, Any], names: Sequence[str]) -> set[str]:
    """The places of these packages and of what they require, as Node.js looks for it: from the inside outwards."""
    found: set[str] = set()
    waiting = [("", name) for name in names]
    while waiting:
        place, name = waiting.pop()
        parents = [place[: match.start()] for match in re.finditer("/node_modules/", place)]
        places_of_it = [f"{at}/node_modules/{name}".lstrip("/") for at in (place, *reversed(parents), "")]
        path = next((each for each in places_of_it if each in locked), "")
        if path and path not in found:
            found.add(path)
            kinds = ("dependencies", "optionalDependencies", "peerDependencies")
            waiting += [(path, needed) for kind in kinds for needed in locked[path].get(kind, ())]
    return found


def _part_of_wheels(name: str, requirements: Sequence[str], effort: str) -> Part:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    make = partial(_install_wheels, requirements)
    return Part(f"{name}-{version}", tuple(requirements), make, effort=effort, kept=KEPT)


def _part_of_modules(name: str, names: Sequence[str], effort: str) -> Part:
    pins = (*names, *(file.read_text() for file in _NODE_FILES))
    return Part(name, pins, partial(_install_modules, names), effort=effort, kept=KEPT)


def _part_of_jars(name: str, rows: Sequence[Workload], effort: str) -> Part:
    pins = (*(f"{row.name} {' '.join(row.packages)}" for row in rows), _SUMS.read_text())
    return Part(name, pins, partial(_copy_jars, rows), effort=effort, kept=KEPT)


def _dependency(coordinates: str) -> str:
    tags = zip(("groupId", "artifactId", "version", "classifier"), coordinates.split(":"), strict=False)
    return f"<dependency>{''.join(f'<{tag}>{value}</{tag}>' for tag, value in tags)}</dependency>"


def _pom(name: str, body: str, parent: str = "") -> str:
    own = "<groupId>workloads</groupId>" if not parent else ""
    return (
        f'<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>{parent}'
        f"{own}<artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>{body}</project>"
    )


def _copy_jars(rows: Sequence[Workload], into: Path) -> None:
    """One Maven project for each workload: its jars, in the versions that it gets alone."""
    with scratch() as folder:
        modules = "".join(f"<module>{row.name}</module>" for row in rows)
        (folder / "pom.xml").write_text(_pom("all", f"<modules>{modules}</modules>{_COPY}"))
        for row in rows:
            (folder / row.name).mkdir()
            needed = f"<dependencies>{''.join(map(_dependency, row.packages))}</dependencies>"
            (folder / row.name / "pom.xml").write_text(_pom(row.name, needed, _PARENT))
        try:
            program, environment = java.maven()
        except LookupError as error:
            raise Unavailable(str(error.args[0])) from error
        run([program, "-q", "-B", "-f", folder, "process-resources", f"-Dinto={into}"], environment=environment)
    check_jars(into)


def jar_hashes(folder: Path) -> dict[str, str]:
    """Of each jar below a folder, by its name."""
    return {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted(folder.glob("*/*.jar"))}


def check_jars(folder: Path) -> None:
    """Raises Unavailable when a jar is not as in SHA256SUMS."""
    wanted = dict(line.split()[::-1] for line in _SUMS.read_text().splitlines())
    odd = [name for name, digest in jar_hashes(folder).items() if wanted.get(name) != digest]
    if odd:
        raise Unavailable(f"not as in {_SUMS.relative_to(HERE)}: {', '.join(odd)}")


_PINS = {line.partition("==")[0]: line for line in _LOCK.read_text().split()}
_MODULES = tuple(json.loads(_NODE_FILES[0].read_text())["dependencies"])
PARTS: Mapping[Language, Part] = {
    "Python": _part_of_wheels("python", tuple(_PINS.values()), "two gigabytes of wheels: some minutes"),
    "Node.js": _part_of_modules("node", _MODULES, "some minutes"),
    "Java": _part_of_jars("java", [row for row in JAVA if row.packages], "some minutes"),
}
# Of the workloads that `make test` runs, with all that they require; and libraries of the presets.
_SAMPLE_WHEELS = (
    *("requests", "certifi", "charset-normalizer", "idna", "urllib3"),
    *("cffi", "pycparser", "openpyxl", "et-xmlfile", "polars", "polars-runtime-32", "python-magic"),
    *("flask", "werkzeug", "jinja2", "markupsafe", "itsdangerous", "click", "blinker", "gitpython", "gitdb", "smmap"),
    *("fastapi", "starlette", "pydantic", "pydantic-core", "annotated-types", "annotated-doc", "typing-extensions"),
    *("typing-inspection", "anyio", "opentelemetry-api", "mangum", "python-multipart"),
)
_SAMPLE_JARS = ("snappy-java", "grpc-netty-shaded", "poi-streaming")
SAMPLES: Mapping[Language, Part] = {
    "Python": _part_of_wheels("sample-python", [_PINS[name] for name in _SAMPLE_WHEELS], "some seconds"),
    "Node.js": _part_of_modules("sample-node", ("@swc/core", "esbuild", "formidable", "multer", "pino"), "a minute"),
    "Java": _part_of_jars("sample-java", [row for row in JAVA if row.name in _SAMPLE_JARS], "some seconds"),
}

# Of Node.js, what talks to a network: tests/runtimes/node connects each of them.
NODE_CLIENTS = (
    *("undici", "axios", "got", "node-fetch", "openai", "stripe", "@aws-sdk/client-s3", "ws", "pg", "knex", "mysql2"),
    *("mongodb", "ioredis", "redis", "kafkajs", "@grpc/grpc-js", "nodemailer", "amqplib"),
)
NODE_CLIENTS_PART = _part_of_modules("node-clients", NODE_CLIENTS, "a minute")


def folder(language: Language) -> Path:
    """Where all libraries of a language are, or else those of the sample."""
    return PARTS[language].folder if PARTS[language].there else SAMPLES[language].folder


def missing(language: Language) -> str:
    """Empty, or why there is not even the sample."""
    return "" if PARTS[language].there else SAMPLES[language].missing()


def _compile(into: Path, only: Sequence[str]) -> Path:
    chosen = [row for row in JAVA if not only or row.name in only]
    sources = [
        HERE / "java" / "src" / "workloads" / f"{name}.java" for name in ("Outcome", *(r.module for r in chosen))
    ]
    jars = sorted({jar.name: jar for row in chosen for jar in jars_of(row.name).glob("*.jar")}.values())
    path = ":".join(map(str, jars))
    run([java.oldest_compiler(), "-nowarn", "-proc:none", "--release", "17", "-cp", path, "-d", into, *sources])
    (into / "lib").mkdir(exist_ok=True)
    (into / "lib" / ".keep").touch()
    for each in (into, *into.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    return into


def jars_of(name: str) -> Path:
    """The folder of a workload's jars."""
    return folder("Java") / name


@lru_cache(maxsize=1)
def _wheels() -> Mapping[str, metadata.Distribution]:
    found = metadata.Distribution.discover(path=[str(folder("Python"))])
    return {_normal(each.metadata["Name"]): each for each in found}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _closure(names: Sequence[str]) -> Iterator[metadata.Distribution]:
    """The distributions with all that they require; of an extra, what is installed."""
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(name).name, extra) for name in names for extra in ("", *Requirement(name).extras)]
    while waiting:
        name, extra = waiting.pop()
        key = (_normal(name), extra)
        if key in seen or key[0] not in _wheels():
            continue  # what the runtime brings, or another system needs
        seen.add(key)
        distribution = _wheels()[key[0]]
        yield distribution
        for line in distribution.requires or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                waiting += [(wanted.name, each) for each in ("", *wanted.extras)]


def python_mounts(names: Sequence[str], root: str) -> dict[str, Path]:
    """What a sandbox shows of these packages and of what they require: each below `root`."""
    tops = {
        path.parts[0]
        for distribution in _closure(names)
        for path in distribution.files or ()
        if path.parts[0] not in ("..", "bin", "share", "__pycache__", "man")
    }
    kept = folder("Python")
    return {f"{root}/{top}": kept / top for top in sorted(tops) if (kept / top).exists()}


def python_version(name: str) -> str:
    """Of a package that is installed."""
    return _wheels()[_normal(name)].version


def node_version(name: str) -> str:
    """Of a package that is installed."""
    manifest = json.loads((folder("Node.js") / "node_modules" / name / "package.json").read_text())
    return str(manifest["version"])


def code_of(language: Language, into: Path, only: Sequence[str] = ()) -> Path:
    """The code of a language's functions, as Lambda unpacks it: with the places where libraries are shown.

    `only`: the names of Java's workloads that are compiled; else all are.
    Raises LookupError where there is no compiler.
    """
    if language == "Java":
        into.mkdir()
        return _compile(into, only)
    shutil.copytree(HERE / language.lower().replace(".js", ""), into, ignore=shutil.ignore_patterns("__pycache__"))
    if language == "Node.js":
        for file in into.glob("package*.json"):  # of the libraries, not of the function
            file.unlink()
        (into / "node_modules").mkdir()
        (into / "node_modules" / ".keep").touch()
    return into
