"""Takes the measurements: round by round, unshielded and shielded in turn, so that drift hits both sides alike."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import mounts
import place
from network import NAME, OF_A_PACKAGE, served
from rows import (
    CALLS,
    CLIENTS,
    COLD,
    IMPORT,
    MEMORY,
    NETWORK_CALLS,
    SIZE,
    STARTUP,
    MeasurementError,
    Need,
    Result,
    Row,
)

# The default policy, the one program that a benchmark starts, and the one name that it talks to. Loopback needs no
# entry.
POLICY = {
    "SHIELD_OUTBOUND_CONNECTIVITY": "block",
    "SHIELD_ALLOW_OUTBOUND": f"{NAME},{OF_A_PACKAGE} by caller",
    "SHIELD_READ_WRITE_TMP": "block",
    "SHIELD_CREATE_CHILD_PROCESS": "block",
    "SHIELD_READ_HANDLER": "block",
    "SHIELD_ALLOW_CHILD_PROCESS": "/bin/true",
}
_SECONDS = 120.0
_CLIENTS = Path(__file__).resolve().with_name("clients.py")
_KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH")


@dataclass(frozen=True)
class Side:
    """How to start a program, unshielded or shielded."""

    name: str
    prefix: tuple[str, ...]
    environment: Mapping[str, str]

    def command(self, *argv: str) -> list[str]:
        return [*self.prefix, *argv]

    def having(self, **variables: str) -> Side:
        """The same with more in the environment."""
        return replace(self, environment={**self.environment, **variables})


def sides(shield: Path, has: Collection[Need]) -> tuple[Side, Side]:
    """(unshielded, shielded). Where there is a mount for it, there is a handler, as in every function."""
    plain = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if Need.MOUNTS in has:
        plain |= mounts.HANDLER_ENVIRONMENT
    policy = dict(POLICY)
    checkout = Path(__file__).resolve().parents[1]
    if place.lies_in_tmp(checkout, Path(sys.prefix)):
        policy["SHIELD_ALLOW_TMP"] = f"{checkout}/**,{Path(sys.prefix).resolve()}/**"
        policy["SHIELD_EXECUTABLE_MEMORY"] = "allow"  # libraries that may be written to while they run, such as grpc's
    return Side("unshielded", (), plain), Side("shielded", (str(shield),), {**plain, **policy})


def run(side: Side, *argv: str) -> subprocess.CompletedProcess[str]:
    """Runs to the end. Raises MeasurementError when it fails."""
    command = side.command(*argv)
    done = subprocess.run(
        command,
        env=dict(side.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise MeasurementError(f"{side.name}: {' '.join(argv)}: exit status {done.returncode}: {done.stderr.strip()}")
    return done


def check_armed(side: Side) -> str:
    """The armed line of a shielded start: without it, the measurements would compare nothing with nothing."""
    said = run(side, sys.executable, "-c", "pass").stderr
    for line in said.splitlines():
        if '"event":"armed"' in line:
            return line
    raise MeasurementError(f"shielded: the library did not arm: {said.strip() or 'no line on stderr'}")


class Caller:
    """A process of `calls.c` or `clients.py` that answers as long as it is asked."""

    def __init__(self, side: Side, argv: Sequence[str]) -> None:
        self._side = side
        self._process = subprocess.Popen(
            side.command(*argv),
            env=dict(side.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, row: Row) -> float:
        """One round; the time of one call in the row's unit."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(f"{row.request}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self._process.stdout.readline()
        if not answer:
            raise MeasurementError(
                f"{self._side.name}: {row.name}: the process ended with status {self._process.wait()}"
            )
        return float(answer) * row.scale

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it. What a supervisor supervises ends by itself, as its input does."""
        self._process.kill()
        self._process.communicate()


Pair = tuple[float, float]


def _in_turn(rounds: int, unshielded: Callable[[], float], shielded: Callable[[], float]) -> list[Pair]:
    """Asks both sides in each round, the first one alternating. One more round, not counted, warms up."""
    pairs: list[Pair] = []
    for number in range(rounds + 1):
        if number % 2:
            before, after = unshielded(), shielded()
        else:
            after, before = shielded(), unshielded()
        pairs.append((before, after))
    return pairs[1:]


def _result(row: Row, pairs: Sequence[Pair], note: str = "") -> Result:
    return Result.of(row, [pair[0] for pair in pairs], [pair[1] for pair in pairs], note)


def pairs_of_processes(row: Row, both: tuple[Side, Side], argv: Sequence[str]) -> list[list[Pair]]:
    """The rounds of a row, by several pairs of processes that stay."""
    rounds = math.ceil(row.rounds / row.processes)
    asked: list[list[Pair]] = []
    for _ in range(row.processes):
        with Caller(both[0], argv) as unshielded, Caller(both[1], argv) as shielded:
            asked.append(_in_turn(rounds, lambda u=unshielded: u.ask(row), lambda s=shielded: s.ask(row)))
    return asked


def measure_call(row: Row, both: tuple[Side, Side], argv: Sequence[str]) -> Result:
    """One row of calls, timed."""
    asked = pairs_of_processes(row, both, argv)
    ratios = [median(pair[1] for pair in pairs) / median(pair[0] for pair in pairs) for pairs in asked]
    return replace(_result(row, [pair for pairs in asked for pair in pairs]), spread=(min(ratios), max(ratios)))


def _measure_process(row: Row, both: tuple[Side, Side], code: str, note: str) -> Result:
    argv = (sys.executable, "-c", code)
    pairs = _in_turn(row.rounds, lambda: milliseconds(both[0], argv), lambda: milliseconds(both[1], argv))
    return _result(row, pairs, f'python -c "{code}", {note}')


def milliseconds(side: Side, argv: Sequence[str]) -> float:
    """From before the start of a process to after its end."""
    command = side.command(*argv)
    actions = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1, 2)]
    began = time.perf_counter()
    process = os.posix_spawn(command[0], command, side.environment, file_actions=actions)
    _, status = os.waitpid(process, 0)
    spent = time.perf_counter() - began
    if status != 0:
        raise MeasurementError(f"{side.name}: {' '.join(argv)}: wait status {status}")
    return spent * 1000


def _evict(files: Sequence[Path]) -> None:
    """Drops files from the page cache, except pages that a running process maps (posix_fadvise(2))."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def _measure_cold(row: Row, both: tuple[Side, Side], shield: Path) -> Result:
    """Before each start, what the shield brings is evicted: the rest of the system has long been read in Lambda."""
    argv = (sys.executable, "-c", "pass")
    files = (shield, shield.with_name("libshield.so"))

    def start(side: Side) -> float:
        _evict(files)
        return milliseconds(side, argv)

    pairs = _in_turn(row.rounds, lambda: start(both[0]), lambda: start(both[1]))
    return _result(row, pairs, "the shield's own files are evicted before each start")


_MEMORY_CODE = "print(open('/proc/self/smaps_rollup').read(), open('/proc/self/status').read())"


def _memory(side: Side) -> dict[str, float]:
    said = run(side, sys.executable, "-c", _MEMORY_CODE).stdout
    return {name: int(kilobytes) / 1024 for name, kilobytes in re.findall(r"^ ?(\w+):\s+(\d+) kB$", said, re.M)}


def _measure_memory(both: tuple[Side, Side]) -> Result:
    seen: dict[str, list[float]] = {}

    def look(side: Side) -> float:
        memory = _memory(side)
        seen.setdefault(side.name, []).append(memory["Pss"])
        return memory["VmRSS"]

    result = _result(MEMORY, _in_turn(MEMORY.rounds, lambda: look(both[0]), lambda: look(both[1])))
    shares = Result.of(MEMORY, seen["unshielded"], seen["shielded"])
    return replace(result, note=f"VmRSS of python; by proportional share (Pss) {shares.difference:+.2f} MB")


def measure(
    shield: Path,
    program: Path,
    *,
    has: Collection[Need],
    rounds: Callable[[int], int],
    wanted: Callable[[str], bool],
    report: Callable[[Result], None],
) -> list[Result]:
    """Measures every row.

    Args:
        shield: the wrapper, beside its library.
        program: `calls.c`, compiled. Files for the clients are written beside it.
        has: what the place has; rows that need more are left out.
        rounds: what to make of a row's number of rounds.
        wanted: whether a row of that name is measured.
        report: called with each result as it is there.

    Raises:
        MeasurementError: a program failed, or the shield did not arm.
    """
    both = sides(shield, has)
    cached = "a process each, files cached"

    def shortened(row: Row) -> Row:
        return replace(row, rounds=rounds(row.rounds))

    calls = (str(program),)
    authority = program.with_name("authority.pem")
    clients = (sys.executable, str(_CLIENTS), str(authority))
    timed = [(row, calls) for row in (*CALLS, *NETWORK_CALLS)] + [(row, clients) for row in CLIENTS]
    unshielded, shielded = (side.having(PYTHONPATH=str(mounts.LAYER_PYTHON)) for side in both)
    steps: list[tuple[Row, Callable[[], Result]]] = [
        *((row, lambda row=row, argv=argv: measure_call(shortened(row), both, argv)) for row, argv in timed),
        (IMPORT, lambda: _measure_process(shortened(IMPORT), (unshielded, shielded), "import boto3", cached)),
        (STARTUP, lambda: _measure_process(shortened(STARTUP), both, "pass", f"{cached}, the wrapper included")),
        (COLD, lambda: _measure_cold(shortened(COLD), both, shield)),
        (MEMORY, lambda: _measure_memory(both)),
        (SIZE, lambda: Result(SIZE, 0.0, shield.with_name("libshield.so").stat().st_size / 1024)),
    ]
    results: list[Result] = []
    with served(authority, has):
        for row, step in steps:
            if row.needs <= set(has) and wanted(row.name):
                results.append(step())
                report(results[-1])
    return results
