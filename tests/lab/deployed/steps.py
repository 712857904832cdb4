"""Deployments of the example of many functions, one after the other, and what each may change."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from harness.deploying import Account
from integration.examples.catalogue import EXAMPLES

NAME = "sixty_functions"
SHIELDED = next(example.functions[1] for example in EXAMPLES if example.name == NAME)
STAGES = ("Beta", "Live")
KINDS = ("added", "removed", "changed")
LAYER, VERSION = "AWS::Lambda::LayerVersion", "AWS::Lambda::Version"
WATCHED = {f"AWS::{t}" for t in ("CloudWatch::Alarm", "CloudWatch::Dashboard", "Logs::LogGroup", "Logs::MetricFilter")}
QUERY = "AWS::Logs::QueryDefinition"
# The findings of new targets: a function of each stack, which is made shielded.
FIRST_SEEN, FINDINGS = (
    9,
    {
        "AWS::DynamoDB::Table",
        "AWS::Events::Rule",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::SubscriptionFilter",
    },
)
# What else changes: resources that refer to a version or to a nested stack's template.
FOLLOWING = {
    ("AWS::Lambda::Alias", "FunctionVersion"),
    ("Custom::Trigger", "HandlerArn"),
    *(("AWS::CloudFormation::Stack", part) for part in ("TemplateURL", "Parameters", "DependsOn")),
    ("AWS::KMS::Key", "KeyPolicy"),  # log groups use it
    ("AWS::SNS::TopicPolicy", "PolicyDocument"),  # findings are published to it
    ("AWS::CDK::Metadata", "Analytics"),
    ("AWS::Config::ConfigRule", "DependsOn"),  # all that is in the scope of its function
}


@dataclass(frozen=True)
class Step:
    """A deployment.

    Attributes:
        context: of the synthesis.
        changed: the properties of functions that change.
        functions: of how many.
        added: the types of what is made, versions aside.
        removed: the types of what is deleted.
    """

    context: dict[str, str]
    changed: str
    functions: int
    added: frozenset[str] | set[str] = frozenset()
    removed: frozenset[str] | set[str] = frozenset()


ON = Step({}, "Environment Layers LoggingConfig", SHIELDED - FIRST_SEEN, added={LAYER, QUERY, *WATCHED, *FINDINGS})
MORE = {"carriers": "api.carrier-one.example,api.carrier-two.example,api.carrier-three.example"}
STEPS = (
    ON,
    Step(MORE, "Environment", 2 * len(STAGES)),
    Step(MORE | {"shield": "alert"}, "Environment", 84),  # as Beta's own functions are in alert mode already
    Step(MORE | {"shield": "off"}, "Environment Layers", SHIELDED, removed={LAYER}),
    # One writes to the log group that Lambda makes, before and after.
    Step({"plain": "yes"}, "LoggingConfig", SHIELDED - FIRST_SEEN - 1, removed={QUERY, *WATCHED, *FINDINGS}),
    ON,  # what was retained is in nobody's way
)


def deploy(account: Account, step: Step, folder: Path) -> None:
    """Deploys, and holds what changes against what the step says of it: nothing is replaced but versions."""
    changes = account.deploy(folder)
    by_kind = {kind: Counter(each.type for each in changes if each.kind == kind) for kind in KINDS}
    assert set(by_kind["added"]) - {VERSION} == set(step.added)
    assert set(by_kind["removed"]) - {VERSION} == set(step.removed)
    assert [each for each in changes if each.kind == "replaced"] == []
    assert by_kind["added"][VERSION] == by_kind["changed"]["AWS::Lambda::Alias"] + by_kind["changed"]["Custom::Trigger"]
    parts = {(each.type, part) for each in changes if each.kind == "changed" for part in each.parts}
    assert parts - FOLLOWING == {("AWS::Lambda::Function", part) for part in step.changed.split()}
    assert by_kind["changed"]["AWS::Lambda::Function"] == step.functions
