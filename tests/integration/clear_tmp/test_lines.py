"""What stays although it should go is told; where /tmp cannot be cleared, the function does not start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from harness.running import SHIELD, policy
from integration.clear_tmp.function import HEADLINE, INSIDE, LOOK, PROGRAM_EACH, started
from integration.readiness.api import RESTORE, open_box
from shielded_function_emulator.sandbox import shield_lines


@pytest.mark.promise("tmp.clear-tells")
def test_what_cannot_be_removed_is_told_and_tried_again() -> None:
    """Another user's file lies in the directory."""
    with started(HEADLINE) as function:
        function.give("import os, time\nos.mkdir('/tmp/made')\nwhile not os.path.exists('/tmp/go'): time.sleep(0.01)")
        function.wait_for_file("made")
        theirs = function.tmp / "made" / "theirs"
        theirs.mkdir(0o755)
        (theirs / "file").touch()
        (function.tmp / "go").touch()
        function.answer()
        assert "/tmp/made" in function.run(LOOK)
        (theirs / "file").unlink()
        theirs.rmdir()
        function.run("result = 1")
        assert "/tmp/made" not in function.run(LOOK)
        lines = [line["details"] for line in function.end() if "policy" in line]
    why = "could not be removed, and maybe others: errno 13"
    told = {"syscall": "clear_tmp", "arguments": [why, "/tmp/made/theirs/file"]}
    assert lines in ([told], [told] * 2)


# Others of the same user


@pytest.mark.promise("tmp.clear-keeps")
def test_what_an_extension_makes() -> None:
    """It stays where it is listed, or was made before the first event."""
    with started(HEADLINE, prepare=lambda box: (box.path("/tmp") / "early").write_text("theirs")) as function:
        function.give("os.mkdir('/tmp/cache')\nwhile not os.path.exists('/tmp/go'): time.sleep(0.01)")
        function.wait_for_file("cache")
        for name in ("late", "cache/listed", "go"):
            path = function.tmp / name
            path.write_text("theirs")
            function.own(path)
        function.answer()
        found = function.run(LOOK)
        assert ("/tmp/late" in found, "/tmp/cache/listed" in found, "/tmp/early" in found) == (False, True, True)


# When it begins, and ends


WORKS_ON = '(while :; do sleep 0.1; /bin/true; done) &\n"$@"'


@pytest.mark.parametrize("ending", ['exec "$@"', '"$@"', WORKS_ON], ids=["becomes", "starts", "works on"])
def test_behind_another_wrapper(ending: str) -> None:
    """Which becomes the runtime, or starts it and stays beside it. What it makes itself in between stays or goes."""
    with started({**HEADLINE, "SHIELD_NEXT_WRAPPER": "/var/task/wrapper", "ENDING": ending}) as function:
        assert function.left("open('/tmp/user', 'w').close(); shell('echo user > /tmp/by-a-program')") == set()
        assert "/tmp/wrapper" in function.run(LOOK)
        assert function.run("make('/tmp/user'); time.sleep(0.3); result = os.path.exists('/tmp/user')")
        assert [line for line in function.end() if "policy" in line] == []


INIT = "/tmp,/tmp/init/**,/tmp/started"  # what initialization makes


@pytest.mark.promise("tmp.clear-keeps")
def test_after_a_restore_only_events_count() -> None:
    with started({**HEADLINE, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}) as function:
        function.api.wait_for(RESTORE)
        function.api.open_gate("restore")
        assert function.left("open('/tmp/user', 'w').close()") == set()
        assert "/tmp/restored" in function.run(LOOK)


ENDS = """
make("/tmp/user")
os.makedirs("/tmp/folder/below")
shell("echo user > /tmp/by-a-program")
os.makedirs("/tmp/cache", exist_ok=True)
"""


@pytest.mark.promise("tmp.clear-at-end")
@pytest.mark.parametrize(
    ("end", "status"),
    [("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -9), ("os.chmod('/tmp', 0); os.kill(os.getpid(), 9)", -9)],
)
def test_a_function_that_ends_leaves_nothing_to_the_next(end: str, status: int) -> None:
    """Lambda starts the runtime anew in the same sandbox, after a timeout for example: initialization finds nothing."""
    with started(HEADLINE) as function:
        function.run("result = 1")
        for _ in range(2):
            assert function.is_killed_by(ENDS + end) == status
            assert (function.tmp / "user").exists() or status == 3
            function.start()
            kept = {"/tmp/cache", "/tmp/init", "/tmp/init/cache", "/tmp/started"}
            assert set(function.run(LOOK)) == {*kept, "/tmp/.shielded-function"}
            assert function.left("make('/tmp/user')") == set()
        assert [line for line in function.end() if "policy" in line] == []


@pytest.mark.promise("tmp.clear-at-end")
@pytest.mark.parametrize(
    "code",
    [
        "os.symlink('/tmp/init', MARKER)",
        "make(MARKER)",
        "os.mkdir(MARKER); make(MARKER + '/user'); os.link('/tmp/init/cache', MARKER + '/cache')",
    ],
)
def test_a_marker_that_is_replaced_leads_nowhere(code: str) -> None:
    """Neither while the function runs, nor when it starts anew."""
    with started(HEADLINE) as function:
        function.run("result = 1")
        replace = f"MARKER = '/tmp/.shielded-function'; os.rmdir(MARKER); {code}; make('/tmp/user')"
        function.run(replace)
        assert {"/tmp/user", "/tmp/.shielded-function/user"}.isdisjoint(function.run(LOOK))
        function.run("os.path.lexists(m := '/tmp/.shielded-function') or os.mkdir(m)")
        assert function.is_killed_by(replace + "; os.kill(os.getpid(), 9)") == -9
        function.start()
        assert function.left("make('/tmp/user')") == set()
        assert (function.tmp / "init" / "cache").read_text() == "initialization"


def fill(tmp: Path) -> None:
    with (tmp / "full").open("wb", 0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
    with (tmp / "full").open("r+b") as file:
        file.truncate((tmp / "full").stat().st_size - 65536)


def occupy(tmp: Path) -> None:
    (tmp / ".shielded-function" / "theirs").mkdir(parents=True)


@pytest.mark.promise("tmp.clear-at-end")
@pytest.mark.parametrize("prepare", [occupy, fill], ids=["taken", "full"])
def test_without_a_marker(prepare: Callable[[Path], object]) -> None:
    """Another user has that name already, or there is no room."""
    with started(HEADLINE, prepare=lambda box: prepare(box.path("/tmp"))) as function:
        assert function.left("make('/tmp/user'); shell('echo > /tmp/by-a-program')") == set()


def test_a_runtime_that_asks_by_a_program_each_time() -> None:
    with started(HEADLINE, program=PROGRAM_EACH) as function:
        assert function.left("make('/tmp/user'); make('/tmp/init/user'); os.mkdir('/tmp/cache')") == {"/tmp/cache"}
        assert {"/tmp/init/cache", "/tmp/started"} <= set(function.run(LOOK))


def test_it_goes_with_every_mode() -> None:
    for mode in ("alert", "block"):
        with started(policy(clear_tmp="on", read_write_tmp=mode, allow_tmp=INIT + ",/tmp/cache/**")) as function:
            kept = {"/tmp/cache", "/tmp/cache/x", "/tmp/cache/x/y"}
            assert function.left("os.makedirs('/tmp/cache/x'); make('/tmp/cache/x/y')") == kept
            assert function.left("try:\n    make('/tmp/other')\nexcept PermissionError: pass") == set()


CONCURRENT = {"AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}
SEVERAL = "clear_tmp: this function runs several invocations at once"


@pytest.mark.promise("tmp.clear-refused")
@pytest.mark.parametrize("concurrency", ["1", "8"])
def test_it_is_refused_on_managed_instances(concurrency: str) -> None:
    environment = HEADLINE | CONCURRENT | {"AWS_LAMBDA_MAX_CONCURRENCY": concurrency}
    with open_box(INSIDE) as box:
        done = box.run_command([SHIELD, "/var/lang/bin/python3", "-c", ""], environment=environment)
    (line,) = shield_lines(done.stderr.splitlines())
    assert (done.returncode, line["event"]) == (78, "refused")
    assert line["reason"] == SEVERAL + " (Lambda Managed Instances), so /tmp is always in use; leave clear_tmp out"


# In the function's own code

MODES = "outbound_connectivity read_write_tmp create_child_process read_handler executable_memory"
CONFIGURE = f"""
sys.path.insert(0, "/opt/python")
import shielded_function_runtime as shield
try:
    shield.configure({{"policy": dict.fromkeys("{MODES}".split(), "allow") | {{"clear_tmp": SWITCH}}}})
    result = "in force"
except Exception as error:
    result = str(error)
"""
ON, OFF = CONFIGURE.replace("SWITCH", "True"), CONFIGURE.replace("SWITCH", "False")
MAKE = """
make("/tmp/user")
shell("echo user > /tmp/by-a-program")
subprocess.run(["/bin/sh", "-c", "echo user > /tmp/by-another"], check=True, env={})
"""


@pytest.mark.promise("tmp.clear-refused")
def test_in_the_midst_of_an_invocation() -> None:
    """What it makes from then on goes; what was made before is not known."""
    with started(policy()) as function:
        assert function.run("make('/tmp/before')\n" + ON + MAKE) == "in force"
        found = function.run(LOOK)
        assert "/tmp/before" in found
        assert {"/tmp/user", "/tmp/by-a-program", "/tmp/by-another"}.isdisjoint(found)
        assert function.left(MAKE) == set()
        assert function.run(ON) == "in force"
        expected = 'clear_tmp: "off" is looser than on, which is in force; a later call may only tighten'
        assert function.run(OFF) == expected
        assert function.left(MAKE) == set()


@pytest.mark.promise("tmp.clear-refused")
def test_where_several_invocations_run_at_once() -> None:
    with started({**policy(), **CONCURRENT, "AWS_LAMBDA_MAX_CONCURRENCY": "1"}) as function:
        assert function.run(ON).startswith(SEVERAL)
        assert function.left("make('/tmp/stays')") == {"/tmp/stays"}
