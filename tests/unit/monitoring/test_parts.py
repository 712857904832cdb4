"""A text of a template in parts, resolved part by part, is the text that a deployment makes of the whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shielded_function_monitoring.cfn.parts import parts, text_of, with_known
from shielded_function_monitoring.cfn.values import Resolver

pytestmark = pytest.mark.promise("construct.checks")

TEMPLATE = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "attic"}}}}
TEXTS = st.lists(st.sampled_from(["a", ".", "${!x}", "${Bucket}", "${Bucket.Arn}", "${AWS::Region}"])).map("".join)
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([{"Ref": "Bucket"}, {"Fn::GetAtt": ["Bucket", "Arn"]}, "plain", "${x}", 8, {"Ref": "AWS::Region"}]),
    st.builds(lambda text: {"Fn::Sub": text}, TEXTS),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda between, items: {"Fn::Join": [between, items]}, st.sampled_from(["", ","]), st.lists(inner)),
        st.builds(lambda text, own: {"Fn::Sub": [text + "${Own}", {"Own": own}]}, TEXTS, inner),
        st.builds(lambda item: {"Fn::Select": [0, [item]]}, inner),
    ),
)


@given(VALUES)
def test_resolved_parts_are_the_resolved_value(value: Any) -> None:
    resolver = Resolver("Shop", TEMPLATE)
    assert "".join(str(resolver.resolve(part)) for part in parts(value)) == str(resolver.resolve(value))
    assert "".join(str(resolver.resolve(part)) for part in parts(with_known(value, {"Bucket": "attic"}))) == str(
        resolver.resolve(value)
    )


def test_an_expression_has_one_text_in_every_form() -> None:
    """And `${!x}` is the text `${x}`, also before a variable."""
    bucket = {"Ref": "Bucket"}
    for value in ({"Fn::Join": ["", ["${x}/", bucket]]}, {"Fn::Sub": "${!x}/${Bucket}"}):
        assert [part for part in parts(value) if part] in (["${x}/", bucket], ["${x}", "/", bucket])
        assert text_of(value) == "${x}/${Bucket}"
    assert text_of({"Fn::GetAtt": ["Bucket", "Arn"]}) == text_of({"Fn::Sub": "${Bucket.Arn}"}) == "${Bucket.Arn}"
    assert text_of({"Fn::Select": [0, [bucket]]}) == '{"Fn::Select": [0, [{"Ref": "Bucket"}]]}'
