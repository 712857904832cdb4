"""What came of it, for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from lab.conformance.comparing import ModuleResult
from lab.conformance.outcomes import UNSHIELDED


def table(title: str, results: Sequence[ModuleResult], modes: Sequence[str], seconds: float) -> Table:
    """A line for each module: tests, failures and seconds by mode, alerts, differences."""
    columns = (UNSHIELDED, *modes)
    table = Table(title=f"{title}, unshielded and shielded", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("module", no_wrap=True)
    for heading in ("tests", *(f"fail: {name}" for name in columns), *(f"s: {name}" for name in columns)):
        table.add_column(heading, justify="right")
    for heading in ("alerts", "differ", "by design", "flaky"):
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
            str(len(result.meant)),
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
        str(sum(len(r.meant) for r in results)),
        str(sum(len(r.flaky) for r in results)),
    )
    return table


def print_differences(console: Console, results: Sequence[ModuleResult]) -> None:
    """Each difference that stands or is of note, and what the shield should not have written."""
    for result in sorted(results, key=lambda r: r.module):
        for mode, found in result.differences.items():
            told = [d for d in found if d.stands or d.is_of_note]
            for difference in told:
                meant = difference in result.meant
                what = "by design" if meant else difference.kind if difference.stands else "flaky"
                style = "dim" if meant else "red" if difference.stands else "yellow"
                console.print(f"{mode}: {what}: {difference}", style=style, markup=False, soft_wrap=True)
                if difference in result.standing and difference.text:
                    console.print(difference.text[-1500:], style="dim", markup=False, soft_wrap=True)
            if rest := len(found) - len(told):
                console.print(f"{mode}: {result.module}: {rest} more did not run every time", style="yellow")
        for complaint in result.complaints:
            console.print(complaint, style="red", markup=False, soft_wrap=True)


def to_json(results: Sequence[ModuleResult], missing: Sequence[str], seconds: float) -> dict[str, Any]:
    """All of it, for `--json`."""
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
