"""The commands of docs/contributing/architecture.md, as they stand; symbols are those of the code that runs."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import lief
import pytest

from integration.cli.running import shell
from integration.docs.pages import ROOT, read_page
from shielded_function_runtime.build import native

pytestmark = [
    pytest.mark.promise("package.docs"),
    pytest.mark.long,  # compiles the library with symbols
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the page has the x86_64 library's path"),
    pytest.mark.skipif(sys.executable.startswith("/tmp/"), reason="this Python lies in /tmp, which the page blocks"),
]

LIBRARY = "layer/x86_64/shielded-function/libshield.so"


@pytest.fixture(scope="module")
def blocks() -> list[str]:
    native.build(["layer/x86_64"])
    return [block.text for block in read_page(ROOT / "docs/contributing/architecture.md").blocks if block.elsewhere]


@pytest.fixture(scope="module")
def folder(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has what the page takes from the checkout, and a library that is refused."""
    place = tmp_path_factory.mktemp("debugging")
    (place / "runtime_layer").symlink_to(checkout / "runtime_layer")
    source = next((checkout / "tests").rglob("hard.S"))
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-gnu", "-shared"]
    subprocess.run([*zig, str(source), "-o", str(place / "libhard.so")], check=True, capture_output=True)
    return place


def run(script: str, folder: Path, **settings: str) -> str:
    done = shell(script, folder, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr + done.stdout


def test_debugging_runs_the_wrapper_and_its_doctor(blocks: list[str], folder: Path) -> None:
    first, doctor, *_ = blocks
    said = run(first + doctor, folder)
    assert '"event":"armed"' in said
    assert "\nhello\n" in said
    assert "process_engine" in said


def test_debugging_finds_the_instruction_of_a_refused_library(blocks: list[str], folder: Path) -> None:
    if not shutil.which("objdump"):
        pytest.skip("objdump is not installed: it is in Debian's binutils")
    (command,) = [block for block in blocks if block.startswith("objdump")]
    assert "syscall" in run(command, folder)
    start = "\n! LD_PRELOAD=$PWD/libhard.so SHIELD_OUTBOUND_CONNECTIVITY=block $SHIELD /bin/true"
    refused = run(blocks[0].splitlines()[0] + start, folder)
    why = r"a system call cannot be guarded in /\S+/libhard\.so at file offset \d+"
    assert re.search(f'"event":"refused".*{why}', refused)


def test_debugging_symbols_are_those_of_the_code(blocks: list[str], folder: Path) -> None:
    (command,) = [block for block in blocks if "--symbols" in block]
    run(command, folder)
    code: list[list[bytes]] = []
    for file in (folder / "libshield.debug", native.BINARIES / LIBRARY):
        binary = lief.parse(file)
        assert isinstance(binary, lief.ELF.Binary)
        code.append([bytes(segment.content) for segment in binary.segments if int(segment.flags) & 1])
    assert code[0] == code[1] != []


def test_debugging_goes_past_the_gate_with_gdb(blocks: list[str], folder: Path) -> None:
    if not shutil.which("gdb"):
        pytest.skip("gdb is not installed: it is in Debian's gdb")
    (symbols,) = [block for block in blocks if "--symbols" in block]
    (script,) = [block for block in blocks if block.startswith("set confirm")]
    (gdb,) = [block for block in blocks if block.startswith("gdb ")]
    (folder / "gate.gdb").write_text(script)
    run(symbols, folder)
    said = run(blocks[0].splitlines()[0] + "\n" + gdb, folder, SHIELD_READ_WRITE_TMP="block")
    frames = re.findall(r"^#\d+ +(?:0x\w+ in )?(.+?) \(", said, re.MULTILINE)
    assert frames[0] == "judge_open", said
    assert "gate_judge" in frames[1:3], said  # a function between them may be inlined
    assert any("open" in frame for frame in frames[frames.index("gate_judge") :]), said


def test_debugging_symbols_of_nothing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(native.BuildError, match="nothing is called layer/amiga; there are: core/linux-x86_64/"):
        native.write_symbols("layer/amiga", tmp_path / "out")
