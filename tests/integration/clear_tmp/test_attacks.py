"""The function's own code tries to keep something, or to make the engine remove what is not its own."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import pytest

from harness.running import policy
from integration.clear_tmp.function import HEADLINE, LOOK, Function, started


@pytest.fixture(scope="module")
def function() -> Iterator[Function]:
    with started(HEADLINE) as function:
        yield function
        told = [line for line in function.end() if line.get("policy", "self_protection") != "self_protection"]
        assert [line["details"] for line in told] == []


# Calls of which Python's own library makes none, by its own numbers: what a package with a little C in it could do
SYSCALLS = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
is_arm = platform.machine() == "aarch64"
NUMBERS = {"openat2": 437, "renameat2": 276 if is_arm else 316, "linkat": 37 if is_arm else 265}
AT_FDCWD, RENAME_EXCHANGE, AT_SYMLINK_FOLLOW = -100, 2, 0x400
def call(name, *arguments):
    if libc.syscall(NUMBERS[name], *arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
"""


@pytest.mark.promise("tmp.clear", "tmp.clear-keeps")
@pytest.mark.parametrize(
    "code",
    [
        "d = unnamed('/tmp'); os.write(d, b'user'); link_descriptor(d, '/tmp/linked')",
        "d = unnamed('/tmp/init'); link_descriptor(d, '/tmp/init/linked')",
        "d = os.open('/tmp/a', os.O_CREAT | os.O_RDWR); link_descriptor(d, '/tmp/b'); os.unlink('/tmp/a')",
        "d = os.open('/tmp', os.O_PATH); make(f'/proc/self/fd/{d}/by-proc')",
        "os.chdir('/proc/self/root/tmp/init'); make('../../tmp/dots'); os.chdir('/')",
        "make('/proc/self/root/tmp/by-root'); os.mkdir('/proc/thread-self/root/tmp/by-thread')",
        """
        os.mkdir('/tmp/one'); make('/tmp/init/two')
        call('renameat2', AT_FDCWD, b'/tmp/one', AT_FDCWD, b'/tmp/init/two', RENAME_EXCHANGE)
        """,
        """
        how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_WRONLY, 0o600, 0)
        call('openat2', AT_FDCWD, b'/tmp/by-openat2', how, 24)
        """,
        """
        d = unnamed('/tmp')
        call('linkat', AT_FDCWD, f'/proc/self/fd/{d}'.encode(), AT_FDCWD, b'/tmp/by-linkat', AT_SYMLINK_FOLLOW)
        """,
        "os.makedirs('/tmp/m/b'); make('/tmp/m/b/x'); os.chmod('/tmp/m/b', 0); os.chmod('/tmp/m', 0)",
        "os.makedirs('/tmp/read/only'); os.chmod('/tmp/read/only', 0o500); os.chmod('/tmp/read', 0o500)",
        "make('/tmp/init/locked'); os.chmod('/tmp/init', 0o500)",
        "make('/tmp/init/locked'); os.chmod('/tmp/init', 0)",
        "make('/tmp/locked'); os.chmod('/tmp', 0)",
        "make('/tmp/locked'); os.chmod('/tmp', 0o400)",
        "os.mkdir('/tmp/.aws-xray'); os.mkdir('/tmp/.aws-xray/initialized'); make('/tmp/.aws-xray/initialized/x')",
        "for n in range(5000): make(f'/tmp/many-{n}')",
        "make('/tmp/old'); os.utime('/tmp/old', (0, 0)); os.utime('/tmp', (0, 0))",
        "make('/tmp/.shielded-function/user')",
        "make('/tmp/user'); os.rmdir('/tmp/.shielded-function'); os.mkdir('/tmp/.shielded-function')",
        # What a link leads to stays.
        "os.makedirs('/tmp/d'); make('/tmp/d/cache'); os.rename('/tmp/d', '/tmp/e'); os.symlink('/tmp/init', '/tmp/d')",
        "os.symlink('/tmp/init/cache', '/tmp/link'); os.symlink('/tmp/init', '/tmp/folder')",
        "os.makedirs('/tmp/t/u'); [os.symlink(to, f'/tmp/t/u/{n}') for n, to in enumerate(('/tmp/init', '..', '/'))]",
        "make('/tmp/f'); os.unlink('/tmp/f'); os.symlink('/tmp/init/cache', '/tmp/f')",
        """
        os.mkdir('/tmp/init/g'); make('/tmp/init/g/cache')
        os.rename('/tmp/init/g', '/tmp/g'); os.symlink('/tmp/init', '/tmp/init/g')
        """,
        "os.mkdir('/tmp/new'); os.link('/tmp/init/cache', '/tmp/new/user')",
        "open('/tmp/init/cache', 'a').close(); open('/tmp/init/cache', 'r+').close()",
    ],
)
def test_code_cannot_keep_what_it_makes(function: Function, code: str) -> None:
    assert function.left(SYSCALLS + textwrap.dedent(code)) == set()
    function.run("os.chmod('/tmp/init', 0o755)")
    assert (function.tmp / "init" / "cache").read_text() == "initialization"


def test_a_directory_under_a_listed_name_keeps_what_is_listed(function: Function) -> None:
    code = "os.mkdir('/tmp/d'); make('/tmp/d/user'); os.rename('/tmp/d', '/tmp/lib-x.so')"
    assert function.left(code) == {"/tmp/lib-x.so"}
    assert function.left("os.mkdir('/tmp/lib-y.so'); make('/tmp/lib-y.so/user')") == {"/tmp/lib-y.so"}


def test_empty_folders_that_stay_hide_nothing() -> None:
    """Wherever a part of the list of names ends that the kernel gives at a time."""
    with started(policy(clear_tmp="on", allow_tmp="/tmp/d*")) as function:
        for count in range(160, 180):
            function.run(f"make('/tmp/f'); [os.mkdir(f'/tmp/d{{n}}') for n in range({count})]")
            assert "/tmp/f" not in function.run(LOOK), count
            function.run(f"[os.rmdir(f'/tmp/d{{n}}') for n in range({count})]")


def test_code_cannot_keep_what_lies_deep() -> None:
    """Deeper than a path can say (PATH_MAX): it goes with the directory at the top, and no line says that it stays."""
    code = """
    os.chdir("/tmp")
    for _ in range(2000): os.mkdir("n" * 200), os.chdir("n" * 200)
    make("user")
    os.chdir("/")
    """
    with started(HEADLINE) as function:
        assert function.left(code) == set()
        assert [line["details"] for line in function.end() if "policy" in line] == []


def test_what_is_opened_to_create_it_stays(function: Function) -> None:
    for flags in ("w", "a", "w+"):
        assert function.left(f"open('/tmp/init/cache', '{flags}').close()") == set()
        assert (function.tmp / "init" / "cache").exists()
    (function.tmp / "init" / "cache").write_text("initialization")


def test_nothing_outside_of_tmp_goes(function: Function) -> None:
    """Where /tmp is no mount of its own, and the function may write elsewhere."""
    for folder in ("/var/tmp", "/dev/shm"):
        if function.run(f"make('{folder}/outside'); result = 'made'") == "made":
            assert function.run(f"result = os.path.exists('{folder}/outside')")


def test_a_request_of_its_own_clears_early(function: Function) -> None:
    code = """
    make("/tmp/early")
    os.write(os.pipe()[1], b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    result = os.path.exists("/tmp/early")
    make("/tmp/late")
    """
    assert function.run(code) is False
    assert "/tmp/late" not in function.run(LOOK)
