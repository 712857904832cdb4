"""End to end: an app's own filters and alarms, simulated, the lines of its functions in the emulated Lambda, a message.

For each policy, mode and granularity: template -> metric filter -> metric -> alarm -> topic. And for lines
that must not count: whatever else a function writes.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from harness.chains import GRANULARITIES, Granularity
from harness.thinning import long_but
from integration.alarm_chain import real
from integration.alarm_chain.real import DEEDS, FUNCTIONS, Written
from shielded_function.testing import simulate_cloudwatch
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.sandbox import SandboxError
from shielded_function_monitoring.alert import Mode, Policy
from shielded_function_monitoring.filters import level_of
from shielded_function_monitoring.simulated import SimulatedCloudWatch

NOW = datetime.now(timezone.utc).timestamp() // 60 * 60
MODES: tuple[Mode, ...] = ("block", "alert")
TOPIC_ARN = f"arn:aws:sns:us-east-1:123456789012:{real.TOPIC}"
Assemblies = dict[Granularity, CloudAssembly]


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Assemblies:
    """The app, synthesized with each granularity."""
    return {found: real.synthesize(tmp_path_factory.mktemp(found) / "cdk.out", found) for found in GRANULARITIES}


@pytest.fixture(scope="module")
def written(assemblies: Assemblies) -> dict[str, Written]:
    """What each function wrote, by the mode of its policies."""
    try:
        return {mode: real.run(assemblies["function"], construct) for mode, construct in FUNCTIONS.items()}
    except SandboxError as error:
        pytest.skip(f"no sandbox for it here: {error}")


def simulated(assembly: CloudAssembly) -> SimulatedCloudWatch:
    """The filters and alarms of an assembly, which nothing has called yet."""
    cloudwatch = simulate_cloudwatch(assembly.directory)
    cloudwatch.evaluate(NOW - 60)
    assert set(cloudwatch.states.values()) == {"OK"}
    return cloudwatch


def told_after(cloudwatch: SimulatedCloudWatch, function: str, lines: Sequence[str]) -> list[Mapping[str, Any]]:
    """The messages to the topic, once a function has written these lines."""
    cloudwatch.put_log_events(cloudwatch.function(function).log_group, lines, at=NOW)
    called = [each for change in cloudwatch.evaluate(NOW) for each in change.notifications]
    assert {each.action for each in called} <= {TOPIC_ARN}
    return [each.message for each in called]


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_every_alarm_watches_what_a_filter_publishes(assemblies: Assemblies, granularity: Granularity) -> None:
    """And docs/reference/cost-and-scale.md is computed from as many."""
    cloudwatch = simulate_cloudwatch(assemblies[granularity].directory)
    assert cloudwatch.alarms
    assert (cloudwatch.problems, cloudwatch.unfed()) == ((), ())
    assert all(alarm.actions["ALARM"] == (TOPIC_ARN,) for alarm in cloudwatch.alarms)
    page = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "cost_and_scale.py"))
    (said,) = [one for one in page["GRANULARITIES"] if one.name == granularity]
    functions = page["Fleet"](len(cloudwatch.functions))
    assert (len(cloudwatch.alarms), len(cloudwatch.filters)) == (said.alarms(functions), functions.functions)


@pytest.mark.parametrize(
    ("granularity", "mode", "policy"),
    long_but(
        {*product(GRANULARITIES[:1], MODES[:1], DEEDS), *product(GRANULARITIES, MODES, DEEDS[:1])},
        product(GRANULARITIES, MODES, DEEDS),
    ),
)
def test_each_policy_mode_and_granularity(
    assemblies: Assemblies, written: dict[str, Written], granularity: Granularity, mode: Mode, policy: Policy
) -> None:
    """The default alarms do not count `read_handler`: ordinary programs read it."""
    function = written[mode]
    lines = function.of(policy, mode)
    if policy == "self_protection" and mode == "alert":
        lines = lines or function.of(policy, "block")  # it has no mode: it is always stopped
    assert lines, (function.results, function.lines)
    cloudwatch = simulated(assemblies[granularity])
    messages = told_after(cloudwatch, function.name, lines)
    firing = [alarm.name for alarm in cloudwatch.firing]
    assert {message["AlarmName"] for message in messages} == set(firing)
    if policy == "read_handler" and granularity != "control":
        assert firing == []
        return
    assert len(firing) == 1 or (policy == "read_handler" and firing == []), (firing, lines)
    assert {message["NewStateValue"] for message in messages} <= {"ALARM"}
    for name in firing:  # it tells which function it was, and how severe it is, or, by policy, which policy
        found = cloudwatch.alarm(name)
        if granularity == "fleet":
            who = [dict(each.contributor) for each in cloudwatch.transitions if each.contributor]
            assert who == [{"FunctionName": function.name}]
            continue
        expected = {"Policy": policy} if granularity == "control" else {"Level": level_of(policy, mode)}
        assert found.query is not None
        assert dict(found.query.where) == {"FunctionName": function.name} | expected


@pytest.mark.parametrize(
    ("granularity", "mode"),
    long_but({*product(GRANULARITIES, MODES[:1]), ("function", "allow")}, product(GRANULARITIES, FUNCTIONS)),
)
def test_a_log_counts_every_violation_and_nothing_else(
    assemblies: Assemblies, written: dict[str, Written], granularity: Granularity, mode: str
) -> None:
    """Not the armed line, nor other programs' JSON, nor what a function writes whose policy allows everything."""
    function = written[mode]
    said = [json.loads(line) for line in function.lines if line not in function.others]
    assert ({line["policy"] for line in said} <= {"self_protection"}) == (mode == "allow")  # that one has no mode
    assert {line["function"] for line in said} <= {function.name}
    assert any('"event":"armed"' in line for line in function.others)
    assert any('"policy": "retry"' in line for line in function.others)
    cloudwatch = simulated(assemblies[granularity])
    metrics = cloudwatch.metrics
    assert told_after(cloudwatch, function.name, function.others) == []
    assert (cloudwatch.firing, list(metrics)) == ((), [])
    assert bool(told_after(cloudwatch, function.name, function.lines)) == bool(said)
    total = sum(metrics.sum(key) for key in metrics if dict(key.dimensions).get("FunctionName") == function.name)
    counted = [line for line in said if granularity == "control" or line["policy"] != "read_handler"]
    assert total == sum(line["count"] for line in counted)
