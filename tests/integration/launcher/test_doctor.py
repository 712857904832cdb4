"""`shield doctor`: the facts of this machine, and what it says when a sandbox refuses, kills or never answers."""

from __future__ import annotations

import errno
import json
import os
import platform
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.inside.filtering import KILL_PROCESS, NEW_LISTENER, USER_NOTIFICATION, errno_answer, install
from harness.system_calls import kernel_calls
from integration.launcher.support import MACHINE, Installed, become, needs_root, write_script
from shielded_function_emulator import seccomp
from shielded_function_emulator.machine import EMULATOR, missing
from shielded_function_runtime.build import native

pytestmark = pytest.mark.promise("start.doctor")

KEYS = [
    "kernel", "architecture", "user", "no_new_privs", "seccomp_mode", "prctl_get_name", "prctl_set_name",
    "prctl_no_new_privs", "seccomp", "seccomp_filter", "seccomp_notify", "ptrace", "landlock", "user_namespaces",
    "memfd_create", "pidfd_open", "pidfd_getfd", "process_vm_readv", "io_uring", "clone3", "statx_mount_id",
    "executable_memory", "patch_code", "hard_limits", "protection_keys", "unreadable_program", "opt", "tmp", "dev_shm",
    "proc_self_fd", "descriptors", "needed_calls", "libc", "libc_version", "libc_coverage", "process_engine",
    "whole_way", "kernel_engine",
]  # fmt: skip
OUTCOMES = {"works", "refused", "missing", "failed", "no", "killed", "timed_out", "no_answer"}
_LINE = '{"function_shield":true,"v":1,"timestamp":"2026-11-24T13:37:00.123456Z","engine":"process",'
ARMED = _LINE + '"level":"INFO","event":"armed","modes":{},"sites":423,"patched":57,"micros":812,"pid":17}'
UNGUARDED = "a system call cannot be guarded in /lib/libc.so.6 at file offset 1193046, number 257"
REFUSED_FOR_A_SITE = _LINE + f'"level":"ERROR","event":"refused","policy":"start","count":1,"reason":"{UNGUARDED}"}}'
Findings = dict[str, dict[str, object]]


def install_filter(answers: Mapping[str, int], flags: int = 0, *, no_new_privs: bool = True) -> int:
    """For good, in this process: calls by their names."""
    calls = kernel_calls(MACHINE)
    return install([(calls[name], answer) for name, answer in answers.items()], flags, no_new_privs=no_new_privs)


def examine(
    installed: Installed, *arguments: str, before: Callable[[], object] | None = None, **options: Any
) -> Findings:
    done = installed.run(["doctor", "--json", *arguments], {"PATH": "/usr/bin:/bin"}, before=before, **options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert list(report) == ["version", "findings"]
    findings = report["findings"]
    assert list(findings) == KEYS
    for finding in findings.values():
        assert list(finding) == ["outcome", "value", "error", "signal", "meaning"]
        assert finding["outcome"] in OUTCOMES
        assert finding["meaning"]
    return findings


def answer(findings: Findings, key: str) -> tuple[object, object]:
    """(outcome, errno or signal)"""
    return findings[key]["outcome"], findings[key]["signal"] or findings[key]["error"]


def told(findings: Findings, *keys: str) -> list[tuple[object, object]]:
    return [(findings[key]["outcome"], findings[key]["value"]) for key in keys]


def test_the_facts_of_this_machine(installed: Installed) -> None:
    findings = examine(installed)
    status = Path("/proc/self/status").read_text()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert findings["kernel"]["value"] == platform.release()
    assert findings["architecture"]["value"] == platform.machine()
    assert findings["user"]["value"] == f"uid {os.getuid()} gid {os.getgid()}"
    assert f"\nNoNewPrivs:\t{findings['no_new_privs']['value']}\n" in status
    mode = {"0": "none", "1": "strict", "2": "filter"}[status.split("\nSeccomp:\t")[1][0]]
    assert findings["seccomp_mode"]["value"] == mode
    opt = os.stat("/opt") if os.path.isdir("/opt") else None
    of_opt = f"uid {opt.st_uid} gid {opt.st_gid} mode {opt.st_mode & 0o7777:o}" if opt else None
    assert told(findings, "opt") == [("works" if opt else "failed", of_opt)]
    assert findings["hard_limits"]["outcome"] in ("works", "no")  # no: this machine's root may raise them
    hides = findings["unreadable_program"]  # root reads each process
    assert (hides["outcome"], hides["value"]) == (
        ("no", "its environment can be read") if not os.getuid() else ("works", None)
    )
    assert findings["dev_shm"]["outcome"] == ("works" if os.path.isdir("/dev/shm") else "failed")
    assert findings["tmp"]["outcome"] == ("works" if os.stat("/tmp").st_dev != os.stat("/").st_dev else "no")
    assert str(findings["descriptors"]["value"]).split()[0] in (str(soft), "unlimited")
    for key in ("executable_memory", "patch_code", "proc_self_fd"):
        assert findings[key]["outcome"] == "works"


def test_text_is_one_line_a_fact(installed: Installed) -> None:
    done = installed.run(["doctor"], {})
    assert (done.returncode, done.stderr) == (0, "")
    title, blank, *lines = done.stdout.splitlines()
    assert (title.split()[0], blank) == ("shield", "")
    assert [line.split()[0] for line in lines] == KEYS
    # every column begins where the one above it does
    assert {line[:20].rstrip() for line in lines} == set(KEYS)
    assert all(line[20] != " " for line in lines)
    fitting = [line for line in lines if len(line) > 48 and line[46:48] == "  "]
    assert len(fitting) > len(KEYS) // 2


def test_the_engine_is_told_by_its_armed_line(installed: Installed, tmp_path: Path) -> None:
    program = write_script(tmp_path / "program", "echo noise", f"echo '{ARMED}' >&2", 'test -z "$SECRET"')
    findings = examine(installed, "--program", str(program))
    assert told(findings, "process_engine", "libc_coverage") == [
        ("works", f"armed in {program}: 57 of 423 system-call sites patched, 812 microseconds"),
        ("works", "complete: 423 system-call sites, 57 can make a guarded call, each has its gate"),
    ]


def test_incomplete_coverage_names_the_first_site(installed: Installed, tmp_path: Path) -> None:
    program = write_script(tmp_path / "program", f"echo '{REFUSED_FOR_A_SITE}' >&2", "exit 78")
    findings = examine(installed, "--program", str(program))
    expected = [("no", f"incomplete: {UNGUARDED}"), ("no", UNGUARDED)]
    assert told(findings, "libc_coverage", "process_engine") == expected


def test_the_engine_is_tried_with_a_policy_of_its_own(installed: Installed, tmp_path: Path) -> None:
    """The caller's policy may be the broken part, and must not be what is tried."""
    program = write_script(tmp_path / "program", f"env | grep ^SHIELD_ | sort > {tmp_path}/settings")
    environment = {"SHIELD_READ_WRITE_TMP": "deny", "SHIELD_STATE": "x", "LD_PRELOAD": "libm.so.6", "PATH": "/bin"}
    done = installed.run(["doctor", "--json", "--program", program], environment)
    assert "reported neither armed nor refused" in json.loads(done.stdout)["findings"]["process_engine"]["value"]
    assert (tmp_path / "settings").read_text().splitlines() == [
        "SHIELD_CREATE_CHILD_PROCESS=alert",
        "SHIELD_ON_FAILURE=refuse",
        "SHIELD_OUTBOUND_CONNECTIVITY=alert",
        "SHIELD_READ_HANDLER=alert",
        "SHIELD_READ_WRITE_TMP=alert",
        f"SHIELD_STATE=starting:-1:{program}",
    ]


def test_a_missing_library_is_said(installed: Installed) -> None:
    installed.library.unlink()
    findings = examine(installed)
    assert findings["process_engine"]["outcome"] == findings["libc_coverage"]["outcome"] == "no"
    assert str(findings["process_engine"]["value"]).startswith(f'"{installed.library}" cannot be opened')
    assert findings["libc_coverage"]["value"] == "not known: the engine failed before it"


def test_a_static_program_is_said(installed: Installed, static_program: Path) -> None:
    findings = examine(installed, "--program", str(static_program))
    keys = ("libc", "libc_version", "libc_coverage", "process_engine")
    assert told(findings, *keys) == [("no", f"{static_program} is a static program")] * 4


def test_a_missing_program_is_said(installed: Installed) -> None:
    missing = '"/no/such/program" cannot be opened: No such file or directory'
    assert told(examine(installed, "--program", "/no/such/program"), "libc") == [("no", missing)]


@pytest.fixture
def real() -> Installed:
    layer = f"layer/{MACHINE}/shielded-function"
    native.build([layer])
    return Installed(native.BINARIES / layer)


@pytest.mark.parametrize("arguments", [[], ["--program", sys.executable]])
def test_the_real_engine_arms(real: Installed, arguments: list[str]) -> None:
    if arguments and sys.executable.startswith("/tmp/"):
        pytest.skip("this Python lies in /tmp, which doctor blocks: move the checkout")
    findings = examine(real, *arguments)
    finding = findings["process_engine"]
    assert (finding["outcome"], findings["libc_coverage"]["outcome"]) == ("works", "works")
    armed = r"armed in (\S+): (\d+) of (\d+) system-call sites patched, (\d+) microseconds"
    figures = re.fullmatch(armed, str(finding["value"]))
    assert figures
    assert not arguments or figures[1] == sys.executable
    assert 0 < int(figures[2]) <= int(figures[3])
    program = arguments[1] if arguments else str(findings["whole_way"]["value"]).partition(" ")[0]
    came = f"{program} started, asked for an event, was refused /tmp, and the alert came"
    assert findings["whole_way"]["value"] == came
    assert findings["needed_calls"]["value"] == "all there"


@pytest.mark.promise("shield.refused-calls")
def test_a_refused_call_is_named_and_stops_the_whole_way(real: Installed) -> None:
    findings = examine(real, before=lambda: install_filter({"readlinkat": errno_answer(errno.EPERM)}))
    for key in ("needed_calls", "whole_way"):
        assert findings[key]["outcome"] == "no"
        assert str(findings[key]["value"]).startswith("readlinkat is refused (EPERM), and the shield needs it")


# --- a sandbox that says no -------------------------------------------------------------------------------------


def test_refused_missing_and_killed_are_told_apart(installed: Installed) -> None:
    answers = {
        "process_vm_readv": errno_answer(errno.EPERM),
        "pidfd_getfd": errno_answer(errno.EPERM),
        "io_uring_setup": errno_answer(errno.ENOSYS),
        "memfd_create": KILL_PROCESS,
        "clone3": errno_answer(errno.EINVAL),
    }
    findings = examine(installed, before=lambda: install_filter(answers))
    expected = {
        "process_vm_readv": ("refused", "EPERM"),
        "pidfd_getfd": ("refused", "EPERM"),
        "io_uring": ("missing", "ENOSYS"),
        "memfd_create": ("killed", "SIGSYS"),
        "clone3": ("failed", "EINVAL"),
    }
    assert {key: answer(findings, key) for key in expected} == expected
    values = [findings[key]["value"] for key in ("seccomp_mode", "no_new_privs", "kernel_engine")]
    assert values == ["filter", 1, "lacks pidfd_getfd"]
    # What comes after a killed probe is still asked.
    assert findings["statx_mount_id"]["outcome"] == "works"


def test_a_call_that_never_returns_times_out(installed: Installed) -> None:
    """A supervisor that does not answer: the call hangs, the probe is ended, the rest goes on."""

    def hang() -> None:
        os.set_inheritable(install_filter({"io_uring_setup": USER_NOTIFICATION}, NEW_LISTENER), True)

    try:
        findings = examine(installed, before=hang, close_fds=False)
    except subprocess.SubprocessError:
        pytest.skip("seccomp user notification is not to be had here")
    assert answer(findings, "io_uring") == ("timed_out", None)
    assert findings["clone3"]["outcome"] != "timed_out"


@pytest.fixture
def open_to_all(installed: Installed) -> Iterator[Installed]:
    """Where every user may run it, which pytest's own folders are not for."""
    with tempfile.TemporaryDirectory(prefix="shield-test-") as folder:
        os.chmod(folder, 0o755)
        yield Installed(Path(shutil.copytree(installed.folder, Path(folder) / "shielded-function")))


@needs_root
def test_the_emulated_lambda_sandbox(open_to_all: Installed) -> None:
    def enter() -> None:
        seccomp.install()
        become(993, 990)

    findings = examine(open_to_all, before=enter)
    values = [findings[key]["value"] for key in ("user", "no_new_privs", "seccomp_mode")]
    assert values == ["uid 993 gid 990", 0, "filter"]
    refused = ("prctl_get_name", "prctl_set_name", "prctl_no_new_privs", "seccomp", "seccomp_filter", "ptrace")
    for key in (*refused, "process_vm_readv", "pidfd_getfd", "user_namespaces"):
        assert answer(findings, key) == ("refused", "EPERM"), key
    assert findings["seccomp_filter"]["value"] == "filtered"
    assert findings["landlock"]["outcome"] == "missing"
    assert findings["patch_code"]["outcome"] == findings["unreadable_program"]["outcome"] == "works"
    assert findings["kernel_engine"]["value"] == "lacks seccomp_notify"


@needs_root
def test_an_unprivileged_user_gets_a_filter_after_no_new_privs(open_to_all: Installed) -> None:
    findings = examine(open_to_all, before=lambda: become(65534, 65534))
    assert findings["seccomp_filter"]["value"] == "works after no_new_privs"


@needs_root
def test_a_lack_of_no_new_privs_is_told_from_a_filter(open_to_all: Installed) -> None:
    def enter() -> None:
        install_filter({"prctl": errno_answer(errno.EPERM)}, no_new_privs=False)
        become(65534, 65534)

    findings = examine(open_to_all, before=enter)
    assert answer(findings, "seccomp") == ("works", None)
    assert answer(findings, "seccomp_filter") == ("refused", "EACCES")
    assert findings["seccomp_filter"]["value"] == "only lacks no_new_privs, which prctl refuses"


# --- inherited state --------------------------------------------------------------------------------------------


def test_no_descriptors_left(installed: Installed) -> None:
    findings = examine(installed, before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)))
    assert findings["descriptors"]["value"] == "3 (hard 3)"
    assert answer(findings, "memfd_create") == ("failed", "EMFILE")
    assert answer(findings, "prctl_get_name") == ("works", None)
    assert findings["libc"]["outcome"] == "no"


def test_standard_input_and_error_closed(installed: Installed) -> None:
    findings = examine(installed, before=lambda: (os.close(0), os.close(2)))
    assert str(findings["process_engine"]["value"]).endswith("reported neither armed nor refused")
    assert findings["pidfd_getfd"]["outcome"] == examine(installed)["pidfd_getfd"]["outcome"]


def test_signals_ignored_and_blocked(installed: Installed) -> None:
    def disturb() -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())

    assert examine(installed, before=disturb) == examine(installed)


def test_no_process_is_left_behind(installed: Installed) -> None:
    """The subjects of the probes are ended by the probes."""
    before = {p.name for p in Path("/proc").glob("[0-9]*")}
    examine(installed)
    program = str(installed.program).encode()
    left = [p.name for p in Path("/proc").glob("[0-9]*") if p.name not in before and program in command_line(p)]
    assert left == []


def command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


# --- the other architecture -------------------------------------------------------------------------------------


@pytest.mark.arm64
@pytest.mark.skipif(missing() != "", reason=missing())
def test_the_aarch64_program_under_qemu(
    compiled: Callable[[str], Path], stand_in: Callable[[str], Path], tmp_path: Path
) -> None:
    program = Path(shutil.copy(compiled("aarch64"), tmp_path / "shield"))
    shutil.copy(stand_in("aarch64"), tmp_path / "libshield.so")

    command = [str(EMULATOR), str(program), "doctor", "--json"]
    done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=120, check=False)
    findings = json.loads(done.stdout)["findings"]
    assert list(findings) == KEYS
    assert findings["architecture"]["value"] == "aarch64"
    assert findings["patch_code"]["outcome"] == findings["prctl_get_name"]["outcome"] == "works"
