"""The example of many functions: what its synthesis warns of, what has a shield, what may be reached, what changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.checkout_app import synthesized
from harness.linting import lint
from integration.examples.catalogue import FOLDER
from integration.examples.test_examples import audited
from lab.deployed.steps import NAME, STAGES

pytestmark = pytest.mark.long


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
FIRST_SEEN = "ShieldMonitoring-c875332b/FirstSeen/Function"
ABROAD = {f"Abroad/Home/{name}" for name in ("TellAway", "OnlyAudited", "Traced", "Fixed", FIRST_SEEN)}
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

# What functions may reach of AWS, where Lambda uses the role too, or where the grant is far away.
REACHES = {
    "Events/OnRegistered": "dynamodb,kms,sqs",  # Lambda polls one queue, the code sends to others
    "Events/OrderPickup": "secretsmanager,sqs,kms",  # Lambda decrypts what it polls
    "Events/OnMove": "dynamodb,kms,kinesis",  # Lambda polls: a stream,
    "Events/AnalyzeMoves": "kinesis",  # a consumer of a stream,
    "Events/IndexParcel": "sqs,dynamodbstreams,kms",  # a table's stream,
    "Events/OnKafka": "dynamodb,kms,kafka",  # clusters, the secret of one among them,
    "Events/OnArrival": "eventbridgev2,events,secretsmanager",
    "Events/OnMessage": "secretsmanager,mq",  # a broker, in the VPC, with its secret,
    "Events/OnDocument": "rds,secretsmanager",  # and a database likewise
    "Events/CheckTags": "config",  # the CDK grants every bucket, too
    "Batch/PrintLetters": "sqs",  # its code polls
    "Batch/ImportTariffs": "dynamodb",  # what the app grants the imported role
    "Operations/RotateCarrierKey": "secretsmanager",  # the rotation's schedule grants it
    "Web/AuthorizeGraphql": "none",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of the app without a shield."""
    return synthesized(tmp_path_factory, FOLDER / NAME, plain="yes").directory


@pytest.fixture(scope="module")
def shielded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesized(tmp_path_factory, FOLDER / NAME).directory


@pytest.fixture
def functions(shielded: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the audit says of the functions, by path."""
    return {each["path"]: each for each in audited(shielded, ["Live"], capsys)[1]["functions"]}


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


def test_warnings_are_true(shielded: Path, plain: Path) -> None:
    said = set(warnings(shielded)) - set(warnings(plain))
    expected = {(f"/{stage}/{path}", f"shielded-function:{name}") for stage in STAGES for path, name in WARNINGS}
    found = {(path, text.rpartition("[ack: ")[2].rstrip("]")) for path, text in said}
    assert found == expected, sorted(said)
    assert len(said) == len(expected)


def test_every_function_is_shielded_or_left_out(functions: dict[str, Any]) -> None:
    bare = {path for path, each in functions.items() if not each["shielded"]}
    abroad = {path for path in bare if path.startswith("Abroad/") and functions[path]["cdk_handler"]}
    bare -= abroad
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


def test_two_regions_and_a_central_stack(shielded: Path, functions: dict[str, Any]) -> None:
    """Each has its shield, the resources of one under a condition have that too, and cfn-lint has no error."""
    assert {path for path, each in functions.items() if path.startswith("Abroad/Home/") and each["shielded"]} == ABROAD
    assert functions["Abroad/Home/TellAway"]["policy"]["SHIELD_ALLOW_OUTBOUND"] == "sqs.us-east-1.amazonaws.com:443"
    (file,) = shielded.rglob("AbroadHome*.template.json")
    resources = json.loads(file.read_text())["Resources"]
    only = [each.get("Condition") for name, each in resources.items() if name.startswith("OnlyAuditedShield")]
    assert only == ["IsAudited"] * len(only) != []
    (traced,) = (each["Properties"] for name, each in resources.items() if re.fullmatch("Traced[0-9A-F]{8}", name))
    assert len(traced["Layers"]) == 2
    errors = [each for each in lint(file.read_text(), regions=["eu-west-1"]) if each.rule.severity == "error"]
    assert errors == []
