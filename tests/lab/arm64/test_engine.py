"""What only aarch64's instructions make possible."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.compiling import compile_c
from harness.running import PYTHON, SHIELD, policy, prepare_tmp
from lab.arm64.conftest import entered
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.promise("memory.svc")


@pytest.fixture(scope="module")
def box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    task = tmp_path_factory.mktemp("task") / "code"
    task.mkdir()
    source = Path(__file__).parent / "c" / "other_words.c"
    compile_c([source], task / "inline.so", "-shared", "-fPIC", target="aarch64-linux-gnu")
    with entered(task, layer, {}) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("function", "reported", "refusal"),
    [
        ("inline_open_by_another_svc", "read_write_tmp", errno.EACCES),
        ("inline_open_with_a_number_from_a_pair", "read_write_tmp", errno.EACCES),
        ("inline_open_with_high_bits", "self_protection", errno.EPERM),
    ],
)
def test_a_system_call_that_looks_otherwise(box: Sandbox, function: str, reported: str, refusal: int) -> None:
    code = f"import ctypes; print(ctypes.CDLL('/var/task/inline.so').{function}(b'/tmp/there'))"
    prepare_tmp(box)
    plain = box.run_command([PYTHON, "-c", code])
    assert int(plain.stdout) > 2, plain.stderr
    done = box.run_command([SHIELD, PYTHON, "-c", code], environment=policy(read_write_tmp="block"))
    assert done.stdout == f"{-refusal}\n", done.stderr
    assert [line["policy"] for line in done.shield_lines if "policy" in line] == [reported]
