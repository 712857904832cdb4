"""`python -m conformance.run` (`make conformance`): is a function that the shield lets do everything the same function?

CPython's own regression tests run unshielded, with every policy `allow` and with every policy `alert`; whatever a test
comes to must be the same. A test that differs runs alone twice more, with the shield and without; one that then ends
the same even once is called flaky. Exit status 1: a difference stands. 2: the tests could not be run.
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
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from conformance.modules import FULL, QUICK, InterpreterError, choose, find_interpreter
from conformance.runs import UNSHIELDED, ModuleResult, Runner, run_module
from emulated_lambda.sandbox import SandboxError
from shielded_function_runtime.build.native import BINARIES, BuildError, build

MODES = ("allow", "alert")


def _table(results: Sequence[ModuleResult], modes: Sequence[str], seconds: float) -> Table:
    columns = (UNSHIELDED, *modes)
    table = Table(title="CPython's own tests, unshielded and shielded", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("module", no_wrap=True)
    for heading in ("tests", *(f"fail: {name}" for name in columns), *(f"s: {name}" for name in columns)):
        table.add_column(heading, justify="right")
    for heading in ("alerts", "differ", "flaky"):
        table.add_column(heading, justify="right")
    for result in sorted(results, key=lambda r: r.module):
        runs = [result.runs[name] for name in columns]
        table.add_row(
            result.module,
            str(len(runs[0].outcomes)),
            *(str(len(run.failures)) for run in runs),
            *(f"{run.seconds:.1f}" for run in runs),
            str(sum(run.alerts.total() for run in runs)),
            f"[red]{len(result.standing)}[/]" if result.standing else "0",
            str(len(result.flaky)),
        )
    totals = [[r.runs[name] for r in results] for name in columns]
    table.add_section()
    table.add_row(
        f"{len(results)} modules in {seconds:.0f} s",
        str(sum(len(run.outcomes) for run in totals[0])),
        *(str(sum(len(run.failures) for run in runs)) for runs in totals),
        *(f"{sum(run.seconds for run in runs):.0f}" for runs in totals),
        str(sum(run.alerts.total() for runs in totals for run in runs)),
        str(sum(len(r.standing) for r in results)),
        str(sum(len(r.flaky) for r in results)),
    )
    return table


def _print_differences(console: Console, results: Sequence[ModuleResult]) -> None:
    for result in sorted(results, key=lambda r: r.module):
        for mode, found in result.differences.items():
            told = [d for d in found if d.stands or d.is_of_note]
            for difference in told:
                what = difference.kind if difference.stands else "flaky"
                style = "red" if difference.stands else "yellow"
                console.print(f"{mode}: {what}: {difference}", style=style, markup=False, soft_wrap=True)
                if difference.stands and difference.text:
                    console.print(difference.text[-1500:], style="dim", markup=False, soft_wrap=True)
            if rest := len(found) - len(told):
                console.print(f"{mode}: {result.module}: {rest} more did not run every time", style="yellow")
        for complaint in result.complaints:
            console.print(complaint, style="red", markup=False, soft_wrap=True)


def _to_json(results: Sequence[ModuleResult], missing: Sequence[str], seconds: float) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 1),
        "missing": list(missing),
        "modules": [
            {
                "module": result.module,
                "runs": {
                    name: {
                        "tests": len(run.outcomes),
                        "failures": run.failures,
                        "skipped": sum(outcome == "skipped" for outcome in run.outcomes.values()),
                        "seconds": round(run.seconds, 1),
                        "status": run.status,
                        "shield_lines": dict(run.events),
                    }
                    for name, run in result.runs.items()
                },
                "complaints": result.complaints,
                "differences": [
                    {
                        "mode": mode,
                        "test": d.test,
                        "kind": d.kind,
                        "stands": d.stands,
                        "unshielded": d.unshielded,
                        "shielded": d.shielded,
                        "text": d.text,
                    }
                    for mode, found in result.differences.items()
                    for d in found
                ],
            }
            for result in results
        ],
    }


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
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--module", action="append", help="run this module only; may be repeated")
    parser.add_argument("--mode", action="append", choices=(*MODES, "block"), help="allow and alert if not given")
    parser.add_argument("--python", default=sys.executable, help="the interpreter under test; this one if not given")
    parser.add_argument("--filtered", action="store_true", help="with Lambda's seccomp filter (it refuses some calls)")
    parser.add_argument("--jobs", type=int, default=2, help="modules at a time (2)")
    parser.add_argument("--logs", type=Path, help="a folder for the output of every run")
    parser.add_argument("--seconds", type=float, default=400, help="for a module in one mode (400)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tests and prints what differs. Returns the exit status."""
    options = _arguments(argv)
    notes = Console(stderr=True)
    wanted: Sequence[str] = options.module or (QUICK if options.quick else FULL)
    modes: Sequence[str] = tuple(dict.fromkeys(options.mode or MODES))
    layer = f"layer/{platform.machine()}"
    began = time.monotonic()
    try:
        interpreter = find_interpreter(options.python)
        modules, missing = choose(interpreter, wanted)
        if missing:
            notes.print(
                f"Python {interpreter.version} came without {', '.join(missing)}: left out",
                style="yellow",
                soft_wrap=True,
            )
        build([layer])
        runner = Runner(interpreter, BINARIES / layer, options.filtered, options.seconds)
        results = _run_all(runner, modules, modes, options.jobs, options.logs, notes)
    except (InterpreterError, SandboxError, BuildError) as error:
        notes.print(f"conformance: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    seconds = time.monotonic() - began
    if options.json:
        print(json.dumps(_to_json(results, missing, seconds), indent=2))
    else:
        console = Console() if sys.stdout.isatty() else Console(width=150)
        console.print(_table(results, modes, seconds))
        _print_differences(console, results)
    return 0 if results and not any(result.standing or result.complaints for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
