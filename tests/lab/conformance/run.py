"""`make conformance`: is a function that the shield lets do everything the same function?

A third party's tests of each runtime (CPython's own, Node.js's own, Netty's and Apache Commons' for Java) run
unshielded, with every policy `allow` and with every policy `alert`; whatever a test comes to must be the same. A test
that differs runs alone twice more, with the shield and without; one that then ends the same even once is called flaky.
Exit status 1: a difference stands. 2: the tests could not be run.

`--mode listed` blocks everything but what the tests use.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console

from lab.conformance import java_suite, node_suite, python_suite, report
from lab.conformance.boxed import LISTED
from lab.conformance.comparing import ModuleResult, run_module
from lab.conformance.outcomes import UNSHIELDED
from lab.conformance.suites import Conditions, Runner, SuiteError
from shielded_function_emulator.sandbox import SandboxError
from shielded_function_runtime.build.native import BINARIES, BuildError, build

SUITES = {"python": python_suite.SUITE, "node": node_suite.SUITE, "java": java_suite.SUITE}
MODES = ("allow", "alert")
OTHER_MODES = (LISTED, "block")


def _run_all(
    runner: Runner, modules: Sequence[str], modes: Sequence[str], jobs: int, logs: Path | None, notes: Console
) -> list[ModuleResult]:
    results: list[ModuleResult] = []
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(run_module, runner, module, modes) for module in modules]
        try:
            for done in as_completed(waiting):
                result = done.result()
                results.append(result)
                _note(notes, result, f"{len(results)}/{len(modules)}")
                if logs:
                    _write_logs(logs, result)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _note(notes: Console, result: ModuleResult, progress: str) -> None:
    spent = ", ".join(f"{name} {run.seconds:.0f} s" for name, run in result.runs.items())
    found = f"{len(result.standing)} differ, {len(result.flaky)} flaky"
    tests = len(result.runs[UNSHIELDED].outcomes)
    notes.print(f"{progress} {result.module}: {tests} tests; {found}; {spent}", highlight=False, soft_wrap=True)


def _write_logs(logs: Path, result: ModuleResult) -> None:
    logs.mkdir(parents=True, exist_ok=True)
    for name, run in result.runs.items():
        (logs / f"{result.module}.{name}.log").write_text(run.output)
        (logs / f"{result.module}.{name}.json").write_text(json.dumps([run.outcomes, run.texts], indent=1))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conformance", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--suite", choices=SUITES, default="python", help="whose tests (python)")
    parser.add_argument("--quick", action="store_true", help="a part of them: files, processes, sockets, threads")
    parser.add_argument("--module", action="append", help="run this module only; may be repeated")
    parser.add_argument(
        "--mode", action="append", choices=(*MODES, LISTED, "block"), help="allow and alert if not given"
    )
    parser.add_argument("--runtime", default="", help="what runs them: a python, a version of Node.js, a Java's home")
    parser.add_argument("--filtered", action="store_true", help="with Lambda's seccomp filter (it refuses some calls)")
    parser.add_argument("--jobs", type=int, default=2, help="modules at a time (2)")
    parser.add_argument("--logs", type=Path, help="a folder for the output of every run")
    parser.add_argument("--seconds", type=float, help="for a module in one mode; for one test of Node.js")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tests and prints what differs. Returns the exit status."""
    options = _arguments(argv)
    notes = Console(stderr=True)
    suite = SUITES[options.suite]
    wanted: Sequence[str] = options.module or (suite.quick if options.quick else suite.full)
    modes: Sequence[str] = tuple(dict.fromkeys(options.mode or MODES))
    layer = f"layer/{platform.machine()}"
    began = time.monotonic()
    try:
        runner = suite.prepare(
            Conditions(BINARIES / layer, options.filtered, options.seconds or suite.seconds, options.runtime)
        )
        modules = [module for module in wanted if runner.has(module)]
        missing = [module for module in wanted if module not in modules]
        if missing:
            notes.print(f"not among these tests: {', '.join(missing)}: left out", style="yellow", soft_wrap=True)
        build([layer])
        results = _run_all(runner, modules, modes, options.jobs, options.logs, notes)
    except (SuiteError, SandboxError, BuildError) as error:
        notes.print(f"conformance: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    seconds = time.monotonic() - began
    if options.json:
        print(json.dumps(report.to_json(results, missing, seconds), indent=2))
    else:
        console = Console() if sys.stdout.isatty() else Console(width=150)
        console.print(report.table(suite.title, results, modes, seconds))
        report.print_differences(console, results)
    return 0 if results and not any(result.standing or result.complaints for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
