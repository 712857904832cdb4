"""`shielded-function mute`: no alarm of the shield in a stack calls for some time, as in a deployment.

By CloudWatch's mute rules (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAlarmMuteRule.html):
the alarms go on, and change their states; when the time is over, one that is in ALARM then calls.
"""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from typing import Any, Final, NamedTuple

from shielded_function_monitoring.filters import NAMESPACE

from . import terminal
from .aws import Place, call, client
from .errors import CliError
from .log_groups import stack_resources
from .times import iso, length_of

MAX_ALARMS: Final = 100
"""Alarms of one mute rule, and of one DescribeAlarms."""
_LONGEST: Final = timedelta(days=15)
_MAX_REASON: Final = 1000
_KINDS: Final = {
    "AWS::CloudWatch::Alarm": "MetricAlarm",
    "AWS::CloudWatch::CompositeAlarm": "CompositeAlarm",
    "AWS::CloudWatch::LogAlarm": "LogAlarm",
}
"""CloudFormation's resources, and as what DescribeAlarms knows them."""
_CRITICAL: Final = "[critical]"
"""The text in the description of a critical alarm."""


class Options(NamedTuple):
    """The user's options.

    Attributes:
        length: for how long: `2h`; empty with `end`.
        reason: why, for those who read the rule.
        keep_critical: critical alarms go on calling.
        end: end it now.
        place: which account and region.
    """

    length: str = ""
    reason: str = ""
    keep_critical: bool = False
    end: bool = False
    place: Place = Place()


_OURS: Final = "function_shield"
"""The text in the query of a log alarm on the shield's lines."""


class _Alarm(NamedTuple):
    name: str
    is_critical: bool


def mute(stack: str, options: Options, *, json: bool, now: datetime | None = None) -> int:
    """Mutes the shield's alarms of a stack, or ends that.

    Returns:
        0.

    Raises:
        CliError: an option is wrong, the stack has no alarm of the shield, or AWS refuses.
    """
    length = _checked(options)
    cloudwatch = client("cloudwatch", options.place)
    if not hasattr(cloudwatch, "put_alarm_mute_rule"):
        raise CliError(f"boto3 {version('boto3')} knows no mute rules: upgrade it, pip install --upgrade boto3")
    ours = _alarms(stack, cloudwatch, options.place)
    names = sorted(alarm.name for alarm in ours if not (options.keep_critical and alarm.is_critical))
    if not names:
        raise CliError(f"the stack {stack} has no alarm of the shield{' but critical ones' if ours else ''}")
    # `stack` may be an ARN; no stack's name has a `_`. Rules of an earlier call that get no alarms now are deleted.
    name = stack.split("/")[1] if stack.startswith("arn:") else stack
    parts = {
        f"shielded-function-{name}{f'_{at // MAX_ALARMS}' if at else ''}": names[at : at + MAX_ALARMS]
        for at in range(0, len(ours), MAX_ALARMS)
    }
    told: dict[str, Any] = {"stack": stack, "alarms": names, "rules": [rule for rule, part in parts.items() if part]}
    # A rule begins with a minute, and one that has begun already may never begin.
    begin = (now or datetime.now(timezone.utc)).replace(second=0, microsecond=0) + timedelta(minutes=1)
    for rule, part in parts.items():
        if part and not options.end:
            _put(cloudwatch, rule, part, begin, length, options.reason)
        else:
            call("cloudwatch:DeleteAlarmMuteRule", rule, cloudwatch.delete_alarm_mute_rule, AlarmMuteRuleName=rule)
    if not options.end:
        told |= {"since": iso(begin), "until": iso(begin + length), "reason": options.reason}
    if json:
        print(json_module.dumps(told, indent=2))
    else:
        _print(told, options)
    return 0


def _checked(options: Options) -> timedelta:
    if options.end:
        if options.length or options.reason or options.keep_critical:
            raise CliError("--end ends it now, for all alarms: leave the other options out")
        return timedelta()
    if not options.length or not options.reason.strip():
        raise CliError('say for how long, and why: --for 2h --reason "deployment of 3.1"')
    length = length_of("--for", options.length)
    if not timedelta(minutes=1) <= length <= _LONGEST:
        raise CliError(f"--for {options.length}: from 1m to 15d")
    if len(options.reason) > _MAX_REASON:
        raise CliError(f"--reason: {len(options.reason)} characters, of which {_MAX_REASON:,} fit: shorten it")
    return length


def _put(cloudwatch: Any, rule: str, names: Sequence[str], begin: datetime, length: timedelta, reason: str) -> None:
    schedule = {
        "Expression": f"at({begin:%Y-%m-%dT%H:%M})",
        "Duration": f"PT{int(length.total_seconds() // 60)}M",
        "Timezone": "UTC",
    }
    call(
        "cloudwatch:PutAlarmMuteRule",
        rule,
        cloudwatch.put_alarm_mute_rule,
        Name=rule,
        Description=reason,
        Rule={"Schedule": schedule},
        MuteTargets={"AlarmNames": list(names)},
        ExpireDate=begin + length,
    )


def _alarms(stack: str, cloudwatch: Any, place: Place) -> list[_Alarm]:
    """The shield's alarms of a stack."""
    resources = [r for r in stack_resources(client("cloudformation", place), stack) if r["ResourceType"] in _KINDS]
    metric: list[_Alarm] = []
    over: list[Mapping[str, Any]] = []
    for at in range(0, len(resources), MAX_ALARMS):
        part = resources[at : at + MAX_ALARMS]
        found = call(
            "cloudwatch:DescribeAlarms",
            "the alarms",
            cloudwatch.describe_alarms,
            AlarmNames=[each["PhysicalResourceId"] for each in part],
            AlarmTypes=sorted({_KINDS[each["ResourceType"]] for each in part}),
            MaxRecords=MAX_ALARMS,
        )
        metric += (
            _Alarm(each["AlarmName"], _CRITICAL in each.get("AlarmDescription", ""))
            for each in found.get("MetricAlarms", ())
            if NAMESPACE in json_module.dumps([each.get("Namespace"), each.get("Metrics")])
        )
        over += (*found.get("CompositeAlarms", ()), *found.get("LogAlarms", ()))
    # They tell of all violations, the critical ones too.
    names = [f'"{each.name}"' for each in metric]
    return metric + [_Alarm(each["AlarmName"], True) for each in over if _is_ours(each, names)]


def _is_ours(alarm: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether a composite alarm is over one of these alarms, or a log alarm asks for lines of the shield."""
    if "AlarmRule" in alarm:
        return any(name in alarm["AlarmRule"] for name in names)
    return _OURS in alarm["ScheduledQueryConfiguration"]["QueryString"]


def _print(told: Mapping[str, Any], options: Options) -> None:
    screen = terminal.console()
    for name in told["alarms"]:
        screen.print(terminal.cell(name))
    count = len(told["alarms"])
    if options.end:
        screen.print(f"{count} alarms call again; those that are in ALARM call now")
        return
    screen.print(f"{count} alarms are muted from {told['since']} to {told['until']}")
    region = f" --region {options.place.region}" if options.place.region else ""
    terminal.note(
        "one that is in ALARM at the end calls then. What came and went meanwhile: "
        f"shielded-function alerts --stack {told['stack']} --since {options.length}{region}"
    )
