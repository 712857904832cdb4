"""A heartbeat: an alarm on a function that is invoked, and whose shield writes no line.

The shield writes a line at each cold start. Lambda ends its environments within hours. So a function that is invoked on
two days in a row without such a line has lost its shield, its log group or its metric filter. With SnapStart, and on
Managed Instances, environments start seldom, so those functions have no such alarm. Lambda drops lines below the
function's level (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from shielded_function_monitoring.filters import METRIC_ARMED, armed

from ..alarms.descriptions import PREFIX, alarm_name
from ..alarms.making import make_alarm, metric_of
from ..alarms.watches import Counter
from ..reading.batching import new

if TYPE_CHECKING:
    from ..alarms.alarm_options import AlarmAction
    from ..shield.function_shield import FunctionShield

KEY: Final = "armed"
"""The key of its filter."""
_SILENT: Final = "IF(FILL(invoked, 0) > 0 AND FILL(armed, 0) < 1, 1, 0)"
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html"""
_DAYS: Final = 2
_START_SELDOM: Final = ("snap_start", "capacity_provider_config")


def add_heartbeat(attached: FunctionShield, actions: Sequence[AlarmAction]) -> None:
    """Creates the alarm, and the metric filter on the lines of cold starts."""
    if attached.stack_shields.shared.switch == "off":
        return
    if any(getattr(attached.handle.resource, name, None) is not None for name in _START_SELDOM):
        cdk.Annotations.of(attached).add_info(
            "heartbeat_actions: it has no heartbeat: with SnapStart, or on Managed Instances, it starts seldom."
        )
        return
    if attached.handle.read_facts().logging.get("applicationLogLevel") == "WARN":
        attached.stack_shields.shared.problems.append(
            f"{attached.handle.path}: application_log_level: WARN drops the line of each start, which is INFO, so "
            "heartbeat_actions would find the function silent: use INFO, or take heartbeat_actions out"
        )
        return
    counter = Counter(KEY, f"{{ {armed().expression()} }}", METRIC_ARMED, value="1")
    attached.count(counter)
    function, day = attached.handle.name, cdk.Duration.days(1)
    invoked = lambda_.Function.metric_all_invocations(dimensions_map={"FunctionName": function}, period=day)
    compared = {"invoked": invoked, "armed": metric_of(counter, function, period=day)}
    stack = attached.handle.stack
    place = attached.handle.path.removeprefix(f"{stack.node.path}/")
    make_alarm(
        attached,
        "HeartbeatAlarm",
        new("aws_cloudwatch.MathExpression", expression=_SILENT, usingMetrics=compared, period=day),
        actions,
        alarmName=alarm_name(PREFIX, "silent", stack.stack_name, place, None, lambda: attached.node.addr[-8:]),
        alarmDescription=(
            f"{attached.handle.path} was invoked on {_DAYS} days in a row, and its shield wrote no line of a start.\n"
            f"1. Run `shielded-function report --function {function} --region {stack.region} --since 3d`\n"
            "2. Check that AWS_LAMBDA_EXEC_WRAPPER is the shield, and that the layer is there.\n"
            "3. Check that its log group exists, with the metric filter."
        ),
        threshold=1,
        evaluationPeriods=_DAYS,
    )
