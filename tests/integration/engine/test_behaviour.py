"""What the engine does beyond single calls: its own safety, children, the handler's lock, allow lists, odd input."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import SOURCES, compile_c
from harness.engine import INSIDE
from harness.running import POLICIES, PYTHON, SHIELD, alerts, last_line, policy, prepare_tmp, run_inside, whole_sandbox
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.machine import architecture, is_emulated, machine
from shielded_function_emulator.sandbox import Completed, Sandbox

REFUSED = errno.EACCES


def fill_task(task: Path) -> None:
    sources = [SOURCES / name for name in ("registers.c", "call_with.S")]
    compile_c(sources, task / "registers.so", "-shared", "-fPIC", target=f"{architecture()}-linux-gnu")
    compile_c([SOURCES / "large_program.c"], task / "large", target=f"{architecture()}-linux-gnu")


def run(box: Sandbox, scenario: str, settings: Mapping[str, str]) -> tuple[Any, Completed]:
    prepare_tmp(box)
    done = run_inside(box, "behaviour", scenario, settings=settings)
    return last_line(done), done


ALL_BLOCKED = policy(**dict.fromkeys(POLICIES, "block"))
TMP_BLOCKED = policy(read_write_tmp="block")


def test_calls_by_paths_come_to_the_same(box: Sandbox) -> None:
    """Whatever the spelling: the gate makes these calls itself, by the directory that it judged."""
    settings = policy(read_write_tmp="block", allow_tmp="/tmp/free,/tmp/free/**")
    came_to = {}
    for shield in (False, True):
        prepare_tmp(box)
        # Thousands of calls, which qemu-user makes slowly.
        done = run_inside(box, "path_calls", "/tmp/free/tree", settings=settings, shield=shield, timeout=180)
        assert alerts(done) == []
        came_to[shield] = last_line(done)
    there = {key: result for key, result in came_to[False].items() if result[0] != -errno.ENOSYS}
    differ = {key: (result, came_to[True][key]) for key, result in there.items() if came_to[True][key] != result}
    # openat2 with RESOLVE_ flags makes no file through a link.
    linked = [key for key in differ if "openat2" in key and "'dangling'" in key]
    assert {differ.pop(key)[1][0] for key in linked} <= {-errno.ELOOP}
    assert not differ
    assert {0, -errno.ENOENT, -errno.ENOTDIR, -errno.ELOOP} <= {result for result, _ in came_to[True].values()}


# Refused kinds of sockets; and calls that fail, or do nothing, either way, without a connection or a program.
OTHER_ERRNO = {
    **dict.fromkeys(("connect, family 77", "socket 2 1 17", "socket 2 99 0", "socket 999 1 0"), errno.EACCES),
    "send out of band, fresh": errno.EOPNOTSUPP,
    "sendfile, fresh": errno.EINVAL,
    "writev 0, fresh": errno.EPIPE,
    "execveat, empty": errno.EBADF,
}
# qemu-user passes no TCP_INFO on, so a connected socket counts as a fresh one; and it reads the pointers itself.
OTHER_UNDER_QEMU = {
    "send out of band, tcp": errno.EOPNOTSUPP,
    "sendfile, tcp": errno.EINVAL,
    "send from nowhere, fresh": errno.EPIPE,
    **dict.fromkeys(("sendmmsg 0, tcp", "sendmmsg 0, udp", "sendmmsg 0, fresh"), 0),
}


def test_odd_calls_come_to_the_same(box: Sandbox) -> None:
    """On sockets, memory, descriptors and programs, under a policy that blocks all and lists what they name."""
    settings = policy(**dict.fromkeys(POLICIES, "block"), allow_child_process="/bin/true,/nonexistent")
    came_to = {}
    for shield in (False, True):
        came_to[shield] = last_line(run_inside(box, "edge_calls", settings=settings if shield else {}, shield=shield))
    both = {name: (result, came_to[True][name]) for name, result in came_to[False].items()}
    assert {name: ours[1] for name, (theirs, ours) in both.items() if theirs != ours} == (
        OTHER_ERRNO | (OTHER_UNDER_QEMU if is_emulated() else {})
    )
    assert len(both) > 100


def system_library(name: str) -> str:
    """Where the machine under test has a file that every Debian has: another one can be laid over it."""
    usr = (machine().system or Path("/")) / "usr"
    link = next((usr / "lib").glob(f"*/{name}"))
    return f"/usr/{link.resolve().relative_to(usr.resolve())}"


@pytest.mark.promise("memory.not-searched")
def test_a_library_that_needs_no_search(layer: Path, tmp_path: Path) -> None:
    """What the platform brings, and makes its calls through libc, is not searched; what lies beside it is."""
    shutil.copytree(INSIDE, tmp_path / "task", ignore=shutil.ignore_patterns("__pycache__"))
    library = tmp_path / "inline.so"
    compile_c([SOURCES / "inline.c"], library, "-shared", "-fPIC", target=f"{architecture()}-linux-gnu")
    searched = {
        "/var/runtime/inline.so": False,
        "/var/runtime/site-packages/inline.so": True,
        "/var/elsewhere/inline.so": True,
        "/var/elsewhere/libz.so.1": True,
        system_library("libuuid.so.1"): False,
        system_library("libBrokenLocale.so.1"): True,
    }
    library.chmod(0o755)
    with whole_sandbox(tmp_path / "task", layer, mounts=dict.fromkeys(searched, library)) as box:
        judged: dict[str, bool] = {}
        for place in searched:
            prepare_tmp(box)
            code = f"import ctypes; print(ctypes.CDLL({place!r}).inline_open(b'/tmp/there'))"
            done = box.run_command([SHIELD, PYTHON, "-c", code], environment=TMP_BLOCKED)
            assert done.returncode == 0, f"{place}: {done.returncode}: {done.stderr}"
            judged[place] = int(done.stdout) == -REFUSED
    assert judged == searched


@pytest.mark.parametrize("shielded", [True, False])
def test_a_judged_call_keeps_every_register(box: Sandbox, shielded: bool) -> None:
    """As the kernel does: compilers keep values in them across the instruction, in the vectors too."""
    prepare_tmp(box)
    done = run_inside(box, "behaviour", "registers_are_kept", settings=ALL_BLOCKED, shield=shielded)
    results = {name: (int(result), lost) for name, (result, *lost) in last_line(done).items()}
    assert {name: lost for name, (_, lost) in results.items() if lost} == {}
    refused = {name for name, (result, _) in results.items() if result == -REFUSED}
    assert refused == ({"openat", "connect", "sendto"} if shielded else set())


@pytest.mark.promise("start.refused")
@pytest.mark.parametrize("ours", [[], [SHIELD]], ids=["a program that is shielded", "the wrapper"])
def test_no_limit_starts_an_unshielded_program(box: Sandbox, ours: list[str]) -> None:
    """Each of getrlimit(2), from 0 on: the loader drops a library for which there is no memory."""
    prepare_tmp(box)
    lists = policy(read_write_tmp="block", create_child_process="block", allow_child_process="/bin/sh,/var/task/large")
    settings = {**lists, "SHIELD_ALLOW_CHILD_PROCESS": f"{lists['SHIELD_ALLOW_CHILD_PROCESS']},{PYTHON}"}

    def started(first: list[str], *arguments: str) -> dict[str, tuple[int, str, str]]:
        command = [*first, PYTHON, "/var/task/limits.py", *arguments]
        done = box.run_command(command, environment=settings, timeout=180)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    plain = started([])
    assert {f"{name} AS {64 << 20}" for name in ("python", "shell", "large")} <= {
        name for name, (_, said, _) in plain.items() if said == "content"
    }
    found = started([] if ours else [SHIELD], *ours)
    assert {name: what for name, what in found.items() if what[1] == "content"} == {}
    if ours:  # a line, or killed before it is anything; a shell writes no armed line
        silent = {name for name, (status, _, event) in found.items() if status >= 0 and not event}
        assert {name for name in silent if not name.startswith("shell")} == set()
        assert sum(event == "armed" for _, _, event in found.values()) > 50


@pytest.mark.promise("tmp.no-core")
def test_no_core_is_dumped(box: Sandbox) -> None:
    """Whatever the limit was: nothing else keeps the kernel from writing it to the working directory."""
    code = """
import resource
limits = resource.getrlimit(resource.RLIMIT_CORE)
try: resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096))
except ValueError: print("not raised", limits)
else: print("raised")
"""
    said = {"allow": "raised", "alert": "raised", "block": "not raised (0, 0)"}
    for mode, expected in said.items():
        done = box.run_command([SHIELD, PYTHON, "-c", code], environment=policy(read_write_tmp=mode))
        if mode == "allow" and done.stdout == "not raised (0, 0)\n":
            pytest.skip("no program of this machine may dump a core: its hard limit is 0")
        assert done.stdout == f"{expected}\n", done.stderr[-2000:]


@pytest.mark.promise("handler.no-memory")
def test_no_work_is_asked_for_with_an_unlockable_handler(box: Sandbox) -> None:
    """Locking takes memory, and a program can lower its own limits. Reports stop nothing."""

    def ask(**modes: str) -> Completed:
        command = [SHIELD, PYTHON, "/var/task/behaviour.py", "work_is_asked_for_without_memory"]
        return box.run_command(command, environment=policy(**modes) | {"_HANDLER": "app.handler"})

    done = ask(read_handler="block")
    if done.returncode == 77:  # NO_LIMIT
        pytest.skip("this kernel keeps no limit of the address space (qemu-user)")
    assert (done.returncode, done.stdout) == (78, ""), done.stderr
    assert "the handler cannot be locked" in done.shield_lines[-1]["reason"]
    done = ask(read_handler="alert")
    assert done.stdout == "[null, null]\n", done.stderr
    assert [(a["policy"], a["details"]["syscall"]) for a in alerts(done)] == [("self_protection", "ready")]
    done = ask(executable_memory="block")
    assert done.stdout == "[null, null]\n", done.stderr


@pytest.mark.promise("runtime.xray")
def test_a_mark_can_be_made_at_any_time_and_hold_nothing(box: Sandbox) -> None:
    """An SDK may begin in any invocation, and leaves a mark in /tmp; what is written to it is closed for good."""
    result, done = run(box, "a_mark_holds_nothing", TMP_BLOCKED)
    absent = errno.ENOENT
    assert result["made"] == [REFUSED, absent, *[None] * 5]
    assert result["full"] == [REFUSED] * 5
    assert result["gone"] == [None]
    assert result["other"] == [REFUSED, absent, REFUSED, absent, *[REFUSED] * 4]
    assert {a["policy"] for a in alerts(done)} == {"read_write_tmp"}
    free, _ = run(box, "a_mark_holds_nothing", policy(read_write_tmp="allow"))
    assert free == {"made": [None] * 7, "full": [None] * 5, "gone": [absent], "other": [None] * 8}


@pytest.fixture
def names(box: Sandbox) -> Iterator[DnsServer]:
    hosts = ("allowed.example", "*.wild.example", "wild.example", "allowed.example.evil.example", "*.denied.example")
    addresses = {host: ["203.0.113.9"] for host in hosts}
    addresses |= {"*.amazonaws.com": ["198.51.100.9"], "rebind.example": ["169.254.169.254"]}
    with contextlib.ExitStack() as stack:
        for place in (("203.0.113.9", 80), ("203.0.113.9", 81), ("198.51.100.9", 80), ("198.51.100.66", 443)):
            listener = stack.enter_context(box.socket(socket.AF_INET, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(16)
        yield stack.enter_context(DnsServer(box, addresses))


# By which the sandbox's own addresses are reached: all of them are on its loopback.
OWN_ADDRESSES = {"198.51.100.9": "198.51.100.1", "2001:db8::66": "2001:db8::66"}


@pytest.mark.promise("outbound.allow-list")
def test_allowed_hosts(box: Sandbox, names: DnsServer) -> None:
    listed = "allowed.example:80,*.wild.example,198.51.100.9:80,198.51.100.64/26:443,rebind.example"
    settings = policy(outbound_connectivity="block") | {"SHIELD_ALLOW_OUTBOUND": listed, "AWS_REGION": "us-east-1"}
    result, _ = run(box, "allowed_hosts_work", settings)
    allowed = ("name", "address_after_name", "subdomain", "listed_address", "listed_network", "aws", "loopback")
    assert result == dict.fromkeys(allowed) | {
        **dict.fromkeys(("address_before_name", "other_port", "rebinding"), REFUSED),
        **dict.fromkeys(("bare_domain", "look_alike", "aws_other_region"), socket.EAI_NONAME),
    }
    asked = {question.name for question in names.questions}
    assert not asked & {"wild.example", "allowed.example.evil.example", "s3.eu-west-3.amazonaws.com"}


@pytest.mark.promise("outbound.port-zero")
@pytest.mark.parametrize("mode", [None, "alert", "block"])
def test_nothing_is_sent_to_port_zero(box: Sandbox, mode: str | None) -> None:
    """Where an address is listed with a port, getaddrinfo may find out by which of its own it would be reached, and no
    datagram goes out on that."""
    settings = {"SHIELD_ALLOW_OUTBOUND": "198.51.100.9:80,[2001:db8::66]:443"}
    settings |= policy(outbound_connectivity=mode) if mode else {}
    with box.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as wire:
        wire.bind(("lo", 0x0003))  # every protocol (packet(7): ETH_P_ALL)
        wire.setblocking(False)
        done = run_inside(box, "behaviour", "datagrams_to_port_zero", settings=settings, shield=bool(mode))
        seen = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                seen += wire.recv(65536)
    sent = None if mode is None else errno.EPIPE
    assert last_line(done) == {host: {"own": own, "send": sent} for host, own in OWN_ADDRESSES.items()}
    assert (b"datagram to port zero" in seen) == (mode is None)
    assert alerts(done) == []


@pytest.mark.parametrize("mode", ["block", "alert"])
def test_a_datagram_socket_without_a_route_is_judged(box: Sandbox, mode: str) -> None:
    """It is in the threat model. Nothing is sent by connecting it (udp(7))."""
    code = "import socket; print(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect_ex(('3fff::9', 4433)))"
    plain = int(box.run_command([PYTHON, "-c", code]).stdout)
    assert plain in (errno.ENETUNREACH, errno.EADDRNOTAVAIL)
    done = box.run_command([SHIELD, PYTHON, "-c", code], environment=policy(outbound_connectivity=mode))
    assert int(done.stdout) == (errno.EACCES if mode == "block" else plain)
    assert [(each["details"]["ip"], each["details"]["protocol"]) for each in alerts(done)] == [("3fff::9", "udp")]


def write_in_tmp(box: Sandbox, **files: str) -> None:
    prepare_tmp(box)
    for name, text in files.items():
        file = box.path("/tmp") / name
        file.write_text(text)
        file.chmod(0o666)


def test_the_policy_file_counts_as_it_was_at_the_start(box: Sandbox) -> None:
    alerting = "SHIELD_READ_WRITE_TMP=alert\nSHIELD_READ_HANDLER=allow\nSHIELD_CREATE_CHILD_PROCESS=allow\n"
    write_in_tmp(box, policy=alerting)
    code = """
import subprocess, sys
open("/tmp/policy", "w").write("SHIELD_READ_WRITE_TMP=allow\\n")
subprocess.run([sys.executable, "-c", "import os; os.listdir('/tmp')"], check=True)
"""
    done = box.run_command([SHIELD, PYTHON, "-c", code], environment={"SHIELD_POLICY_FILE": "/tmp/policy"})
    assert done.returncode == 0, done.stderr
    assert [a["details"]["path"] for a in alerts(done)] == ["/tmp/policy", "/tmp"], "the child has the first policy"


def test_children_get_the_lists_of_the_environment_and_the_file(box: Sandbox) -> None:
    listed = "SHIELD_ALLOW_TMP=/tmp/of_file\nSHIELD_CREATE_CHILD_PROCESS=allow\n"
    write_in_tmp(box, of_environment="", of_file="", of_none="", policy=listed)
    look = """
for name in ("of_environment", "of_file", "of_none"):
    try: print(len(open("/tmp/" + name).read()), end=" ")
    except OSError as error: print(error.errno, end=" ")
"""
    settings = {"SHIELD_POLICY_FILE": "/tmp/policy", "SHIELD_ALLOW_TMP": "/tmp/of_environment"}
    settings |= {"SHIELD_READ_HANDLER": "allow", "AWS_REGION": "us-east-1"}
    for code in (look, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {look!r}], check=True)"):
        done = box.run_command([SHIELD, PYTHON, "-c", code], environment=settings)
        assert (done.returncode, done.stdout) == (0, f"0 0 {errno.EACCES} "), done.stderr


@pytest.mark.parametrize(
    ("scenario", "result"),
    [
        ("a_copy_that_starts_programs", 0),
        ("many_living_children", 300),
        ("a_mapping_that_fails_leaves_what_was_there", [hex(2**64 - 1), "kept"]),
    ],
)
def test_what_a_program_relies_on(box: Sandbox, scenario: str, result: object) -> None:
    assert run(box, scenario, TMP_BLOCKED)[0] == result


@pytest.mark.parametrize("company", ["alone", "threads"])
@pytest.mark.parametrize("way", ["written_under_a_sockets_number", "handed_over", "in_a_refused_message", "a_database"])
def test_nobody_else_gets_the_lock(box: Sandbox, way: str, company: str) -> None:
    """A program keeps the record locks that it has on its files, whatever is done with them."""
    settings = policy(outbound_connectivity="block") | {"SHIELD_ALLOW_OUTBOUND": "", "SHIELD_ALLOW_AWS": "none"}
    prepare_tmp(box)
    done = box.run_command([SHIELD, PYTHON, "/var/task/record_locks.py", way, company], environment=settings)
    assert (done.returncode, done.stdout) == (0, "False False\n"), done.stderr
