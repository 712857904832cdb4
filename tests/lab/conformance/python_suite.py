"""CPython's own regression tests: which modules are run, with what, and how."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.conformance.boxed import INSIDE, execute, open_box, settings
from lab.conformance.outcomes import DID_NOT_END, Run, read_record
from lab.conformance.suites import OUTWARD, Conditions, Suite, SuiteError

# What `--quick` runs: files, processes, sockets, threads, signals and memory.
QUICK = (
    "test_asyncio",
    "test_ctypes",
    "test_io",
    "test_mmap",
    "test_multiprocessing_fork",
    "test_os",
    "test_posix",
    "test_signal",
    "test_socket",
    "test_ssl",
    "test_subprocess",
    "test_tempfile",
    "test_threading",
)

# The longest come first: two run side by side, and the last to begin should not be the last to end by far.
FULL = (
    "test_concurrent_futures",
    "test_multiprocessing_spawn",
    "test_multiprocessing_forkserver",
    "test_multiprocessing_fork",
    "test_asyncio",
    "test_subprocess",
    "test_eintr",
    "test_signal",
    "test_faulthandler",
    "test_io",
    "test_socket",
    f"test_socket{OUTWARD}",
    "test_cmd_line_script",
    "test_importlib",
    "test_threading",
    "test_cmd_line",
    "test_selectors",
    "test_ftplib",
    f"test_ftplib{OUTWARD}",
    f"test_smtplib{OUTWARD}",
    "test_socketserver",
    f"test_socketserver{OUTWARD}",
    "test_ssl",
    f"test_ssl{OUTWARD}",
    "test_os",
    "test_pathlib",
    "test_shutil",
    "test_runpy",
    "test_compileall",
    "test_zipfile",
    "test_tarfile",
    "test_zipimport",
    "test_logging",
    "test_mailbox",
    "test_httpservers",
    f"test_httpservers{OUTWARD}",
    "test_urllib2_localnet",
    "test_httplib",
    f"test_httplib{OUTWARD}",
    "test_dbm",
    "test_sqlite3",
    "test_fork1",
    "test_wait3",
    "test_wait4",
    "test_posix",
    "test_mmap",
    "test_ctypes",
    "test_tempfile",
    "test_select",
    "test_poll",
    "test_epoll",
    "test_fcntl",
    "test_openpty",
    "test_pty",
    "test_file",
    "test_fileio",
    "test_glob",
    "test_popen",
    "test_resource",
    "test_posixpath",
    "test_genericpath",
    "test_stat",
    "test_threadsignals",
    "test_fileinput",
    "test_filecmp",
)

_INSTALL = "on Debian and Ubuntu: apt-get install libpython3-testsuite"
# For packages that some releases of CPython forgot to install (3.11.7 and 3.12.1).
_STAND_INS = INSIDE / "stand_ins"
# The sandbox has a network of its own, so nothing that asks for the network leaves the machine. Left out is what
# takes gigabytes, minutes of pure computing, or a download.
_RESOURCES = "all,-largefile,-audio,-gui,-cpu,-decimal,-urlfetch"
_BY_CHANCE = (
    # Ends at once or after five minutes: a thread that has taken its part of the work finishes it.
    "*.WithThreadsTestPool.test_terminate",
    # Looks up paths of 40 links. Where a mount in another sandbox makes the kernel begin such a look-up again, it
    # counts the links of both times, and 40 is its limit (ELOOP).
    "*.SymlinkLoopGlobTests.test_selflink",
)
_GRACE = 15.0  # for regrtest, which says where a test hangs when the time is up


@dataclass(frozen=True)
class Interpreter:
    """A Python and the regression tests that came with it."""

    executable: Path
    prefix: Path
    version: str
    tests: Path

    @property
    def name(self) -> str:
        """`python3.11`: the name of its program under <prefix>/bin."""
        return "python" + ".".join(self.version.split(".")[:2])

    def runnable(self, module: str) -> str:
        """The name under which regrtest finds a test module; empty when it did not come with the interpreter."""
        module = module.removesuffix(OUTWARD)
        if any((self.tests / name).exists() for name in (f"{module}.py", f"{module}/__init__.py")):
            return module
        stand_in = module.replace("test_", "stand_in_", 1)
        return stand_in if (_STAND_INS / f"{stand_in}.py").exists() else ""


_ASK = (
    "import platform, sys, sysconfig; print(sys.base_prefix, platform.python_version(), sysconfig.get_path('stdlib'))"
)


def find_interpreter(python: str) -> Interpreter:
    """Asks a Python for its base installation; a virtual environment leads to the one that it was made from.

    Raises:
        SuiteError: it cannot be run, or came without its tests.
    """
    try:
        told = subprocess.run([python, "-S", "-c", _ASK], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise SuiteError(f"{python}: {error}") from error
    prefix, version, library = told.stdout.split()
    found = Interpreter(Path(python), Path(prefix).resolve(), version, Path(library) / "test")
    if not (found.tests / "test_os.py").exists():
        raise SuiteError(f"{prefix} has no regression tests in {found.tests}: install them ({_INSTALL})")
    return found


@dataclass(frozen=True)
class PythonRunner:
    """Runs a module of regrtest's."""

    interpreter: Interpreter
    conditions: Conditions

    def has(self, module: str) -> bool:
        """Whether the module came with the interpreter."""
        return bool(self.interpreter.runnable(module))

    def run(self, module: str, mode: str, tests: Sequence[str] = ()) -> Run:
        """See `Runner`. Fixtures have no test of their own name: then the whole module runs again."""
        seconds = self.conditions.seconds
        argv = [f"/var/lang/bin/{self.interpreter.name}", "/var/task/record.py"]
        options = ["--use", _RESOURCES, "--timeout", f"{seconds:g}"]
        options += [part for test in _BY_CHANCE for part in ("--ignore", test)]
        if all(map(_is_test, tests)):
            options += [part for test in tests for part in ("--match", test)]
        options.append(self.interpreter.runnable(module))
        mounts = interpreter_mounts(self.interpreter.prefix)
        with tempfile.TemporaryFile() as record, open_box(module, self.conditions, mounts) as box:
            fd = record.fileno()
            shield = settings(mode, [argv[0]])
            done = execute(box, [*argv, str(fd), *options], shield, seconds + _GRACE, keep=[fd])
            record.seek(0)
            run = read_record(record.read().decode().splitlines())
        run.seconds, run.status, run.output, run.events = done.seconds, done.status, done.output, done.events
        if not run.outcomes and run.status:
            run.outcomes[module], run.texts[module] = DID_NOT_END, run.output[-3000:]
        return run


def interpreter_mounts(prefix: Path) -> dict[str, Path]:
    """The interpreter under test where Lambda has its own, and at its place on this machine for its library paths."""
    return {"/var/lang": prefix} | ({} if prefix.is_relative_to("/usr") else {str(prefix): prefix})


def _is_test(test: str) -> bool:
    return "(" not in test and "." in test


def prepare(conditions: Conditions) -> PythonRunner:
    """The Python of `--runtime`, or this one.

    Raises:
        SuiteError: it cannot be run, or came without its tests.
    """
    return PythonRunner(find_interpreter(conditions.runtime or sys.executable), conditions)


SUITE = Suite("CPython's own tests", FULL, QUICK, 400, prepare)
