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
from integration.launcher.support import MACHINE, POLICY, Installed, assert_refused, needs_root, write_script

pytestmark = pytest.mark.promise("start.refused")

# What would be printed if it ran.
PROOF = ("/bin/echo", "it ran")


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({}, "there is no policy"),
        ({"PATH": "/bin", "AWS_REGION": "us-east-1"}, "there is no policy"),
        ({"SHIELD_READ_WRITE_TMP": "deny"}, "SHIELD_READ_WRITE_TMP"),
        ({"SHIELD_READ_WRITE_TMP": ""}, "SHIELD_READ_WRITE_TMP"),
        ({**POLICY, "SHIELD_READ_WRITE_TEMP": "block"}, "SHIELD_READ_WRITE_TEMP"),
        ({**POLICY, "SHIELD_": "block"}, "SHIELD_"),
        # A misspelt on_failure never means "run", and neither does a well-spelt one that is given beside it in a file.
        ({"SHIELD_READ_WRITE_TMP": "deny", "SHIELD_ON_FAILURE": "Run_Unshielded"}, "SHIELD_"),
        ({**POLICY, "SHIELD_NODE_CALLERS": "yes"}, "SHIELD_NODE_CALLERS"),
        ({**POLICY, "SHIELD_NODE_CALLERS": "on"}, "SHIELD_NODE_CALLERS: cannot read"),  # it is not beside this copy
        # A text of each setting: the rest are the core's (unit/core/test_settings.py).
        *(
            ({**POLICY, text.setting: text.given}, text.becomes)
            for text in {text.field: text for text in ERRORS}.values()
        ),
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


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("SHIELD_READ_HANDLER=block\n\nSHIELD_READ_WRITE_TMP=deny\n", "line 3"),
        ("SHIELD_READ_HANDLER\n", "line 1"),
        ("SHIELD_OUTBOUND_CONNECTIVITY=allow\n", "given twice"),
        ("SHIELD_POLICY_FILE=/other\n", "given twice"),
        ("SHIELD_ON_FAILURE=run_unshielded\nSHIELD_READ_WRITE_TMP=deny\n", "line 2"),
        ("PATH=/bin\n", "PATH"),
    ],
)
def test_policy_in_a_file(installed: Installed, tmp_path: Path, text: str, part: str) -> None:
    file = tmp_path / "policy"
    file.write_text(text)
    reason = assert_refused(installed.run(PROOF, {**POLICY, "SHIELD_POLICY_FILE": str(file)}))
    assert part in reason
    assert str(file) in reason


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "missing": lambda file: file.exists(),
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "large": lambda file: file.write_text("# a comment that goes on\n" * 20_000),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_policy_file_that_cannot_be_read(installed: Installed, tmp_path: Path, how: str) -> None:
    file = tmp_path / "policy"
    UNREADABLE[how](file)
    reason = assert_refused(installed.run(PROOF, {**POLICY, "SHIELD_POLICY_FILE": str(file)}))
    assert reason.startswith("SHIELD_POLICY_FILE: cannot read")


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
    content = bytearray(library.read_bytes())
    (first,) = struct.unpack_from("<Q", content, 32)
    (count,) = struct.unpack_from("<H", content, 56)
    headers = (first + 56 * i for i in range(count))
    load = next(at for at in headers if struct.unpack_from("<I", content, at)[0] == 1)
    content[load + 16] ^= 0x10  # p_vaddr
    library.write_bytes(content)


def library_is_a_folder(library: Path) -> None:
    library.unlink()
    library.mkdir()


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
    "a folder": library_is_a_folder,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_library(installed: Installed, damage: str) -> None:
    DAMAGES[damage](installed.library)
    reason = assert_refused(installed.run(PROOF, POLICY))
    assert str(installed.library) in reason


@pytest.mark.long
def test_library_of_another_machine(installed: Installed, stand_in: Callable[[str], Path]) -> None:
    shutil.copy(stand_in({"x86_64": "aarch64", "aarch64": "x86_64"}[MACHINE]), installed.library)
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
    done = subprocess.run(
        [*private_mounts(), "sh", "-c", script],
        env={**POLICY, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "cannot be mapped executable" in assert_refused(done)


def test_program_missing(installed: Installed) -> None:
    assert "/no/such/program" in assert_refused(installed.run(["/no/such/program"], POLICY))
    assert "no-such-program" in assert_refused(installed.run(["no-such-program"], {**POLICY, "PATH": "/bin"}))
    assert "no-such-program" in assert_refused(installed.run(["no-such-program"], POLICY))


def test_program_is_a_folder(installed: Installed, tmp_path: Path) -> None:
    assert "not a regular file" in assert_refused(installed.run([tmp_path], POLICY))


def test_program_not_executable(installed: Installed, tmp_path: Path) -> None:
    program = shutil.copy("/bin/echo", tmp_path / "echo")
    os.chmod(program, 0o644)
    assert "Permission denied" in assert_refused(installed.run([program], POLICY))


def test_program_static(installed: Installed, static_program: Path) -> None:
    assert "static program" in assert_refused(installed.run([static_program, "--version"], POLICY))


def test_program_of_another_machine(installed: Installed, foreign_program: Path) -> None:
    reason = assert_refused(installed.run([foreign_program, "--version"], POLICY))
    assert f"is not built for this machine, {MACHINE}" in reason


def test_program_without_a_format(installed: Installed, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("echo it ran\n")
    program.chmod(0o755)
    assert "neither an ELF program nor a script" in assert_refused(installed.run([program], POLICY))


@needs_root
def test_program_set_uid(installed: Installed, tmp_path: Path) -> None:
    program = shutil.copy("/bin/echo", tmp_path / "echo")
    os.chown(program, 1, 1)
    os.chmod(program, 0o4755)
    assert "set-uid" in assert_refused(installed.run([program], POLICY))


@needs_root
def test_program_with_file_capabilities(installed: Installed, tmp_path: Path) -> None:
    program = shutil.copy("/bin/echo", tmp_path / "echo")
    cap_net_bind_service = 1 << 10
    try:
        os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000001, cap_net_bind_service, 0, 0, 0))
    except OSError as error:
        pytest.skip(f"no file capabilities here: {error}")
    assert "file capabilities" in assert_refused(installed.run([program], POLICY))


def test_script_of_a_static_interpreter(installed: Installed, tmp_path: Path, static_program: Path) -> None:
    script = write_script(tmp_path / "script", interpreter=str(static_program))
    assert "static program" in assert_refused(installed.run([script], POLICY))


def test_script_without_its_interpreter(installed: Installed, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", interpreter="/no/such/interpreter -x")
    assert '"/no/such/interpreter" cannot be opened' in assert_refused(installed.run([script], POLICY))


def test_script_that_interprets_itself(installed: Installed, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", interpreter=str(tmp_path / "script"))
    assert "never end" in assert_refused(installed.run([script], POLICY))


def run_wrapped(installed: Installed, wrapper: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return installed.run(PROOF, {**POLICY, "SHIELD_NEXT_WRAPPER": str(wrapper), **settings})


def test_next_wrapper_missing(installed: Installed, tmp_path: Path) -> None:
    reason = assert_refused(run_wrapped(installed, tmp_path / "wrapper"))
    assert reason.startswith(f'SHIELD_NEXT_WRAPPER: "{tmp_path}/wrapper"')


def test_next_wrapper_not_executable(installed: Installed, tmp_path: Path) -> None:
    wrapper = write_script(tmp_path / "wrapper", 'exec "$@"')
    wrapper.chmod(0o644)
    reason = assert_refused(run_wrapped(installed, wrapper))
    assert reason.startswith("SHIELD_NEXT_WRAPPER")
    assert "Permission denied" in reason


@pytest.mark.parametrize("link", [None, Path.symlink_to, Path.hardlink_to])
def test_next_wrapper_is_shield_itself(
    installed: Installed, tmp_path: Path, link: Callable[[Path, Path], None] | None
) -> None:
    wrapper = tmp_path / "wrapper" if link else installed.program
    if link:
        link(wrapper, installed.program)
    assert "is shield itself" in assert_refused(run_wrapped(installed, wrapper))


def test_next_wrapper_starts_shield_again(installed: Installed, tmp_path: Path) -> None:
    wrapper = write_script(tmp_path / "wrapper", f'exec {installed.program} "$@"')
    done = run_wrapped(installed, wrapper)
    assert done.returncode == 78
    assert "it ran" not in done.stdout
    assert "SHIELD_STATE is set" in done.stderr


def test_next_wrapper_static(installed: Installed, static_program: Path) -> None:
    assert "unshielded:PATH" in assert_refused(run_wrapped(installed, static_program))


def test_runtime_behind_a_wrapper_is_checked_too(installed: Installed, tmp_path: Path, static_program: Path) -> None:
    wrapper = write_script(tmp_path / "wrapper", 'exec "$@"')
    done = installed.run([static_program, "--version"], {**POLICY, "SHIELD_NEXT_WRAPPER": str(wrapper)})
    assert "static program" in assert_refused(done)


def test_one_valid_line_whatever_the_bytes(installed: Installed) -> None:
    value = os.fsdecode(b'"\\\x01\xff\n\r\xed\xa0\x80' * 4000)
    assert_refused(installed.run(PROOF, {**POLICY, "SHIELD_ALLOW_OUTBOUND": value}))
    assert_refused(installed.run(["/" + value[:3000]], POLICY))


@pytest.mark.parametrize("how", ["closed", "broken"])
def test_status_without_a_log(installed: Installed, how: str) -> None:
    read, write = os.pipe()
    os.close(read)

    def close() -> None:
        os.close(2)

    done = subprocess.run(
        [installed.program, *PROOF],
        env={"SHIELD_READ_WRITE_TMP": "deny"},
        stdout=subprocess.PIPE,
        stderr=write,
        preexec_fn=close if how == "closed" else None,
        timeout=30,
        check=False,
    )
    os.close(write)
    assert done.returncode == 78
    assert done.stdout == b""


def test_no_descriptors_left(installed: Installed) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))

    assert "No file descriptors available" in assert_refused(installed.run(PROOF, POLICY, before=limit))
