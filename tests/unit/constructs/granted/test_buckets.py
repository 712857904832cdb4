"""S3: statements become names of buckets, or a warning where they have none."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3express as s3express
from aws_cdk import aws_sqs as sqs

from shielded_function import ShieldedFunction, ShieldPolicy
from shielded_function.granted import Grants

Read = Callable[..., Grants]
Ids = Callable[[Grants], "list[str]"]
Allow = Callable[..., None]


@pytest.mark.parametrize(
    ("resource", "bucket"),
    [
        ("arn:aws:s3:::shop-orders", "shop-orders"),
        ("arn:aws:s3:::shop-orders/*", "shop-orders"),
        ("arn:aws:s3:::shop-orders/2026/${aws:username}/*", "shop-orders"),
        ("arn:aws-cn:s3:::shop-orders/a:b", "shop-orders"),
        pytest.param(f"arn:{cdk.Aws.PARTITION}:s3:::shop-orders/*", "shop-orders", id="partition"),
        ("arn:aws:s3express:eu-west-1:123456789012:bucket/orders--euw1-az1--x-s3", "orders--euw1-az1--x-s3"),
    ],
)
def test_a_name_in_an_arn(allow: Allow, read: Read, ids: Ids, resource: str, bucket: str) -> None:
    allow("s3express:CreateSession" if "express" in resource else "s3:GetObject", resource)
    grants = read()
    assert grants.buckets == (bucket,)
    assert grants.services == ()
    assert [said for said in ids(grants) if said != "OtherRegion"] == []


@pytest.mark.parametrize(
    ("actions", "resource"),
    [
        ("s3:GetObject", "*"),
        ("s3:ListAllMyBuckets", "*"),
        ("s3:CreateBucket", "*"),
        ("s3:*", "arn:aws:s3:::*"),
        ("s3:*", "arn:aws:s3:::*/*"),
        ("s3:*", "arn:aws:s3:::logs-*"),
        ("s3:*", "arn:aws:s3:::home-${aws:username}/*"),
        ("s3:*", "arn:aws:s3:eu-west-1:123456789012:accesspoint/*"),
        ("s3:GetObject", "arn:aws:*:::shop-orders"),
        ("s3-object-lambda:WriteGetObjectResponse", "*"),
    ],
)
def test_no_one_name_admits_every_bucket_and_warns(
    allow: Allow, read: Read, ids: Ids, actions: str, resource: str
) -> None:
    allow("s3:GetObject", "arn:aws:s3:::shop-orders/*")
    allow(actions, resource)
    grants = read()
    assert grants.buckets == ()
    assert "s3" in grants.services
    assert ids(grants) == ["AllBuckets"]
    assert resource in grants.warnings[0].message


def test_buckets_of_the_app_in_every_form(
    app: cdk.App, stack: cdk.Stack, read: Read, checkout: lambda_.Function, ids: Ids, allow: Allow
) -> None:
    other = cdk.Stack(app, "Other")
    own = s3.Bucket(stack, "Own")
    named = s3.Bucket(stack, "Named", bucket_name="shop-invoices")
    far = s3.Bucket(other, "Far")
    imported = s3.Bucket.from_bucket_arn(stack, "Imported", cdk.Fn.import_value("LogsArn"))
    for bucket in (own, named, far, imported, s3.Bucket.from_bucket_name(stack, "ByName", "shop-orders")):
        bucket.grant_read(checkout)
        bucket.grant_put(checkout)  # the same bucket once
    directory = s3express.CfnDirectoryBucket(
        stack, "Fast", data_redundancy="SingleAvailabilityZone", location_name="euw1-az1"
    )
    allow("s3express:CreateSession", directory.attr_arn)
    allow("s3:GetObject", cdk.Fn.join("", [own.bucket_arn, "/*"]))
    grants = read()
    names = [entry.name for entry in grants.entries]
    assert names[:5] == ["Shop/Own", "shop-invoices", "Other/Far", '${{"Fn::ImportValue": "LogsArn"}}', "shop-orders"]
    assert names[5:] == ["Shop/Fast"]
    assert grants.services == ()
    assert ids(grants) == []
    shown = stack.resolve(list(grants.buckets))
    assert shown[0] == {"Ref": stack.resolve(own.bucket_name)["Ref"]}
    assert shown[1] == "shop-invoices"
    assert shown[2]["Fn::Select"][0] == 5
    assert shown[2]["Fn::Select"][1]["Fn::Split"][1]["Fn::GetAtt"][1] == "Arn"
    assert shown[3] == {
        "Fn::Select": [
            0,
            {"Fn::Split": ["/", {"Fn::Select": [5, {"Fn::Split": [":", {"Fn::ImportValue": "LogsArn"}]}]}]},
        ]
    }
    assert shown[5] == {"Ref": "Fast"}
    # They can stand in a template: what is of another stack becomes an export.
    checkout.add_environment("BUCKETS", ",".join(grants.buckets))
    template = app.synth().get_stack_by_name("Shop").template
    (function,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function")
    assert "Fn::ImportValue" in str(function["Properties"]["Environment"])
    assert [entry.name for entry in read().entries] == names


def test_other_kinds_of_s3_resources(stack: cdk.Stack, allow: Allow, read: Read, ids: Ids) -> None:
    allow("s3:GetObject", "arn:aws:s3:eu-west-1:123456789012:accesspoint/orders/object/*")
    allow("s3:GetObject", "arn:aws:s3::123456789012:accesspoint/abc.mrap/object/*")
    allow("s3:DescribeJob", "arn:aws:s3:eu-west-1:123456789012:job/*")
    allow("s3:GetObject", "arn:aws:sqs:eu-west-1:123456789012:queue")
    allow("s3:GetObject", sqs.Queue(stack, "Queue").queue_arn)
    point = s3.CfnAccessPoint(stack, "Point", bucket="shop-orders")
    allow("s3:GetObject", f"{point.attr_arn}/object/*")
    grants = read()
    shown = [str(stack.resolve(host)) for host in grants.hosts]
    assert "orders-123456789012.s3-accesspoint.eu-west-1." in shown[0]
    assert "abc.mrap.accesspoint.s3-global." in shown[1]
    assert "'Ref': 'Point'" in shown[2]
    assert stack.resolve(list(grants.buckets)) == [{"Fn::GetAtt": ["Point", "Alias"]}]
    assert grants.services == ("s3control",)
    assert set(ids(grants)) <= {"OtherRegion"}
    assert sum("not of S3" in str(left) for left in grants.left_out) == 2


def test_a_dotted_bucket(stack: cdk.Stack, read: Read, checkout: lambda_.Function, ids: Ids) -> None:
    s3.Bucket.from_bucket_name(stack, "Dotted", "www.example.com").grant_read(checkout)
    s3.Bucket(stack, "Own", bucket_name="a.b.c").grant_read(checkout)
    grants = read()
    assert grants.entries == ()
    assert ids(grants) == ["BucketName", "BucketName"]
    assert "www.example.com has a dot" in grants.warnings[0].message


def test_a_dynamic_reference(app: cdk.App, stack: cdk.Stack) -> None:
    function = ShieldedFunction(
        stack,
        "Shielded",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): pass"),
        policy=ShieldPolicy(allow_aws="granted"),
    )
    names = ("{{resolve:ssm:/shop/bucket:2}}", "logs-{{resolve:ssm:/shop/a}}-{{resolve:ssm:b}}")
    for name in (*names, "{{resolve:ssm-secure:/shop/bucket}}", "{{resolve:secretsmanager:shop:SecretString:bucket}}"):
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"arn:aws:s3:::{name}/a/*"])
        )
    template = assertions.Template.from_stack(stack)
    (shielded,) = template.find_resources("AWS::Lambda::Function").values()
    assert shielded["Properties"]["Environment"]["Variables"]["SHIELD_ALLOW_BUCKETS"] == ",".join(names)
    told = assertions.Annotations.from_stack(stack).find_warning("*", assertions.Match.any_value())
    assert sum("is a secret, which no variable holds" in str(warning.entry.data) for warning in told) == 2


def test_not_resource_names_no_bucket(read: Read, checkout: lambda_.Function, ids: Ids) -> None:
    checkout.add_to_role_policy(iam.PolicyStatement(actions=["s3:GetObject"], not_resources=["arn:aws:s3:::secrets/*"]))
    grants = read()
    assert grants.services == ("s3",)
    assert ids(grants) == ["AllBuckets"]
    assert "all but arn:aws:s3:::secrets/*" in grants.warnings[0].message


def test_an_arn_and_a_star_is_every_bucket_whose_name_begins_so(
    stack: cdk.Stack, allow: Allow, read: Read, ids: Ids
) -> None:
    allow("s3:GetObject", f"{s3.Bucket(stack, 'Own').bucket_arn}*")
    assert ids(read()) == ["AllBuckets"]
