"""The loader's tables against moto's own list, and what is in no table."""

from __future__ import annotations

import pytest

from lab.deployed import loader
from lab.deployed.moto_server import ACCOUNT, REGION
from shielded_function_monitoring.cfn.values import IntrinsicError, Resolver

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Shop-Fn-1"
TEMPLATE = {
    "Resources": {
        "Fn": {"Type": "AWS::Lambda::Function"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Odd": {"Type": "AWS::Nobody::Knows"},
        "Meta": {"Type": "AWS::CDK::Metadata"},
    }
}


@pytest.fixture
def references() -> Resolver:
    names = {"Fn": "Shop-Fn-1", "Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:Shop-Topic-1"}
    return loader.references_of("Shop", TEMPLATE, names, {"Stage": "prod"})


def test_what_the_tables_say_is_dropped_is_dropped() -> None:
    """An entry that moto has learned to create would hide moto's half behind ours."""
    from moto.cloudformation.parsing import NULL_MODELS, get_model_map  # slow to import, for every worker

    dropped = {*loader.NOT_NEEDED, *loader.NOT_IN_MOTO, *loader.CREATED}
    assert dropped & (get_model_map().keys() - set(NULL_MODELS)) == set()


def test_no_type_is_in_two_tables() -> None:
    tables = [set(loader.NOT_NEEDED), set(loader.NOT_IN_MOTO), set(loader.CREATED)]
    assert sum(map(len, tables)) == len(set().union(*tables))


def test_a_type_that_no_table_knows_is_an_error() -> None:
    loader.check("Shop", TEMPLATE, frozenset({"Meta"}))
    with pytest.raises(loader.DroppedUnnoticed, match=r"Shop: .*Odd \(AWS::Nobody::Knows\)"):
        loader.check("Shop", TEMPLATE, frozenset({"Meta", "Odd"}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ({"Ref": "Fn"}, "Shop-Fn-1"),
        ({"Ref": "Stage"}, "prod"),
        ({"Ref": "AWS::StackName"}, "Shop"),
        ({"Fn::Join": ["", [{"Ref": "Fn"}, "/violations"]]}, "Shop-Fn-1/violations"),
        ({"Fn::GetAtt": ["Fn", "Arn"]}, ARN),
        (
            {"Fn::Sub": "${Fn}.${AWS::Region}.${Topic.TopicArn}"},
            f"Shop-Fn-1.{REGION}.arn:aws:sns:{REGION}:{ACCOUNT}:Shop-Topic-1",
        ),
        ({"Fn::Sub": ["${Name}!", {"Name": {"Ref": "Fn"}}]}, "Shop-Fn-1!"),
        ({"Fn::Select": [5, {"Fn::Split": [":", {"Ref": "Topic"}]}]}, "Shop-Topic-1"),
        ([{"Ref": "AWS::AccountId"}], [ACCOUNT]),
        ({"Deep": {"Er": [{"Ref": "Fn"}]}}, {"Deep": {"Er": ["Shop-Fn-1"]}}),
    ],
)
def test_values(references: Resolver, value: object, expected: object) -> None:
    assert references.resolve(value) == expected


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"Ref": "Missing"}, "Ref Missing: the template has no such resource"),
        ({"Ref": "Odd"}, "Ref Odd: the template has no such resource"),
        ({"Fn::GetAtt": ["Fn", "Version"]}, "Fn.Version"),
        ({"Fn::ImportValue": "x"}, "Fn::ImportValue"),
    ],
)
def test_what_is_not_there_is_an_error(references: Resolver, value: object, named: str) -> None:
    with pytest.raises(IntrinsicError, match=named):
        references.resolve(value)
