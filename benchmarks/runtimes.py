"""`python benchmarks/runtimes.py [--json] [--quick] [RUNTIME ...]` (`make bench-runtimes`): starts and invocations.

A function that only answers, in each runtime that is at hand, in an emulated Lambda sandbox, unshielded and shielded in
turn. A start lasts from the exec of the wrapper, or of the runtime, to the first request for an event; an invocation
from the event's departure to the answer's arrival. The function is pinned to one processor, the Runtime API to another.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

import network
from bench import show, table
from processor import Watch
from programs import machine
from rich.console import Console
from rows import Bound, MeasurementError, Result, Row, Target
from runtime_api import RuntimeApi, RuntimeApiError

from shielded_function_runtime.build import native

languages = network.emulated("languages")
java = network.emulated("languages.java")
sandbox = network.emulated("sandbox")

_HERE = Path(__file__).resolve().parent
_LATEST = _HERE / "runtimes.json"
_ADDRESS = ("127.0.0.1", 9001)
_TRIES = 3  # of starts, for each that is wanted
_BEGIN = "/opt/begin"
_SHIELD = "/opt/shielded-function/shield"
# For each language: the handler, and by how many milliseconds a start may be longer.
_LANGUAGES = {"python": ("app.handler", 1.0), "nodejs": ("app.handler", 1.5), "java": ("App::handler", 1.5)}
_POLICY = {
    f"SHIELD_{policy}": "block"
    for policy in ("OUTBOUND_CONNECTIVITY", "READ_WRITE_TMP", "CREATE_CHILD_PROCESS", "READ_HANDLER")
}
_FUNCTION = {
    "AWS_LAMBDA_RUNTIME_API": "{}:{}".format(*_ADDRESS),
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bench",
    "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
}


@dataclass(frozen=True)
class Effort:
    """How often: processes for starts, and for invocations with what each of those answers, at first and when timed."""

    starts: int = 200
    processes: int = 80
    before: int = 200
    invocations: int = 300


class Function:
    """One runtime's function in its own sandbox; `run` starts a process of it."""

    def __init__(self, runtime: Any, box: Any) -> None:
        self._runtime, self._box = runtime, box
        self._handler, _ = language_of(runtime.name)
        self.processor = max(os.sched_getaffinity(0))

    def run(self, shielded: bool, effort: Effort, invocations: int) -> tuple[float, list[float]]:
        """Starts a process; ends it after so many invocations. Milliseconds of the start, microseconds of each.

        Raises MeasurementError, with what the function wrote, when it does not answer as it should.
        """
        with self._box.socket() as listening:
            listening.setsockopt(sandbox.socket.SOL_SOCKET, sandbox.socket.SO_REUSEADDR, 1)
            listening.bind(_ADDRESS)
            listening.listen(8)
            api = RuntimeApi(listening)
            process, mark = self._start(shielded)
            said: list[str] = []
            reader = threading.Thread(target=lambda: said.append(process.stderr.read().decode(errors="replace")))
            reader.start()
            try:
                asked = api.asked()
                (began,) = struct.unpack("Q", os.read(mark, 8))
                times = []
                for _ in range(invocations):
                    times.append(api.invoke() / 1e3)
                    api.asked()
            except (RuntimeApiError, struct.error) as error:
                process.kill()
                reader.join()
                raise MeasurementError(f"{self._runtime.name}: {error}: {said[0][-2000:]}") from error
            finally:
                os.close(mark)
                api.close()
                process.kill()
                process.wait()
                reader.join()
        armed = '"event":"armed"' in said[0]
        if armed != shielded or '"policy":' in said[0]:
            raise MeasurementError(f"{self._runtime.name}: armed: {armed}; it wrote {said[0][-2000:]}")
        return (asked - began) / 1e6, times[effort.before :]

    def _start(self, shielded: bool) -> tuple[Any, int]:
        reading, writing = os.pipe()
        argv = [_BEGIN, str(writing), *([_SHIELD] if shielded else []), *self._runtime.command, self._handler]
        environment = {**_FUNCTION, "_HANDLER": self._handler, **(_POLICY if shielded else {})}
        environment["AWS_EXECUTION_ENV"] = self._runtime.execution_environment
        others = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {self.processor})
        try:
            return self._box.start(argv, environment=environment, keep=[writing]), reading
        finally:
            os.sched_setaffinity(0, others)
            os.close(writing)


def language_of(name: str) -> tuple[str, float]:
    """The row of `_LANGUAGES` for a runtime (`java21`)."""
    return next(row for language, row in _LANGUAGES.items() if name.startswith(language))


def _compile_java(into: Path) -> None:
    javac = java.compilers()[min(java.compilers())]
    command = [str(javac), "--release", "8", "-d", str(into), str(_HERE / "functions" / "App.java")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasurementError(f"App.java does not compile: {done.stderr.strip()}")


@contextmanager
def _prepared(names: list[str]) -> Iterator[tuple[Path, Path]]:
    """What goes to /var/task, and to /opt: the handlers; the layer, and `begin.c`."""
    with tempfile.TemporaryDirectory(prefix="bench-runtimes-") as scratch:
        task, layers = Path(scratch) / "task", Path(scratch) / "opt"
        task.mkdir()
        for name in ("app.py", "app.js"):
            shutil.copy(_HERE / "functions" / name, task)
        if any(name.startswith("java") for name in names):
            _compile_java(task)
        here = machine()
        native.build([f"layer/{here}/shielded-function"])
        shutil.copytree(native.BINARIES / "layer" / here, layers)
        source, program = str(_HERE / "begin.c"), str(layers / "begin")
        compiler = [sys.executable, "-m", "ziglang", "cc", "-target", f"{here}-linux-musl", "-static", "-O2"]
        subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
        for folder in (task, layers):
            folder.chmod(0o755)
        yield task, layers


def _available(wanted: list[str]) -> tuple[list[Any], list[str]]:
    """The runtimes to measure, and a line for each that cannot be. Raises MeasurementError for a name that none has."""
    names = {name: r for r in languages.RUNTIMES for name in (r.name, r.name.removesuffix(".*"))}
    if unknown := [name for name in wanted if name not in names]:
        here = ", ".join(r.name.removesuffix(".*") for r in languages.RUNTIMES)
        raise MeasurementError(f"there is no runtime {', '.join(unknown)}; write some of {here}")
    rows = [r for r in languages.RUNTIMES if not wanted or r in [names[name] for name in wanted]]
    missing = {r.name: r.missing() for r in rows}
    return [r for r in rows if not missing[r.name]], [f"{name}: {why}" for name, why in missing.items() if why]


_Pairs = list[tuple[float, float]]


def _middle(pairs: _Pairs) -> tuple[float, float]:
    """The mean of both sides, of the pairs whose difference is none of the fifth that is least or greatest.

    A process varies by more than the shield costs, and by less between two that follow each other.
    """
    ordered = sorted(pairs, key=lambda pair: pair[1] - pair[0])
    cut = len(ordered) // 5
    kept = ordered[cut : len(ordered) - cut]
    return mean(plain for plain, _ in kept), mean(shielded for _, shielded in kept)


def _interval(pairs: _Pairs, compare: Callable[[float, float], float]) -> tuple[float, float]:
    """Between which numbers the comparison of both sides lies in 95 % of a bootstrap's draws."""
    draw = random.Random(0)
    middles = (_middle(draw.choices(pairs, k=len(pairs))) for _ in range(1000))
    drawn = sorted(compare(plain, shielded) for plain, shielded in middles)
    return drawn[25], drawn[975]


@contextmanager
def _off_the_last_processor() -> Iterator[None]:
    """Keeps this thread, and those that it starts, off the processor of the function, where there is another."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before - {max(before)} or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _where(box: Any) -> list[str]:
    """A line when the system's directories are mounts of their own, as they are not in Lambda."""
    apart = box.path("/usr").stat().st_dev != box.path("/").stat().st_dev
    return ["the system is no part of the mount of / here: overlays are not available"] if apart else []


def _measure(runtime: Any, task: Path, layers: Path, effort: Effort) -> tuple[list[Result], list[str]]:
    _, allowed = language_of(runtime.name)
    with sandbox.Sandbox(task, layers, runtime=runtime, runtime_on_root=True, system_on_root=True) as box:
        function = Function(runtime, box)
        notes = _where(box)
        with _off_the_last_processor():
            watch = Watch(function.processor)
            starts = watch.pairs(lambda shielded: function.run(shielded, effort, 1)[0], effort.starts, _TRIES)
            events = effort.before + effort.invocations
            # A median tolerates other programs, and such a process lasts longer than a quiet spell.
            times = watch.pairs(lambda shielded: function.run(shielded, effort, events)[1], effort.processes, 1)
    name = runtime.name.removesuffix(".*")
    start = Row(f"start_{name}", f"{name}, start", "ms", Target(Bound.DIFFERENCE, allowed), effort.starts)
    count = effort.processes * effort.invocations
    warm = Row(f"warm_{name}", f"{name}, invocation, p50", "us", Target(Bound.RATIO, 1.01), count)
    slow = Row(f"slow_{name}", f"{name}, invocation, p99", "us", None, count)
    medians = [(median(plain), median(shielded)) for plain, shielded in times.kept]
    longer = _interval(starts.kept, lambda plain, shielded: shielded - plain)
    ratio = _interval(medians, lambda plain, shielded: shielded / plain)
    slowest = [quantiles([t for pair in times.kept for t in pair[side]], n=100)[98] for side in (0, 1)]
    results = [
        Result(start, *_middle(starts.kept), interval=longer),
        Result(warm, *_middle(medians), interval=ratio),
        Result(slow, slowest[0], slowest[1]),
    ]
    return results, [*notes, *starts.note(f"{name}'s starts"), *times.note(f"{name}'s processes")]


def _run(options: argparse.Namespace) -> None:
    progress = Console(stderr=True)
    effort = Effort(starts=6, processes=5, before=50, invocations=100) if options.quick else Effort()
    effort = replace(effort, starts=options.starts) if options.starts else effort
    runtimes, notes = _available(options.runtimes)
    results: list[Result] = []
    with _prepared([r.name for r in runtimes]) as (task, layers), progress.status("measuring") as status:
        for number, runtime in enumerate(runtimes, 1):
            status.update(f"measuring {runtime.name} ({number} of {len(runtimes)})")
            measured, where = _measure(runtime, task, layers, effort)
            results += measured
            notes += [line for line in where if line not in notes]
    notes += [
        f"{result.row.what}: from {result.interval[0]:.3f} to {result.interval[1]:.3f} in 95 % of a bootstrap"
        for result in results
        if result.interval
    ]
    if not all(result.is_sure for result in results):
        notes.append("met?, missed?: the limit lies between those numbers, and more starts would tell (--starts N)")
    notes += ["--quick: few rounds, so the numbers are rough"] if options.quick else []
    report: Mapping[str, object] = {"rows": [result.as_json() for result in results], "notes": notes}
    options.output.write_text(json.dumps(report, indent=1) + "\n")
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        show(table("What the shield costs a runtime", results, notes))


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of starts; write 1 or more")
    return int(text)


def main() -> int:
    """Measures and reports; the exit status is 1 only when something could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runtimes", nargs="*", help="such as nodejs22.x or python3 (default: all that are at hand)")
    parser.add_argument("--json", action="store_true", help="print the JSON instead of the table")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--starts", type=_count, metavar="N", help=f"starts of each side (default: {Effort.starts})")
    parser.add_argument("--output", type=Path, default=_LATEST, help="where the JSON goes (default: %(default)s)")
    try:
        _run(parser.parse_args())
    except (MeasurementError, sandbox.SandboxError, native.BuildError, LookupError) as error:
        print(f"bench-runtimes: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
