"""What `clear_tmp` does not remove: each is a row of docs/security/limits.md."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.clear_tmp.function import HEADLINE, LOOK, PROGRAM_EACH, Function, started
from integration.clear_tmp.other_tmp import cover_tmp
from shielded_function_emulator.sandbox import Sandbox


@pytest.fixture(scope="module")
def function() -> Iterator[Function]:
    with started(HEADLINE) as function:
        yield function


def test_what_was_there_can_hold_anything(function: Function) -> None:
    function.run("open('/tmp/init/cache', 'w').write('user')")
    assert function.run("result = open('/tmp/init/cache').read()") == "user"


def test_what_was_there_can_be_called_anything() -> None:
    with started(HEADLINE) as function:
        function.run("cache = '/tmp/init/cache'; os.link(cache, '/tmp/linked'); os.rename(cache, '/tmp/renamed')")
        function.run("os.rename('/tmp/init', '/tmp/folder')")
        assert {"/tmp/linked", "/tmp/renamed", "/tmp/folder"} <= set(function.run(LOOK))


def mount_in_tmp(box: Sandbox) -> None:
    (box.path("/tmp") / "mounted").mkdir()
    cover_tmp(box, "ramfs", target="/tmp/mounted")


def test_what_is_mounted_in_tmp_stays() -> None:
    with started(HEADLINE, prepare=mount_in_tmp) as function:
        assert function.left("make('/tmp/mounted/user')") == {"/tmp/mounted/user"}
        assert [line for line in function.end() if "policy" in line] == []


@pytest.mark.promise("tmp.clear-tells")
def test_what_lies_deep_in_what_was_there_is_told() -> None:
    deep = "/tmp/init" + "/deep" * 40
    with started({**HEADLINE, "DEEP": deep}) as function:
        assert function.left(f"make('{deep}/user')") == {f"{deep}/user"}
        told = [line["details"]["arguments"] for line in function.end() if "policy" in line]
    why = "could not be removed, and maybe others: errno 36"
    assert set(map(tuple, told)) == {(why, "/tmp/init" + "/deep" * 31)}


def test_a_file_that_is_open_outlives_its_name(function: Function) -> None:
    function.run("sys.kept = open('/tmp/user', 'w+'); print('user', file=sys.kept, flush=True)")
    assert function.run("sys.kept.seek(0); result = [sys.kept.read(), os.path.exists('/tmp/user')]") == [
        "user\n",
        False,
    ]


def test_what_is_made_between_events_goes_later(function: Function) -> None:
    """By a process that works on."""
    function.run("subprocess.Popen(['/bin/sh', '-c', 'sleep 0.5; echo user > /tmp/late; sleep 60'])")
    function.wait_for_file("late")
    assert "/tmp/late" in function.run(LOOK)
    assert "/tmp/late" not in function.run(LOOK)


REMOVED = "os.rmdir('/tmp/.shielded-function'); make('/tmp/user')"


def test_code_that_removes_the_marker_and_is_killed() -> None:
    with started(HEADLINE) as function:
        function.run("result = 1")
        assert function.is_killed_by(REMOVED + "; os.kill(os.getpid(), 9)") == -9
        function.start()
        assert "/tmp/user" in function.run(LOOK)


def test_the_marker_of_a_runtime_of_many_programs_is_removed() -> None:
    with started(HEADLINE, program=PROGRAM_EACH) as function:
        function.run("result = 1")
        function.run(REMOVED)
        assert "/tmp/user" in function.run(LOOK)
