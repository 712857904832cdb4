"""What cannot be known or expressed, data planes, and what changes after the policy was made."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from shielded_function import Shield, ShieldPolicy
from shielded_function.granted import Grants, actions, changed

Read = Callable[..., Grants]
Ids = Callable[[Grants], "list[str]"]
Allow = Callable[..., None]


def raw(checkout: lambda_.Function, *statements: Any) -> None:
    """A document as it would be written by hand, which the CDK does not check."""
    iam.CfnPolicy(
        checkout.stack,
        "Raw",
        policy_name="raw",
        roles=[checkout.role.role_name],  # type: ignore[union-attr]
        policy_document={"Statement": list(statements)},
    )


class TestProblems:
    @pytest.mark.parametrize(
        ("statement", "said"),
        [
            ({"Action": "*"}, "Everything"),
            ({"Action": "*:*"}, "Everything"),
            ({"Action": ["sqs:SendMessage", "*"]}, "Everything"),
            ({"Action": "s*:Get*"}, "Everything"),
            ({"NotAction": "iam:*"}, "Everything"),
            ({"Action": "GetObject"}, "UnknownAction"),
            ({"Action": {"Ref": "SomeParameter"}}, "UnknownAction"),
        ],
    )
    def test_of_statements(
        self, read: Read, checkout: lambda_.Function, ids: Ids, statement: dict[str, Any], said: str
    ) -> None:
        raw(checkout, {"Sid": "Wide", "Effect": "Allow", "Resource": "*", **statement})
        grants = read()
        assert ids(grants) == [said]
        assert [finding.message.partition(":")[0] for finding in grants.problems] == ["Shop/Raw, statement Wide"]

    def test_more_services_than_a_policy_takes(self, read: Read, checkout: lambda_.Function, ids: Ids) -> None:
        raw(
            checkout,
            {"Effect": "Allow", "Resource": "*", "Action": [f"{p}:*" for p in sorted(actions.known_prefixes())[:80]]},
        )
        grants = read()
        assert "Everything" in ids(grants)
        assert "of which a policy takes 64" in grants.problems[-1].message

    def test_each_is_told_once(self, app: cdk.App, stack: cdk.Stack) -> None:
        """An L1's shield is in the function itself, and its aspects visit that too."""
        function: Any = lambda_.CfnFunction(
            stack,
            "Plain",
            role=iam.Role(
                stack,
                "Role",
                assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),  # type: ignore[arg-type]
                inline_policies={
                    "all": iam.PolicyDocument(statements=[iam.PolicyStatement(actions=["*"], resources=["*"])])
                },
            ).role_arn,
            code=lambda_.CfnFunction.CodeProperty(zip_file="x"),
            runtime="python3.13",
            handler="index.handler",
        )
        Shield(ShieldPolicy(allow_aws="granted")).apply(function)
        with pytest.raises(RuntimeError) as raised:
            app.synth()
        assert str(raised.value).count("Shop/Plain") == 1


class TestForms:
    def test_a_deny_takes_nothing_away(self, read: Read, checkout: lambda_.Function) -> None:
        raw(
            checkout,
            {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "NotAction": "sns:*", "Resource": "*"},
        )
        assert read().services == ("sqs",)

    def test_actions_that_are_tokens(self, read: Read, allow: Allow) -> None:
        allow(cdk.Fn.join(":", ["sqs", "SendMessage"]), "*")
        allow(cdk.Token.as_string("sns:Publish"), "*")
        assert set(read().services) == {"sqs", "sns"}


class TestPlaces:
    @pytest.fixture
    def stack(self, app: cdk.App) -> cdk.Stack:
        return cdk.Stack(app, "Shop", env=cdk.Environment(region="eu-west-1", account="111111111111"))

    @pytest.mark.parametrize(
        ("action", "resource", "services", "said"),
        [
            ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:q", ("sqs",), []),
            ("sqs:SendMessage", "arn:aws:sqs:*:111111111111:q", ("sqs",), []),
            ("sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:q", (), ["OtherRegion"]),
            ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:222222222222:q", ("sqs",), []),
            ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:222222222222:table/t", ("dynamodb",), ["OtherAccount"]),
            ("iam:GetRole", "arn:aws:iam::111111111111:role/r", ("iam",), []),
            ("nothing:Here", "*", (), ["UnknownService"]),
        ],
    )
    def test_region_account_and_unknown_services(
        self, allow: Allow, read: Read, ids: Ids, action: str, resource: str, services: tuple[str, ...], said: list[str]
    ) -> None:
        allow(action, resource)
        grants = read()
        assert grants.services == services
        assert ids(grants) == said
        if said == ["OtherRegion"]:
            assert "list sqs.us-east-1.amazonaws.com:443 in allow_outbound" in grants.warnings[0].message

    def test_what_is_in_a_stack_in_another_region(self, app: cdk.App, read: Read, ids: Ids, allow: Allow) -> None:
        """The remedy admits the host that an SDK asks there."""
        far = cdk.Stack(app, "Far", env=cdk.Environment(region="us-east-1", account="111111111111"))
        allow("sqs:SendMessage", sqs.Queue(far, "Queue", queue_name="far").queue_arn)
        allow("s3:GetObject", s3.Bucket(far, "Bucket", bucket_name="shop-far").arn_for_objects("*"))
        allow("s3:GetObject", s3.CfnAccessPoint(far, "Point", bucket="shop-far").attr_arn)
        grants = read()
        assert ids(grants) == ["OtherRegion"] * 3
        assert all("it is in us-east-1" in finding.message for finding in grants.warnings)
        remedies = [
            found[1] for w in grants.warnings if (found := re.search(r"list (\S+) in allow_outbound", w.message))
        ]
        assert remedies[:2] == ["sqs.us-east-1.amazonaws.com:443", "shop-far.s3.us-east-1.amazonaws.com:443"]
        assert remedies[2] == "<name>-<account>.s3-accesspoint.us-east-1.amazonaws.com:443"


class TestDataPlanes:
    @pytest.mark.parametrize(
        ("action", "write"),
        [
            ("kafka-cluster:Connect", "get-bootstrap-brokers"),
            ("rds-db:connect", ".rds.amazonaws.com:5432"),
            ("execute-api:Invoke", ".execute-api."),
            ("es:ESHttpGet", ".es.amazonaws.com:443"),
            ("es:*", ".es.amazonaws.com:443"),
            ("iot:Connect", "describe-endpoint"),
            ("neptune-db:*", ".neptune.amazonaws.com:8182"),
            ("dax:GetItem", ":8111"),
            ("lambda:InvokeFunctionUrl", ".lambda-url."),
        ],
    )
    def test_what_to_write_where_there_is_no_construct(
        self, allow: Allow, read: Read, ids: Ids, action: str, write: str
    ) -> None:
        allow(action, "*")
        grants = read()
        assert ids(grants) == ["DataPlane"]
        assert write in grants.warnings[0].message
        assert grants.services == (("es",) if action == "es:*" else ())

    def test_hosts_of_the_region(self, stack: cdk.Stack, allow: Allow, read: Read, ids: Ids) -> None:
        allow("ssmmessages:OpenDataChannel", "*")
        grants = read()
        assert stack.resolve(list(grants.hosts)) == [
            {"Fn::Join": ["", ["ssmmessages.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}, ":443"]]}
        ]
        assert ids(grants) == []


class TestChanged:
    def test_more_less_and_new_findings(self, allow: Allow, read: Read) -> None:
        before = read()
        allow("sqs:SendMessage", "*")
        middle = read()
        (sentence,) = changed(before, middle)
        assert "service sqs was granted after the policy was made" in sentence
        assert "Shop/Checkout/ServiceRole/DefaultPolicy" in sentence
        (sentence,) = changed(middle, before)
        assert "is no more" in sentence
        allow("*", "*")
        (sentence,) = changed(middle, read())
        assert "since the policy was made" in sentence
