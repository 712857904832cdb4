"""Values of a template are those that a deployment makes of them, whole or in parts, as moto's CloudFormation does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.in_moto import cloudformation
from shielded_function_monitoring.cfn.parts import joined_again, parts, references, text_of, texts, with_known
from shielded_function_monitoring.cfn.stacks import Stacks
from shielded_function_monitoring.cfn.template import Template
from shielded_function_monitoring.cfn.values import IntrinsicError, Resolver

pytestmark = pytest.mark.promise("construct.checks")

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Stage": {"Type": "String", "Default": "test"},
        "List": {"Type": "CommaDelimitedList", "Default": "a,b"},
        "Secret": {"Type": "String"},
        "Ami": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/where/it/is"},
    },
    "Mappings": {"Sizes": {"test": {"memory": 512}}},
    "Conditions": {
        "IsTest": {"Fn::Equals": [{"Ref": "Stage"}, "test"]},
        "IsNot": {"Fn::Not": [{"Condition": "IsTest"}]},
        "Both": {"Fn::And": [{"Condition": "IsTest"}, {"Condition": "IsNot"}]},
        "Either": {"Fn::Or": [{"Condition": "IsTest"}, {"Condition": "IsNot"}]},
    },
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "attic"}}},
}
RESOLVER = Resolver("Shop", TEMPLATE)
PIECES = ["a", ".", "${!x}", "${Stage}", "${AWS::Region}", "${AWS::URLSuffix}", "${AWS::Partition}"]
TEXTS = st.lists(st.sampled_from(PIECES)).map("".join)
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([*({"Ref": name} for name in ("Stage", "AWS::Region", "AWS::AccountId")), "plain", "a,b", 8]),
    st.just({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}),
    st.builds(lambda text: {"Fn::Sub": text}, TEXTS),
)
LISTS = st.just({"Fn::Split": [",", "a,,b"]})


def _is_literal(value: Any) -> bool:
    """moto reads the value of a variable again."""
    return "${!" not in str(value)


VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(
            lambda between, items: {"Fn::Join": [between, items]}, st.sampled_from(["", ","]), st.lists(inner) | LISTS
        ),
        st.builds(lambda text, own: {"Fn::Sub": [text + "${Own}", {"Own": own}]}, TEXTS, inner.filter(_is_literal)),
        st.builds(lambda item: {"Fn::Select": [0, [item]]}, inner),
        st.builds(
            lambda name, *items: {"Fn::If": [name, *items]}, st.sampled_from([*TEMPLATE["Conditions"]]), inner, inner
        ),
    ),
)


@given(VALUES)
def test_values_are_those_of_moto_whole_or_in_parts(value: Any) -> None:
    assert RESOLVER.resolve(value) == cloudformation(TEMPLATE)(value)
    for whole in (value, with_known(value, {"Stage": "test"})):
        assert "".join(str(RESOLVER.resolve(part)) for part in parts(whole)) == str(RESOLVER.resolve(value))
    assert {each["Ref"] for each in references(value)} <= {"Stage", *RESOLVER.pseudo}


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Fn::Base64": {"Ref": "Stage"}}, "dGVzdA=="),
        ({"Fn::Join": ["-", {"Ref": "List"}]}, "a-b"),
        ({"Fn::Sub": "${Bucket.Arn}/*"}, "arn:aws:s3:::attic/*"),
        ({"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": ["Bucket", "Arn"]}]}]}, "attic"),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ({"a": [{"Ref": "Stage"}, 1], "Ref": 2}, {"a": ["test", 1], "Ref": 2}),
    ],
)
def test_a_value_is(value: Any, resolved: Any) -> None:
    assert RESOLVER.resolve(value) == resolved


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({"Ref": "Secret"}, "Secret"),
        ({"Ref": "Missing"}, "Missing"),
        ({"Ref": "Ami"}, "Ami"),
        ({"Fn::ImportValue": "x:y"}, "x:y"),
        ({"Fn::Sub": "a${Bucket.DomainName}"}, "Bucket.DomainName"),
        ("a{{resolve:ssm:/x:1}}b", "{{resolve:ssm:/x:1}}"),
        ({"Fn::Transform": {}}, ""),
        ({"Fn::Select": [9, ["a"]]}, ""),
        ({"Fn::FindInMap": ["Sizes", "x", "y"]}, ""),
        ({"Fn::If": ["Unknown", 1, 2]}, ""),
        ({"Fn::Join": [",", {"Ref": "Stage"}]}, ""),
    ],
)
def test_a_value_of_a_deployment_is_an_error_or_a_text(value: Any, key: str) -> None:
    """Unless it is given."""
    with pytest.raises(IntrinsicError) as error:
        RESOLVER.resolve(value)
    assert error.value.key == key
    assert isinstance(Resolver("Shop", TEMPLATE, is_lenient=True).resolve(value), str)
    if key:
        assert "given" in Resolver("Shop", TEMPLATE, {key: "given"}).resolve(value)


def test_an_expression_has_one_text_in_every_form() -> None:
    """And `${!x}` is the text `${x}`, also before a variable."""
    bucket = {"Ref": "Bucket"}
    for value in ({"Fn::Join": ["", ["${x}/", bucket]]}, {"Fn::Sub": "${!x}/${Bucket}"}):
        assert [part for part in parts(value) if part] in (["${x}/", bucket], ["${x}", "/", bucket])
        assert text_of(value) == "${x}/${Bucket}"
    assert text_of({"Fn::GetAtt": ["Bucket", "Arn"]}) == text_of({"Fn::Sub": "${Bucket.Arn}"}) == "${Bucket.Arn}"
    assert text_of({"Fn::Select": [0, [bucket]]}) == '{"Fn::Select": [0, [{"Ref": "Bucket"}]]}'
    assert list(texts({"a": ["b", {"Fn::Join": ["", ["c", bucket]]}]})) == ["b", "", "c", "Bucket"]
    again = {"Fn::Join": [",", {"Fn::Split": ["||", bucket]}]}
    assert (joined_again(again), joined_again({"Fn::Join": ["", [again]]})) == (bucket, None)


def test_a_value_of_another_stack_is_followed_to_its_resource() -> None:
    """Through an export, a parameter of a nested stack, and a nested stack's output."""
    bucket = {"Type": "AWS::S3::Bucket"}
    base = Template({"Resources": {"B": bucket}, "Outputs": {"O": {"Value": {"Ref": "B"}, "Export": {"Name": "x"}}}})
    given = {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": {"P": {"Fn::ImportValue": "x"}}}}
    outer = Template({"Resources": {"In": given}}, name="Outer")
    inner = Template({"Outputs": {"Same": {"Value": {"Ref": "P"}}}}, within=(outer, "In"), name="Outer-In")
    stacks = Stacks([base, outer, inner], {"B": "attic"})
    output = {"Fn::GetAtt": ["In", "Outputs.Same"]}
    assert stacks.resource(outer, output, "AWS::S3::Bucket") == (base, "B")
    assert stacks.resource(outer, output, "AWS::SNS::Topic") is None
    assert stacks.resolver(outer).resolve(output) == stacks.resolver(inner).resolve({"Ref": "P"}) == "attic"
    assert {place: len(found) for place, found in stacks.environments().items()} == {("123456789012", "us-east-1"): 3}
