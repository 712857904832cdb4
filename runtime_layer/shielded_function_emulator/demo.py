"""The demo: one function, attacked by its own dependency, unshielded and shielded, in an emulated Lambda sandbox.

Run by `make demo`, `shielded-function demo`, or `python -m shielded_function_emulator.demo` (`--json`). Exit status 0:
all results are as expected; 1: a result differs; 2: the demo could not run.
"""

from __future__ import annotations

import json as json_format
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shielded_function_emulator.checkout_run import CheckoutError, CheckoutRun, run_checkout
from shielded_function_emulator.cloud_assembly import CloudAssembly, CloudAssemblyError
from shielded_function_emulator.emulated_function import emulator
from shielded_function_emulator.sandbox import SandboxError
from shielded_function_emulator.synthesis import CHECKOUT, SynthesisError, synthesize
from shielded_function_emulator.verdicts import AllowedRow, Row, Verdicts, judge

APP = CHECKOUT / "examples" / "checkout"

# The functions of the app, by the mode of their controls.
SHIELDED = {"block": "Shielded", "alert": "Watched"}
_WIDTH_WITHOUT_TERMINAL = 170


def run(json: bool = False, app: Path = APP) -> int:
    """Runs the demo and prints its result: a table, or one JSON object on stdout.

    Args:
        json: whether to print the object.
        app: the folder of `examples/checkout`; the logs are kept in its `cdk.out/demo`.

    Returns the exit status.
    """
    notes = Console(stderr=True)
    try:
        verdicts, isolation, logs = _verdicts(notes, app)
    except (SandboxError, SynthesisError, CloudAssemblyError, CheckoutError) as error:
        notes.print(f"demo: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    if json:
        print(json_format.dumps(verdicts.to_json(), indent=2))
    else:
        _print(verdicts, isolation)
        print(f"for `shielded-function learn` and `report`: {logs['alert']}")
    for complaint in verdicts.complaints:
        notes.print(complaint, style="red", markup=False, highlight=False, soft_wrap=True)
    return 0 if verdicts.is_as_expected else 1


def _verdicts(notes: Console, app: Path) -> tuple[Verdicts, str, dict[str, Path]]:
    emulator()  # first, so that a missing emulator is reported at once
    with tempfile.TemporaryDirectory(prefix="checkout-cdk-") as scratch:
        output = Path(scratch) / "cdk.out"
        with _step(notes, "synthesizing examples/checkout"):
            synthesize(app, output)
        assembly = CloudAssembly(output)
        runs: dict[str, CheckoutRun] = {}
        for construct in ("Unshielded", *SHIELDED.values()):
            with _step(notes, f"invoking {construct} in an emulated Lambda sandbox"):
                runs[construct] = run_checkout(assembly, construct)
        shielded = {mode: runs[construct] for mode, construct in SHIELDED.items()}
        verdicts = judge(assembly, runs["Unshielded"], shielded)
        logs = {mode: _keep(run, app / "cdk.out" / "demo" / f"{mode}.log") for mode, run in shielded.items()}
        return verdicts, runs["Unshielded"].isolation, logs


def _keep(run: CheckoutRun, file: Path) -> Path:
    """Writes a run's log to a file, for `shielded-function report` and `learn`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line.message}\n" for line in run.log), encoding="utf-8")
    return file


@contextmanager
def _step(notes: Console, step: str) -> Iterator[None]:
    """Shows the current step: as a spinner on a terminal, as a line elsewhere."""
    if not notes.is_terminal:
        notes.print(f"demo: {step}", markup=False, highlight=False)
        yield
        return
    with notes.status(f"{step} ..."):
        yield


def _print(verdicts: Verdicts, isolation: str) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_WITHOUT_TERMINAL)
    for mode, construct in SHIELDED.items():
        rows = [row for row in verdicts.rows if row.mode == mode]
        console.print(_attempts(f"{construct}: every control in mode {mode}", rows))
    console.print(_allowed(verdicts.allowed))
    for mode in verdicts.alarms:
        console.print(
            "alarms of {}: {before} before, {after} after".format(SHIELDED[mode], **verdicts.alarm(mode)),
            highlight=False,
        )
        for fired in verdicts.fired(mode):
            called = ", ".join(fired.actions) or "nothing: it has no action"
            console.print(f"  {fired.name} fired and would call {called}", highlight=False, soft_wrap=True)
    console.print(f"isolation: {isolation}, with Lambda's seccomp filter", style="dim", highlight=False)
    mark = _mark(verdicts.is_as_expected)
    console.print(mark, "all as it should be" if verdicts.is_as_expected else "not as it should be")


def _attempts(title: str, rows: list[Row]) -> Table:
    table = Table(title=title, title_justify="left", expand=True)
    for heading in ("", "attempt", "unshielded", "shielded", "made by"):
        table.add_column(heading, no_wrap=True)
    table.add_column("alert line, shortened", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        mark, line = _mark(row.is_as_expected), Text(_shortened(row.line))
        table.add_row(mark, row.attempt.title, row.unshielded, row.shielded, Text(_who(row.caller)), line)
    return table


def _who(caller: Mapping[str, Any]) -> str:
    """The code that the alert names: its file, from the package on, and the line."""
    package, file = caller.get("package", ""), caller.get("file", "")
    return (
        f"{package}{file.rpartition(f'/{package}')[2]}:{caller['line']}" if package and "line" in caller else "unknown"
    )


def _shortened(line: str) -> str:
    """The part that identifies an alert line: the attempt, and its control."""
    if not line:
        return "none"
    fields = json_format.loads(line)
    kept = {**fields["details"], "policy": fields["policy"]}
    return json_format.dumps(kept, separators=(",", ":"))


def _allowed(rows: list[AllowedRow]) -> Table:
    table = Table("", "the handler's own calls", "mode", "unshielded", "shielded")
    for row in rows:
        table.add_row(_mark(row.is_as_expected), row.call, row.mode, row.unshielded, row.shielded)
    return table


def _mark(good: bool) -> Text:
    return Text("✓", "green") if good else Text("✗", "red")


if __name__ == "__main__":
    sys.exit(run(json="--json" in sys.argv[1:]))
