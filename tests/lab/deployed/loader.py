"""Makes what moto's CloudFormation drops while it reports CREATE_COMPLETE, from the template, through moto's own API.

Three tables, and nothing beside them: what is dropped and in none of them is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.deployed.moto_server import ACCOUNT, REGION, MotoServer, physical_resources
from shielded_function_monitoring.cfn.values import Resolver

NESTED = "AWS::CloudFormation::Stack"
FUNCTION = "AWS::Lambda::Function"
LAYER = "AWS::Lambda::LayerVersion"
PHYSICAL_NAMES = {"AWS::Logs::MetricFilter": "FilterName", "AWS::CloudWatch::Alarm": "AlarmName"}

NOT_NEEDED = {
    "AWS::CDK::Metadata": "says which CDK made the template; there is nothing to create",
    "AWS::S3::BucketPolicy": "moto enforces no policies",
    "AWS::SNS::TopicPolicy": "moto enforces no policies",
    "AWS::CloudFormation::WaitConditionHandle": "there is nothing to create",
}
"""Dropped by moto and made by nobody, with the reason."""

NOT_IN_MOTO = {
    "AWS::CloudFormation::CustomResource": "moto asks a function only for resources of a type Custom::...",
    "AWS::CloudWatch::CompositeAlarm": "put_composite_alarm is not implemented; that its rule resolves is checked",
    "AWS::Logs::QueryDefinition": "there is no API for it in moto; that its properties resolve is checked",
    "AWS::Route53Resolver::FirewallDomainList": "create_firewall_domain_list is not implemented",
    "AWS::Route53Resolver::FirewallRuleGroup": "needs a FirewallDomainList",
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": "needs a FirewallRuleGroup",
}
"""Dropped by moto, which has no API that could hold them either. Their references are resolved, and that is all."""


class DroppedUnnoticed(Exception):
    """moto dropped resources of a type that no table knows; the text names them."""


@dataclass(frozen=True)
class DeployedStack:
    """One stack as it is in moto, with what the loader added.

    Attributes:
        name: its name.
        template: its template, as moto has it.
        names: the name or ARN of each resource that exists, by logical id.
        references: resolves the template's values.
        dropped: the logical ids that moto made nothing of.
        children: the nested stacks in it.
    """

    name: str
    template: Mapping[str, Any]
    names: Mapping[str, str]
    references: Resolver
    dropped: frozenset[str]
    children: tuple[DeployedStack, ...] = ()

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of one type, resolved, by logical id."""
        return {
            logical_id: self.references.resolve(resource.get("Properties", {}))
            for logical_id, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def physical(self, logical_id: str) -> str:
        """A resource's name or ARN."""
        return self.names[logical_id]

    def everything(self) -> list[DeployedStack]:
        """This stack and all that are nested in it."""
        return [self, *(stack for child in self.children for stack in child.everything())]


def load(server: MotoServer, stack: str) -> DeployedStack:
    """Creates, or brings up to date, what moto dropped from a stack and those nested in it.

    Raises:
        DroppedUnnoticed: moto dropped a type of resource that no table here knows.
        IntrinsicError: a resource refers to what does not exist.
    """
    deployed = read(server, stack)
    for part in deployed.everything():
        for logical_id in sorted(part.dropped):
            kind = part.template["Resources"][logical_id]["Type"]
            if kind in NOT_NEEDED:
                continue
            properties = part.references.resolve(part.template["Resources"][logical_id].get("Properties", {}))
            if kind in _CREATE:
                _CREATE[kind](server, properties | {PHYSICAL_NAMES[kind]: part.physical(logical_id)})
        for logical_id, properties in part.resources(FUNCTION).items():
            if part.template["Resources"][logical_id]["Properties"].get("Layers"):
                name = part.physical(logical_id)
                server.client("lambda").update_function_configuration(FunctionName=name, Layers=properties["Layers"])
    return deployed


def unload(server: MotoServer, stack: DeployedStack) -> None:
    """Deletes what `load` created, and the layers, which moto leaves: call it when the stack is deleted."""
    logs, cloudwatch = server.client("logs"), server.client("cloudwatch")
    for part in stack.everything():
        for logical_id, properties in part.resources("AWS::Logs::MetricFilter").items():
            logs.delete_metric_filter(logGroupName=properties["LogGroupName"], filterName=part.physical(logical_id))
        cloudwatch.delete_alarms(AlarmNames=[part.physical(name) for name in part.resources("AWS::CloudWatch::Alarm")])
    for layer in server.client("lambda").list_layers()["Layers"]:
        if layer["LayerName"].startswith(tuple(f"{part.name}-" for part in stack.everything())):
            version = layer["LatestMatchingVersion"]["Version"]
            server.client("lambda").delete_layer_version(LayerName=layer["LayerName"], VersionNumber=version)


def read(server: MotoServer, stack: str) -> DeployedStack:
    """Reads a stack from moto.

    Raises:
        DroppedUnnoticed: moto dropped a type of resource that no table here knows.
    """
    client = server.client("cloudformation")
    body = client.get_template(StackName=stack)["TemplateBody"]
    template: Mapping[str, Any] = json.loads(body) if isinstance(body, str) else body
    made = physical_resources(server, stack)
    dropped = frozenset(template["Resources"]) - frozenset(made)
    check(stack, template, dropped)
    names = made | {
        logical_id: f"{stack}-{logical_id}"
        for logical_id in dropped
        if template["Resources"][logical_id]["Type"] not in NOT_NEEDED
    }
    (described,) = client.describe_stacks(StackName=stack)["Stacks"]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in described.get("Parameters", [])}
    nested = [made[name] for name in made if template["Resources"][name]["Type"] == NESTED]
    return DeployedStack(
        name=stack,
        template=template,
        names=names,
        references=references_of(stack, template, names, parameters),
        dropped=dropped,
        children=tuple(read(server, name) for name in nested),
    )


def references_of(
    stack: str, template: Mapping[str, Any], names: Mapping[str, str], parameters: Mapping[str, str]
) -> Resolver:
    """Resolves values as the deployed stack has them: by the names that moto gave, and nothing that does not exist.

    Args:
        stack: its name.
        template: its template.
        names: the name or ARN of each resource that exists, by logical id.
        parameters: the values of the template's parameters.
    """
    existing = {name: resource for name, resource in template["Resources"].items() if name in names}
    topics = {f"{n}.TopicArn": names[n] for n in existing if existing[n]["Type"] == "AWS::SNS::Topic"}
    values = {**parameters, **names, **topics}
    return Resolver(stack, {**template, "Resources": existing}, values, REGION, ACCOUNT)


def check(stack: str, template: Mapping[str, Any], dropped: frozenset[str]) -> None:
    """Whether all that was dropped is in a table.

    Raises:
        DroppedUnnoticed: it is not.
    """
    kinds = {name: template["Resources"][name]["Type"] for name in sorted(dropped)}
    known = {**NOT_NEEDED, **NOT_IN_MOTO, **_CREATE}
    unknown = [f"{name} ({kind})" for name, kind in kinds.items() if kind not in known]
    if unknown:
        raise DroppedUnnoticed(
            f"{stack}: moto reported CREATE_COMPLETE and made nothing of {', '.join(unknown)}: "
            "create them in tests/lab/deployed/loader.py, or say there why not"
        )


def _put_metric_filter(server: MotoServer, properties: Mapping[str, Any]) -> None:
    name = {"logGroupName": properties["LogGroupName"], "filterName": properties["FilterName"]}
    server.client("logs").delete_metric_filter(**name)  # where CloudWatch replaces one, moto adds another
    server.client("logs").put_metric_filter(
        **name,
        filterPattern=properties["FilterPattern"],
        metricTransformations=[_lower_keys(found) for found in properties["MetricTransformations"]],
    )


def _put_alarm(server: MotoServer, properties: Mapping[str, Any]) -> None:
    server.client("cloudwatch").put_metric_alarm(**properties)


_Act = Callable[[MotoServer, Mapping[str, Any]], None]
# A type is dropped by moto and in this table, or moto makes it: a test compares this with moto's own list.
_CREATE: dict[str, _Act] = {"AWS::Logs::MetricFilter": _put_metric_filter, "AWS::CloudWatch::Alarm": _put_alarm}
CREATED = tuple(_CREATE)
"""The types that this loader creates."""


def _lower_keys(transformation: Mapping[str, Any]) -> dict[str, Any]:
    """A metric transformation as the API spells it. CloudFormation has a list of dimensions, the API a map."""
    renamed = {name[0].lower() + name[1:]: value for name, value in transformation.items()}
    if "dimensions" in renamed:
        renamed["dimensions"] = {found["Key"]: found["Value"] for found in renamed["dimensions"]}
    return renamed
