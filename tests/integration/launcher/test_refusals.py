"""Whatever is wrong: exit status 78, one JSON line that names it, and nothing was started."""

from __future__ import annotations

import json
import os
import resource
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import lief
import pytest

from harness.policy_texts import ERRORS
from integration.launcher.support import (
    MACHINE,
    OTHER_MACHINE,
    POLICY,
    Installed,
    assert_refused,
    needs_root,
    write_script,
)

pytestmark = pytest.mark.promise("start.refused")

# What would be printed if it ran.
PROOF = ("/bin/echo", "it ran")


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({"PATH": "/bin", "AWS_REGION": "us-east-1"}, "there is no policy"),
        ({"SHIELD_READ_WRITE_TMP": ""}, "SHIELD_READ_WRITE_TMP"),
        ({**POLICY, "SHIELD_READ_WRITE_TEMP": "block"}, "SHIELD_READ_WRITE_TEMP"),
        # A misspelt on_failure never means "run".
        ({"SHIELD_READ_WRITE_TMP": "deny", "SHIELD_ON_FAILURE": "Run_Unshielded"}, "SHIELD_"),
        ({**POLICY, "SHIELD_NODE_CALLERS": "on"}, "node_callers.cjs"),  # it is not beside this copy
        # Of all texts one: the rest are the core's (unit/core/test_settings.py).
        ({**POLICY, ERRORS[0].setting: ERRORS[0].given}, ERRORS[0].becomes),
    ],
)
def test_policy_in_the_environment(installed: Installed, environment: dict[str, str], part: str) -> None:
    assert part in assert_refused(installed.run(PROOF, environment))


def test_the_line_says_which_function_it_is(installed: Installed) -> None:
    """Whatever the environment says, it is one whole line."""
    origin = {"function": "AWS_LAMBDA_FUNCTION_NAME", "version": "AWS_LAMBDA_FUNCTION_VERSION", "region": "AWS_REGION"}
    values = {"function": "checkout", "version": "$LATEST", "region": "eu-west-1", "account": "123456789012"}
    names = {**origin, "account": "SHIELD_ACCOUNT_ID"}
    done = installed.run(PROOF, {"SHIELD_READ_WRITE_TMP": "deny", **{names[name]: values[name] for name in names}})
    assert_refused(done)
    assert list(json.loads(done.stderr).items())[2:6] == list(values.items())
    long = dict.fromkeys(names.values(), '"\n' * 5000)
    assert_refused(installed.run(PROOF, {"SHIELD_READ_WRITE_TMP": "deny" * 1000, **long}))


CANNOT = "SHIELD_POLICY_FILE: cannot read"
# How a policy file is made, and what is said of it.
POLICY_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda file: file.exists(), CANNOT),
    "folder": (Path.mkdir, CANNOT),
    "pipe": (os.mkfifo, CANNOT),
    "large": (lambda file: file.write_text("# a comment that goes on\n" * 20_000), CANNOT),
    "line": (
        lambda file: file.write_text("SHIELD_ON_FAILURE=run_unshielded\n\nSHIELD_READ_WRITE_TMP=deny\n"),
        "line 3",
    ),
    "twice": (lambda file: file.write_text("SHIELD_OUTBOUND_CONNECTIVITY=allow\n"), "given twice"),
    "not ours": (lambda file: file.write_text("PATH=/bin\n"), "PATH: there is no such setting"),
}


@pytest.mark.parametrize("kind", POLICY_FILES)
def test_policy_in_a_file(installed: Installed, tmp_path: Path, kind: str) -> None:
    file, (make, part) = tmp_path / "policy", POLICY_FILES[kind]
    make(file)
    reason = assert_refused(installed.run(PROOF, {**POLICY, "SHIELD_POLICY_FILE": str(file)}))
    assert part in reason
    assert str(file) in reason


def library_cut_short(library: Path) -> None:
    binary = lief.parse(library)
    assert isinstance(binary, lief.ELF.Binary)
    end = max(s.file_offset + s.physical_size for s in binary.segments if s.type == lief.ELF.Segment.TYPE.LOAD)
    library.write_bytes(library.read_bytes()[: end - 1])


def with_byte(library: Path, at: int, value: int) -> None:
    content = bytearray(library.read_bytes())
    content[at] = value
    library.write_bytes(content)


def library_with_a_misplaced_segment(library: Path) -> None:
    content = library.read_bytes()
    (first,), (count,) = struct.unpack_from("<Q", content, 32), struct.unpack_from("<H", content, 56)
    headers = (first + 56 * i for i in range(count))
    load = next(at for at in headers if struct.unpack_from("<I", content, at)[0] == 1)
    with_byte(library, load + 16, content[load + 16] ^ 0x10)  # p_vaddr


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "a text": lambda library: library.write_text("not a library"),
    "empty": lambda library: library.write_bytes(b""),
    "cut short": library_cut_short,
    "cut in its header": lambda library: library.write_bytes(library.read_bytes()[:40]),
    "a program": lambda library: shutil.copy(library.with_name("shield"), library),
    "of 32 bits": lambda library: with_byte(library, 4, 1),
    "with a stray byte in its identity": lambda library: with_byte(library, 15, 1),
    "with a misplaced segment": library_with_a_misplaced_segment,
    "a folder": lambda library: (library.unlink(), library.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_library(installed: Installed, damage: str) -> None:
    DAMAGES[damage](installed.library)
    assert str(installed.library) in assert_refused(installed.run(PROOF, POLICY))


@pytest.mark.long
def test_library_of_another_machine(installed: Installed, stand_in: Callable[[str], Path]) -> None:
    shutil.copy(stand_in(OTHER_MACHINE), installed.library)
    assert f"is not built for this machine, {MACHINE}" in assert_refused(installed.run(PROOF, POLICY))


@pytest.mark.parametrize("name", ["with blank", "with:colon"])
def test_library_that_no_preload_can_name(installed: Installed, tmp_path: Path, name: str) -> None:
    moved = Installed(Path(shutil.move(installed.folder, tmp_path / name)))
    assert "blank or a colon" in assert_refused(moved.run(PROOF, POLICY))


def private_mounts() -> list[str]:
    """A command prefix that gives a mount namespace; skips where there is none to be had."""
    for prefix in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        try:
            if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
                return prefix
        except FileNotFoundError:
            break
    pytest.skip("no mount namespace to be had here")


def test_library_that_cannot_be_mapped_executable(installed: Installed, tmp_path: Path) -> None:
    """The loader would say "ignored", and start the program."""
    folder = tmp_path / "noexec"
    folder.mkdir()
    # The program itself has to lie where programs may run: it is bound beside the library that may not.
    script = f"""set -e
        mount -t tmpfs -o noexec none {folder}
        cp {installed.library} {folder}
        : > {folder}/shield
        mount --bind {installed.program} {folder}/shield
        exec {folder}/shield {" ".join(PROOF)}"""
    command, environment = [*private_mounts(), "sh", "-c", script], {**POLICY, "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert "cannot be mapped executable" in assert_refused(done)


@pytest.mark.parametrize(
    ("program", "path", "part"),
    [
        ("/no/such/program", "", "/no/such/program"),
        ("no-such-program", "/bin", "no-such-program"),
        ("no-such-program", "", "no-such-program"),
        ("/usr", "", "not a regular file"),
    ],
)
def test_program_that_is_not_there(installed: Installed, program: str, path: str, part: str) -> None:
    assert part in assert_refused(installed.run([program], POLICY | ({"PATH": path} if path else {})))


@pytest.mark.parametrize(
    ("content", "mode", "part"),
    [
        ("", 0o644, "Permission denied"),
        ("echo it ran\n", 0o755, "neither an ELF program nor a script"),
        ("#!{static}\n", 0o755, "static program"),
        ("#!/no/such/interpreter -x\n", 0o755, '"/no/such/interpreter" cannot be opened'),
        ("#!{itself}\n", 0o755, "never end"),
        pytest.param("", 0o4755, "set-uid", marks=needs_root),
    ],
)
def test_program(
    installed: Installed, tmp_path: Path, static_program: Path, content: str, mode: int, part: str
) -> None:
    """Without a content: a copy of /bin/echo."""
    program = Path(shutil.copy("/bin/echo", tmp_path / "program"))
    if content:
        program.write_text(content.format(static=static_program, itself=program))
    if mode & 0o4000:
        os.chown(program, 1, 1)
    program.chmod(mode)
    assert part in assert_refused(installed.run([program], POLICY))


def test_program_of_another_machine(installed: Installed, compiled: Callable[[str], Path]) -> None:
    done = installed.run([compiled(OTHER_MACHINE), "--version"], POLICY)
    assert f"is not built for this machine, {MACHINE}" in assert_refused(done)


@needs_root
def test_program_with_file_capabilities(installed: Installed, tmp_path: Path) -> None:
    program = shutil.copy("/bin/echo", tmp_path / "echo")
    cap_net_bind_service = 1 << 10
    try:
        os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000001, cap_net_bind_service, 0, 0, 0))
    except OSError as error:
        pytest.skip(f"no file capabilities here: {error}")
    assert "file capabilities" in assert_refused(installed.run([program], POLICY))


def run_wrapped(installed: Installed, wrapper: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return installed.run(command or PROOF, {**POLICY, "SHIELD_NEXT_WRAPPER": str(wrapper)})


def test_next_wrapper_that_cannot_run(installed: Installed, tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper"
    assert assert_refused(run_wrapped(installed, wrapper)).startswith(f'SHIELD_NEXT_WRAPPER: "{wrapper}"')
    write_script(wrapper, 'exec "$@"').chmod(0o644)
    reason = assert_refused(run_wrapped(installed, wrapper))
    assert reason == f'SHIELD_NEXT_WRAPPER: cannot start "{wrapper}": Permission denied'


@pytest.mark.parametrize("link", [None, Path.symlink_to, Path.hardlink_to])
def test_next_wrapper_is_shield_itself(
    installed: Installed, tmp_path: Path, link: Callable[[Path, Path], None] | None
) -> None:
    wrapper = tmp_path / "wrapper" if link else installed.program
    if link:
        link(wrapper, installed.program)
    assert "is shield itself" in assert_refused(run_wrapped(installed, wrapper))


def test_a_static_program_runs_nowhere(installed: Installed, tmp_path: Path, static_program: Path) -> None:
    """As the runtime, as the wrapper, and as the runtime behind one."""
    behind = write_script(tmp_path / "wrapper", 'exec "$@"')
    assert "static program" in assert_refused(installed.run([static_program, "--version"], POLICY))
    assert "unshielded:PATH" in assert_refused(run_wrapped(installed, static_program))
    assert "static program" in assert_refused(run_wrapped(installed, behind, static_program, "--version"))


def test_one_valid_line_whatever_the_bytes(installed: Installed) -> None:
    value = os.fsdecode(b'"\\\x01\xff\n\r\xed\xa0\x80' * 4000)
    assert_refused(installed.run(PROOF, {**POLICY, "SHIELD_ALLOW_OUTBOUND": value}))
    assert_refused(installed.run(["/" + value[:3000]], POLICY))


@pytest.mark.parametrize("close", [lambda: os.close(2), None], ids=["closed", "broken"])
def test_status_without_a_log(installed: Installed, close: Callable[[], object] | None) -> None:
    read, write = os.pipe()
    os.close(read)
    wrong = {"SHIELD_READ_WRITE_TMP": "deny"}
    done = subprocess.run(
        [installed.program, *PROOF], env=wrong, stdout=-1, stderr=write, preexec_fn=close, check=False
    )
    os.close(write)
    assert (done.returncode, done.stdout) == (78, b"")


def test_no_descriptors_left(installed: Installed) -> None:
    done = installed.run(PROOF, POLICY, before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)))
    assert "No file descriptors available" in assert_refused(done)
