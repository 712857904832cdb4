"""The emulated sandbox refuses, shows and hides what Lambda does."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from harness.system_calls import ARCHITECTURES, kernel_calls
from harness.thinning import long_but
from integration.emulator.conftest import KINDS
from shielded_function_emulator.kernel import machine
from shielded_function_emulator.sandbox import NamespacesMissing, Sandbox, SandboxError
from shielded_function_emulator.seccomp import REFUSED as REFUSED_CALLS
from shielded_function_emulator.seccomp import program

# Calls that fail for other reasons once they are let through: EPERM can only be the filter's answer.
REFUSED = {
    "prctl(PR_SET_NAME)": "libc.prctl(15, b'name', 0, 0, 0)",
    "prctl(PR_GET_NAME)": "libc.prctl(16, ctypes.create_string_buffer(16), 0, 0, 0)",
    "prctl(PR_SET_NO_NEW_PRIVS)": "libc.prctl(38, 1, 0, 0, 0)",
    "ptrace(PTRACE_TRACEME)": "libc.ptrace(0, 0, 0, 0)",
    "seccomp(SECCOMP_GET_ACTION_AVAIL)": "libc.syscall(SECCOMP, 2, 0, ctypes.byref(ctypes.c_uint32(0x7fff0000)))",
    "fallocate": "libc.fallocate(os.open('/tmp/allocated', os.O_CREAT | os.O_RDWR), 0, 0, 10)",
    "process_vm_readv": "libc.process_vm_readv(os.getpid(), None, 0, None, 0, 0)",
    "process_vm_writev": "libc.process_vm_writev(os.getpid(), None, 0, None, 0, 0)",
    "pidfd_getfd": "libc.syscall(438, -1, 0, 0)",
    "unshare(CLONE_NEWUSER)": "libc.unshare(0x10000000)",
    "clone(CLONE_NEWUSER)": "libc.syscall(CLONE, 0x10000000 | 17, 0, 0, 0, 0) or os._exit(0)",
    "socket(AF_PACKET)": "libc.socket(17, 3, 0)",
    "socket(AF_INET, SOCK_RAW)": "libc.socket(2, 3, 1)",
    "socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC)": "libc.socket(10, 3 | 0o2000000, 58)",
}
ABSENT = ("/dev/shm", "/home/sbx_user1051", "/mnt", "/old", "/sys/kernel")
PRELUDE = f"""
import ctypes, errno, json, os
libc = ctypes.CDLL(None, use_errno=True)
SECCOMP, CLONE = {(317, 56) if machine() == "x86_64" else (277, 220)}
"""


def python(sandbox: Sandbox, code: str, timeout: float = 30) -> Any:
    """Runs Python in the sandbox; its last expression statement is `answer(value)`."""
    program = PRELUDE + "def answer(value): print(json.dumps(value))\n" + textwrap.dedent(code)
    done = sandbox.run_command(["python3", "-c", program], timeout=timeout)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_user_has_no_rights(sandbox: Sandbox) -> None:
    assert sandbox.run_command(["id", "-un"]).stdout == "sbx_user1051\n"
    lines = sandbox.run_command(["cat", "/proc/self/status"]).stdout.splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0, 0, 0, 0]
    assert status["NoNewPrivs"] == "0"
    assert status["Seccomp"] == "2"


def test_calls_that_lambda_refuses(sandbox: Sandbox) -> None:
    calls = "".join(f"{name!r}: [{call}, ctypes.get_errno()],\n" for name, call in REFUSED.items())
    assert python(sandbox, f"answer({{{calls}}})") == {name: [-1, errno.EPERM] for name in REFUSED}


def test_without_the_filter_the_same_calls_go_through(task: Path) -> None:
    """Else the test above could not fail."""
    with Sandbox(task=task, filtered=False) as sandbox:
        assert python(sandbox, "answer(libc.prctl(15, b'name', 0, 0, 0))") == 0
        assert python(sandbox, f"answer({REFUSED['fallocate']})") == 0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_filters_numbers_are_the_kernels(architecture: str) -> None:
    """Of the architecture that is not this machine's, too."""
    calls = kernel_calls(architecture)
    assert {call.name: getattr(call, architecture) for call in REFUSED_CALLS} == {
        c.name: calls[c.name] for c in REFUSED_CALLS
    }
    assert {calls["clone"], calls["socket"], calls["process_madvise"] + 1} <= {each.k for each in program(architecture)}


# An expression that a program in the sandbox evaluates, and its value in Lambda.
SEEN = {
    "user": ("[os.getresuid(), os.getresgid()]", [[993] * 3, [990] * 3]),
    "groups": ("set(os.getgroups()) <= {990}", True),
    "calls newer than the kernel": ("[libc.syscall(444, None, 0, 1), ctypes.get_errno()]", [-1, errno.ENOSYS]),
    "interfaces": ("[i[1] for i in socket.if_nameindex()]", ["lo"]),
    "netlink is no raw socket in that sense": ("libc.socket(16, 3, 0) >= 0", True),
    "tmp": ("[oct(tmp.st_mode), tmp.st_uid, tmp.st_gid]", ["0o40700", 993, 990]),
    "tmp is a mount": ("tmp.st_dev != os.stat('/').st_dev and ' /tmp tmpfs ' in open('/proc/mounts').read()", True),
    "absent": (f"[path for path in {ABSENT!r} if os.path.exists(path)]", []),
    "home": ("'HOME' in os.environ", False),
    "directories": ("[sys.prefix, boto3.__file__]", ["/var/lang", "/var/runtime/boto3/__init__.py"]),
    "the runtime client, and nothing of this checkout": (
        "[importlib.util.find_spec(name) is None for name in ('awslambdaric', 'aws_cdk')]", [False, True],
    ),
    "descriptors": ("resource.getrlimit(resource.RLIMIT_NOFILE)[0]", 1024),
    "processes of others": ("max(int(p) for p in os.listdir('/proc') if p.isdigit()) < 10", True),
    "other networks": ("socket.socket().connect_ex(('192.0.2.1', 9))", errno.ENETUNREACH),
}  # fmt: skip


def test_what_a_program_sees(sandbox: Sandbox) -> None:
    seen = "".join(f"{name!r}: {expression},\n" for name, (expression, _) in SEEN.items())
    modules = "import boto3, importlib.util, resource, socket, sys; tmp = os.stat('/tmp')"
    assert python(sandbox, f"{modules}\nanswer({{{seen}}})") == {name: value for name, (_, value) in SEEN.items()}


@pytest.mark.skipif(machine() != "x86_64", reason="`int 0x80` is x86")
def test_a_foreign_architecture_kills(sandbox: Sandbox) -> None:
    getpid_by_int_0x80 = r"\xb8\x14\x00\x00\x00\xcd\x80\xc3"
    code = f"""
        import ctypes, mmap
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(b"{getpid_by_int_0x80}")
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        """
    done = sandbox.run_command(["python3", "-c", textwrap.dedent(code)])
    assert done.returncode == -signal.SIGSYS


def test_nothing_else_can_be_written(sandbox: Sandbox) -> None:
    for path in ("/var/task/new", "/opt/new", "/var/runtime/new", "/etc/new", "/usr/new", "/new"):
        done = sandbox.run_command(["sh", "-c", f": > {path}"])
        assert done.returncode != 0
        assert "Read-only file system" in done.stderr or "Permission denied" in done.stderr


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("on_root", "system"), long_but({(True, True)}, [(False, False), (True, False), (True, True)]))
def test_where_the_runtime_lies(task: Path, kind: str, on_root: bool, system: bool) -> None:
    """On the mount of /, as in Lambda, the system too or not; or on mounts of its own. It runs, and stays as it is."""
    if kind == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    with Sandbox(task=task, ways=(kind,), runtime_on_root=on_root, system_on_root=system) as sandbox:
        table = sandbox.run_command(["cat", "/proc/self/mountinfo"]).stdout
        done = sandbox.run_command(["sh", "-c", "python3 /var/task/app.py; : > /var/runtime/new"])
        assert (done.stdout, "new: " in done.stderr) == ("hello\n", True)
    mounts = {line.split()[4] for line in table.splitlines()}
    assert {"/", "/tmp", "/var/task", "/proc"} <= mounts
    assert any(path.startswith("/var/runtime/") for path in mounts) is not on_root
    assert ("/var/lang" in mounts) is not (on_root and sys.base_prefix not in ("/usr", "/usr/local"))
    if system and "/usr" in mounts:
        pytest.skip("this machine lends no overlay of its root: the system is bound, as where nobody asks")
    assert ("/usr" in mounts) is not system


def test_what_cannot_be_mounted_is_named(task: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    rows: list[tuple[Any, str]] = [
        ({"layers": tmp_path}, rf"/opt: .* must be readable by everyone: chmod 755 {tmp_path}"),
        ({"mounts": {"/var/extra": Path("/nowhere")}}, "/var/extra: /nowhere does not exist"),
    ]
    for options, said in rows:
        with pytest.raises(SandboxError, match=said), Sandbox(task=task, **options):
            pass


def test_without_namespaces_nothing_runs(task: Path) -> None:
    with pytest.raises(NamespacesMissing, match="needs root or unprivileged user namespaces: "), Sandbox(task, ways=()):
        pass
