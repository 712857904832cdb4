"""`python benchmarks/synth.py [--functions N] [--json]` (`make bench-synth`): what the shield adds to a synthesis.

An app of N functions in stacks of 40. Each function has a role, an environment, a table that it may read, and its own
queue to consume. It is synthesized plain; with what `ShieldedFunction` adds written by hand (a log group, a
metric filter, an alarm, the layer, the variables), which is what the CDK itself takes; with `ShieldedFunction`; with a
fleet alarm; and as a whole app (`Shield.everywhere` with the checks on). They take turns,
each in its own process; the first round only warms up. Printed are the medians, their ratios to the plain app of
the same round, the resources that a function adds, and the calls from Python into the CDK. CPU seconds are those of
Python and Node.js together, from the first construct to the end of the synthesis: other work on the machine lengthens
them by less than the time that passes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

_STACK = 40
_TARGET = 1.4
_SHARED = "ShieldedFunctionLayer"  # one a stack and architecture, whatever the number of functions
KINDS = ("plain", "by hand", "shielded", "fleet", "whole app")


def main() -> int:
    """Measures, prints, and returns 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--functions", type=int, default=200, help="how many functions the app has")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is synthesized, besides the first round")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--one", choices=KINDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(synthesize(arguments.one, arguments.functions)))
        return 0
    rounds: list[dict[str, Any]] = []
    notes = Console(stderr=True)
    for number in range(arguments.rounds + 1):
        notes.print(f"round {number} of {arguments.rounds}", highlight=False)
        rounds.append({kind: _run(kind, arguments.functions) for kind in KINDS})
    results = {kind: _summary(kind, rounds[1:], arguments.functions) for kind in KINDS}
    if arguments.json:
        print(json.dumps({"functions": arguments.functions, "target": _TARGET, "results": results}, indent=2))
    else:
        _print(results, arguments.functions)
    return 0


def _run(kind: str, functions: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", kind, "--functions", str(functions)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


def synthesize(kind: str, functions: int) -> dict[str, Any]:
    """Builds and synthesizes one app: seconds, resources, and calls into the CDK."""
    calls = _count_calls()
    import aws_cdk as cdk
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_lambda_event_sources as event_sources
    from aws_cdk import aws_sqs as sqs
    from by_hand import make_by_hand

    from shielded_function import AlarmOptions, Shield, ShieldChecks, ShieldedFunction, ShieldPolicy

    def make(scope: Any, name: str, **props: Any) -> lambda_.Function:
        if kind == "by hand":
            return make_by_hand(scope, name, **props)
        if kind == "shielded":
            return ShieldedFunction(scope, name, **props)
        if kind == "fleet":
            return ShieldedFunction(scope, name, alarms=AlarmOptions(granularity="fleet"), **props)
        return lambda_.Function(scope, name, **props)

    with tempfile.TemporaryDirectory() as folder:
        began, cpu_began = time.perf_counter(), _cpu_seconds()
        app = cdk.App(outdir=folder)
        code = lambda_.Code.from_inline("def handler(event, context): return event")
        for first in range(0, functions, _STACK):
            stack = cdk.Stack(app, f"Stack{first // _STACK}")
            key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
            table = dynamodb.Table(stack, "Table", partition_key=key)
            for number in range(first, min(first + _STACK, functions)):
                function = make(
                    stack,
                    f"Function{number}",
                    runtime=lambda_.Runtime.PYTHON_3_13,
                    handler="index.handler",
                    code=code,
                    environment={"TABLE_NAME": table.table_name},
                )
                table.grant_read_data(function)
                queue: Any = sqs.Queue(stack, f"Queue{number}")
                function.add_event_source(event_sources.SqsEventSource(queue))
        if kind == "whole app":
            Shield.everywhere(app, ShieldPolicy())
            cdk.Validations.of(app).add_plugins(ShieldChecks())
        assembly = app.synth()
        seconds, cpu = time.perf_counter() - began, _cpu_seconds() - cpu_began
        templates = [json.loads(path.read_text()) for path in Path(assembly.directory).glob("*.template.json")]
    resources = Counter(r["Type"] for t in templates for name, r in t["Resources"].items() if _SHARED not in name)
    return {"seconds": seconds, "cpu": cpu, "resources": sum(resources.values()), "calls": sum(calls.values())}


def _cpu_seconds() -> float:
    """What this process and those below it have used so far (proc_pid_stat(5))."""
    ticks: dict[int, int] = {}
    parents: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # a process that has ended
            fields = file.read_text().rpartition(")")[2].split()
            process = int(file.parent.name)
            parents[process], ticks[process] = int(fields[1]), int(fields[11]) + int(fields[12])
    mine = [os.getpid()]
    for parent in mine:
        mine += [process for process, its in parents.items() if its == parent]
    return sum(ticks[process] for process in mine) / os.sysconf("SC_CLK_TCK")


def _count_calls() -> Counter[str]:
    """Counts each message to the CDK's process. Looks into jsii's Python library, as only a benchmark may."""
    from jsii._kernel.providers import process

    calls: Counter[str] = Counter()

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any, **options: Any) -> Any:
            calls[name] += 1
            return call(*arguments, **options)

        return count

    for name in ("create", "invoke", "get", "set", "sinvoke", "sget", "complete"):
        setattr(process.ProcessProvider, name, counted(name, getattr(process.ProcessProvider, name)))
    return calls


def _summary(kind: str, rounds: list[dict[str, Any]], functions: int) -> dict[str, Any]:
    plain = [r["plain"] for r in rounds]
    mine = [r[kind] for r in rounds]
    return {
        "seconds": median(m["seconds"] for m in mine),
        "ratio": median(m["seconds"] / p["seconds"] for m, p in zip(mine, plain, strict=True)),
        "cpu": median(m["cpu"] for m in mine),
        "cpu_ratio": median(m["cpu"] / p["cpu"] for m, p in zip(mine, plain, strict=True)),
        "resources_added": (mine[0]["resources"] - plain[0]["resources"]) / functions,
        "calls": mine[0]["calls"] / functions,
    }


def _print(results: dict[str, dict[str, Any]], functions: int) -> None:
    table = Table(title=f"Synthesis of {functions} functions (target: at most {_TARGET}x plain)", title_justify="left")
    for heading in (
        "app",
        "seconds",
        "ratio",
        "CPU seconds",
        "ratio",
        "resources added, a function",
        "calls into the CDK, a function",
    ):
        table.add_column(heading, justify="left" if heading == "app" else "right")
    for kind, result in results.items():
        met = "" if kind in ("plain", "by hand") else (" met" if result["ratio"] <= _TARGET else " missed")
        table.add_row(
            kind,
            f"{result['seconds']:.2f}",
            f"{result['ratio']:.2f}x{met}",
            f"{result['cpu']:.2f}",
            f"{result['cpu_ratio']:.2f}x",
            f"{result['resources_added']:.2f}",
            f"{result['calls']:.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
