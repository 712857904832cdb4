"""The table of actions: every prefix that the CDK grants, and nothing that the core does not know."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import aws_cdk._jsii as packed
import pytest

from shielded_function import ShieldPolicy
from shielded_function.granted import actions, planes
from shielded_function.granted.statements import MAX_SERVICES
from shielded_function_runtime.build import aws_actions, aws_table

_ACTION = re.compile(rb"""["'`]([a-z][a-z0-9-]{1,40}:(?:[A-Z][A-Za-z0-9]*\*?|\*))["'`]""")
# Not actions: `aws:SourceArn` and its like are condition keys; the others are texts of custom resources.
_NO_ACTIONS = ("aws:", "count:", "phase:")


@pytest.mark.long
def test_every_action_of_a_cdk_grant_has_a_service_or_host() -> None:
    """Those that the JavaScript of aws-cdk-lib names: its grants are made of them."""
    (package,) = Path(str(packed.__file__)).parent.glob("aws-cdk-lib@*.jsii.tgz")
    found: set[str] = set()
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name.endswith(".js") and "/node_modules/" not in member.name:
                file = archive.extractfile(member)
                assert file
                found |= {text.decode() for text in _ACTION.findall(file.read())}
    named = [text for text in found if not text.startswith(_NO_ACTIONS)]
    assert len(named) > 600
    without = [
        text
        for text in named
        if (action := actions.parse_action(text)) is None
        or not (actions.services_of(action.prefix, action.name) or planes.planes_of(action))
    ]
    assert without == []


def test_the_core_knows_every_service_of_the_table() -> None:
    services = sorted({s for prefix in actions.known_prefixes() for s in actions.services_of(prefix, "*")})
    assert len(services) > 350
    for some in (services[at : at + MAX_SERVICES] for at in range(0, len(services), MAX_SERVICES)):
        assert set(ShieldPolicy(allow_aws=some).allow_aws or ()) == set(some)


def test_the_table_is_small_and_of_the_cores_botocore() -> None:
    assert json.loads(aws_actions.TABLE.read_text(encoding="ascii"))["botocore"] == aws_table.table_version()
    assert aws_actions.TABLE.stat().st_size < 300_000


# Those whose service is called as their prefix is, and the others.
SAME = "sqs:SendMessage dynamodb:*Item dynamodb:PartiQLSelect s3:GetObject es:DescribeDomain iot:DescribeEndpoint"
SERVICES = {
    "SQS:sendmessage": "sqs",
    "states:StartExecution": "stepfunctions",
    "elasticfilesystem:DescribeFileSystems": "efs",
    "tag:GetResources": "resourcegroupstaggingapi",
    "bedrock:InvokeModel": "bedrock-runtime",
    "bedrock:InvokeModel*": "bedrock-runtime",
    "bedrock:InvokeAgent": "bedrock-agent-runtime",
    "sagemaker:InvokeEndpoint": "sagemaker-runtime",
    "dynamodb:GetRecords": "dynamodbstreams",
    "dynamodb:*": "dynamodb dynamodbstreams",
    "elasticloadbalancing:DescribeLoadBalancers": "elb",
    "iot:Publish": "iot-data",
    "s3:Get*": "s3 s3control",
    "s3:CreateJob": "s3control",
    "s3:PutAccountPublicAccessBlock": "s3control",
    "s3express:CreateSession": "s3",
    "nothing:Here": "",
    "appconfig:GetLatestConfiguration": "appconfigdata",
    "bedrock:Retrieve": "bedrock-agent-runtime",
    "elasticmapreduce:RunJobFlow": "emr",
    "events:PutEvents": "eventbridgev2 events",
    "lex:RecognizeText": "lexv2-runtime",
    "mobiletargeting:SendMessages": "pinpoint",
    "personalize:GetRecommendations": "personalize-runtime",
    **{text: text.partition(":")[0] for text in SAME.split()},
}


def test_services_of_an_action() -> None:
    parsed = {text: actions.parse_action(text) for text in SERVICES}
    assert {
        text: " ".join(sorted(actions.services_of(each.prefix, each.name))) for text, each in parsed.items() if each
    } == SERVICES


def test_what_is_no_action_and_what_is_every_action() -> None:
    assert [actions.parse_action(text) for text in ("GetObject", "", ":", "s3:", ":GetObject")] == [None] * 5
    for text in ("*", "*:*", "s*:Get*", " * "):
        parsed = actions.parse_action(text)
        assert parsed
        assert parsed.everything
    assert not actions.covers("get[o]bject", "getobject"), "brackets are no pattern"
    assert actions.covers("get?bj*", "getobject")
    assert not actions.covers("getobject", "getobjectacl")


def test_services_with_the_same_hosts_are_one() -> None:
    """A function's environment has 4 KB: `elb` stands for `elbv2` too."""
    hosts = {service: actions.endpoint_of(service, "eu-west-1") for service in ("elb", "elbv2")}
    assert len(set(hosts.values())) == 1
    assert actions.services_of("elasticloadbalancing", "*") == ("elb",)


# Actions whose operations are all of a data plane, and others.
ALL_OF_A_PLANE = """
    es:ESHttpGet es:ESHttp* dax:GetItem aoss:APIAccessAll lambda:InvokeFunctionUrl rds-db:connect kafka-cluster:*
"""
SOME_OF_A_PLANE = "es:* es:ES* dax:* appsync:G* lambda:InvokeFunction*"


def test_a_data_planes_actions_are_no_operations_of_its_service() -> None:
    for texts, only in (ALL_OF_A_PLANE, True), (SOME_OF_A_PLANE, False):
        for parsed in map(actions.parse_action, texts.split()):
            assert parsed
            assert planes.planes_of(parsed)
            assert planes.only_of_planes(parsed) is only, parsed
