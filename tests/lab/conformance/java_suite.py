"""Tests of Java libraries: Netty's of its transports, Apache Commons' of files, processes and protocols. A module is a
group of classes by name.

Maven has the tests, packed by those who wrote them (java.xml); Debian's source packages have the files that Commons'
tests read. Record.java runs them, and says what each came to.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.conformance.boxed import INSIDE, execute, open_box, settings
from lab.conformance.material import CACHE, unpack
from lab.conformance.outcomes import DID_NOT_END, Run, read_record
from lab.conformance.suites import OUTWARD, Conditions, Suite, SuiteError
from lab.libcs.fetch import Unavailable, download
from shielded_function_emulator.languages import java
from shielded_function_emulator.languages.parts import Unavailable as Missing
from shielded_function_emulator.sandbox import Sandbox

# module: the classes. A class belongs to the first module that names it.
# Over blocking sockets SocketSslEchoTest waits for a quarter of an hour; over epoll it is among epoll-tls.
_NETTY, _EPOLL = r"io\.netty\.testsuite\.transport\.(?!socket\.SocketSslEcho)", r"io\.netty\.channel\.epoll\."
MODULES = {
    "netty-tls": rf"{_NETTY}socket\.\w*(Ssl|Tls)",
    "epoll-tls": rf"{_EPOLL}\w*(Ssl|Tls)",
    "epoll-unix": rf"{_EPOLL}EpollDomain",
    "epoll": _EPOLL,
    "netty": rf"{_NETTY}(socket\.)?\w+$",
    "exec": r"org\.apache\.commons\.exec\.",
    "io-file": r"org\.apache\.commons\.io\.(file|monitor|channels)\.|org\.apache\.commons\.io\.File",
    "io": r"org\.apache\.commons\.io\.",
    "net": r"org\.apache\.commons\.net\.",
}
FULL = (*MODULES, f"net{OUTWARD}")
QUICK = ("epoll", "epoll-unix", "exec", "io-file")

# The files of the tests that are packed without them, as java.xml's versions need them.
SOURCES = (
    (
        "pool/main/c/commons-exec/commons-exec_1.3.orig.tar.gz",
        "db0742fa59b7d69375e5d99e827aee0bf06ac527aa6def63618950e40c24cb9f",
    ),
    (
        "pool/main/c/commons-io/commons-io_2.19.0.orig.tar.xz",
        "e15d8c5afb162423499afca525642826194f9fe375252ef435c0ec0c49fdc0d3",
    ),
)
_POM = Path(__file__).parent / "java.xml"
_RECORD = INSIDE / "Record.java"
_JAVA = "/var/lang/bin/java"
_PLACE, _WORK = "/var/conformance", "/tmp/work"
_CLASS_PATH = f"{_WORK}/src/test/resources:{_PLACE}/classes:{_PLACE}/libs/*"
_HELPER = "/var/lang/lib/jspawnhelper"  # what Java starts programs with
_CONFIGURATION = ("/etc/java-*", "/etc/ssl/certs/java")  # Debian's Java has links to these
_OPTIONS = ("-Xmx1g", "-XX:+EnableDynamicAgentLoading", "-Djdk.attach.allowAttachSelf=true")


@dataclass(frozen=True)
class JavaRunner:
    """Runs the classes of a module in one JVM."""

    home: Path
    folder: Path
    conditions: Conditions

    def has(self, module: str) -> bool:
        """Whether there are such classes."""
        return bool(self._classes(module))

    def run(self, module: str, mode: str, tests: Sequence[str] = ()) -> Run:
        """See `Runner`. Of tests, the whole classes run again."""
        wanted = {test.rpartition(".")[0] for test in tests}
        classes = [name for name in self._classes(module) if not tests or name in wanted] or self._classes(module)
        etc = {str(file): file for pattern in _CONFIGURATION for file in Path("/").glob(pattern[1:])}
        mounts = {"/var/lang": self.home, _PLACE: self.folder, **etc}
        with tempfile.TemporaryFile() as record, open_box(module, self.conditions, mounts) as box:
            os.fchmod(record.fileno(), 0o666)
            _place(self.folder / "source", box)
            argv = [_JAVA, *_OPTIONS, "-cp", _CLASS_PATH, "Record"]
            argv += [f"/dev/fd/{record.fileno()}", *classes]
            shield = settings(mode, [_JAVA, _HELPER, *self._scripts()])
            done = execute(box, argv, shield, self.conditions.seconds, keep=[record.fileno()], cwd=_WORK)
            record.seek(0)
            run = read_record(record.read().decode().splitlines())
        run.seconds, run.status, run.output, run.events = done.seconds, done.status, done.output, done.events
        if done.status or not run.outcomes:
            run.outcomes[module], run.texts[module] = DID_NOT_END, run.output[-3000:]
        return run

    def _classes(self, module: str) -> list[str]:
        name = module.removesuffix(OUTWARD)
        return [each for each in _test_classes(self.folder / "libs") if _module_of(each) == name]

    def _scripts(self) -> Iterator[str]:
        return (f"{_WORK}/src/test/scripts/{f.name}" for f in (self.folder / "source/src/test/scripts").glob("*.sh"))


def _module_of(name: str) -> str:
    return next((module for module, pattern in MODULES.items() if re.match(pattern, name)), "")


def _test_classes(libraries: Path) -> Iterator[str]:
    """What is named like a test and is none of another's parts."""
    for library in sorted([*libraries.glob("*-tests.jar"), *libraries.glob("netty-testsuite-*.jar")]):
        with zipfile.ZipFile(library) as archive:
            for entry in sorted(archive.namelist()):
                simple = entry.rpartition("/")[2]
                if simple.endswith("Test.class") and "$" not in simple and not simple.startswith("Abstract"):
                    yield entry.removesuffix(".class").replace("/", ".")


def _place(source: Path, box: Sandbox) -> None:
    """The tests write beside what they read: a copy in /tmp, which is the program's own."""
    tmp = box.path("/tmp")
    owner = tmp.stat()
    work = shutil.copytree(source, tmp / Path(_WORK).name)
    (work / "target").mkdir()
    for entry in (work, *work.rglob("*")):
        os.chown(entry, owner.st_uid, owner.st_gid)


def prepare(conditions: Conditions) -> JavaRunner:
    """The JDK of `--runtime`, or the oldest there is; fetches into `.tools/conformance/`.

    Raises:
        SuiteError: there is no JDK or Maven, or something cannot be had.
    """
    try:
        java.TOOLS.fetch()
        maven, environment = java.maven()
        home = Path(conditions.runtime) if conditions.runtime else java.oldest_compiler().parents[1]
    except (Missing, LookupError) as error:
        raise SuiteError(f"a JDK and Maven are needed: {error}") from error
    compiler = home / "bin" / "javac"
    if not compiler.exists():
        raise SuiteError(f"{home} has no compiler: a JDK is needed")
    folder = CACHE / "java"
    stamp = _POM.read_text() + _RECORD.read_text() + repr(SOURCES)
    complete = folder / "complete"
    if not complete.exists() or complete.read_text() != stamp:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            for source in SOURCES:
                unpack(download(*source, CACHE / "packages"), folder / "source", ("src/test/", "NOTICE.txt", "pom.xml"))
        except Unavailable as error:
            raise SuiteError(str(error)) from error
        libraries = f"-DoutputDirectory={folder / 'libs'}"
        _command([str(maven), "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", libraries], environment)
        options = ["-cp", f"{folder}/libs/*", "-d", str(folder / "classes"), "--release", "11"]
        _command([str(compiler), *options, str(_RECORD)])
        complete.write_text(stamp)
    return JavaRunner(home, folder, conditions)


def _command(argv: list[str], environment: Mapping[str, str] | None = None) -> None:
    variables = {**os.environ, **(environment or {})}
    done = subprocess.run(argv, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SuiteError(f"{Path(argv[0]).name}: {(done.stdout + done.stderr).strip()[-600:]}")


SUITE = Suite("Netty's and Apache Commons' tests for Java", FULL, QUICK, 900, prepare)
