"""The libraries of the workloads, from PyPI, npm and Maven: fetched once, and kept in `.tools/workloads/`."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from compat.workloads.catalogue import JAVA, Language
from shielded_function.cli import node as machine_node
from shielded_function_emulator import places
from shielded_function_emulator.languages import java
from shielded_function_emulator.languages.parts import Part, Unavailable, run, scratch

HERE = Path(__file__).parent
KEPT = places.tools_folder() / "workloads"
_LOCK = HERE / "python" / "requirements.txt"
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


def _install_wheels(into: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--only-binary=:all:", "--target", into, "-r", _LOCK])


def _install_modules(into: Path) -> None:
    for file in _NODE_FILES:
        shutil.copy(file, into)
    npm = machine_node.npm(machine_node.choose())
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=into)


PYTHON = Part(
    f"python-{sys.version_info[0]}.{sys.version_info[1]}",
    (_LOCK.read_text(),),
    _install_wheels,
    effort="two gigabytes of wheels: some minutes",
    kept=KEPT,
)
NODE = Part("node", tuple(file.read_text() for file in _NODE_FILES), _install_modules, effort="some minutes", kept=KEPT)


def _dependency(coordinates: str) -> str:
    tags = zip(("groupId", "artifactId", "version", "classifier"), coordinates.split(":"), strict=False)
    return f"<dependency>{''.join(f'<{tag}>{value}</{tag}>' for tag, value in tags)}</dependency>"


def _pom(name: str, body: str, parent: str = "") -> str:
    own = "<groupId>workloads</groupId>" if not parent else ""
    return (
        f'<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>{parent}'
        f"{own}<artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>{body}</project>"
    )


def _copy_jars(into: Path) -> None:
    """One Maven project for each workload: its jars, in the versions that it gets alone."""
    rows = [row for row in JAVA if row.packages]
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


# With what is built anew where a row changes.
JAVA_JARS = Part(
    "java",
    (*(f"{row.name} {' '.join(row.packages)}" for row in JAVA), _SUMS.read_text()),
    _copy_jars,
    effort="some minutes",
    kept=KEPT,
)
PARTS = (PYTHON, NODE, JAVA_JARS)


@lru_cache(maxsize=1)
def compile_java(into: Path, only: tuple[str, ...] = ()) -> Path:
    """The handlers of Java, of all workloads or of those that are named, as Lambda unpacks them but for their jars.

    Raises LookupError where there is no compiler.
    """
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
    return JAVA_JARS.folder / name


@lru_cache(maxsize=1)
def _wheels() -> Mapping[str, metadata.Distribution]:
    found = metadata.Distribution.discover(path=[str(PYTHON.folder)])
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
    return {f"{root}/{top}": PYTHON.folder / top for top in sorted(tops) if (PYTHON.folder / top).exists()}


def python_version(name: str) -> str:
    """Of a package that is installed."""
    return _wheels()[_normal(name)].version


def node_version(name: str) -> str:
    """Of a package that is installed."""
    manifest = json.loads((NODE.folder / "node_modules" / name / "package.json").read_text())
    return str(manifest["version"])


def code_of(language: Language, into: Path) -> Path:
    """The code of a language's functions, as Lambda unpacks it: with the places where libraries are shown.

    Raises LookupError where there is no compiler.
    """
    if language == "Java":
        into.mkdir()
        return compile_java(into)
    shutil.copytree(HERE / language.lower().replace(".js", ""), into, ignore=shutil.ignore_patterns("__pycache__"))
    if language == "Node.js":
        for file in into.glob("package*.json"):  # of the libraries, not of the function
            file.unlink()
        (into / "node_modules").mkdir()
        (into / "node_modules" / ".keep").touch()
    return into
