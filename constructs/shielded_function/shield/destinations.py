"""Checks the resources that shields name and others own: the actions of alarms, and the key of log groups.

The CDK reports a circular dependency between stacks by an exception without the shield in it, before any validation. So
the reference is taken out, and the validation names the way out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from shielded_function_monitoring.cfn.parts import text_of, with_known

from ..reading.batching import circles_of, members_of, references_of
from ..reading.paths import find_constructs, path_of

if TYPE_CHECKING:
    from .attached import StagedShield

_ACTIONS: Final = ("alarmActions", "okActions", "insufficientDataActions")
_KEY: Final = ("kmsKeyId",)
_FIXES: Final = {
    _KEY: "LogOptions.encryption_key: {}: take a key in the function's stack, or kms.Key.from_key_arn with the ARN as "
    "text",
    _ACTIONS: 'AlarmOptions.actions: {}: say granularity="fleet", stacks=[the stack of the action], which makes the '
    "alarms there, or take sns.Topic.from_topic_arn with the ARN as text",
}
_SNAKE: Final = re.compile("([A-Z])")
_REGION: Final = re.compile(r"arn:[^:]*:[a-z0-9-]+:([a-z0-9-]+):")
_PARTITION: Final = {"AWS::Partition": "aws"}


class _Named(NamedTuple):
    """Resources of shields that name the same others: the construct paths of these, and the resolved properties."""

    shield: StagedShield
    resources: list[Any]
    members: tuple[str, ...]
    paths: Sequence[str]
    properties: Mapping[str, Any]


@jsii.implements(cdk.IAspect)
class DestinationCheck:
    """An aspect of one construct in a stage, so that the CDK calls it once."""

    def __init__(self, stage: cdk.Stage, shields: Sequence[StagedShield], problems: list[str]) -> None:
        """
        Args:
            stage: the stage.
            shields: its shields.
            problems: gets the found problems.
        """
        self._stage = stage
        self._shields = shields
        self._problems = problems

    def visit(self, node: Any) -> None:
        """Called by the CDK."""
        del node
        named = _names_in(self._shields)
        if not named:
            return
        stacks = find_constructs(self._stage, ["Stack"])
        regions = {path_of(s)[0]: region for s, (region,) in zip(stacks, members_of(stacks, "region"), strict=True)}
        values = members_of([each.resources[0] for each in named], *_ACTIONS, *_KEY)
        circles = circles_of([(each.resources[0], value) for each, value in zip(named, values, strict=True)])
        for each, circle in zip(named, circles, strict=True):
            path, own = each.shield.handle.path, regions[path_of(each.shield.handle.stack)[0]]
            if circle:
                for resource, member in product(each.resources, each.members):
                    setattr(resource, _SNAKE.sub(r"_\1", member).lower(), None)
                way = f"a circular dependency, {' -> '.join(circle)}"
                self._problems.append(f"{path}: {_FIXES[each.members].format(way)}")
            elif each.members == _ACTIONS:
                self._problems += (
                    f"{path}: AlarmOptions.actions: one is in {region}, and CloudWatch takes only actions in the "
                    f"alarm's region, {own}: take a topic there"
                    for region in sorted(_regions_of(each, regions) - {own})
                    if not cdk.Token.is_unresolved(own)
                )


def _names_in(shields: Sequence[StagedShield]) -> list[_Named]:
    """Each set of names once for a stack, if they are elsewhere: a circle is then one of stacks."""
    every: dict[tuple[str, ...], _Named] = {}
    owners = [(shield, each) for shield in shields for each in (*shield.alarms.values(), shield.log_group)]
    resources = [resource for (resource,) in members_of([each for _, each in owners], "node.defaultChild")]
    for members in (_ACTIONS, _KEY):
        kind = cloudwatch.CfnAlarm if members is _ACTIONS else logs.CfnLogGroup
        mine = [(shield, res) for (shield, _), res in zip(owners, resources, strict=True) if isinstance(res, kind)]
        found = references_of([resource for _, resource in mine], *members)
        for (shield, resource), (targets, properties) in zip(mine, found, strict=True):
            paths = [path for path, _ in targets]
            home, _ = path_of(shield.handle.stack)
            is_near = any(path.startswith(f"{home}/") for path in paths)
            key = (path_of(resource)[0] if is_near else home, *paths, json.dumps(properties))
            if properties:
                every.setdefault(key, _Named(shield, [], members, paths, properties)).resources.append(resource)
    return list(every.values())


def _regions_of(named: _Named, regions: Mapping[str, str]) -> set[str]:
    """The known regions of actions: those of the stacks of named constructs, and those in ARNs."""
    homes = [max((s for s in regions if path.startswith(f"{s}/")), key=len, default="") for path in named.paths]
    known = {regions[home] for home in homes if home}
    arns = (text_of(with_known(arn, _PARTITION)) for arns in named.properties.values() for arn in arns or ())
    written = {region for arn in arns for region in _REGION.findall(arn)}
    return {each for each in known | written if not cdk.Token.is_unresolved(each)}
