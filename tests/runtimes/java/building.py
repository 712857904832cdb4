"""The functions' code, compiled at test time and kept below `.tools/` by the hash of what it is made of.

classes   the handler as Lambda unpacks it: classes, Netty and its native library; an agent, and what inserts it
jar       the same handler in lib/handler.jar, and Netty without its native transport: that unpacks itself to /tmp
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from shielded_function_emulator.kernel import machine
from shielded_function_emulator.languages import java
from shielded_function_emulator.languages.parts import Part, run

_HERE = Path(__file__).parent
# Java 8 runs it; attempts that use what came later are for later versions.
_FOR_8 = ("-source", "8", "-target", "8")
_MACHINE = machine().replace("aarch64", "aarch_64")
_NETTY_NATIVE = f"libnetty_transport_native_epoll_{_MACHINE}.so"


def _build(into: Path) -> None:
    compilers = java.compilers()
    netty = sorted((java.LIBRARIES.folder / "netty").glob("*.jar"))
    classes, in_jar = into / "classes", into / "jar" / "lib"
    library = classes / "lib"
    client = sorted((java.LIBRARIES.folder / "client").glob("*.jar"))
    for folder in (library, in_jar):
        folder.mkdir(parents=True)
    _compile(compilers[min(compilers)], _FOR_8, (_HERE / "handler").rglob("*.java"), classes, [*client, *netty])
    if max(compilers) >= 22:
        _compile(compilers[max(compilers)], ["--release", "22"], (_HERE / "newer").rglob("*.java"), classes, [classes])
    shutil.copy(_HERE / "handler" / "attempts" / "greeting.txt", classes / "attempts")
    for jar in netty:
        if "native-epoll" not in jar.name or _MACHINE in jar.name:
            for folder in (library, in_jar):
                shutil.copy(jar, folder)
            _unpack_native(jar, library)
    _zip(in_jar / "handler.jar", classes, "attempts")
    _make_agent(compilers[min(compilers)], classes)
    for path in into.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.name == "insert-agent" else 0o644)


_INPUTS = [path for path in sorted(_HERE.rglob("*")) if path.suffix in {".java", ".txt"} or path.name == "insert-agent"]
CODE = Part("java-functions", tuple(path.read_text() for path in (Path(__file__), *_INPUTS)), _build)
CLASSES, JAR = CODE.folder / "classes", CODE.folder / "jar"


def compile_java(sources: Iterable[Path], into: Path, version: str, libraries: Iterable[Path] = ()) -> None:
    """For that version of Java, by the oldest compiler. Skips the test where there is none."""
    try:
        compiler = java.oldest_compiler()
    except LookupError as error:
        pytest.skip(str(error.args[0]))
    _compile(compiler, ("-source", version, "-target", version), sources, into, libraries)


def _compile(
    javac: Path, options: Sequence[str], sources: Iterable[Path], into: Path, libraries: Iterable[Path] = ()
) -> None:
    path = os.pathsep.join(map(str, libraries))
    run([javac, "-nowarn", "-Xlint:-options", *options, "-cp", path, "-d", into, *sources])


def _unpack_native(jar: Path, into: Path) -> None:
    """Where LD_LIBRARY_PATH, and so java.library.path, looks: Netty then unpacks nothing."""
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.endswith(f"/{_NETTY_NATIVE}"):
                (into / _NETTY_NATIVE).write_bytes(archive.read(name))


def _make_agent(javac: Path, into: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="agent-") as scratch:
        _compile(javac, _FOR_8, (_HERE / "agent").rglob("*.java"), Path(scratch))
        (manifest := Path(scratch, "META-INF", "MANIFEST.MF")).parent.mkdir()
        manifest.write_text("Manifest-Version: 1.0\nPremain-Class: agent.Agent\n")
        _zip(into / "agent.jar", Path(scratch), ".")
    shutil.copy(_HERE / "agent" / "insert-agent", into)


def _zip(jar: Path, folder: Path, part: str) -> None:
    shutil.move(shutil.make_archive(str(jar), "zip", folder, part), jar)
