"""The options of a shield, and the checks of a function before any change."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from ..alarms.alarm_options import AlarmOptions
from ..alarms.descriptions import problems_of
from ..alarms.watches import Watch, watches_of
from ..errors import ShieldError
from . import invariants
from .log_group import LogOptions, log_group_of
from .stage import stack_shields

if TYPE_CHECKING:
    from ..reading.functions import FunctionFacts, FunctionHandle


@dataclass(frozen=True)
class ShieldOptions:
    """The options of a shield beside its policy; `Shield` documents each."""

    alarms: AlarmOptions = field(default_factory=AlarmOptions)
    logs: LogOptions = field(default_factory=LogOptions)
    layer: lambda_.ILayerVersion | str | None = None
    in_image: bool = False

    @cached_property
    def watches(self) -> tuple[Watch, ...]:
        """Its metrics and alarms."""
        return watches_of(self.alarms)


def check_function(handle: FunctionHandle, options: ShieldOptions, facts: FunctionFacts) -> logs.ILogGroup | None:
    """Checks a function before any change.

    Args:
        handle: the function.
        options: the shield's options.
        facts: its properties.

    Returns:
        Its log group; None for none.

    Raises:
        ShieldError: it cannot be shielded; the message lists all reasons.
    """
    shields = stack_shields(handle.stack)
    log_group = log_group_of(handle, facts.logging)
    if log_group is None and facts.name and options.logs.log_group_name is None:
        log_group = shields.lambda_log_group(facts.name)
    needs_layer = not options.in_image and shields.shared.switch != "off"
    problems = [
        *invariants.eligibility_problems(facts, layers=int(needs_layer), in_image=options.in_image),
        *shields.log_group_problems(log_group, options.logs, facts.path),
        *invariants.log_group_problems(None, None, log_class_of(log_group)),
        *problems_of(options.alarms, options.watches, facts.path),
        *shields.shared.fleet_problems(shields, options.alarms),
        *(shields.layer_problems(facts.architecture) if needs_layer and options.layer is None else []),
        *(_signing_problems(handle) if needs_layer and options.layer is None and facts.code_signing else []),
    ]
    if problems:
        raise ShieldError(facts.path, problems)
    return log_group


def _signing_problems(handle: FunctionHandle) -> list[str]:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html"""
    config = handle.referred("codeSigningConfigArn")
    if not isinstance(config, lambda_.CfnCodeSigningConfig):
        return []
    policies: Any = handle.stack.resolve(config.code_signing_policies) or {}
    if policies.get("untrustedArtifactOnDeployment") != "Enforce":
        return []
    return [
        f"code_signing_config: {config.node.path} enforces signatures, and the shield's layer has none, so Lambda "
        "refuses it: publish the layer signed, and give its ARN as shield_layer="
    ]


def make_layer(handle: FunctionHandle, options: ShieldOptions, facts: FunctionFacts) -> lambda_.ILayerVersion | None:
    """The shield's layer for a function, created at its first use in a stack; None where it needs none.

    Raises:
        ShieldError: it cannot be created; nothing was changed.
    """
    shields = stack_shields(handle.stack)
    if options.in_image or shields.shared.switch == "off":
        return None
    if options.layer is None and (problems := shields.layer_problems(facts.architecture)):
        raise ShieldError(handle.path, problems)
    return shields.layer(handle.construct, facts.architecture, options.layer)


def log_class_of(log_group: logs.ILogGroup | None) -> str | None:
    """The class of a log group that the app creates; None for the default or an unknown one."""
    resource = log_group.node.default_child if log_group else None
    return resource.log_group_class if isinstance(resource, logs.CfnLogGroup) else None
