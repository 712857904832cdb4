"""Grants to functions of one app: how each is made, and what is read of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from constructs import Construct

from shielded_function import Shield, ShieldPolicy
from shielded_function.checks import read_assembly
from shielded_function.checks.template_grants import TemplateGrants
from shielded_function.granted import Grants, read_grants
from unit.constructs.aws import aws

HOME: Final = cdk.Environment(region="eu-west-1", account="111111111111")


def key(scope: Any) -> Any:
    return aws.kms.Key(scope, "Key")


def vpc(scope: Any) -> Any:
    """One for all of a stack."""
    stack = cdk.Stack.of(scope)
    return stack.node.try_find_child("Vpc") or aws.ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0)


ISOLATED: Final = aws.ec2.SubnetSelection(subnet_type=aws.ec2.SubnetType.PRIVATE_ISOLATED)
ID: Final = aws.dynamodb.Attribute(name="id", type=aws.dynamodb.AttributeType.STRING)


def table(scope: Any, **props: Any) -> Any:
    return aws.dynamodb.Table(scope, "Table", partition_key=ID, **props)


def instance(scope: Any, **props: Any) -> Any:
    engine: Any = aws.rds.DatabaseInstanceEngine.POSTGRES
    return aws.rds.DatabaseInstance(scope, "Db", engine=engine, vpc=vpc(scope), vpc_subnets=ISOLATED, **props)


def another(scope: Any, name: str = "Another", **props: Any) -> Any:
    return aws.lambda_.Function(
        scope,
        name,
        runtime=aws.lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=aws.lambda_.Code.from_inline("def handler(event, context): pass"),
        **props,
    )


Grant = Callable[[Any, Any], object]
"""Grants something to a function; what it makes goes into the scope."""


@dataclass(frozen=True)
class Row:
    """A grant.

    Attributes:
        grant: makes it.
        services, buckets, hosts, said: as of a method in `kinds`.
        text: is in the first finding's message.
        stops: whether what is said stops the synthesis.
        left: why grants are left out, with constructs by their ids; the log of every function is not told.
        props: of the function.
    """

    grant: Grant
    services: str = ""
    buckets: str = ""
    hosts: str = ""
    said: str = ""
    text: str = ""
    stops: bool = False
    left: tuple[str, ...] | None = None
    props: Callable[[Any], dict[str, Any]] = lambda _: {}


def path_of(name: str) -> str:
    """The id of a row's scope."""
    return name.replace(":", "-")


@dataclass(frozen=True)
class Built:
    """An app with the grants of many rows: by the rows' names, the functions and what is read of their constructs."""

    app: cdk.App
    rows: Mapping[str, Row]
    functions: dict[str, Any]
    read: dict[str, Grants]


def build(folder: Path, rows: Mapping[str, Row]) -> Built:
    """Makes the app, and reads its grants."""
    context = {"aws:cdk:enable-path-metadata": True}
    app = cdk.App(outdir=str(folder / "cdk.out"), analytics_reporting=False, context=context)
    functions: dict[str, Any] = {}
    stack: Any = None
    for number, (name, each) in enumerate(rows.items()):
        if number % 20 == 0:
            stack = cdk.Stack(app, f"Grants{number // 20}", env=HOME)
        scope = Construct(stack, path_of(name))
        functions[name] = another(scope, "Function", **each.props(scope))
        each.grant(scope, functions[name])
    found = read_grants(app, list(functions.values()))
    return Built(app, rows, functions, dict(zip(functions, found.values(), strict=True)))


def check_row(built: Built, name: str) -> None:
    """A grant opens what its row says."""
    expected, grants = built.rows[name], built.read[name]

    def named(kind: str) -> list[str]:
        here = [entry.name for entry in grants.entries if entry.kind == kind]
        return sorted(each.partition(f"/{name}/")[2] or each for each in here)

    assert named("service") == expected.services.split(), named("service")
    assert [each.replace(" ", "_") for each in named("bucket")] == expected.buckets.split()
    assert [each.replace(" ", "_") for each in named("host")] == expected.hosts.split()
    findings = (*grants.problems, *grants.warnings)
    assert [finding.id.removeprefix("shielded-function:granted") for finding in findings] == expected.said.split()
    assert expected.text in (findings[0].message if findings else "")
    assert bool(grants.problems) is expected.stops
    if expected.left is not None:
        reasons = {re.sub(rf"Grants\d+/{name}/", "", each.reason) for each in (*grants.left_out, *grants.on_behalf)}
        assert reasons == {*expected.left, "Lambda writes the log"}


def check_app(built: Built, shielded: Collection[str]) -> None:
    """Shielded and synthesized: each function's warnings are its row's, and its environment has the row's services."""
    for name in shielded:
        Shield(ShieldPolicy(allow_aws="granted")).apply(built.functions[name])
    names = {path_of(name): name for name in built.rows}
    told = {name: list[str]() for name in shielded}
    services: dict[str, list[str]] = {}
    for stack in built.app.synth().stacks:
        for message in stack.messages:
            for said in re.findall(r"\[ack: shielded-function:granted(\w+)\]", str(message.entry.data)):
                told[names[message.id.split("/")[2]]].append(said)
        for resource in stack.template["Resources"].values():
            path = resource.get("Metadata", {}).get("aws:cdk:path", "").split("/")
            if path[2:] == ["Function", "Resource"]:
                variables = resource["Properties"].get("Environment", {}).get("Variables", {})
                services[names[path[1]]] = sorted(variables.get("SHIELD_ALLOW_AWS", "").split(","))
    rows = {name: built.rows[name] for name in shielded}
    assert told == {name: row.said.split() for name, row in rows.items()}
    assert {name: services[name] for name in shielded} == {
        n: row.services.split() or ["none"] for n, row in rows.items()
    }


def check_templates(built: Built) -> dict[str, set[str]]:
    """`template_grants` finds in `cdk.out` what is found from each row's constructs; returns what is more."""
    assembly = read_assembly(Path(built.app.synth().directory))
    reader = TemplateGrants(assembly)
    at = {each.place.path: each for each in assembly.functions}

    def opened(grants: Grants) -> set[tuple[str, str]]:
        # A host from a template is its construct's, without a port.
        return {
            (each.kind, each.name.partition(": ")[0] if each.kind == "host" else each.name) for each in grants.entries
        }

    def said(grants: Grants) -> list[str]:
        return sorted(finding.id for finding in (*grants.problems, *grants.warnings))

    more: dict[str, set[str]] = {}
    for name, function in built.functions.items():
        read, found = built.read[name], reader.grants_of(reader.caller_of(at[function.node.path]))
        more[name] = {text.partition(f"/{name}/")[2] or text for _, text in opened(found) - opened(read)}
        assert not opened(read) - opened(found), name
        assert more[name] or said(found) == said(read), name
        assert more[name] or {each.reason for each in found.left_out} == {each.reason for each in read.left_out}, name
    return {name: texts for name, texts in more.items() if texts}
