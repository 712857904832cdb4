"""`python benchmarks/lines.py [--lines N] [--json]` (`make bench-lines`): a million log lines on a laptop.

A day of 200 functions: alert lines of every policy and mode, with a tenth of them other programs' lines. Measured are
the filter and alarm evaluator, by granularity (every line through the filters, every alarm once a simulated minute),
and `learn` on the same lines as a file; then `alerts`, `learn` and `report` on as many lines, each about a different
file and the last about a host. Each runs in its own process; printed are seconds, those of the processor alone (a
machine that is busy with something else adds to the first, not so much to the second), and the greatest resident size.
Targets: a million lines in a minute, within 200 MB; where each is about something else, within 500 MB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from shielded_function_monitoring.alert import Policy
from shielded_function_monitoring.filters import (
    BY_LEVEL,
    BY_POLICY,
    LEVELS,
    fleet_query,
    level_of,
    violations,
    violations_by_policy,
)

FUNCTIONS = 200
MINUTES = 24 * 60
GRANULARITIES = ("function", "control", "fleet")
SECONDS, MEGABYTES, MEGABYTES_APART = 60.0, 200.0, 500.0
_APART = ("alerts, apart", "learn, apart", "report, apart")
COMMANDS = {
    "learn": "learn",
    "alerts, apart": "alerts --json",
    "learn, apart": "learn --json",
    "report, apart": "report --output -",
}
_NAMESPACE = "ShieldedFunction"
_POLICIES: tuple[Policy, ...] = (
    "outbound_connectivity",
    "read_write_tmp",
    "create_child_process",
    "executable_memory",
    "self_protection",
)
_DETAILS: dict[str, dict[str, Any]] = {
    "outbound_connectivity": {"ip": "203.0.113.7", "port": 443, "protocol": "tcp", "syscall": "connect"},
    "read_write_tmp": {"path": "/tmp/cache/entry", "syscall": "openat"},
    "create_child_process": {"path": "/usr/bin/id", "arguments": ["id", "-u"], "syscall": "execve"},
    "executable_memory": {"syscall": "mprotect"},
    "self_protection": {"syscall": "openat", "path": "/proc/self/mem"},
}


def main() -> int:
    """Measures, prints, and returns 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000, help="how many lines")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.lines)))
        return 0
    notes = Console(stderr=True)
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "alerts.log"
        notes.print(f"writing {arguments.lines:,} lines", highlight=False)
        with file.open("w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for _, _, line in lines(arguments.lines))
        apart = Path(folder) / "apart.log"
        with apart.open("w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in lines_apart(arguments.lines))
        for kind in (*GRANULARITIES, *COMMANDS):
            notes.print(f"measuring {kind}", highlight=False)
            read = apart if kind in _APART else file
            command = [sys.executable, __file__, "--lines", str(arguments.lines), "--one", f"{kind}:{read}"]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            results[kind] = json.loads(done.stdout)
    if arguments.json:
        print(json.dumps({"lines": arguments.lines, "results": results}, indent=2))
    else:
        _print(results, arguments.lines)
    return 0


def lines(count: int) -> Iterator[tuple[float, int, str]]:
    """So many lines of a day, in the order of their times: when, of which function, and the line."""
    for number in range(count):
        when = number * MINUTES * 60 / count
        function = number * 7919 % FUNCTIONS
        if number % 10 == 9:
            yield when, function, f'{{"level":"INFO","message":"order {number} is paid","duration":{number % 97}}}'
            continue
        policy, mode = _POLICIES[number % len(_POLICIES)], "alert" if number % 3 else "block"
        details = dict(_DETAILS[policy])
        if policy == "outbound_connectivity":
            details["host"] = f"host-{number % 50}.example"
        line = {
            "function_shield": True,
            "v": 1,
            "function": name_of(function),
            "version": "$LATEST",
            "region": "us-east-1",
            "account": "123456789012",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(when)),
            "level": level_of(policy, mode),
            "policy": policy,
            "mode": mode,
            "count": 1 + number % 4,
            "details": details,
            "caller": {"object": "_socket.cpython-313-x86_64-linux-gnu.so"},
            "pid": 17,
        }
        yield when, function, json.dumps(line, separators=(",", ":"))


def lines_apart(count: int) -> Iterator[str]:
    """So many lines of one function, each about a file that no other is about, and the last about a host."""
    numbers = random.Random(1)
    for number in range(count):
        path = f"/tmp/tmp{numbers.randrange(36**8):08}"[:16]
        when = f"2026-11-{1 + number * 20 // count:02}T10:00:00.000001Z"
        details = {"path": path, "syscall": "openat"}
        if number == count - 1:
            details = {"host": "evil.example", "ip": "203.0.113.9", "port": 443, "protocol": "tcp"}
        policy = "outbound_connectivity" if "host" in details else "read_write_tmp"
        line = {"function_shield": True, "v": 1, "function": "checkout", "region": "us-east-1", "timestamp": when}
        line |= {"level": "WARN", "policy": policy, "mode": "alert", "count": 1, "details": details, "pid": 17}
        yield json.dumps(line, separators=(",", ":"))


def name_of(function: int) -> str:
    """A function's name."""
    return f"function-{function}"


def template(granularity: str) -> dict[str, Any]:
    """The resources that the constructs make for the functions, as far as alarms need them."""
    resources: dict[str, Any] = {}
    for number in range(FUNCTIONS):
        name, log_group = name_of(number), f"/aws/lambda/{name_of(number)}"
        resources[f"F{number}"] = {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": name}}
        by_policy = granularity == "control"
        pattern = (
            violations_by_policy() if by_policy else violations(without=["read_handler"], by_level=True)
        ).render()
        dimensions = [{"Key": key, "Value": value} for key, value in (BY_POLICY if by_policy else BY_LEVEL).items()]
        watched = [{"FunctionName": name, "Level": level} for level in LEVELS.values()]
        if by_policy:
            watched = [{"FunctionName": name, "Policy": policy} for policy in _POLICIES]
        transformation = {"MetricNamespace": _NAMESPACE, "MetricName": "Violations", "MetricValue": "$.count"}
        resources[f"F{number}Filter"] = {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "LogGroupName": log_group,
                "FilterPattern": pattern,
                "MetricTransformations": [{**transformation, "Dimensions": dimensions}],
            },
        }
        for which, found in enumerate(watched if granularity != "fleet" else []):
            metric = {"Namespace": _NAMESPACE, "MetricName": "Violations", "Statistic": "Sum", "Period": 60}
            metric["Dimensions"] = [{"Name": key, "Value": value} for key, value in found.items()]
            resources[f"F{number}Alarm{which}"] = _alarm(**metric)
    if granularity == "fleet":
        for level in LEVELS.values():
            query = {"Id": "q", "Expression": fleet_query(level=level), "Period": 60}
            resources[f"Fleet{level}"] = _alarm(Metrics=[query])
    return {"Resources": resources}


def _alarm(**properties: Any) -> dict[str, Any]:
    usual = {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "EvaluationPeriods": 1, "Threshold": 1}
    usual["TreatMissingData"] = "notBreaching"
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**usual, **properties}}


def measure(what: str, count: int) -> dict[str, float]:
    """Runs one kind over a file of lines: seconds, and the greatest resident size in MB."""
    kind, _, file = what.partition(":")
    began = time.perf_counter()
    seen = run(COMMANDS[kind], Path(file)) if kind in COMMANDS else evaluate(kind, Path(file), count)
    seconds = time.perf_counter() - began
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "seconds": seconds,
        "processor_seconds": sum(one.ru_utime + one.ru_stime for one in used),
        "megabytes": max(one.ru_maxrss for one in used) / 1024,
        "seen": seen,
    }


def evaluate(granularity: str, file: Path, count: int) -> int:
    """Every line through the filters, every alarm once a minute; returns how many values were published."""
    from shielded_function.testing.simulation import simulate_cloudwatch
    from shielded_function_monitoring.simulated import LogEvent
    from shielded_function_monitoring.simulated.metrics import Metrics

    cloudwatch = simulate_cloudwatch(template(granularity))
    minute, published = 0, 0
    waiting: dict[int, list[LogEvent]] = {}

    def pass_minute() -> None:
        nonlocal published
        for function, events in waiting.items():
            published += cloudwatch.put_log_events(f"/aws/lambda/{name_of(function)}", events)
        waiting.clear()
        cloudwatch.evaluate(minute * 60 + 59)
        if minute % 360 == 0:
            cloudwatch.metrics = Metrics()  # three hours on average, as long as a fleet's alarm looks back

    with file.open(encoding="utf-8") as lines_of_file:
        for number, line in enumerate(lines_of_file):
            when = number * MINUTES * 60 / count
            if int(when // 60) != minute:
                pass_minute()
                minute = int(when // 60)
            waiting.setdefault(number * 7919 % FUNCTIONS, []).append(LogEvent(when, line))
    pass_minute()
    return published


def run(command: str, file: Path) -> int:
    """A command on the file; returns how long what it printed is."""
    whole = [sys.executable, "-m", "shielded_function.cli", *command.split(), str(file)]
    done = subprocess.run(whole, check=False, stdout=subprocess.PIPE)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{command}: exit status {done.returncode}")
    return len(done.stdout)


def _print(results: dict[str, dict[str, float]], count: int) -> None:
    table = Table(
        title=f"{count:,} lines of {FUNCTIONS} functions (targets: {SECONDS:g} s a million, {MEGABYTES:g} MB)",
        title_justify="left",
    )
    for heading in ("what", "seconds", "of the processor", "MB", ""):
        table.add_column(heading, justify="left" if heading in ("what", "") else "right")
    for kind, found in results.items():
        seconds, megabytes = found["seconds"], found["megabytes"]
        most = MEGABYTES_APART if kind in _APART else MEGABYTES
        met = (kind in _APART or seconds <= SECONDS * count / 1_000_000) and megabytes <= most
        processor = f"{found['processor_seconds']:.1f}"
        table.add_row(kind, f"{seconds:.1f}", processor, f"{megabytes:.0f}", "met" if met else "missed")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
