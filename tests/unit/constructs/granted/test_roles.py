"""Where grants are found: each way in which a role gets a statement."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import cloudformation_include as cfn_include

from shielded_function import ShieldError
from shielded_function.checks.template_grants import TemplateGrants
from shielded_function.checks.templates import Assembly
from shielded_function.granted import read_grants
from unit.constructs.aws import l1_function

from .conftest import Ids, MakeFunction, Read

LAMBDA: Any = iam.ServicePrincipal("lambda.amazonaws.com")


def statement(*actions: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=["*"])


def raw(action: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*"}


def test_every_way_to_grant(stack: cdk.Stack, read: Read, checkout: lambda_.Function, ids: Ids) -> None:
    assert isinstance(checkout.role, iam.Role)
    checkout.add_to_role_policy(statement("ses:SendEmail"))
    iam.Policy(stack, "Policy", statements=[statement("sns:Publish")], roles=[checkout.role])
    iam.ManagedPolicy(stack, "Managed", statements=[statement("ssm:GetParameter")], roles=[checkout.role])
    checkout.role.add_managed_policy(iam.ManagedPolicy(stack, "ByArn", statements=[statement("states:StartExecution")]))
    name = checkout.role.role_name
    document = {"Version": "2012-10-17", "Statement": raw("kinesis:PutRecord")}
    iam.CfnPolicy(stack, "Raw", policy_name="raw", policy_document=document, roles=[name])
    untyped: dict[str, dict[str, Any]] = {
        "Policy": {"Roles": [name], "PolicyDocument": {"Statement": [raw("ecs:RunTask")]}},
        "RolePolicy": {"RoleName": name, "PolicyDocument": {"Statement": [raw("logs:GetLogEvents")]}},
        "Role": {"Policies": [{"PolicyDocument": {"Statement": [raw("events:PutRule")]}}]},
    }
    made = {
        kind: cdk.CfnResource(stack, f"Untyped{kind}", type=f"AWS::IAM::{kind}", properties=p)
        for kind, p in untyped.items()
    }
    cdk.CfnResource(stack, "Others", type="AWS::IAM::Policy", properties={"PolicyName": "others"})
    s3.Bucket(stack, "Emptied", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    who: Any = iam.ArnPrincipal(checkout.role.role_arn)
    queue = sqs.Queue(stack, "Queue")
    queue.add_to_resource_policy(
        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn], principals=[who])
    )
    grants = read()
    assert ids(grants) == []
    assert {text: source.policy for text, (source,) in grants.sources.items()} == {
        "ses": "Shop/Checkout/ServiceRole/DefaultPolicy",
        "sqs": "Shop/Queue/Policy",
        "sns": "Shop/Policy",
        "ssm": "Shop/Managed",
        "stepfunctions": "Shop/ByArn",
        "kinesis": "Shop/Raw",
        "ecs": "Shop/UntypedPolicy",
        "logs": "Shop/UntypedRolePolicy",
    }
    assert read(l1_function(stack, made["Role"].get_att("Arn").to_string())).services == ("events",)


def test_a_large_roles_overflow_policies(app: cdk.App, stack: cdk.Stack, make_function: MakeFunction) -> None:
    """The CDK moves what does not fit into a role's own policy to managed policies, in an aspect."""
    function = make_function("Large")
    for some in range(30):
        queues = [f"arn:aws:sqs:*:*:a-rather-long-name-{some}{number}" for number in range(10)]
        function.add_to_role_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=queues))
    function.add_to_role_policy(
        iam.PolicyStatement(actions=["kinesis:PutRecord"], resources=["arn:aws:kinesis:*:*:stream/x"])
    )
    app.synth()
    assert any("OverflowPolicy" in child.node.id for child in function.role.node.children)  # type: ignore[union-attr]
    (grants,) = read_grants(app, [function]).values()
    assert set(grants.services) == {"sqs", "kinesis"}
    assert "OverflowPolicy" in str(grants.sources)


def test_a_role_of_another_stack(app: cdk.App, make_function: MakeFunction, read: Read, ids: Ids) -> None:
    other = cdk.Stack(app, "Roles")
    role = iam.Role(other, "Role", assumed_by=LAMBDA)
    role.add_to_policy(statement("sns:Publish"))
    function = make_function("Far", role=role)
    grants = read(function)
    assert grants.services == ("sns",)
    assert ids(grants) == []
    app.synth()  # references have become exports by now
    assert read(function) == grants


def test_twin_stacks_are_not_taken_for_each_other(app: cdk.App, make_function: MakeFunction) -> None:
    """Two stacks of one class have the same logical ids; a policy of one may name the role of the other."""
    east, west = cdk.Stack(app, "East"), cdk.Stack(app, "West")
    functions = [make_function("Checkout", scope=stack) for stack in (east, west)]
    iam.Policy(east, "Policy", statements=[statement("sns:Publish")], roles=[functions[1].role])  # type: ignore[list-item]
    managed = iam.ManagedPolicy(west, "Managed", statements=[statement("sqs:SendMessage")])
    iam.ManagedPolicy(east, "Managed", statements=[statement("kms:Sign")])
    functions[0].role.add_managed_policy(managed)  # type: ignore[union-attr]
    for synthesized in (False, True):
        grants = read_grants(app, functions)
        assert grants["East/Checkout"].services == ("sqs",)
        assert grants["West/Checkout"].services == ("sns",)
        if not synthesized:
            app.synth()


def test_a_stage_reads_its_own(app: cdk.App, make_function: MakeFunction) -> None:
    stage = cdk.Stage(app, "Prod")
    function = make_function("Staged", scope=cdk.Stack(stage, "Shop"))
    function.add_to_role_policy(statement("sqs:SendMessage"))
    assert read_grants(stage, [function])["Prod/Shop/Staged"].services == ("sqs",)
    with pytest.raises(ShieldError, match="Prod/Shop/Staged: it is not in the stage"):
        read_grants(app, [function])


def test_a_template_that_is_included(stack: cdk.Stack, read: Read, tmp_path: Any, ids: Ids) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        """
Parameters: {Name: {Type: String}}
Conditions: {Big: !Equals [!Ref Name, big]}
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Queue: {Type: AWS::SQS::Queue}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
      Policies:
        - PolicyName: inline
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: 's3:GetObject', Resource: !Sub 'arn:aws:s3:::${Bucket}/*'}
              - Effect: Allow
                Action: 's3:PutObject'
                Resource:
                  - !Sub 'arn:aws:s3:::${Name}'
                  - !Sub ['arn:aws:s3:::${It}-${Name}/${Bucket}', {It: shop}]
                  - !Sub ['arn:aws:s3:::${It}', {It: !Select [0, !Split ['.', !Ref Name]]}]
              - {Effect: Allow, Action: 's3:ListBucket', Resource: !GetAtt Bucket.Arn}
              - {Effect: Allow, Action: ['sqs:SendMessage'], Resource: !GetAtt Queue.Arn}
              - !If
                - Big
                - {Effect: Allow, Action: 'sns:Publish', Resource: '*'}
                - !Ref AWS::NoValue
  Function:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt Role.Arn, Code: {ZipFile: x}, Handler: index.handler, Runtime: python3.13}
"""
    )
    included = cfn_include.CfnInclude(stack, "Old", template_file=str(template))
    function = included.get_resource("Function")
    assert isinstance(function, lambda_.CfnFunction)
    grants = read(function)
    assert set(grants.services) == {"sqs", "sns"}
    assert [entry.name for entry in grants.entries if entry.kind == "bucket"] == [
        "Shop/Old/Bucket",
        "Shop/Old/Name",
        "shop-Shop/Old/Name",
        '${{"Fn::Select": [0, {"Fn::Split": [".", "Shop/Old/Name.Ref"]}]}}',
    ]
    name = {"Ref": "Name"}
    first = {"Fn::Select": [0, {"Fn::Split": [".", name]}]}
    assert stack.resolve(list(grants.buckets)) == [{"Ref": "Bucket"}, name, {"Fn::Join": ["", ["shop-", name]]}, first]
    assert ids(grants) == []


def test_a_role_that_exists_already(app: cdk.App, read: Read, make_function: MakeFunction, ids: Ids) -> None:
    """The CDK writes what the app grants it to a report alone."""
    stack = cdk.Stack(app, "Roles")
    iam.Role.customize_roles(stack, use_precreated_roles={"Roles/Created/ServiceRole": "created"})
    function = make_function("Created", scope=stack)
    sqs.Queue(stack, "Queue").grant_send_messages(function)
    grants = read(function)
    assert (grants.services, ids(grants)) == ((), ["PrecreatedRole"])
    assert "iam-policy-report.txt" in grants.warnings[0].message


def test_reading_changes_nothing(app: cdk.App, stack: cdk.Stack, read: Read, checkout: lambda_.Function) -> None:
    """A document that was resolved is frozen: an aspect that runs later could not change its statements any more."""
    granted = statement("sqs:SendMessage")
    checkout.add_to_role_policy(granted)
    assert read().services == ("sqs",)
    granted.add_actions("sns:Publish")
    assert set(read().services) == set(read(checkout.node.default_child).services) == {"sqs", "sns"}


@jsii.implements(cdk.IStringProducer)
class _Later:
    def produce(self, context: cdk.IResolveContext) -> str:
        """Called by the CDK."""
        del context
        raise RuntimeError("it has no value yet")


def test_a_value_that_comes_later_hides_no_grant(read: Read, checkout: lambda_.Function) -> None:
    queue = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[cdk.Lazy.uncached_string(_Later())])
    checkout.add_to_role_policy(queue)
    checkout.add_to_role_policy(statement("sns:Publish"))
    assert read().services == ("sqs", "sns")


def test_functions_that_share_a_role(app: cdk.App, stack: cdk.Stack, make_function: MakeFunction) -> None:
    """Its inline policies grant, its boundary does not."""
    role = iam.Role(
        stack,
        "Role",
        assumed_by=LAMBDA,
        inline_policies={"more": iam.PolicyDocument(statements=[statement("sns:Publish")])},
        permissions_boundary=iam.ManagedPolicy.from_aws_managed_policy_name("AdministratorAccess"),
    )
    first, second = (make_function(name, role=role) for name in ("First", "Second"))
    sqs.Queue(stack, "Queue").grant_send_messages(first)
    grants = read_grants(app, [first, second])
    assert set(grants["Shop/First"].services) == set(grants["Shop/Second"].services) == {"sqs", "sns"}
    assert grants["Shop/First"].sources["sns"][0].policy == "Shop/Role"


def test_a_literal_in_front_of_a_variable() -> None:
    """`${!` stands for `${` everywhere in a template of Fn::Sub, as in `${!aws:username}`."""
    template: Any = SimpleNamespace(region="eu-west-1", account="123456789012")
    text = {"Fn::Sub": ["${!aws:username}-${It}-${!x}", {"It": "shop"}]}
    assert TemplateGrants(Assembly("", [], [])).pieces_in(template, text) == ("${aws:username}-shop-${x}",)
