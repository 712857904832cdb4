"""What stays although it should go is told; where /tmp cannot be cleared, the function does not start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from harness.running import SHIELD, policy
from integration.clear_tmp.function import HEADLINE, INSIDE, LOOK, started
from integration.readiness.api import RESTORE, open_box
from shielded_function_emulator.sandbox import shield_lines

MADE_MAX = 4096  # engine/files/tmp_record_file.h
RECORD_IS_FULL = f"""
for number in range({MADE_MAX} + 5):
    open(f"/tmp/{{number}}", "w").close()
"""


def test_a_full_record_is_told() -> None:
    with started(HEADLINE) as function:
        left = function.left(RECORD_IS_FULL)
        assert left == {f"/tmp/{number}" for number in range(MADE_MAX, MADE_MAX + 5)}
        assert function.left("open('/tmp/next', 'w').close()") == set()
        (line,) = [line for line in function.end() if "policy" in line]
    assert (line["policy"], line["mode"]) == ("read_write_tmp", "alert")
    assert line["details"] == {"syscall": "clear_tmp", "arguments": ["5 could not be written down, and may stay"]}


def test_a_path_too_long_for_the_record_is_told() -> None:
    folder = "/tmp/init/deep/" + "/".join("x" * 200 for _ in range(3))
    with started({**HEADLINE, "DEEP": folder}) as function:
        assert function.left(f"open('{folder}/file', 'w').close()") == {f"{folder}/file"}
        (line,) = [line for line in function.end() if "policy" in line]
    assert line["details"]["arguments"] == ["1 could not be written down, and may stay"]


def test_what_cannot_be_removed_is_told_and_tried_again() -> None:
    """Another user's file lies in the directory."""
    with started(HEADLINE) as function:
        function.give("import os, time\nos.mkdir('/tmp/made')\nwhile not os.path.exists('/tmp/go'): time.sleep(0.01)")
        function.wait_for_file("made")
        theirs = function.tmp / "made" / "theirs"
        theirs.mkdir()
        (theirs / "file").touch()
        theirs.chmod(0o755)
        (function.tmp / "go").touch()
        function.answer()
        assert "/tmp/made" in function.run(LOOK)
        (theirs / "file").unlink()
        theirs.rmdir()
        function.run("result = 1")
        assert "/tmp/made" not in function.run(LOOK)
        lines = [line["details"] for line in function.end() if "policy" in line]
    why = "1 could not be removed, of which this is the first: errno 13"
    told = {"syscall": "clear_tmp", "arguments": [why, "/tmp/made"]}
    assert lines in ([told], [told] * 2)


# Others of the same user


def test_what_an_extension_makes_stays() -> None:
    with started(HEADLINE) as function:
        function.run("result = 1")
        path = function.tmp / "extension"
        path.write_text("theirs")
        function.own(path)
        assert function.left("open('/tmp/ours', 'w').close(); open('/tmp/extension', 'a').close()") == set()
        assert path.read_text() == "theirs"


def test_what_an_extension_replaces_stays() -> None:
    with started(HEADLINE) as function:
        code = """
        import os, time
        open("/tmp/shared", "w").close(); os.mkdir("/tmp/folder"); open("/tmp/mine", "w").close()
        while not os.path.exists("/tmp/replaced"):
            time.sleep(0.01)
        """
        function.give(code)
        function.wait_for_file("mine")
        folder, new = function.tmp / "folder", function.tmp / "new"
        new.write_text("theirs")
        new.rename(function.tmp / "shared")
        folder.rename(function.tmp / "was-folder")
        folder.mkdir()
        (folder / "inside").write_text("theirs")
        (function.tmp / "replaced").touch()
        function.answer()
        found = set(function.run(LOOK))
        assert {"/tmp/shared", "/tmp/folder", "/tmp/folder/inside", "/tmp/replaced"} <= found
        assert "/tmp/mine" not in found


# When it begins, and ends


@pytest.mark.parametrize("ending", ['exec "$@"', '"$@"'], ids=["becomes", "starts"])
def test_behind_another_wrapper(ending: str) -> None:
    """Which becomes the runtime, or starts it and stays beside it. What it makes itself in between stays or goes."""
    with started({**HEADLINE, "SHIELD_NEXT_WRAPPER": "/var/task/wrapper", "ENDING": ending}) as function:
        assert function.left("open('/tmp/user', 'w').close(); shell('echo user > /tmp/by-a-program')") == set()
        assert "/tmp/wrapper" in function.run(LOOK)
        assert [line for line in function.end() if "policy" in line] == []


INIT = "/tmp,/tmp/init/**,/tmp/started"  # what initialization makes


def test_after_a_restore_only_events_count() -> None:
    with started({**HEADLINE, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}) as function:
        function.api.wait_for(RESTORE)
        function.api.open_gate("restore")
        assert function.left("open('/tmp/user', 'w').close()") == set()
        assert "/tmp/restored" in function.run(LOOK)


def test_a_function_that_ends_itself_leaves_nothing() -> None:
    with started(HEADLINE) as function:
        function.run("result = 1")
        assert function.is_killed_by("make('/tmp/user'); os._exit(3)") == 3
        assert {path.name for path in function.tmp.iterdir()} == {"init", "started"}


KILLED = """
make("/tmp/user")
os.makedirs("/tmp/folder/below")
shell("echo user > /tmp/by-a-program")
os.makedirs("/tmp/cache", exist_ok=True)
os.kill(os.getpid(), 9)
"""


def test_a_killed_function_leaves_nothing_to_the_next() -> None:
    """Lambda starts the runtime anew in the same sandbox, after a timeout for example: initialization finds nothing."""
    with started(HEADLINE) as function:
        function.run("result = 1")
        (function.tmp / "extension").touch()
        for _ in range(2):
            assert function.is_killed_by(KILLED) == -9
            assert (function.tmp / "user").exists()
            function.start()
            found = set(function.run(LOOK))
            kept = {"/tmp/cache", "/tmp/extension", "/tmp/init", "/tmp/init/cache", "/tmp/started"}
            assert found == {*kept, "/tmp/.shielded-function"}
            assert function.left("make('/tmp/user')") == set()
        assert [line for line in function.end() if "policy" in line] == []


FORGED = """
import struct
PATHS = [b"/tmp/init/../extension", b"/tmp//extension", b"/tmp/./extension"]
PATHS += [b"", b"/", b"/tmp", b"/tmp/", b"/etc/passwd", b"x" * 496]
with open("/tmp/.shielded-function", "rb") as file:
    magic = file.read(8)
os.unlink("/tmp/.shielded-function")
with open("/tmp/.shielded-function", "wb") as file:
    places = struct.pack("<4096I", *(7 if number < len(PATHS) else 0 for number in range(4096)))
    made = b"".join(struct.pack("<QQ496s", 0, 0, path) for path in PATHS)
    head = magic + struct.pack("<IiI", 1, 1, 0) + places
    file.write((head + bytes(-len(head) % 8) + made).ljust(SIZE, bytes(1)))
os.kill(os.getpid(), 9)
"""


def test_a_forged_record_leads_nowhere() -> None:
    """Code that is killed may leave one: it names what code could remove itself, and nothing else."""
    with started(HEADLINE) as function:
        function.run("result = 1")
        (function.tmp / "extension").touch()
        size = (function.tmp / ".shielded-function").stat().st_size
        assert function.is_killed_by(f"SIZE = {size}\n{FORGED}") == -9
        function.start()
        assert {"/tmp/extension", "/tmp/init/cache"} <= set(function.run(LOOK))
        assert function.left("make('/tmp/user')") == set()


def test_a_record_that_is_none_is_left_alone() -> None:
    with started(HEADLINE) as function:
        function.run("result = 1")
        code = "os.unlink('/tmp/.shielded-function'); os.symlink('/tmp/init/cache', '/tmp/.shielded-function')"
        assert function.is_killed_by(code + "; os.kill(os.getpid(), 9)") == -9
        function.start()
        assert function.left("make('/tmp/user')") == set()
        assert (function.tmp / "init" / "cache").read_text() == "initialization"


def fill(tmp: Path) -> None:
    with (tmp / "full").open("wb", 0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
    with (tmp / "full").open("r+b") as file:
        file.truncate((tmp / "full").stat().st_size - 65536)


@pytest.mark.parametrize("prepare", [lambda tmp: (tmp / ".shielded-function").mkdir(), fill], ids=["taken", "full"])
def test_a_record_without_a_name(prepare: Callable[[Path], object]) -> None:
    """Somebody has that name already, or there is no room for it: what a killed process leaves is not found then."""
    with started(HEADLINE, prepare=prepare) as function:
        code = "make('/tmp/user'); shell('echo user > /tmp/by-a-program')"
        assert function.left(code) == set()
        assert [line for line in function.end() if "policy" in line] == []


def test_a_full_tmp_is_cleared_too() -> None:
    """The record's own room was taken at the start."""
    with started(HEADLINE) as function:
        code = """
        try:
            with open("/tmp/big", "wb") as file:
                while True:
                    file.write(bytes(1 << 20))
        except OSError as error:
            result = error.errno
        for number in range(100):
            make(f"/tmp/empty-{number}")
        """
        function.run("make('/tmp/user')")
        if function.tmp.stat().st_dev == function.tmp.parent.stat().st_dev:
            pytest.skip("/tmp is no mount of its own here: it cannot be filled")
        assert function.left(code) == set()


def test_it_is_off_unless_asked_for() -> None:
    with started(policy()) as function:
        assert function.left("open('/tmp/stays', 'w').close()") == {"/tmp/stays"}


def test_it_goes_with_every_mode() -> None:
    for mode in ("alert", "block"):
        with started(policy(clear_tmp="on", read_write_tmp=mode, allow_tmp=INIT + ",/tmp/cache/**")) as function:
            code = "import os; os.makedirs('/tmp/cache/x'); open('/tmp/cache/x/y', 'w').close()"
            assert function.left(code) == {"/tmp/cache", "/tmp/cache/x", "/tmp/cache/x/y"}
            code = "try:\n    open('/tmp/other', 'w').close()\nexcept PermissionError: pass"
            assert function.left(code) == set()


@pytest.mark.parametrize("concurrency", ["1", "8"])
def test_it_is_refused_on_managed_instances(concurrency: str) -> None:
    environment = {
        **HEADLINE,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances",
        "AWS_LAMBDA_MAX_CONCURRENCY": concurrency,
    }
    with open_box(INSIDE) as box:
        done = box.run_command([SHIELD, "/var/lang/bin/python3", "-c", ""], environment=environment)
    (line,) = shield_lines(done.stderr.splitlines())
    assert (done.returncode, line["event"]) == (78, "refused")
    assert line["reason"] == (
        "clear_tmp: this function runs several invocations at once (Lambda Managed Instances), so there is no moment "
        "at which /tmp is nobody's; leave clear_tmp out"
    )
