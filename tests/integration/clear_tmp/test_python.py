"""One event makes something in /tmp, the next one looks what is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from harness.running import policy
from integration.clear_tmp.function import HEADLINE, LOOK, Function, started
from integration.clear_tmp.other_tmp import cover_tmp, small_inodes


# With birth times, and without
@pytest.fixture(scope="module", params=["tmpfs", "ramfs"])
def function(request: pytest.FixtureRequest) -> Iterator[Function]:
    with started(HEADLINE, prepare=lambda box: cover_tmp(box, request.param)) as function:
        yield function
        lines = function.end()
        assert [line for line in lines if "policy" in line] == []
        assert [line["tmp_times"] for line in lines if line.get("event") == "armed"] == [TIMES[request.param]]


TIMES = {"tmpfs": "birth", "ramfs": "change"}


# What is used every day


@pytest.mark.parametrize(
    "code",
    [
        "open('/tmp/plain', 'w').write('user')",
        "open('/tmp/init/below', 'w').write('user')",
        "tempfile.TemporaryFile().write(b'user')",
        "os.makedirs('/tmp/a/b/c'); open('/tmp/a/b/c/d', 'w').write('user'); os.symlink('/tmp/init', '/tmp/a/b/link')",
        "open('/tmp/with\\nnew line \\udcff\"', 'w').write('user')",
        "open('/tmp/' + 'x' * 255, 'w').write('user')",
        "os.mkfifo('/tmp/fifo'); os.mknod('/tmp/node')",
        "s = socket.socket(socket.AF_UNIX); s.bind('/tmp/socket')",
        "os.chdir('/tmp'); s = socket.socket(socket.AF_UNIX); s.bind('socket'); os.chdir('/')",
        "shutil.copytree('/var/task', '/tmp/copy')",
        # By other processes of the function's
        "subprocess.run([sys.executable, '-c', PROGRAM], check=True)",
        "subprocess.run([sys.executable, '-c', PROGRAM], check=True, env={}, close_fds=False)",
        "shell('mkdir /tmp/by-a-shell; echo user > /tmp/by-a-shell/file')",
        """shell('cd /tmp; sh -c "ulimit -c unlimited; kill -SEGV \\$\\$"; true')""",  # a core
        "os.posix_spawn('/bin/sh', ['sh', '-c', 'echo user > /tmp/spawned'], {}); os.wait()",
        "shell('(echo user > /tmp/by-a-grandchild) & wait')",
        # Names that change
        "make('/tmp/a'); os.replace('/tmp/a', '/tmp/init/b')",
        "os.makedirs('/tmp/a/b'); make('/tmp/a/b/c'); os.rename('/tmp/a', '/tmp/z')",
        "os.makedirs('/tmp/a/b'); make('/tmp/a/b/c'); os.rename('/tmp/a/b', '/tmp/init/z')",
        "make('/tmp/a'); os.link('/tmp/a', '/tmp/init/b')",
        "os.symlink('/tmp/init/dangling', '/tmp/b'); make('/tmp/b')",
        "os.chdir('/tmp/init'); make('relative'); os.mkdir('folder'); os.chdir('/')",
        "d = os.open('/tmp/init', os.O_RDONLY); os.mkdir('at', dir_fd=d); os.open('file', os.O_CREAT, dir_fd=d)",
        "os.makedirs('/tmp/a'); make('/tmp/a/x'); os.link('/tmp/a/x', '/tmp/y'); os.unlink('/tmp/a/x')",
    ],
)
def test_what_an_invocation_makes_is_gone_in_the_next(function: Function, code: str) -> None:
    assert function.left(code) == set()
    assert (function.tmp / "init" / "cache").read_text() == "initialization"


@pytest.mark.promise("tmp.clear-keeps")
def test_what_allow_tmp_lists_stays(function: Function) -> None:
    code = """
    os.makedirs("/tmp/cache/a")
    os.makedirs("/tmp/mixed/deep")
    for name in ("cache/a/b", "lib-1.so", "other.so"): make("/tmp/" + name)
    """
    assert function.left(code) == {"/tmp/cache", "/tmp/cache/a", "/tmp/cache/a/b", "/tmp/lib-1.so"}
    deep = "/tmp/cache" + "/deep" * 40
    assert len(function.left(f"os.makedirs('{deep}'); make('{deep}/file')")) == 41


@pytest.mark.promise("tmp.clear-keeps")
def test_a_list_may_keep_a_part_of_a_directory() -> None:
    with started(
        policy(clear_tmp="on", allow_tmp="/tmp/job/*.so,/tmp/job/keep/**,/tmp/run-*,/tmp/run-*/*")
    ) as function:
        code = """
        os.makedirs("/tmp/job/keep/deep"); os.makedirs("/tmp/job/go/deep"); os.makedirs("/tmp/run-1/deep")
        for name in "job/a.so job/b.txt job/keep/deep/c job/go/deep/d job/go/e.so run-1/f run-1/deep/g".split():
            make("/tmp/" + name)
        """
        kept = {"/tmp/job", "/tmp/job/a.so", "/tmp/job/keep", "/tmp/job/keep/deep", "/tmp/job/keep/deep/c"}
        assert function.left(code) == kept | {"/tmp/run-1", "/tmp/run-1/deep", "/tmp/run-1/f"}
        # The directory is by now one of the function's: what comes into it goes by itself.
        assert function.left("open('/tmp/job/later', 'w').close()") == set()
        assert [line for line in function.end() if "policy" in line] == []


@pytest.mark.promise("tmp.clear-keeps")
def test_a_mark_for_the_platform_stays(function: Function) -> None:
    code = """
    os.makedirs("/tmp/.aws-xray", exist_ok=True)
    open("/tmp/.aws-xray/initialized", "w").{}
    """
    assert function.left(code.format("write('user')")) == set()
    assert function.left(code.format("close()")) == {"/tmp/.aws-xray", "/tmp/.aws-xray/initialized"}
    function.run(code.format("write('user')"))
    assert "/tmp/.aws-xray" not in function.run(LOOK)
    # 1: FALLOC_FL_KEEP_SIZE
    reserve = "fileno(), 1, ctypes.c_long(0), ctypes.c_long(4096)"
    said = function.run(f"""
    import ctypes
    os.makedirs("/tmp/.aws-xray")
    result = ctypes.CDLL(None).fallocate(open("/tmp/.aws-xray/initialized", "w").{reserve})
    """)
    assert ("/tmp/.aws-xray" in function.run(LOOK)) == (said != 0)
    attributes = """
    try:
        os.makedirs("/tmp/.aws-xray", exist_ok=True)
        make("/tmp/.aws-xray/initialized")
        os.setxattr("/tmp/.aws-xray{on}", "user.kept", b"user")
    except OSError as error:
        result = error.strerror
    """
    for on in ("/initialized", ""):
        said = function.run(attributes.replace("{on}", on))
        assert ("/tmp/.aws-xray" in function.run(LOOK)) == (said == "Operation not supported"), said


def test_a_process_from_before_the_first_event() -> None:
    """It was forked, or started, while nobody asked for an event yet."""
    for start in ("fork", "program"):
        with started({**HEADLINE, "BEFORE": start}) as function:
            code = "make('/tmp/ask')\nwhile not os.path.exists('/tmp/asked'): time.sleep(0.01)"
            assert function.left(code) == set()


@pytest.mark.parametrize("kind", ["ramfs", "ext4"])
def test_without_birth_times_what_was_changed_goes_as_well(kind: str, tmp_path: Path) -> None:
    """Whose clock may count seconds."""
    code = """
    make('/tmp/plain'); os.mkdir('/tmp/folder'); make('/tmp/folder/below'); make('/tmp/init/below')
    os.utime('/tmp/plain', (0, 0))
    """
    made = small_inodes(tmp_path) if kind == "ext4" else nullcontext("none")
    with made as device, started(HEADLINE, prepare=lambda box: cover_tmp(box, kind, device)) as function:
        init = {"/tmp/init", "/tmp/init/cache", "/tmp/started"}
        assert init <= set(function.run(LOOK))
        assert function.left(code) - {"/tmp/lost+found"} == set()
        assert init <= set(function.run(LOOK))
        function.run("open('/tmp/init/cache', 'a').close(); os.chmod('/tmp/started', 0o600)")
        assert init - {"/tmp/started"} <= set(function.run(LOOK)) - {"/tmp/started"}
        assert "/tmp/started" not in function.run(LOOK)
        assert function.left(code) == set()
        lines = function.end()
    assert [line["tmp_times"] for line in lines if line.get("event") == "armed"] == ["change"]
    assert [line for line in lines if "policy" in line] == []
