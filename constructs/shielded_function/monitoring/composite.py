"""One composite alarm over the alarms of a stack's functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from ..alarms import AlarmAction
from ..late import check_late, late_text
from .descriptions import PREFIX, describe_stack
from .resources import add_actions

if TYPE_CHECKING:
    from ..function_shield import FunctionShield

MAX_CHILDREN: Final = 100
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"""
MAX_RULE: Final = 10_240
"""Characters (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html)."""
_MAX_STACK_NAME: Final = 128
_TOKEN: Final = re.compile(r"\$\{[^}]*\}")
_ID: Final = "ShieldedComposite"


class CompositeOf:
    """Creates a composite alarm in each stack whose functions have separate alarms."""

    def __init__(self, actions: Sequence[AlarmAction]) -> None:
        self._actions = actions
        self._made: dict[cdk.Stack, _Composite] = {}

    def add(self, attached: FunctionShield) -> None:
        """Adds the alarms of a function."""
        stack = attached.handle.stack
        own = [alarm for alarm in attached.alarms.values() if is_own(alarm, attached)] if self._actions else []
        if not own:
            return
        if stack not in self._made:
            self._made[stack] = _Composite(stack, self._actions)
        self._made[stack].alarms.extend(own)

    def calls(self, attached: FunctionShield) -> bool:
        """Whether a composite alarm watches a function's alarms."""
        return attached.handle.stack in self._made

    @property
    def is_idle(self) -> bool:
        """Whether there are actions, but no alarm for them."""
        return bool(self._actions) and not self._made


def is_own(alarm: cloudwatch.Alarm, attached: FunctionShield) -> bool:
    """Whether it is this function's alarm, not its fleet's."""
    return alarm.node.path.startswith(f"{attached.node.path}/")


def composite_of(stack: cdk.Stack) -> cloudwatch.CompositeAlarm | None:
    """The composite alarm of a stack, if it has one."""
    made = stack.node.try_find_child(_ID)
    return made.alarm if isinstance(made, _Composite) else None


class _Composite(Construct):
    """Fires when any of its alarms does."""

    def __init__(self, stack: cdk.Stack, actions: Sequence[AlarmAction]) -> None:
        super().__init__(stack, _ID)
        self.alarms: list[cloudwatch.Alarm] = []
        name = f"{PREFIX}-any-{stack.stack_name}"
        self.alarm = cloudwatch.CompositeAlarm(
            self,
            "Alarm",
            alarm_rule=cloudwatch.AlarmRule.from_string("FALSE"),
            alarm_description=describe_stack(stack.stack_name, stack.region, name),
            composite_alarm_name=name,
        )
        resource = self.alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnCompositeAlarm)
        resource.alarm_rule = late_text(lambda: rule_of(alarm.alarm_name for alarm in self.alarms))
        add_actions(self.alarm, actions)
        check_late(self, self._problems)

    def _problems(self) -> list[str]:
        """The problems that CloudWatch would report only at deployment."""
        count = len(self.alarms)
        begin, fix = f"{self.node.path}: composite_actions: ", 'use granularity="fleet", or more stacks'
        if count > MAX_CHILDREN:
            return [f"{begin}{count} alarms in the stack, of which a composite alarm takes {MAX_CHILDREN}: {fix}"]
        longest = len(rule_of(_TOKEN.sub("x" * _MAX_STACK_NAME, _name_of(alarm)) for alarm in self.alarms))
        if longest > MAX_RULE:
            return [
                f"{begin}the rule that names {count} alarms may have {longest:,} characters, of which CloudWatch "
                f"takes {MAX_RULE:,}: {fix}, or shorter construct ids"
            ]
        return []


def rule_of(names: Iterable[str]) -> str:
    """The rule of a composite alarm that fires when any of these does."""
    return " OR ".join(f'ALARM("{name}")' for name in names)


def _name_of(alarm: cloudwatch.Alarm) -> str:
    """The given name, possibly with tokens of a stack's or a function's name."""
    resource = alarm.node.default_child
    assert isinstance(resource, cloudwatch.CfnAlarm)
    return resource.alarm_name or ""
