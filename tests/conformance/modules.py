"""Which of CPython's test modules are run, and whether the interpreter has them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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

# The network again, with `localhost` at an address that is not loopback: then connections are judged, not let pass.
# A module's name may end so on the command line as well.
OUTWARD = "@outward"

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
_STAND_INS = Path(__file__).parent / "inside" / "stand_ins"


class InterpreterError(Exception):
    """There is no interpreter with tests to run; one line says what to do about it."""


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
        InterpreterError: it cannot be run, or came without its tests.
    """
    try:
        told = subprocess.run([python, "-S", "-c", _ASK], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise InterpreterError(f"{python}: {error}") from error
    prefix, version, library = told.stdout.split()
    found = Interpreter(Path(python), Path(prefix).resolve(), version, Path(library) / "test")
    if not (found.tests / "test_os.py").exists():
        raise InterpreterError(f"{prefix} has no regression tests in {found.tests}: install them ({_INSTALL})")
    return found


def choose(interpreter: Interpreter, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """The modules that the interpreter has, and those that it does not have."""
    there = [module for module in wanted if interpreter.runnable(module)]
    return there, [module for module in wanted if module not in there]
