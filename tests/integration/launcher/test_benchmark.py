"""The benchmark's table and its arithmetic; the numbers themselves are the machine's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shielded_function_emulator.sandbox import Sandbox

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
# What the report has, and what it has only where a namespace is to be had.
CALLS = ["getppid", "pipe", "stat", "openat_close", "openat_close_threads"]
MOUNTS = [
    f"{way}_{place}{threads}"
    for way in ("open", "relative", "at")
    for place in ("layer", "task")
    for threads in ("", "_threads")
]
MORE = ["open_device", "socket_close_threads", "dup_close_threads", "map", "connect_tcp", "connect_udp", "spawn"]
NETWORK = ["connect_by_name", "lookup", "denied_lookup", "http_bare"]
CLIENTS = ["fetch", "http", "https", "https_bare", "grpc"]
LAST = ["startup", "startup_cold", "resident_memory", "library_size"]


@pytest.mark.parametrize(
    ("target", "unshielded", "shielded", "met"),
    [
        ("Target(Bound.RATIO, 1.25)", 100, 125, True),
        ("Target(Bound.RATIO, 1.25)", 100, 126, False),
        ("Target(Bound.RATIO, 1.25)", 0, 0, False),
        ("Target(Bound.DIFFERENCE, 0.5)", 1, 1.5, True),
        ("Target(Bound.DIFFERENCE, 0.5)", 1, 1.6, False),
        ("Target(Bound.VALUE, 128)", 0, 128, True),
        ("Target(Bound.VALUE, 128)", 0, 128.1, False),
        ("None", 1, 9, None),
    ],
)
def test_targets(target: str, unshielded: float, shielded: float, met: bool | None) -> None:
    # In a process of its own: the folder's modules are not a package that a test could import.
    code = f"from rows import *; print(Result(Row('x', 'x', 'ms', {target}, 1), {unshielded}, {shielded}).met)"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=BENCHMARKS, text=True).strip() == str(met)


@pytest.mark.parametrize(
    ("interval", "sure"),
    [(None, True), ((1, 2.9), True), ((2, 3), True), ((2.9, 3.1), False), ((3, 4), False), ((3.1, 4), True)],
)
def test_a_limit_within_the_interval_is_not_sure(interval: tuple[float, float] | None, sure: bool) -> None:
    row = "Row('x', 'x', 'ms', Target(Bound.DIFFERENCE, 3), 1)"
    code = f"from rows import *; print(Result({row}, 10, 12, interval={interval}).is_sure)"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=BENCHMARKS, text=True).strip() == str(sure)


@pytest.mark.parametrize(
    ("pauses", "looks", "kept", "left_out", "shared"),
    [
        (0, "1" * 9, ["43", "56"], 0, 0),
        (0, "111 101 111 111", ["56", "87"], 1, 0),
        (0, "111" + "000" * 6, ["43", "56"], 4, 2),
        (0, "111" + "000" * 3 + "111" + "001" * 2, ["90", "43"], 4, 1),
        (2, "00111 0111 111", ["43", "56"], 0, 0),
        (2, "111 00011 111 111", ["56", "87"], 1, 0),
    ],
)
def test_pairs_during_which_somebody_else_was_at_work(
    pauses: int, looks: str, kept: list[str], left_out: int, shared: int
) -> None:
    """Two are wanted; each side's measure is which one it was. The pair that is made first does not count."""
    code = f"""
import processor
processor._PAUSE = 0
class Told(processor.Watch):
    pauses = {pauses}
    looks = iter({looks.replace(" ", "")!r})
    made = 0
    def look(self): return 1 if next(self.looks) == "1" else 2
    def measure(self, shielded):
        self.made += 1
        return self.made % 10
Told.__init__ = lambda self: setattr(self, "_least", 1)
watch = Told()
pairs = watch.pairs(watch.measure, 2, 3)
print([f"{{a}}{{b}}" for a, b in pairs.kept], pairs.left_out, pairs.shared, *watch.looks)
"""
    done = subprocess.check_output([sys.executable, "-c", code], cwd=BENCHMARKS, text=True)
    assert done == f"{kept} {left_out} {shared}\n"


def quick_run(output: Path, program: str, *arguments: str) -> dict[str, Any]:
    """What a benchmark reports, on stdout and in its file."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / program), "--quick", "--json", "--output", str(output), *arguments],
        env={**os.environ, "TERM": "dumb"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert json.loads(output.read_text()) == report
    return report


@pytest.mark.long
@pytest.mark.xdist_group("benchmark")
def test_a_quick_run(tmp_path: Path) -> None:
    # Where nobody lends a namespace, or the machine is busy, it still measures, and says so.
    report = quick_run(tmp_path / "latest.json", "bench.py")
    rows = {row["name"]: row for row in report["rows"]}
    lacks = {
        kind for kind in ("network", "mount") if f"not measured without a {kind} namespace" in str(report["notes"])
    }
    network, mounts = "network" not in lacks, "mount" not in lacks
    assert list(rows) == [
        *CALLS,
        *(MOUNTS if mounts else []),
        *MORE,
        *(NETWORK if network else []),
        *(["everything"] if network and mounts else []),
        *(CLIENTS if network else []),
        *(["import_boto3"] if mounts else []),
        *LAST,
    ]
    assert {growth["what"] for growth in report["growth"]} >= {"paths listed", "descriptors open"}
    for name, row in rows.items():
        assert {"name", "unit", "unshielded", "shielded", "ratio"} <= set(row)
        assert row["shielded"] > 0
        if name == "library_size":
            assert (row["unshielded"], row["ratio"]) == (0, None)
        else:
            assert row["ratio"] == pytest.approx(row["shielded"] / row["unshielded"], rel=0.01)
    assert any("/tmp is" in note for note in report["notes"])


@pytest.mark.long
@pytest.mark.xdist_group("benchmark")
def test_the_check_tells_a_row_that_became_worse(tmp_path: Path) -> None:
    """Some of the recorded figures are made better than they can be. A row that nobody measures is told."""
    recorded = json.loads((BENCHMARKS / "recorded.json").read_text())
    recorded["rows"]["library_size"]["size"] = 1.0
    recorded["rows"]["startup"]["calls"] = 1.0
    recorded["rows"]["spawn"]["interval"] = [0.1, 0.2]
    recorded["rows"]["no_such_row"] = {"calls": 0.0}
    (tmp_path / "recorded.json").write_text(json.dumps(recorded))
    command = [sys.executable, str(BENCHMARKS / "check.py"), "--recorded", str(tmp_path / "recorded.json")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
    if "compared nothing" in done.stdout or "were not counted" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 1, done.stdout + done.stderr
    for said in ("library_size: ", "startup: adds ", "spawn: "):
        assert f"bench-check: {said}" in done.stdout
    assert "bench-check: recorded, but not measured: no_such_row\n" in done.stdout


@pytest.mark.long
@pytest.mark.xdist_group("benchmark")
def test_peers_under_the_same_attempts(tmp_path: Path) -> None:
    """Who has no peer has them all succeed; the shield stops and reports all; each peer allows what is allowed."""
    output = tmp_path / "peers.json"
    command = [sys.executable, str(BENCHMARKS / "bench_peers.py"), "--quick", "--output", str(output)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
    if "namespace of its own" in done.stderr or "sandbox of its own" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    report = json.loads(output.read_text())
    attempts = {
        side: {name: came for name, came in all_.items() if name != "allowed"}
        for side, all_ in report["attacks"].items()
    }
    for language in ("Python", "JavaScript"):
        assert set(attempts[f"native, {language}"].values()) == {"missed"}
        assert set(attempts[f"shielded-function, {language}"].values()) == {"stopped, reported"}
        assert report["attacks"][f"shielded-function, {language}"]["allowed"] == "all"
    assert all(len(found) == 20 for found in attempts.values())
    assert report["in_lambda"]["shielded-function"] == "starts, holds"
    assert report["in_lambda"]["user notification"].startswith("no: ")


@pytest.mark.long
@pytest.mark.xdist_group("benchmark")
def test_a_quick_run_of_a_runtime(tmp_path: Path) -> None:
    with Sandbox() as box:
        if not box.isolation.whole:
            pytest.skip(f"needs a sandbox of its own: {box.isolation.note}")
    rows = {row["name"]: row for row in quick_run(tmp_path / "runtimes.json", "runtimes.py", "python3")["rows"]}
    assert list(rows) == ["start_python3", "warm_python3", "slow_python3"]
    assert all(row["shielded"] > 0 and row["unshielded"] > 0 for row in rows.values())
    assert [len(row["interval"] or []) for row in rows.values()] == [2, 2, 0]


def test_a_runtime_that_is_none_is_named() -> None:
    command = [sys.executable, str(BENCHMARKS / "runtimes.py"), "python3", "nodejs20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("bench-runtimes: there is no runtime nodejs20; write some of ")
    assert done.stderr.count("\n") == 1


def test_the_middle_of_pairs_leaves_out_what_stands_apart() -> None:
    """Of ten pairs, the two whose differences are least and the two with the greatest."""
    pairs = [(10.0, 12.0 + n / 10) for n in range(6)] + [(10.0, 99.0), (10.0, 80.0), (50.0, 1.0), (60.0, 1.0)]
    code = f"import runtimes; print(runtimes._middle({pairs}))"
    done = subprocess.check_output([sys.executable, "-c", code], cwd=BENCHMARKS, text=True)
    assert json.loads(done.replace("(", "[").replace(")", "]")) == pytest.approx([10.0, 12.25])


def test_the_interval_is_as_wide_as_the_pairs_are_different() -> None:
    code = """if True:
        import runtimes
        alike, apart = [(10.0, 12.0)] * 9, [(10.0, 12.0 + n) for n in range(-4, 5)]
        print([list(runtimes._interval(pairs, lambda plain, shielded: shielded - plain)) for pairs in (alike, apart)])
    """
    done = subprocess.check_output([sys.executable, "-c", code], cwd=BENCHMARKS, text=True)
    alike, (low, high) = json.loads(done)
    assert alike == pytest.approx([2.0, 2.0])
    assert -2.0 < low < 1.0
    assert 3.0 < high < 6.0
