"""Names that stand in a template, and what is said of a function. test_grants.py has the findings of each grant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3express as s3express

from shielded_function import Shield, ShieldPolicy, granted
from shielded_function.granted import actions, changed
from unit.constructs.aws import l1_function

from .conftest import Allow, Ids, Read


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
    point = s3.CfnAccessPoint(stack, "Point", bucket="shop-orders")
    allow("s3:GetObject", f"{point.attr_arn}/object/*")
    allow("s3:GetObject", "arn:aws:s3:eu-west-1:123456789012:accesspoint/orders/object/*")
    allow("s3:GetObject", "arn:aws:s3::123456789012:accesspoint/abc.mrap/object/*")
    grants = read()
    names = [entry.name for entry in grants.entries]
    assert names[:5] == ["Shop/Own", "shop-invoices", "Other/Far", '${{"Fn::ImportValue": "LogsArn"}}', "shop-orders"]
    assert names[5:] == ["Shop/Fast", "Shop/Point (host)", "Shop/Point (bucket)", "orders (host)", "abc.mrap (host)"]
    assert grants.services == ()
    assert ids(grants) == []
    shown = stack.resolve(list(grants.buckets))
    assert shown[:2] == [stack.resolve(own.bucket_name), "shop-invoices"]
    assert shown[2]["Fn::Select"][0] == 5
    assert shown[2]["Fn::Select"][1]["Fn::Split"][1]["Fn::GetAtt"][1] == "Arn"
    resource = {"Fn::Select": [5, {"Fn::Split": [":", {"Fn::ImportValue": "LogsArn"}]}]}
    assert shown[3] == {"Fn::Select": [0, {"Fn::Split": ["/", resource]}]}
    assert shown[5:] == [{"Ref": "Fast"}, {"Fn::GetAtt": ["Point", "Alias"]}]
    point_host, by_arn, of_several_regions = (str(stack.resolve(host)) for host in grants.hosts)
    assert "'Ref': 'Point'" in point_host
    assert "orders-123456789012.s3-accesspoint.eu-west-1." in by_arn
    assert "abc.mrap.accesspoint.s3-global." in of_several_regions
    # They can stand in a template: what is of another stack becomes an export.
    checkout.add_environment("BUCKETS", ",".join(grants.buckets))
    template = app.synth().get_stack_by_name("Shop").template
    (function,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function")
    assert "Fn::ImportValue" in str(function["Properties"]["Environment"])
    assert [entry.name for entry in read().entries] == names


def test_more_services_than_a_policy_takes(allow: Allow, read: Read, ids: Ids) -> None:
    allow([f"{prefix}:*" for prefix in sorted(actions.known_prefixes())[:80]])
    grants = read()
    assert "Everything" in ids(grants)
    assert "of which a policy takes 64" in grants.problems[-1].message


def test_each_is_told_once(app: cdk.App, stack: cdk.Stack, allow: Allow, checkout: Any) -> None:
    """An L1's shield is in the function itself, and its aspects visit that too."""
    allow("*")
    function = l1_function(stack, checkout.role.role_arn, "Plain")
    Shield(ShieldPolicy(allow_aws="granted")).apply(function)
    with pytest.raises(RuntimeError) as raised:
        app.synth()
    assert str(raised.value).count("Shop/Plain") == 1


def test_what_changed_is_said(allow: Allow, read: Read) -> None:
    """More, less, and new findings."""
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


def test_every_finding_is_in_the_table_of_the_guide() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in Path(granted.__file__).parent.glob("*.py"))
    made = set(re.findall(r'_(?:warn|problem)\(\s*"(\w+)"', source)) | set(re.findall(r'\{_ID\}(\w+)"', source))
    assert len(made) > 10
    guide = (Path(__file__).parents[4] / "docs" / "guide" / "aws.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`granted(\w+)`", guide)) == made
