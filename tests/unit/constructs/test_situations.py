"""Apps as users write them, each a row: it synthesizes, or one error names the place and the fix."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template
from constructs import Construct

from harness.function_template import ALARM, FILTER, FUNCTION, LAYER, LOG_GROUP, WRAPPER, Props
from shielded_function import (
    AlarmOptions,
    LogOptions,
    Shield,
    ShieldedFunction,
    ShieldMonitoring,
    ShieldPerimeter,
    ShieldPolicy,
)
from unit.constructs.aws import add_aspect, aws, l1_function

pytestmark = pytest.mark.promise("construct.everywhere")

ACCOUNT = "111122223333"
LAMBDA: Any = iam.ServicePrincipal("lambda.amazonaws.com")


@jsii.implements(cdk.IStableAnyProducer)
class Made:
    """A lazy value of the app."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def produce(self) -> Any:
        return self._value


class Shop:
    """An app with a function in the stack Shop, and an empty stack, Ops."""

    def __init__(self, props: Props, folder: Path, **context: Any) -> None:
        self.props = props
        self.app = cdk.App(outdir=str(folder / "cdk.out"), analytics_reporting=False, context=context)
        self.shop, self.ops = self.stack("Shop"), self.stack("Ops")
        self.everywhere: dict[str, Any] = {}

    def stack(self, name: str, region: str = "eu-west-1") -> cdk.Stack:
        env = cdk.Environment(account=ACCOUNT, region=region)
        return cdk.Stack(self.app, name, env=env, cross_region_references=True)

    def function(self, name: str = "Checkout", **more: Any) -> Any:
        return lambda_.Function(self.shop, name, **{**self.props, **more})

    def layer(self, number: int) -> Any:
        arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:layer:l:{number}"
        return lambda_.LayerVersion.from_layer_version_arn(self.shop, f"L{number}", arn)

    def act(self, topic: Any) -> None:
        self.everywhere["alarms"] = AlarmOptions(actions=[aws.cloudwatch_actions.SnsAction(topic)])

    def synthesize(self) -> Template:
        Shield.everywhere(self.app, ShieldPolicy(), **self.everywhere)
        self.app.synth()
        return Template.from_stack(self.shop)


@pytest.fixture
def shop(props: Props, tmp_path: Path) -> Shop:
    return Shop(props, tmp_path)


def table_of_shop(shop: Shop) -> None:
    """Ops refers to Shop."""
    cdk.CfnOutput(shop.ops, "Out", value=aws.sqs.Queue(shop.shop, "Queue").queue_arn)


def key_in_ops(shop: Shop) -> None:
    table_of_shop(shop)
    shop.everywhere["logs"] = LogOptions(encryption_key=aws.kms.Key(shop.ops, "Key"))
    shop.function()


def topic_in_ops(shop: Shop) -> None:
    table_of_shop(shop)
    shop.act(aws.sns.Topic(shop.ops, "Topic"))
    shop.function()


def topic_after_function(shop: Shop) -> None:
    topic = aws.sns.Topic(shop.shop, "Topic")
    topic.node.add_dependency(shop.function())
    shop.act(topic)


def topic_elsewhere(shop: Shop) -> None:
    shop.act(aws.sns.Topic(shop.stack("Us", "us-east-1"), "Topic", topic_name="alarms"))
    shop.function()


def topic_by_arn(shop: Shop) -> None:
    shop.act(aws.sns.Topic.from_topic_arn(shop.shop, "Topic", f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"))
    shop.function()


def enforced_signing(shop: Shop) -> None:
    profile = aws.signer.SigningProfile(shop.shop, "P", platform=aws.signer.Platform.AWS_LAMBDA_SHA384_ECDSA)
    enforce = lambda_.UntrustedArtifactOnDeployment.ENFORCE
    config = lambda_.CodeSigningConfig(
        shop.shop, "Signing", signing_profiles=[profile], untrusted_artifact_on_deployment=enforce
    )
    shop.function(code_signing_config=config)


def fifth_layer(shop: Shop) -> None:
    function = shop.function(layers=[shop.layer(n) for n in range(4)])
    add_aspect(shop.app, lambda _: function.add_layers(shop.layer(4)), at="Shop/Checkout")


def child_named_shield(shop: Shop) -> None:
    cdk.CfnOutput(shop.function(), "Shield", value="x")


def heartbeat_without_starts(shop: Shop) -> None:
    json_format: Any = {"logging_format": lambda_.LoggingFormat.JSON}
    shop.function(application_log_level_v2=lambda_.ApplicationLogLevel.WARN, **json_format)
    action: Any = aws.cloudwatch_actions.SnsAction(aws.sns.Topic(shop.shop, "Topic"))
    ShieldMonitoring(shop.app, heartbeat_actions=[action])


# Each: an app, and a part of its one error.
REFUSED: dict[str, tuple[Callable[[Shop], None], str]] = {
    "a key in a stack that refers to this one": (
        key_in_ops,
        "Shop/Checkout: LogOptions.encryption_key: a circular dep",
    ),
    "a topic in such a stack": (topic_in_ops, 'Shop -> Ops -> Shop: say granularity="fleet", stacks=[the stack'),
    "a topic that depends on the function": (topic_after_function, "-> Shop/Topic/Resource -> Shop/Checkout/Shield/"),
    "a topic of another region": (topic_elsewhere, "one is in us-east-1, and CloudWatch takes only actions in the ala"),
    "such a topic by its ARN": (topic_by_arn, "AlarmOptions.actions: one is in us-east-1"),
    "enforced signatures": (enforced_signing, "Shop/Checkout: code_signing_config: Shop/Signing/Resource enforces"),
    "a fifth layer by an aspect": (fifth_layer, "Shop/Checkout: layers: 5 of 5 are in use"),
    "a heartbeat at a level without starts": (heartbeat_without_starts, "WARN drops the line of each start"),
    "a construct named Shield": (child_named_shield, "Shop/Checkout: a construct in it has the id Shield"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_app_is_refused_by_place_and_fix(name: str, shop: Shop) -> None:
    make, says = REFUSED[name]
    make(shop)
    with pytest.raises(Exception, match="Shop/Checkout") as error:
        shop.synthesize()
    assert says in str(error.value)


@pytest.mark.parametrize("mixin", [False, True])
def test_metadata_that_was_read_is_read_again(mixin: bool, shop: Shop) -> None:
    function = shop.function()
    cdk.Annotations.of(function).add_info("first")
    assert [entry.type for entry in function.node.metadata]
    if mixin:
        cdk.Mixins.of(shop.shop).apply(Shield(ShieldPolicy()))
    shop.synthesize().resource_count_is(FILTER, 1)


@pytest.mark.parametrize("switch", ["on", "off"])
@pytest.mark.parametrize("shared", [False, True])
def test_resources_take_the_functions_condition(shared: bool, switch: str, props: Props, tmp_path: Path) -> None:
    """In a log group of two functions, the pattern has the other's name alone."""
    shop = Shop(props, tmp_path, shield=switch)
    more = {"log_group": aws.logs.LogGroup(shop.shop, "Logs")} if shared else {}
    condition = cdk.CfnCondition(shop.shop, "OnlyProd", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, "x"))
    shop.function(**more).node.default_child.cfn_options.condition = condition
    shop.function("Other", **more)
    resources = shop.synthesize().to_json()["Resources"]
    of_shield = {name: each for name, each in resources.items() if name.startswith("CheckoutShield")}
    assert len(of_shield) == (2 if shared else 4)
    assert {each.get("Condition") for each in of_shield.values()} == {"OnlyProd"}
    filters = [json.dumps(each) for each in resources.values() if each["Type"] == FILTER]
    assert len(filters) == 2 - shared
    assert all('{"Fn::If": ["OnlyProd", {"Ref": "Checkout' in each for each in filters) is shared


@pytest.mark.parametrize("whole", [True, False])
def test_a_lazy_environment_is_kept(whole: bool, shop: Shop) -> None:
    variables: Any = {"MINE": "1"}
    lazy: Any = cdk.Lazy.any(Made({"variables": variables} if whole else variables))
    given = lazy if whole else lambda_.CfnFunction.EnvironmentProperty(variables=lazy)
    role = iam.Role(shop.shop, "Role", assumed_by=LAMBDA).role_arn
    l1_function(shop.shop, role, "Checkout", environment=given)
    (function,) = shop.synthesize().find_resources("AWS::Lambda::Function").values()
    found = function["Properties"]["Environment"]["Variables"]
    assert (found["MINE"], found["SHIELD_READ_WRITE_TMP"]) == ("1", "block")


def test_the_log_group_of_the_name_is_used(shop: Shop) -> None:
    aws.logs.LogGroup(shop.shop, "Logs", log_group_name="/aws/lambda/pay")
    shop.function(function_name="pay")
    template = shop.synthesize()
    template.resource_count_is(LOG_GROUP, 1)
    (found,) = template.find_resources(FILTER).values()
    assert found["Properties"]["LogGroupName"]["Ref"].startswith("Logs")


def test_a_stage_after_everywhere_is_an_error(shop: Shop) -> None:
    shop.function()
    Shield.everywhere(shop.app, ShieldPolicy())
    stack = cdk.Stack(cdk.Stage(shop.app, "Prod"), "Late")
    lambda_.Function(stack, "Refund", **shop.props)
    with pytest.raises(Exception, match=r"Prod/Late/Refund: its stage Prod was made after Shield\.everywhere"):
        shop.app.synth()


def test_an_app_of_shields_is_no_aspect(shop: Shop) -> None:
    app: Any = Shield.everywhere(shop.app, ShieldPolicy())
    with pytest.raises(AttributeError, match=r"call it without Aspects\.add"):
        cdk.Aspects.of(shop.app).add(app)


def test_equal_names_of_alarms_get_a_suffix(shop: Shop) -> None:
    """Of a construct in a stack, and of a stack with both names."""
    lambda_.Function(Construct(shop.shop, "EU"), "Checkout", **shop.props)
    other = shop.stack("Shop-EU")
    lambda_.Function(other, "Checkout", **shop.props)
    alarms = [shop.synthesize().find_resources(ALARM), Template.from_stack(other).find_resources(ALARM)]
    names = [each["Properties"]["AlarmName"] for found in alarms for each in found.values()]
    assert names[:2] == ["shield-critical-Shop-EU-Checkout", "shield-rest-Shop-EU-Checkout"]
    assert len(set(names)) == 4


@jsii.implements(cdk.IPropertyInjector)
class Injector:
    """An organization's defaults for each `Function`, with JavaScript's names."""

    def __init__(self, **defaults: Any) -> None:
        self._defaults = defaults

    @property
    def construct_unique_id(self) -> str:
        return lambda_.Function.PROPERTY_INJECTION_ID

    def inject(self, original_props: Any, *, id: str, scope: Any) -> Any:
        return {**original_props, **self._defaults}


# Each: the injected properties, and properties of both functions.
INJECTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "environment": ({"environment": {"MINE": "1"}}, {"Environment": {"Variables": {"MINE": "1"}}}),
    "wrapper": (
        {"environment": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/other"}},
        {"Environment": {"Variables": {"SHIELD_NEXT_WRAPPER": "/opt/other"}}},
    ),
    "architecture": ({"architecture": lambda_.Architecture.ARM_64}, {"Architectures": ["arm64"]}),
    "runtime": ({"runtime": lambda_.Runtime.PYTHON_3_12}, {"Runtime": "python3.12"}),
    "memory": ({"memorySize": 512}, {"MemorySize": 512}),
}


@pytest.mark.parametrize("name", INJECTED)
def test_injected_properties_leave_the_shield_whole(name: str, shop: Shop) -> None:
    """Of a `ShieldedFunction`, whose shield is made at once, and of a `Function` that `Shield.everywhere` shields."""
    defaults, properties = INJECTED[name]
    cdk.PropertyInjectors.of(shop.shop).add(cast("Any", Injector(**defaults)))
    ShieldedFunction(shop.shop, "Pay", **shop.props)
    shop.function()
    template = shop.synthesize()
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": WRAPPER, "SHIELD_READ_WRITE_TMP": "block"}
    for expected in (properties, {"Environment": {"Variables": variables}}):
        template.resource_properties_count_is(FUNCTION, expected, 2)
    (layer,) = template.find_resources(LAYER).values()
    assert layer["Properties"]["CompatibleArchitectures"] == properties.get("Architectures", ["x86_64"])


@pytest.mark.parametrize("managed", [True, False])
def test_the_cdks_managed_log_group_is_the_one(managed: bool, props: Props, tmp_path: Path) -> None:
    """With the flag the CDK makes each function's log group; otherwise the shield does. There is never a second."""
    shop = Shop(props, tmp_path, **{"@aws-cdk/aws-lambda:useCdkManagedLogGroup": managed})
    shop.function()
    template = shop.synthesize()
    template.resource_count_is(LOG_GROUP, 1)
    template.resource_count_is(FILTER, 1)
    (found,) = template.find_resources(FILTER).values()
    assert found["Properties"]["LogGroupName"]["Ref"] in template.find_resources(LOG_GROUP)


@pytest.mark.parametrize("make", [ShieldedFunction, lambda_.Function])
def test_the_logical_ids_stay(make: Any, props: Props, tmp_path: Path) -> None:
    """`cdk refactor` maps a resource that moves by its logical id: the shield adds resources, and moves none."""
    plain, shielded = (Shop(props, tmp_path / name) for name in ("plain", "shielded"))
    plain.function()
    make(shielded.shop, "Checkout", **props)
    before = Template.from_stack(plain.shop).to_json()["Resources"]
    after = shielded.synthesize().to_json()["Resources"]
    assert {name: after[name]["Type"] for name in before} == {name: each["Type"] for name, each in before.items()}


@pytest.mark.parametrize("how", ["kept", "option", "aspect"])
def test_a_retained_log_group_is_protected(how: str, shop: Shop) -> None:
    """Also in a stack, and in a perimeter, that the CDK visits after the shield's own aspects."""
    destroyed = LogOptions(removal_policy=cdk.RemovalPolicy.DESTROY) if how == "option" else LogOptions()
    shield = Shield(ShieldPolicy(), logs=destroyed)
    shield.apply(shop.function())
    later = shop.stack("Later")
    vpc = aws.ec2.Vpc(later, "Vpc", max_azs=2)
    shield.apply(lambda_.Function(later, "Checkout", vpc=vpc, **shop.props))
    ShieldPerimeter(later, vpc=vpc, logs=destroyed)
    if how == "aspect":
        cdk.RemovalPolicies.of(shop.app).destroy()
    found = [Template.from_stack(stack).find_resources(LOG_GROUP) for stack in (shop.shop, later)]
    groups = [each for within in found for each in within.values()]
    assert [each["DeletionPolicy"] for each in groups] == ["Retain" if how == "kept" else "Delete"] * 3
    assert [each["Properties"].get("DeletionProtectionEnabled", False) for each in groups] == [how == "kept"] * 3
