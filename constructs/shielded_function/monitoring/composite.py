"""One composite alarm over the alarms of a stack's functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct, IConstruct, IValidation

from ..alarms import AlarmAction
from .making import add_actions

if TYPE_CHECKING:
    from ..attached import AttachedShield

MAX_CHILDREN: Final = 100
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"""
_ID: Final = "ShieldedComposite"


class CompositeOf:
    """Makes a composite alarm in each stack that has functions with alarms of their own."""

    def __init__(self, actions: Sequence[AlarmAction]) -> None:
        self._actions = actions
        self._made: dict[cdk.Stack, _Composite] = {}

    def add(self, attached: AttachedShield) -> None:
        """Takes in the alarms of a function."""
        stack = attached.handle.stack
        own = [alarm for alarm in attached.alarms.values() if is_own(alarm, attached)] if self._actions else []
        if not own:
            return
        if stack not in self._made:
            self._made[stack] = _Composite(stack, self._actions)
        self._made[stack].alarms.extend(own)


def is_own(alarm: cloudwatch.Alarm, attached: AttachedShield) -> bool:
    """Whether it is the alarm of this function, and not of its fleet."""
    return alarm.node.path.startswith(f"{attached.node.path}/")


class _Composite(Construct):
    """Fires when any of its alarms does."""

    def __init__(self, stack: cdk.Stack, actions: Sequence[AlarmAction]) -> None:
        super().__init__(stack, _ID)
        self.alarms: list[cloudwatch.Alarm] = []
        alarm = cloudwatch.CompositeAlarm(
            self,
            "Alarm",
            alarm_rule=cloudwatch.AlarmRule.from_string("FALSE"),
            alarm_description=(
                "The alarm of at least one shielded function fires: the rule names them, and the description of each "
                "says what to look at."
            ),
        )
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnCompositeAlarm)
        resource.alarm_rule = cdk.Lazy.uncached_string(_Rule(self.alarms))
        add_actions(alarm, actions)
        self.node.add_validation(_AtMost(self))


@jsii.implements(cdk.IStringProducer)
class _Rule:
    """Asked when every alarm is there."""

    def __init__(self, alarms: Sequence[cloudwatch.Alarm]) -> None:
        self._alarms = alarms

    def produce(self, context: cdk.IResolveContext) -> str:
        """Called by the CDK."""
        del context
        return " OR ".join(f'ALARM("{alarm.alarm_arn}")' for alarm in self._alarms)


@jsii.implements(IValidation)
class _AtMost:
    """CloudWatch refuses more only at the deployment."""

    def __init__(self, composite: _Composite) -> None:
        self._composite = composite

    def validate(self) -> list[str]:
        """Called by the CDK at synthesis."""
        count = len(self._composite.alarms)
        if count <= MAX_CHILDREN:
            return []
        place: IConstruct = self._composite
        return [
            f"{place.node.path}: composite_actions: {count} alarms in the stack, of which a composite alarm takes "
            f'{MAX_CHILDREN}: use granularity="fleet", or more stacks'
        ]
