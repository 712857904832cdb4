"""What `clear_tmp` does not remove: each is a row of docs/security/limits.md."""

from __future__ import annotations

from integration.clear_tmp.function import HEADLINE, LOOK, started


def test_what_was_there_can_hold_anything() -> None:
    with started(HEADLINE) as function:
        function.run("open('/tmp/init/cache', 'w').write('user')")
        assert function.run("result = open('/tmp/init/cache').read()") == "user"


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
