"""What is started: shielded by the library first of all, and otherwise just as it would have been without."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integration.launcher.conftest import LOADED
from integration.launcher.support import POLICY, Installed, assert_refused, read_line, write_script

PYTHON = str(Path(sys.executable).resolve())
# Prints what the program was given.
SHOW = """
import json, os
print(json.dumps({
    "environment": {os.fsdecode(k): os.fsdecode(v) for k, v in os.environb.items()},
    "descriptors": sorted(int(n) for n in os.listdir("/proc/self/fd")),
    "cwd": os.getcwd(),
}))
"""


def show(installed: Installed, environment: dict[str, str], **options: Any) -> dict[str, Any]:
    done = installed.run([PYTHON, "-I", "-S", "-c", SHOW], environment, **options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == LOADED
    return json.loads(done.stdout)


def test_environment_gains_two_variables_and_loses_none(installed: Installed) -> None:
    before = {**POLICY, "PATH": "/bin", "EMPTY": "", "EQUALS": "a=b=c", "BYTES": os.fsdecode(b"\xff\xfe\n")}
    after = show(installed, before)["environment"]
    assert after == {
        **before,
        "LD_PRELOAD": str(installed.library),
        "SHIELD_STATE": f"starting:-1:{PYTHON}",
        # Python adds it by itself in the C locale (PEP 538).
        **{k: v for k, v in after.items() if k == "LC_CTYPE"},
    }


def test_arguments_pass_untouched(installed: Installed) -> None:
    arguments = ["", " ", "a b", "--version", "--help", "doctor", os.fsdecode(b"\xff"), "*", "-"]
    printer = "import sys; sys.stdout.buffer.write(b'\\0'.join(map(__import__('os').fsencode, sys.argv[1:])))"
    done = installed.run([PYTHON, "-I", "-S", "-c", printer, *arguments], POLICY)
    assert done.stdout == "\0".join(arguments)


def test_exit_status_and_pid_are_the_programs_own(installed: Installed) -> None:
    assert installed.run(["/bin/sh", "-c", "exit 7"], POLICY).returncode == 7
    started = subprocess.Popen([installed.program, "/bin/sh", "-c", "echo $$"], env=POLICY, stdout=-1, stderr=-1)
    assert int(started.communicate(timeout=30)[0]) == started.pid


def test_nothing_leaks_into_the_program(installed: Installed, tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_text("SHIELD_READ_HANDLER=alert\n")
    before = show(installed, {**POLICY, "SHIELD_POLICY_FILE": str(file)}, cwd=tmp_path)
    assert before["descriptors"] == [0, 1, 2, 3]  # 3 is the listing itself
    assert before["cwd"] == str(tmp_path)


@pytest.mark.parametrize("action", [signal.SIG_IGN, signal.SIG_DFL])
def test_signals_are_the_callers(installed: Installed, action: signal.Handlers) -> None:
    # Python ignores SIGPIPE by itself, so ask a program that does not.
    command = ["/bin/grep", "SigIgn", "/proc/self/status"]
    done = installed.run(command, POLICY, before=lambda: signal.signal(signal.SIGPIPE, action), restore_signals=False)
    mask = int(done.stdout.split()[1], 16)
    assert bool(mask >> (signal.SIGPIPE - 1) & 1) is (action == signal.SIG_IGN)


@pytest.mark.parametrize(("theirs", "after"), [("libm.so.6", ":libm.so.6"), ("", "")])
def test_the_users_preload_comes_second(installed: Installed, theirs: str, after: str) -> None:
    assert (
        show(installed, {**POLICY, "LD_PRELOAD": theirs})["environment"]["LD_PRELOAD"] == f"{installed.library}{after}"
    )


def run_with_entries(installed: Installed, command: list[str], *entries: str) -> subprocess.CompletedProcess[str]:
    """By execve(2) with an environment that no dictionary can hold."""

    def array(*texts: str | Path) -> object:
        return (ctypes.c_char_p * (len(texts) + 1))(*map(os.fsencode, texts), None)

    def become() -> None:
        ctypes.CDLL(None).execve(os.fsencode(installed.program), array(installed.program, *command), array(*entries))

    return subprocess.run(["/bin/true"], preexec_fn=become, capture_output=True, text=True, timeout=30, check=False)


def test_a_second_preload_does_not_win(installed: Installed) -> None:
    """The loader takes the last LD_PRELOAD of an environment: one must be left, and it must be ours."""
    entries = ["SHIELD_READ_HANDLER=block", "LD_PRELOAD=libm.so.6", "NO_EQUALS_SIGN", "LD_PRELOAD=libdl.so.2"]
    done = run_with_entries(installed, ["/usr/bin/env"], *entries)
    preloads = [line for line in done.stdout.splitlines() if line.startswith("LD_PRELOAD")]
    assert preloads == [f"LD_PRELOAD={installed.library}:libdl.so.2"]
    assert LOADED in done.stderr


def test_a_setting_given_twice_is_refused(installed: Installed) -> None:
    done = run_with_entries(installed, ["/bin/echo", "ran"], "SHIELD_READ_HANDLER=block", "SHIELD_READ_HANDLER=allow")
    assert "given twice" in assert_refused(done)


@pytest.mark.parametrize(("count", "size"), [(5000, 50), (10, 100_000)])
def test_a_large_environment(installed: Installed, count: int, size: int) -> None:
    many = {f"VARIABLE_{i}": "x" * size for i in range(count)}
    assert many.items() <= show(installed, {**POLICY, **many})["environment"].items()


def test_policy_file(installed: Installed, tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_text("# a comment\r\n\r\nSHIELD_OUTBOUND_CONNECTIVITY=alert\r\n")
    done = installed.run(["/bin/echo", "ran"], {"SHIELD_POLICY_FILE": str(file)})
    assert (done.stdout, done.stderr) == ("ran\n", LOADED)


def test_a_program_by_name_is_looked_up_in_path(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "runtime").mkdir()  # a folder is no program
    (tmp_path / "second").mkdir()
    write_script(tmp_path / "second" / "runtime", 'echo "$0 $SHIELD_STATE"')
    path = f"{tmp_path}/first:/nonexistent:{tmp_path}/second"
    done = installed.run(["runtime"], {**POLICY, "PATH": path})
    assert done.stdout == f"{tmp_path}/second/runtime starting:-1:{tmp_path}/second/runtime\n"


@pytest.mark.parametrize(("path", "program"), [("/bin", "./runtime"), ("", "runtime"), (".", "runtime")])
def test_a_relative_program_becomes_absolute(installed: Installed, tmp_path: Path, path: str, program: str) -> None:
    write_script(tmp_path / "runtime", 'echo "$SHIELD_STATE"')
    done = installed.run([program], {**POLICY, "PATH": path}, cwd=tmp_path)
    stage, log, runtime = done.stdout.strip().split(":", 2)
    assert (stage, log) == ("starting", "-1")
    assert runtime.startswith("/")
    assert Path(runtime).samefile(tmp_path / "runtime")


def test_a_script_is_shielded_through_its_interpreter(installed: Installed, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", "print('ran')", interpreter=f"{PYTHON} -IS")
    done = installed.run([script], POLICY)
    assert (done.stdout, done.stderr) == ("ran\n", LOADED)


# --- the next wrapper -------------------------------------------------------------------------------------------


def test_the_next_wrapper_gets_lambdas_convention(installed: Installed, tmp_path: Path) -> None:
    said = 'echo "wrapper $0 $# $*, state $SHIELD_STATE"'
    wrapper = write_script(tmp_path / "wrapper", said, 'exec "$@" wrapped')
    done = installed.run(["/bin/echo", "runtime", "x"], {**POLICY, "SHIELD_NEXT_WRAPPER": str(wrapper)})
    seen = f"wrapper {wrapper} 3 /bin/echo runtime x, state starting:-1:/bin/echo"
    assert done.stdout.splitlines() == [seen, "runtime x wrapped"]
    assert done.stderr == LOADED * 2  # the wrapper's shell, and the runtime


def test_a_static_wrapper_must_be_listed(installed: Installed, tmp_path: Path, static_program: Path) -> None:
    # The static stand-in is the wrapper program itself; asked for a shielded start it sees SHIELD_STATE and refuses,
    # which shows that it was started, and with which environment.
    listed = {"SHIELD_ALLOW_CHILD_PROCESS": f"unshielded:{static_program}"}
    done = installed.run(["/bin/echo", "ran"], {**POLICY, **listed, "SHIELD_NEXT_WRAPPER": str(static_program)})
    assert "SHIELD_STATE is set" in assert_refused(done)


# --- run_unshielded ---------------------------------------------------------------------------------------------

UNSHIELDED = {"SHIELD_ON_FAILURE": "run_unshielded"}


def test_run_unshielded_when_the_policy_is_wrong(installed: Installed) -> None:
    environment = {**UNSHIELDED, "SHIELD_READ_WRITE_TMP": "deny", "LD_PRELOAD": "libm.so.6"}
    done = installed.run(["/usr/bin/env"], environment)
    assert done.returncode == 0
    assert "SHIELD_READ_WRITE_TMP" in read_line(done.stderr, "unshielded")
    assert dict(line.split("=", 1) for line in done.stdout.splitlines()) == environment


WATCHES = dict.fromkeys(
    ("SHIELD_OUTBOUND_CONNECTIVITY", "SHIELD_READ_WRITE_TMP", "SHIELD_CREATE_CHILD_PROCESS"), "alert"
)


BLOCKS = ("READ_HANDLER=block", "EXECUTABLE_MEMORY=block", "CLEAR_TMP=on", "ON_FAILURE=refuse")


@pytest.mark.parametrize(
    ("setting", "named"), [*((setting, "libshield.so") for setting in ("", *BLOCKS)), ("READ_HANDLER=alrt", "HANDLER")]
)
def test_where_nothing_is_blocked_it_runs_unshielded(installed: Installed, setting: str, named: str) -> None:
    """Of a policy that cannot be read it is not known whether it blocks anything."""
    installed.library.unlink()
    name, _, value = setting.partition("=")
    done = installed.run(["/bin/echo", "ran"], WATCHES | ({f"SHIELD_{name}": value} if setting else {}))
    assert done.stdout == ("" if setting else "ran\n")
    reason = read_line(done.stderr, "refused" if setting else "unshielded")
    assert named in reason
    assert ("as nothing is blocked and SHIELD_ON_FAILURE is not set" in reason) == (not setting)


@pytest.mark.parametrize(
    ("name", "value", "printed", "named"),
    [
        ("POLICY_FILE", "{tmp}/policy", "ran\n", "libshield.so"),
        ("NEXT_WRAPPER", "{tmp}/wrapper", "wrapper\nran\n", "libshield.so"),
        # One that cannot run is left out.
        *(("NEXT_WRAPPER", path, "ran\n", "NEXT_WRAPPER") for path in ("/no/such/wrapper", "wrapper", "{itself}")),
    ],
)
def test_run_unshielded(installed: Installed, tmp_path: Path, name: str, value: str, printed: str, named: str) -> None:
    (tmp_path / "policy").write_text("SHIELD_ON_FAILURE=run_unshielded\nSHIELD_READ_HANDLER=block\n")
    write_script(tmp_path / "wrapper", "echo wrapper", 'exec "$@"')
    if named == "libshield.so":
        installed.library.unlink()
    setting = {f"SHIELD_{name}": value.format(tmp=tmp_path, itself=installed.program)}
    done = installed.run(["/bin/echo", "ran"], POLICY | ({} if name == "POLICY_FILE" else UNSHIELDED) | setting)
    assert done.stdout == printed
    assert named in read_line(done.stderr, "unshielded")


def test_run_unshielded_runs_a_static_program(installed: Installed, static_program: Path) -> None:
    done = installed.run([static_program, "--version"], {**POLICY, **UNSHIELDED})
    assert done.stdout.startswith("shield ")
    assert "static program" in read_line(done.stderr, "unshielded")


def test_run_unshielded_cannot_run_what_is_not_there(installed: Installed) -> None:
    done = installed.run(["/no/such/program"], {**POLICY, **UNSHIELDED})
    assert done.returncode == 78
    for line, event in zip(done.stderr.splitlines(keepends=True), ("unshielded", "refused"), strict=True):
        assert "/no/such/program" in read_line(line, event)
