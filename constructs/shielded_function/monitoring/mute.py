"""`ShieldMute`: mutes the alarms on shielded functions at a scheduled time, such as a load test."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from ..errors import ShieldError
from ..function_shield import attached_in
from ..late import check_late, late_list
from ..renamed import by_name
from ..stage_shields import stack_shields
from .composite import composite_of
from .log_alarm import log_alarm_of

MAX_ALARMS: Final = 100
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAlarmMuteRule.html"""
_KNOWN_TO_HAVE_IT: Final = "2.275"
_MINUTE, _LONGEST = 60, 15 * 86_400


class ShieldMute(Construct):
    """A CloudWatch mute rule for the alarms on shielded functions in its stack.

        ShieldMute(self, "LoadTest", schedule="cron(0 2 * * SUN)", duration=cdk.Duration.hours(2), reason="load test")

    The alarms still change their states; an alarm in ALARM at the end then notifies. Critical alarms are muted only
    with `critical`, and so are the composite alarm and the log alarm of `ShieldMonitoring`, which cover all violations:
    an attack does not wait for the end of a load test. `shielded-function mute` mutes at any time, for example for a
    deployment.

    Attributes:
        resource: the mute rule.
    """

    @by_name("ShieldMute")
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        schedule: str,
        duration: cdk.Duration,
        reason: str,
        timezone: str | None = None,
        critical: bool = False,
    ) -> None:
        """
        Args:
            scope: the parent, within the stack of the alarms. For a fleet, the stack with its alarms.
            id: the construct id.
            schedule: when it begins: `cron(0 2 * * SUN)`, or once, `at(2026-12-24T18:00)`.
            duration: how long it lasts each time, from a minute to 15 days.
            reason: the reason, for readers of the rule.
            timezone: the schedule's time zone (`Europe/Berlin`); by default UTC.
            critical: also mutes critical alarms, and those that cover all violations.

        Raises:
            ShieldError: an argument is malformed, or the installed aws-cdk-lib lacks the resource.
        """
        super().__init__(scope, id)
        seconds = 0 if duration.is_unresolved() else int(duration.to_milliseconds()) // 1000
        problems = [
            *([] if schedule.startswith(("cron(", "at(")) else [f"schedule: {schedule!r}: write cron(0 2 * * SUN)"]),
            *([] if _MINUTE <= seconds <= _LONGEST else ["duration: from a minute to 15 days, known at synthesis"]),
            *([] if reason.strip() else ["reason: say why, for those who read the rule"]),
        ]
        if not hasattr(cloudwatch, "CfnAlarmMuteRule"):
            problems.append(
                f"aws-cdk-lib {version('aws-cdk-lib')} has no mute rules (CfnAlarmMuteRule): upgrade it to "
                f"{_KNOWN_TO_HAVE_IT} or later"
            )
        if problems:
            raise ShieldError(self.node.path, problems)
        self._critical = critical
        self._shields = stack_shields(cdk.Stack.of(self))
        kind: Any = cloudwatch.CfnAlarmMuteRule
        timing: Any = {"timezone": timezone} if timezone else {}
        self.resource: Any = kind(
            self,
            "Resource",
            description=reason,
            mute_targets=kind.MuteTargetsProperty(alarm_names=late_list(self.names)),
            rule=kind.RuleProperty(
                schedule=kind.ScheduleProperty(expression=schedule, duration=duration.to_iso_string(), **timing)
            ),
        )
        check_late(self, self._problems)

    def names(self) -> list[str]:
        """The alarms' names as far as the functions are known: references, so that the alarms are created first."""
        stack = self._shields.stack
        found = [attached for attached in attached_in(self._shields.shared) if attached.stack_shields is self._shields]
        alarms = {alarm: key for attached in found for key, alarm in attached.alarms.items() if alarm.stack is stack}
        alarms |= {alarm: key for key, alarm in self._shields.fleet[1].items()} if self._shields.fleet else {}
        names = [alarm.alarm_name for alarm, key in alarms.items() if self._critical or not _is_critical(key, alarm)]
        if not self._critical:
            return names
        composite, lines = composite_of(stack), log_alarm_of(stack)
        return [*names, *([composite.alarm_name] if composite else []), *([lines.ref] if lines else [])]

    def _problems(self) -> list[str]:
        """The problems that CloudWatch would report only at deployment, and a rule that mutes nothing."""
        count, path = len(self.names()), self.node.path
        if not count:
            return [f"{path}: ShieldMute: its stack has no alarm to mute: create it in the stack of the alarms"]
        if count > MAX_ALARMS:
            return [
                f"{path}: ShieldMute: {count} alarms, of which a mute rule takes {MAX_ALARMS}: use "
                'granularity="fleet", or more stacks'
            ]
        return []


def _is_critical(key: str, alarm: cloudwatch.Alarm) -> bool:
    resource = alarm.node.default_child
    assert isinstance(resource, cloudwatch.CfnAlarm)
    return key == "critical" or "[critical]" in (resource.alarm_description or "")
