"""First-seen findings of `ShieldMonitoring`: an event for each new target of a function, also while an alarm lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from ..findings.findings import ShieldFindings
from ..reading.paths import find_constructs, path_of
from ..shield.scope import log_group_in_app, target_of
from ..tokens import has_token

if TYPE_CHECKING:
    from ..shield.function_shield import FunctionShield

_FILTER: Final = "AWS::Logs::SubscriptionFilter"
_MOST: Final = 2
"""Subscription filters of a log group (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html).
"""


class FirstSeen(ShieldFindings):
    """The findings of a stack's functions, where their log groups have a free subscription.

    Each stack has its own, so that no stack depends on another. A function that another `ShieldFindings` covers, or
    whose log group has no free subscription, is left out when every subscription of the app is known.
    """

    def _cover(self, attached: FunctionShield) -> None:
        """Leaves out functions with an imported log group, whose subscriptions are unknown."""
        if log_group_in_app(attached) is not None:
            super()._cover(attached)

    def problems(self) -> list[str]:
        """Makes room, with a warning for each function without a subscription. It finds no errors."""
        by_group: dict[tuple[str, str], list[Any]] = {}
        for each in find_constructs(self.node.root, (), [_FILTER]):
            by_group.setdefault(_group_of(each), []).append(each)
        for attached, filters in self.subscriptions.items():
            others = [each for each in by_group[_group_of(filters)] if each is not filters]
            is_told = any(each.node.id.startswith(self.PREFIX) for each in others)
            if not is_told and len(others) < _MOST:
                continue
            attached.node.try_remove_child(filters.node.id)
            if not is_told:
                cdk.Annotations.of(attached.function).add_warning_v2(
                    "shielded-function:noSubscription",
                    f"Its log group has {len(others)} subscription filters, of which AWS takes {_MOST}: no message "
                    "tells a new target of it while an alarm lasts (ShieldMonitoring.first_seen).",
                )
        return []


def first_seen_of(scope: Construct, attached: FunctionShield, within: Construct, alarms: Any) -> FirstSeen:
    """The findings of a function's stack.

    Args:
        scope: their parent, in the stack.
        attached: the function.
        within: the monitored scope.
        alarms: the alarms on the findings' function.
    """
    stack = cdk.Stack.of(scope)
    is_inner = path_of(within)[0].startswith(f"{path_of(stack)[0]}/")
    found = FirstSeen(scope, "FirstSeen", of=within if is_inner else stack, alarms=alarms)
    if attached.in_aspect:  # the CDK may not visit it any more
        cast("Any", found.function.shield).settle()
    return found


def _group_of(filters: Any) -> tuple[str, str]:
    """A subscription's log group: its account and region with its name, or the path of its resource."""
    target = target_of(filters.log_group_name)
    name: Any = target.log_group_name if isinstance(target, logs.CfnLogGroup) else filters.log_group_name
    if target is not None and (name is None or has_token(name)):
        return "", path_of(target)[0]
    return cdk.Stack.of(filters).environment, name
