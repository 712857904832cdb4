"""The functions' code, compiled at test time and kept below `.tools/` by the hash of what it is made of.

classes   the handler as Lambda unpacks it: classes, Netty and its native library; an agent, and what inserts it
jar       the same handler in lib/handler.jar, and Netty without its native transport: that unpacks itself to /tmp
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from shielded_function_emulator.kernel import machine
from shielded_function_emulator.languages import java
from shielded_function_emulator.languages.parts import KEPT, run

_HERE = Path(__file__).parent
# Java 8 runs it; attempts that use what came later are for later versions.
_FOR_8 = ("-source", "8", "-target", "8")
_NETTY_NATIVE = f"libnetty_transport_native_epoll_{ {'aarch64': 'aarch_64'}.get(machine(), machine()) }.so"


@dataclass(frozen=True)
class Code:
    """Folders that are the code of functions."""

    classes: Path
    jar: Path


def build() -> Code:
    """Compiles what is not there yet.

    Raises Unavailable (a compiler failed) or LookupError (there is no javac).
    """
    inputs = sorted(
        path
        for path in _HERE.rglob("*")
        if path.suffix in {".java", ".txt"} or path.name in {"building.py", "insert-agent"}
    )
    digest = hashlib.sha256()
    for path in inputs:
        digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    kept = KEPT / f"java-functions-{digest.hexdigest()[:16]}"
    code = Code(kept / "classes", kept / "jar")
    if not kept.is_dir():
        new = kept.with_name(f".new-{os.getpid()}-{kept.name}")
        shutil.rmtree(new, ignore_errors=True)
        _build(Code(new / "classes", new / "jar"))
        shutil.rmtree(kept, ignore_errors=True)
        new.replace(kept)
    return code


def _build(code: Code) -> None:
    compilers = java.compilers()
    netty = sorted((java.LIBRARIES.folder / "netty").glob("*.jar"))
    library = code.classes / "lib"
    library.mkdir(parents=True)
    client = sorted((java.LIBRARIES.folder / "client").glob("*.jar"))
    _compile(compilers[min(compilers)], _FOR_8, _HERE / "handler", code.classes, [*client, *netty])
    if max(compilers) >= 22:
        _compile(compilers[max(compilers)], ["--release", "22"], _HERE / "newer", code.classes, [code.classes])
    shutil.copy(_HERE / "handler" / "attempts" / "greeting.txt", code.classes / "attempts")
    for jar in netty:
        if "native-epoll" not in jar.name or machine().replace("aarch64", "aarch_64") in jar.name:
            shutil.copy(jar, library)
            _unpack_native(jar, library)
    _make_jar(code)
    _make_agent(compilers[min(compilers)], code.classes)
    for path in code.classes.parent.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.name == "insert-agent" else 0o644)


def compile_java(sources: Sequence[Path], into: Path, release: str, libraries: Iterable[Path] = ()) -> None:
    """By the oldest compiler. Skips the test where there is none."""
    try:
        compilers = java.compilers()
    except LookupError as error:
        pytest.skip(str(error.args[0]))
    path = os.pathsep.join(map(str, libraries))
    run([compilers[min(compilers)], "-Xlint:-options", "--release", release, "-cp", path, "-d", into, *sources])


def _compile(javac: Path, options: Sequence[str], sources: Path, into: Path, libraries: list[Path]) -> None:
    path = os.pathsep.join(map(str, libraries))
    files = sorted(sources.rglob("*.java"))
    run([javac, "-nowarn", "-Xlint:-options", *options, "-cp", path, "-d", into, *files])


def _unpack_native(jar: Path, into: Path) -> None:
    """Where LD_LIBRARY_PATH, and so java.library.path, looks: Netty then unpacks nothing."""
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.endswith(f"/{_NETTY_NATIVE}"):
                (into / _NETTY_NATIVE).write_bytes(archive.read(name))


def _make_agent(javac: Path, into: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="agent-") as scratch:
        _compile(javac, _FOR_8, _HERE / "agent", Path(scratch), [])
        _zip(into / "agent.jar", Path(scratch), "agent/*", "Manifest-Version: 1.0\nPremain-Class: agent.Agent\n")
    shutil.copy(_HERE / "agent" / "insert-agent", into)


def _zip(jar: Path, folder: Path, pattern: str, manifest: str = "") -> None:
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
        if manifest:
            archive.writestr("META-INF/MANIFEST.MF", manifest)
        for path in sorted(folder.glob(pattern)):
            archive.write(path, path.relative_to(folder).as_posix())


def _make_jar(code: Code) -> None:
    library = code.jar / "lib"
    library.mkdir(parents=True)
    for path in (code.classes / "lib").glob("*.jar"):
        shutil.copy(path, library)
    _zip(library / "handler.jar", code.classes, "attempts/*")
