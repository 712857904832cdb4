"""`shielded-function mute`: mutes the shield's alarms of a stack for some time, as in a deployment.

By CloudWatch's mute rules (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAlarmMuteRule.html):
alarms still change their states; an alarm in ALARM at the end of the mute then notifies.
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
"""The most alarms of a mute rule, and of a DescribeAlarms request."""
_LONGEST: Final = timedelta(days=15)
_MAX_REASON: Final = 1000
_KINDS: Final = {
    "AWS::CloudWatch::Alarm": "MetricAlarm",
    "AWS::CloudWatch::CompositeAlarm": "CompositeAlarm",
    "AWS::CloudWatch::LogAlarm": "LogAlarm",
}
"""CloudFormation's resource types, with DescribeAlarms' names of them."""
_CRITICAL: Final = "[critical]"
"""The text in the description of a critical alarm."""


class Options(NamedTuple):
    """The user's options.

    Attributes:
        length: the duration, `2h`; empty with `end`.
        reason: the reason, for readers of the rule.
        keep_critical: critical alarms still notify.
        end: end the mute now.
        place: the account and region.
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
    """Mutes the shield's alarms of a stack, or ends the mute; always 0.

    Raises:
        CliError: an option is wrong, the stack has no alarm of the shield, or AWS denies a request.
    """
    length = _checked(options)
    cloudwatch = client("cloudwatch", options.place)
    if not hasattr(cloudwatch, "put_alarm_mute_rule"):
        raise CliError(f"boto3 {version('boto3')} has no mute rules: upgrade it, pip install --upgrade boto3")
    ours = _alarms(stack, cloudwatch, options.place)
    names = sorted(alarm.name for alarm in ours if not (options.keep_critical and alarm.is_critical))
    if not names:
        raise CliError(f"the stack {stack} has no alarm of the shield{' except critical ones' if ours else ''}")
    # `stack` may be an ARN; no stack's name has a `_`. Rules of an earlier call that get no alarms now are deleted.
    name = stack.split("/")[1] if stack.startswith("arn:") else stack
    parts = {
        f"shielded-function-{name}{f'_{at // MAX_ALARMS}' if at else ''}": names[at : at + MAX_ALARMS]
        for at in range(0, len(ours), MAX_ALARMS)
    }
    result: dict[str, Any] = {"stack": stack, "alarms": names, "rules": [rule for rule, part in parts.items() if part]}
    # A rule starts at a full minute, and a start in the past may never take effect.
    begin = (now or datetime.now(timezone.utc)).replace(second=0, microsecond=0) + timedelta(minutes=1)
    for rule, part in parts.items():
        if part and not options.end:
            _put(cloudwatch, rule, part, begin, length, options.reason)
        else:
            call("cloudwatch:DeleteAlarmMuteRule", rule, cloudwatch.delete_alarm_mute_rule, AlarmMuteRuleName=rule)
    if not options.end:
        result |= {"since": iso(begin), "until": iso(begin + length), "reason": options.reason}
    if json:
        print(json_module.dumps(result, indent=2))
    else:
        _print(result, options)
    return 0


def _checked(options: Options) -> timedelta:
    if options.end:
        if options.length or options.reason or options.keep_critical:
            raise CliError("--end ends the mute of all alarms now: remove the other options")
        return timedelta()
    if not options.length or not options.reason.strip():
        raise CliError('give a duration and a reason: --for 2h --reason "deployment of 3.1"')
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
    # They count all violations, also critical ones.
    names = [f'"{each.name}"' for each in metric]
    return metric + [_Alarm(each["AlarmName"], True) for each in over if _is_ours(each, names)]


def _is_ours(alarm: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether a composite alarm contains one of these alarms, or a log alarm queries lines of the shield."""
    if "AlarmRule" in alarm:
        return any(name in alarm["AlarmRule"] for name in names)
    return _OURS in alarm["ScheduledQueryConfiguration"]["QueryString"]


def _print(result: Mapping[str, Any], options: Options) -> None:
    screen = terminal.console()
    for name in result["alarms"]:
        screen.print(terminal.cell(name))
    count = len(result["alarms"])
    if options.end:
        screen.print(f"{count} alarms are active again; those in ALARM notify now")
        return
    screen.print(f"{count} alarms are muted from {result['since']} to {result['until']}")
    region = f" --region {options.place.region}" if options.place.region else ""
    terminal.note(
        "an alarm in ALARM at the end notifies then. To see violations in the meantime: "
        f"shielded-function alerts --stack {result['stack']} --since {options.length}{region}"
    )
