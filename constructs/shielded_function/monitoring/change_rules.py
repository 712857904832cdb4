"""The event rules on changes: as many as the names need, as EventBridge limits each to 2,048 characters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk.aws_cloudwatch_actions import SnsAction

from ..late import late_any, references_in
from ..tokens import has_token
from .changes import (
    ALARMS,
    FUNCTIONS,
    IAM_REGION,
    KEYS,
    LOGS,
    ROLES,
    RULES,
    TOPICS,
    Entry,
    Kind,
    changes_pattern,
    fits,
    made_by,
    of_function,
)
from .descriptions import PREFIX
from .scope import log_group_name, outermost

if TYPE_CHECKING:
    from constructs import Construct

    from ..alarms import AlarmOptions
    from ..function_shield import FunctionShield


class ChangeRules:
    """The rules of one account and region. Functions are added as they become known."""

    def __init__(self, scope: Construct, targets: Sequence[Any]) -> None:
        self._scope = scope
        self._targets = targets
        self._home = cdk.Stack.of(scope)
        self._seen: dict[int, Any] = {}  # each action, which its id then names for good
        self._made: dict[Kind, list[list[Entry]]] = {}

    def add(self, attached: FunctionShield, fleet: AlarmOptions) -> None:
        """Watches a function, its log group, its alarms and those of its fleet."""
        stack = outermost(attached.stack_shields.stack).stack_name
        given = attached.handle.resource.function_name
        name = given if given and not has_token(given) else None
        for entry in of_function(name, stack):
            self._add(FUNCTIONS, entry)
        self._add(LOGS, _log_group(attached, stack))
        self._add(RULES, {"prefix": made_by(outermost(self._home).stack_name)})
        if attached.stack_shields.region == IAM_REGION:
            self._add(ROLES, {"prefix": made_by(stack)})
        if attached.log_key is not None and self._is_known(attached.log_key):
            self._add(KEYS, {"suffix": attached.log_key.key_id})
        self._add(ALARMS, {"prefix": f"{PREFIX}-"})  # heartbeats, and alarms over a whole stack
        for alarms in (attached.alarm_options, fleet):
            for action in alarms.every_action:
                self._add_topic(action, attached)
            self._add(ALARMS, {"prefix": f"{alarms.name or PREFIX}-"})
            for on in alarms.named.values():
                if on.name is not None and alarms.granularity == "fleet":
                    self._add(ALARMS, on.name)
                elif on.name is not None:
                    self._add(ALARMS, {"prefix": f"{name}-{on.name}" if name else made_by(stack)})

    def _add_topic(self, action: Any, attached: FunctionShield) -> None:
        """Watches a topic that this stack may name: by another's, this stack would depend on that one."""
        if id(action) in self._seen or not (isinstance(action, SnsAction) and attached.alarm):
            return
        self._seen[id(action)] = action
        arn: str = action.bind(self._scope, attached.alarm).alarm_action_arn
        owner = next((cdk.Stack.of(each.target) for each in references_in(arn)), None)
        if owner in (None, self._home):
            self._add(TOPICS, {"prefix": arn})

    def _is_known(self, resource: Any) -> bool:
        """Whether this stack may name a resource: it is here, or imported."""
        return cdk.Stack.of(resource) is self._home or not cdk.Token.is_unresolved(resource.key_id)

    def _add(self, kind: Kind, entry: Entry) -> None:
        made = self._made.setdefault(kind, [])
        if any(entry in entries for entries in made):
            return
        if not made or not fits(kind, [*made[-1], entry]):
            made.append([])
            self._make(kind, made[-1], len(made))
        made[-1].append(entry)

    def _make(self, kind: Kind, entries: list[Entry], number: int) -> None:
        rule = events.Rule(
            self._scope,
            kind.name if number == 1 else f"{kind.name}{number}",
            description=kind.description,
            event_pattern=events.EventPattern(source=[kind.service[0]]),
            targets=list(self._targets),
        )
        resource: Any = rule.node.default_child
        resource.event_pattern = late_any(partial(changes_pattern, kind, entries))


def _log_group(attached: FunctionShield, stack: str) -> Entry:
    """The log group by its name; any, where the name is known only at deployment."""
    name, made_in = log_group_name(attached)
    return {"prefix": made_by(stack)} if made_in is not None else name or {"exists": True}
