"""The example of many functions: what its synthesis warns of, what has a shield, what may be reached, what changes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.checkout_app import synthesized
from harness.circles import find_circle
from harness.deploying import Account
from integration.examples.catalogue import EXAMPLES, FOLDER
from integration.examples.conftest import Assembly
from integration.examples.in_moto import FunctionsInMoto
from integration.examples.test_examples import audited

pytestmark = [pytest.mark.promise("construct.deployments"), pytest.mark.long]

NAME = "sixty_functions"
SHIELDED = next(example.functions[1] for example in EXAMPLES if example.name == NAME)
STAGES = ("Beta", "Live")

# What a synthesis warns of: path in a stage, id. Each is true.
WARNINGS = {
    ("Batch/ImportTariffs", "grantedImportedRole"),  # what the partner's team granted the role is in no template
    ("Batch/ImportTariffs", "logPermission"),  # nor whether it may write to a new log group
    ("Batch/ReadLake", "grantedAllBuckets"),  # the statement names no bucket
}

EXCLUDED = {
    "Batch/ExchangeRates",  # Rust
    "Batch/Sam/OldTracking",  # SAM's
}
OF_THE_CDK = {
    "Data/Custom::S3AutoDeleteObjectsCustomResourceProvider/Handler",
    "Events/Custom::S3AutoDeleteObjectsCustomResourceProvider/Handler",
    "Events/BucketNotificationsHandler050a0587b7544547bf325f094a3db834",
    "Operations/AWSCDK.TriggerCustomResourceProviderCustomResourceProvider/Handler",
    "Operations/Seeding/framework-onEvent",
    "Operations/Seeding/framework-isComplete",
    "Operations/Seeding/framework-onTimeout",
    "Operations/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C",
    "Operations/AWS679f53fac002430cb0da5b7982bd2287",
    "Operations/LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a",
}

# What functions may reach of AWS, where more is granted than their code uses, or where the grant is far away.
REACHES = {
    "Events/OnRegistered": "dynamodb,sqs",  # Lambda polls one queue, the code sends to others
    "Events/OrderPickup": "secretsmanager",  # Lambda decrypts what it polls
    "Events/OnMove": "dynamodb",  # Lambda polls: a stream,
    "Events/AnalyzeMoves": "none",  # a consumer of a stream,
    "Events/IndexParcel": "none",  # a table's stream,
    "Events/OnKafka": "dynamodb",  # clusters, the secret of one among them,
    "Events/OnArrival": "eventbridgev2,events",
    "Events/OnMessage": "none",  # a broker, in the VPC, with its secret,
    "Events/OnDocument": "none",  # and a database likewise
    "Batch/PrintLetters": "sqs",  # its code polls
    "Batch/ImportTariffs": "dynamodb",  # what the app grants the imported role
    "Operations/RotateCarrierKey": "secretsmanager",  # the rotation's schedule grants it
    "Web/AuthorizeGraphql": "none",
}

KINDS = ("added", "removed", "changed")
LAYER, VERSION = "AWS::Lambda::LayerVersion", "AWS::Lambda::Version"
WATCHED = {f"AWS::{t}" for t in ("CloudWatch::Alarm", "CloudWatch::Dashboard", "Logs::LogGroup", "Logs::MetricFilter")}
QUERY = "AWS::Logs::QueryDefinition"
# What else changes: resources that refer to a version or to a nested stack's template.
FOLLOWING = {
    ("AWS::Lambda::Alias", "FunctionVersion"),
    ("Custom::Trigger", "HandlerArn"),
    ("AWS::CloudFormation::Stack", "TemplateURL"),
    ("AWS::CDK::Metadata", "Analytics"),
    ("AWS::Config::ConfigRule", "DependsOn"),  # all that is in the scope of its function
}


@dataclass(frozen=True)
class Step:
    """A deployment.

    Attributes:
        context: of the synthesis.
        changed: the properties of functions that change.
        functions: of how many.
        added: the types of what is made, versions aside.
        removed: the types of what is deleted.
    """

    context: dict[str, str]
    changed: str
    functions: int
    added: frozenset[str] | set[str] = frozenset()
    removed: frozenset[str] | set[str] = frozenset()


ON = Step({}, "Environment Layers LoggingConfig", SHIELDED, added={LAYER, QUERY, *WATCHED})
MORE = {"carriers": "api.carrier-one.example,api.carrier-two.example,api.carrier-three.example"}
STEPS = (
    ON,
    Step(MORE, "Environment", 2 * len(STAGES)),
    Step(MORE | {"shield": "alert"}, "Environment", SHIELDED // len(STAGES)),  # as Beta is in alert mode already
    Step(MORE | {"shield": "off"}, "Environment Layers", SHIELDED, removed={LAYER}),
    Step({"plain": "yes"}, "LoggingConfig", SHIELDED, removed={QUERY, *WATCHED}),
    ON,  # what was retained is in nobody's way
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of the app without a shield."""
    return synthesized(tmp_path_factory, FOLDER / NAME, plain="yes").directory


@pytest.fixture
def functions(assembly: Assembly, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the audit says of the functions, by path."""
    return {each["path"]: each for each in audited(assembly(NAME), ["Live"], capsys)[1]["functions"]}


def warnings(directory: Path) -> Iterator[tuple[str, str]]:
    """Path and text of each warning and error in a cloud assembly."""
    for manifest in directory.rglob("manifest.json"):
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            metadata = dict(artifact.get("metadata", {}))
            if file := artifact.get("additionalMetadataFile"):
                metadata |= json.loads((manifest.parent / file).read_text())
            for path, entries in metadata.items():
                yield from ((path, e["data"]) for e in entries if e["type"] in ("aws:cdk:warning", "aws:cdk:error"))


def in_each_stage(paths: set[str]) -> set[str]:
    return {f"{stage}/{path}" for stage in STAGES for path in paths}


def test_warnings_are_true(assembly: Assembly, plain: Path) -> None:
    said = set(warnings(assembly(NAME))) - set(warnings(plain))
    expected = {(f"/{stage}/{path}", f"shielded-function:{name}") for stage in STAGES for path, name in WARNINGS}
    found = {(path, text.rpartition("[ack: ")[2].rstrip("]")) for path, text in said}
    assert found == expected, sorted(said)
    assert len(said) == len(expected)


def test_every_function_is_shielded_or_left_out(functions: dict[str, Any]) -> None:
    bare = {path for path, each in functions.items() if not each["shielded"]}
    assert bare == in_each_stage(EXCLUDED | OF_THE_CDK)
    assert {path for path in bare if functions[path]["cdk_handler"]} == in_each_stage(OF_THE_CDK)
    excluded = in_each_stage(EXCLUDED)
    assert {path: functions[path]["left_out"] for path in excluded} == {
        path: f"excluded by {path!r}" for path in excluded
    }
    assert len(functions) - len(in_each_stage(OF_THE_CDK)) >= 60 * len(STAGES)


def test_functions_reach_what_their_code_uses(functions: dict[str, Any]) -> None:
    for stage in STAGES:
        assert {path: functions[f"{stage}/{path}"]["policy"]["SHIELD_ALLOW_AWS"] for path in REACHES} == REACHES


def test_hosts_that_are_known_at_deployment_have_a_port(functions: dict[str, Any]) -> None:
    found = [
        host for each in functions.values() for host in each["known_at_deployment"].get("SHIELD_ALLOW_OUTBOUND", [])
    ]
    assert len(found) >= 20
    assert [host for host in found if not re.search(r':(\d+|\{[^}]*Port\w*"\})$', host)] == []


def test_a_custom_resource_can_answer(functions: dict[str, Any]) -> None:
    """At the host that is in `ResponseURL` (MigrateSchema asks it itself)."""
    for stage in STAGES:
        made = functions[f"{stage}/Operations/MigrateSchema"]
        assert "cloudformation-custom-resource-response" in json.dumps([made["policy"], made["known_at_deployment"]])


def deploy(account: Account, step: Step, folder: Path) -> None:
    """Deploys, and holds what changes against what the step says of it: nothing is replaced but versions."""
    changes = account.deploy(folder)
    by_kind = {kind: Counter(each.type for each in changes if each.kind == kind) for kind in KINDS}
    assert set(by_kind["added"]) - {VERSION} == set(step.added)
    assert set(by_kind["removed"]) - {VERSION} == set(step.removed)
    assert [each for each in changes if each.kind == "replaced"] == []
    assert by_kind["added"][VERSION] == by_kind["changed"]["AWS::Lambda::Alias"] + by_kind["changed"]["Custom::Trigger"]
    parts = {(each.type, part) for each in changes if each.kind == "changed" for part in each.parts}
    assert parts - FOLLOWING == {("AWS::Lambda::Function", part) for part in step.changed.split()}
    assert by_kind["changed"]["AWS::Lambda::Function"] == step.functions


def test_a_first_shield_changes_functions_alone(assembly: Assembly, plain: Path) -> None:
    account = Account()
    account.deploy(plain)
    deploy(account, ON, assembly(NAME))


@pytest.mark.long
def test_no_deployment_is_refused(tmp_path_factory: pytest.TempPathFactory, plain: Path) -> None:
    """From an app that is there to a shielded one, and back."""
    account = Account()
    account.deploy(plain)
    for step in STEPS:
        deploy(account, step, synthesized(tmp_path_factory, FOLDER / NAME, **step.context).directory)


@pytest.mark.long
def test_functions_in_moto_have_each_steps_variables(
    tmp_path_factory: pytest.TempPathFactory, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever they had before, under the ARN that they had."""
    from moto import mock_aws  # slow to import, for every worker
    from moto.core.config import default_user_config

    monkeypatch.setitem(default_user_config.setdefault("lambda", {}), "use_docker", False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        moto = FunctionsInMoto()
        folders = [synthesized(tmp_path_factory, FOLDER / NAME, **step.context).directory for step in STEPS]
        for folder in (plain, *folders):
            found = moto.deploy(folder)
            assert len(found) >= SHIELDED
            for name, (variables, wanted) in found.items():
                assert variables.keys() == wanted.keys(), name
                assert {n: v for n, v in wanted.items() if isinstance(v, str)}.items() <= variables.items(), name


@pytest.mark.parametrize("template", [
    {"A": {"Properties": {"x": {"Ref": "B"}}}, "B": {"DependsOn": ["A"]}},
    {"A": {"Properties": {"x": {"Fn::Sub": "${B.Arn}-${!C}"}}}, "B": {"Properties": [{"Fn::GetAtt": ["A", "Arn"]}]}},
    {"A": {"Properties": {"x": {"Fn::GetAtt": "A.Arn"}}}},
])  # fmt: skip
def test_circles_are_found(template: dict[str, Any]) -> None:
    assert set(find_circle({"Resources": template})) == set(template)
    template["A"] = {"Properties": {"x": [{"Ref": "AWS::Region"}, {"Fn::Sub": ["${D}-${!B}", {"D": "d"}]}]}}
    assert find_circle({"Resources": template}) == []
