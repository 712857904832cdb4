"""`lock_credentials`: the deny beside a role, its conditions judged as IAM judges them, and grants that stay open."""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs

from harness.function_template import of_type
from harness.linting import lint_errors
from shielded_function import ShieldPolicy
from shielded_function.perimeter.credentials import condition

from .conftest import Make, Refused, Walls, warnings

pytestmark = pytest.mark.promise("perimeter.keys")

VPC, NAT = "vpc-of-the-functions", "198.51.100.7"
GRANTED = ShieldPolicy(allow_aws="granted")


def holds(operator: str, key: str, wanted: Any, context: Mapping[str, str]) -> bool:
    """One operator of a condition
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html)."""
    base = operator.removesuffix("IfExists")
    if key not in context:
        return base != operator or base in ("StringNotEquals", "NotIpAddress")
    values, given = [wanted] if isinstance(wanted, str) else wanted, context[key]
    if base == "StringNotEquals":
        return all(given != value for value in values)
    if base == "Bool":
        return given in values
    assert base == "NotIpAddress", operator
    return all(ipaddress.ip_address(given) not in ipaddress.ip_network(value) for value in values)


def denies(template: Mapping[str, Any], action: str, resource: Any, context: Mapping[str, str]) -> bool:
    """Whether a lock denies a request; the template's VPC is `VPC`."""
    locks = [p for name, p in of_type(dict(template), "AWS::IAM::Policy").items() if name.startswith("ShieldLock")]
    assert locks
    statements = [each for lock in locks for each in lock["PolicyDocument"]["Statement"]]
    for statement in statements:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        named = any(fnmatch.fnmatch(action.lower(), each.lower()) for each in statement["Action"])
        on = any(each in ("*", resource) for each in resources)
        conditions = json.loads(json.dumps(statement["Condition"]).replace('{"Ref": "Vpc8378EB38"}', f'"{VPC}"'))
        met = all(holds(op, key, value, context) for op, pairs in conditions.items() for key, value in pairs.items())
        if named and on and met:
            return True
    return False


WAYS: dict[str, tuple[dict[str, str], bool, bool]] = {
    # the request's context; whether it is denied with True, and with the NAT's address
    "by an endpoint of the VPC": ({"aws:SourceVpc": VPC, "aws:ViaAWSService": "false"}, False, False),
    "by an endpoint of another VPC": ({"aws:SourceVpc": "vpc-other", "aws:ViaAWSService": "false"}, True, True),
    "from the internet": ({"aws:SourceIp": "203.0.113.9", "aws:ViaAWSService": "false"}, True, True),
    "by the NAT": ({"aws:SourceIp": NAT, "aws:ViaAWSService": "false"}, True, False),
    "by a service for the function": ({"aws:SourceIp": "203.0.113.9", "aws:ViaAWSService": "true"}, False, False),
    "without any key": ({}, True, True),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("by_address", [False, True])
def test_keys_are_of_use_in_the_vpc_alone(make: Make, walls: Walls, vpc: ec2.Vpc, way: str, by_address: bool) -> None:
    vpc.add_interface_endpoint("Queues", service=ec2.InterfaceVpcEndpointAwsService.SQS)
    function = make(policy=GRANTED)
    queue = sqs.Queue(cdk.Stack.of(function), "Jobs")
    queue.grant_send_messages(function)
    template = walls("Perimeter", lock_credentials=[f"{NAT}/32"] if by_address else True)
    [name] = of_type(template, "AWS::SQS::Queue")
    context, denied, denied_by_address = WAYS[way]
    arn = {"Fn::GetAtt": [name, "Arn"]}
    assert denies(template, "sqs:SendMessage", arn, context) == (denied_by_address if by_address else denied)
    assert not denies(template, "sqs:ReceiveMessage", arn, context)


def test_the_page_has_each_condition() -> None:
    page = (Path(__file__).parents[4] / "docs" / "guide" / "perimeter.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` of `(aws:\w+)`.* \| (always|with addresses) \|", page, re.MULTILINE)
    written = [
        (operator, key, "always" if operator in condition(VPC, []) else "with addresses")
        for operator, pairs in condition(VPC, [f"{NAT}/32"]).items()
        for key in pairs
    ]
    assert sorted(rows) == sorted(written)


def test_the_lock_is_in_no_circle_and_adds_no_grant(make: Make, walls: Walls, vpc: ec2.Vpc, app: cdk.App) -> None:
    """A bucket that notifies the function depends on it, and the lock names the bucket."""
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    function = make(policy=GRANTED)
    bucket = s3.Bucket(cdk.Stack.of(function), "Orders")
    bucket.grant_read(function)
    notified: Any = function
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.LambdaDestination(notified))
    template = walls("Perimeter", lock_credentials=True)
    [lock] = [r for n, r in template["Resources"].items() if n.startswith("ShieldLock")]
    assert [role["Ref"].startswith("CheckoutServiceRole") for role in lock["Properties"]["Roles"]] == [True]
    assert "DependsOn" not in lock
    assert lint_errors(template) == []
    [name] = of_type(template, "AWS::S3::Bucket")
    assert denies(template, "s3:GetObject", {"Fn::Join": ["", [{"Fn::GetAtt": [name, "Arn"]}, "/*"]]}, {})


def test_what_lambda_calls_stays_open_with_a_warning(make: Make, walls: Walls, vpc: ec2.Vpc, app: cdk.App) -> None:
    vpc.add_interface_endpoint("Queues", service=ec2.InterfaceVpcEndpointAwsService.SQS)
    letters = sqs.Queue(cdk.Stack.of(vpc), "Letters")
    function = make(policy=GRANTED, dead_letter_queue=letters, tracing=lambda_.Tracing.ACTIVE)
    jobs, other = (sqs.Queue(cdk.Stack.of(vpc), name) for name in ("Jobs", "Other"))
    function.add_event_source(event_sources.SqsEventSource(jobs))
    other.grant_consume_messages(function)
    function.add_to_role_policy(iam.PolicyStatement(actions=["sqs:*", "dynamodb:Query"], resources=["*"]))
    template = walls("Perimeter", lock_credentials=True)
    arns = {n[:4]: {"Fn::GetAtt": [n, "Arn"]} for n in of_type(template, "AWS::SQS::Queue")}
    assert not denies(template, "sqs:ReceiveMessage", arns["Jobs"], {})
    assert not denies(template, "sqs:SendMessage", arns["Lett"], {})
    assert denies(template, "sqs:ReceiveMessage", arns["Othe"], {})
    for action in ("logs:PutLogEvents", "xray:PutTraceSegments", "ec2:CreateNetworkInterface", "dynamodb:Query"):
        assert not denies(template, action, "*", {}), action
    [told] = [text for text in warnings(app) if "stay usable outside of the VPC" in text]
    for part in (
        "on Shop/Jobs.Arn: Lambda polls it",
        "sqs:SendMessage on Shop/Letters.Arn: Lambda sends dead letters to it",
        "sqs:* on *: Lambda may call it itself",
        "dynamodb:Query on *: the VPC has no endpoint of dynamodb: add it, or give lock_credentials the NAT's",
    ):
        assert part in told


def test_another_region_stays_open_with_a_warning(make: Make, walls: Walls, vpc: ec2.Vpc, app: cdk.App) -> None:
    vpc.add_interface_endpoint("Queues", service=ec2.InterfaceVpcEndpointAwsService.SQS)
    arn = "arn:aws:sqs:us-east-1:111122223333:far"
    make(policy=GRANTED).add_to_role_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[arn]))
    template = walls("Perimeter", lock_credentials=True)
    assert not denies(template, "sqs:SendMessage", arn, {})
    assert any("it is in us-east-1, to which no endpoint of the VPC leads" in text for text in warnings(app))


def test_roles_that_cannot_be_locked(make: Make, refused: Refused, shop: cdk.Stack) -> None:
    """An imported one, and one that a function outside of the perimeter has too."""
    make("Imported", role=iam.Role.from_role_arn(shop, "Theirs", "arn:aws:iam::111122223333:role/theirs"))
    make("Outside", vpc=None, role=make().role)
    said = refused(lock_credentials=True)
    assert "lock_credentials: the role of Shop/Imported is imported" in said
    assert "lock_credentials: Shop/Outside has the role of Shop/Checkout" in said


NO_LIST = "is neither True, False nor a list"
ADDRESSES: list[tuple[Any, str]] = [
    *((given, f"{given!r} {NO_LIST}") for given in ("203.0.113.7", 1, [])),
    *(([f"{NAT}/32", given], f"{given!r} is private") for given in ("10.0.0.0/8", "fd00::1")),
    *(([f"{NAT}/32", given], f"{given!r} is no IP") for given in ("nat", 7)),
]


@pytest.mark.parametrize(("given", "said"), ADDRESSES)
def test_the_option_is_public_addresses(refused: Refused, given: Any, said: str) -> None:
    with pytest.raises(Exception, match=re.escape(f"lock_credentials: {said}")):
        refused(lock_credentials=given)


@pytest.mark.parametrize("options", [{"lock_credentials": True, "mode": "alert"}, {}])
def test_without_it_or_in_alert_mode_nothing_is_locked(make: Make, walls: Walls, options: dict[str, Any]) -> None:
    make()
    template = walls("Perimeter", **options)
    assert not any(name.startswith("ShieldLock") for name in template["Resources"])
