"""What `clear_tmp` does not remove: each is a row of docs/security/limits.md."""

from __future__ import annotations

import pytest

from integration.clear_tmp.function import HEADLINE, LOOK, started


def test_what_was_there_can_hold_anything() -> None:
    with started(HEADLINE) as function:
        function.run("open('/tmp/init/cache', 'w').write('user')")
        assert function.run("result = open('/tmp/init/cache').read()") == "user"


def test_a_mark_holds_attributes() -> None:
    """The empty file of the X-Ray SDK stays."""
    mark = "/tmp/.aws-xray/initialized"
    with started(HEADLINE) as function:
        code = f"""
        os.makedirs(os.path.dirname("{mark}"), exist_ok=True)
        make("{mark}")
        try:
            os.setxattr("{mark}", "user.kept", b"x" * 49152)
            result = "kept"
        except OSError as error:
            result = error.strerror
        """
        if (said := function.run(code)) != "kept":
            pytest.skip(f"/tmp takes no attributes here: {said}")
        assert function.run(f"result = len(os.getxattr('{mark}', 'user.kept'))") == 49152


def test_a_file_that_is_open_outlives_its_name() -> None:
    with started(HEADLINE) as function:
        function.run(
            "import builtins; builtins.kept = open('/tmp/user', 'w+'); print('user', file=builtins.kept, flush=True)"
        )
        code = (
            "import builtins, os; builtins.kept.seek(0); result = [builtins.kept.read(), os.path.exists('/tmp/user')]"
        )
        assert function.run(code) == ["user\n", False]


def test_what_is_made_between_events_goes_later() -> None:
    """By a process that works on."""
    with started(HEADLINE) as function:
        function.run("subprocess.Popen(['/bin/sh', '-c', 'sleep 0.5; echo user > /tmp/late; sleep 60'])")
        function.wait_for_file("late")
        assert "/tmp/late" in function.run(LOOK)
        assert "/tmp/late" not in function.run(LOOK)


def test_code_that_removes_the_record_and_is_killed() -> None:
    with started(HEADLINE) as function:
        function.run("result = 1")
        code = "os.unlink('/tmp/.shielded-function'); make('/tmp/user'); os.kill(os.getpid(), 9)"
        assert function.is_killed_by(code) == -9
        function.start()
        assert "/tmp/user" in function.run(LOOK)


def test_a_folder_that_is_closed_hides_the_record() -> None:
    """Until code opens it again."""
    with started({**HEADLINE, "OPENS": "1"}) as function:
        function.run("result = 1")
        assert function.is_killed_by("make('/tmp/user'); os.chmod('/tmp', 0); os.kill(os.getpid(), 9)") == -9
        function.start()
        assert "/tmp/user" in function.run(LOOK)
