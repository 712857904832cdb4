"""`ShieldedFunction`: a drop-in for `Function`, and what it adds."""

from __future__ import annotations

import copy
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from shielded_function import Shield, ShieldAlarms, ShieldedFunction, ShieldError, ShieldPolicy
from shielded_function_monitoring import violations
from shielded_function_monitoring.filters import violations_by_policy

FUNCTION = "AWS::Lambda::Function"
LAYER = "AWS::Lambda::LayerVersion"
LOG_GROUP = "AWS::Logs::LogGroup"
FILTER = "AWS::Logs::MetricFilter"
ALARM = "AWS::CloudWatch::Alarm"
WRAPPER = "/opt/shielded-function/shield"

Resources = Callable[[cdk.Stack, str], "dict[str, Any]"]
Props = dict[str, Any]


def only(found: dict[str, Any]) -> Any:
    assert len(found) == 1, list(found)
    return next(iter(found.values()))


def variables(resources: Resources, stack: cdk.Stack) -> dict[str, Any]:
    return only(resources(stack, FUNCTION))["Environment"]["Variables"]


# ---- what it adds


def layer_arn(fn: ShieldedFunction) -> str:
    assert fn.shield.layer is not None
    return fn.shield.layer.layer_version_arn


def test_what_it_adds(stack: cdk.Stack, props: Props) -> None:
    policy = ShieldPolicy(allow_outbound=("api.stripe.com:443",), allow_aws=("dynamodb",), read_handler="alert")
    fn = ShieldedFunction(stack, "Checkout", policy=policy, **props)
    template = Template.from_stack(stack)

    template.has_resource_properties(
        FUNCTION,
        {
            "Environment": {
                "Variables": {
                    "AWS_LAMBDA_EXEC_WRAPPER": WRAPPER,
                    "SHIELD_OUTBOUND_CONNECTIVITY": "block",
                    "SHIELD_ALLOW_OUTBOUND": "api.stripe.com:443",
                    "SHIELD_ALLOW_AWS": "dynamodb",
                    "SHIELD_READ_WRITE_TMP": "block",
                    "SHIELD_CREATE_CHILD_PROCESS": "block",
                    "SHIELD_READ_HANDLER": "alert",
                    "SHIELD_ACCOUNT_ID": {"Ref": "AWS::AccountId"},
                }
            },
            "Layers": [stack.resolve(layer_arn(fn))],
            "LoggingConfig": {"LogGroup": stack.resolve(fn.log_group.log_group_name)},
        },
    )
    template.has_resource_properties(
        LAYER,
        {
            "CompatibleArchitectures": ["x86_64"],
            "CompatibleRuntimes": Match.absent(),
            "LicenseInfo": "Apache-2.0",
            "Description": Match.string_like_regexp("^Shielded Function"),
        },
    )
    template.has_resource(
        LOG_GROUP, {"Properties": {"RetentionInDays": 731}, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    )
    name = stack.resolve(fn.function_name)
    template.has_resource_properties(
        FILTER,
        {
            "LogGroupName": stack.resolve(fn.log_group.log_group_name),
            "FilterPattern": {
                "Fn::Join": [
                    "",
                    ['{ ($.function = "', name, '") && ' + violations(without=["read_handler"]).render()[2:]],
                ]
            },
            "MetricTransformations": [
                {
                    "MetricNamespace": "ShieldedFunction",
                    "MetricName": "Violations",
                    "MetricValue": "$.count",
                    "Dimensions": [{"Key": "FunctionName", "Value": "$.function"}],
                    "DefaultValue": Match.absent(),
                },
            ],
        },
    )
    template.has_resource_properties(
        ALARM,
        {
            "Namespace": "ShieldedFunction",
            "MetricName": "Violations",
            "Dimensions": [{"Name": "FunctionName", "Value": name}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": Match.absent(),
            "AlarmDescription": {
                "Fn::Join": ["", Match.array_with([Match.string_like_regexp("^Shop/Checkout"), name])]
            },
        },
    )
    for kind in (FUNCTION, LAYER, LOG_GROUP, FILTER, ALARM):
        template.resource_count_is(kind, 1)


def test_the_default_blocks_everything_but_aws(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    assert fn.shield.policy == ShieldPolicy()
    environment = variables(resources, stack)
    assert environment.pop("SHIELD_ACCOUNT_ID") == {"Ref": "AWS::AccountId"}
    assert {environment[name] for name in environment if name.startswith("SHIELD_")} == {"block"}
    assert len(environment) == 5


def test_the_account_is_the_stacks(app: cdk.App, props: Props, resources: Resources) -> None:
    """Where the stack names none, the deployment knows it; in a nested stack too."""
    concrete = cdk.Stack(app, "Concrete", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    open_to_any = cdk.Stack(app, "Open")
    nested = cdk.NestedStack(open_to_any, "Nested")
    deployments = {concrete: "111122223333", open_to_any: {"Ref": "AWS::AccountId"}, nested: {"Ref": "AWS::AccountId"}}
    for stack in deployments:
        ShieldedFunction(stack, "Fn", **props)
    for stack, account in deployments.items():
        assert variables(resources, stack)["SHIELD_ACCOUNT_ID"] == account


def test_the_same_account_may_be_set_beforehand(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(stack, "Fn", environment={"SHIELD_ACCOUNT_ID": cdk.Aws.ACCOUNT_ID}, **props)
    assert variables(resources, stack)["SHIELD_ACCOUNT_ID"] == {"Ref": "AWS::AccountId"}


def test_the_settings_of_egress_are_in_their_variables(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    policy = ShieldPolicy(
        allow_outbound=["tcp://db.example:5432", "udp://ntp.example"], check_server_name=False, unusual_names="block"
    ).allow_bucket("uploads", "reports")
    ShieldedFunction(stack, "Fn", policy=policy, **props)
    environment = variables(resources, stack)
    assert environment["SHIELD_ALLOW_OUTBOUND"] == "tcp://db.example:5432,udp://ntp.example"
    assert environment["SHIELD_ALLOW_BUCKETS"] == "uploads,reports"
    assert environment["SHIELD_CHECK_SERVER_NAME"] == "off"
    assert environment["SHIELD_UNUSUAL_NAMES"] == "block"


def test_a_bucket_whose_name_only_the_deployment_knows(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    bucket = s3.Bucket(stack, "Uploads")
    ShieldedFunction(stack, "ByName", policy=ShieldPolicy().allow_bucket(bucket.bucket_name), **props)
    ShieldedFunction(stack, "ByConstruct", policy=ShieldPolicy(allow_buckets=[bucket]), **props)
    names = [f["Environment"]["Variables"]["SHIELD_ALLOW_BUCKETS"] for f in resources(stack, FUNCTION).values()]
    assert names == [stack.resolve(bucket.bucket_name)] * 2


def test_allow_to(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """After the function is made, and with what the stack makes."""
    fn = ShieldedFunction(stack, "Checkout", policy=ShieldPolicy(allow_outbound=["api.stripe.com:443"]), **props)
    bucket, vpc = s3.Bucket(stack, "Uploads"), ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=0)
    fn.shield.allow_to(bucket, vpc, "*.example.com:443")
    environment = variables(resources, stack)
    assert environment["SHIELD_ALLOW_BUCKETS"] == stack.resolve(bucket.bucket_name)
    outbound = environment["SHIELD_ALLOW_OUTBOUND"]
    assert outbound["Fn::Join"][1][0] == "api.stripe.com:443,*.example.com:443,"
    assert stack.resolve(vpc.vpc_cidr_block) in outbound["Fn::Join"][1]
    assert fn.shield.policy.decide("connect", "api.stripe.com:443").allowed
    assert fn.shield.policy.decide("connect", "db.internal:5432").action != "allow"


def test_allow_to_what_has_no_host(stack: cdk.Stack, props: Props) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    for wrong in (stack, "not a host", sns.Topic(stack, "Topic")):
        with pytest.raises(ValueError, match="allow_outbound"):
            fn.shield.allow_to(cast("Any", wrong))
    assert fn.shield.policy == ShieldPolicy()


@pytest.mark.parametrize(
    ("architecture", "name"), [(lambda_.Architecture.X86_64, "x86_64"), (lambda_.Architecture.ARM_64, "arm64")]
)
def test_the_layer_is_the_architectures(
    stack: cdk.Stack, props: Props, resources: Resources, architecture: lambda_.Architecture, name: str
) -> None:
    ShieldedFunction(stack, "Checkout", architecture=architecture, **props)
    assert only(resources(stack, LAYER))["CompatibleArchitectures"] == [name]


def test_a_layer_per_stack_and_architecture(app: cdk.App, props: Props, resources: Resources) -> None:
    one, two = cdk.Stack(app, "One"), cdk.Stack(app, "Two")
    for stack in (one, two):
        for number in range(2):
            ShieldedFunction(stack, f"Fn{number}", **props)
    ShieldedFunction(two, "Arm", architecture=lambda_.Architecture.ARM_64, **props)
    nested = cdk.NestedStack(two, "Nested")
    ShieldedFunction(nested, "Fn", **props)
    assert [len(resources(stack, LAYER)) for stack in (one, two, nested)] == [1, 2, 1]
    assert [len(resources(stack, ALARM)) for stack in (one, two, nested)] == [2, 3, 1]


def test_a_taken_construct_id_is_said_so(stack: cdk.Stack, props: Props) -> None:
    cdk.CfnOutput(stack, "ShieldedFunctionLayer-x86_64", value="mine")
    with pytest.raises(ShieldError, match="Shop/ShieldedFunctionLayer-x86_64: this construct id is the shield layer's"):
        ShieldedFunction(stack, "Checkout", **props)


# ---- a drop-in


def plain_of(shielded: dict[str, Any]) -> dict[str, Any]:
    """A template without what the shield adds."""
    template = copy.deepcopy(shielded)
    template["Resources"] = {
        logical_id: resource
        for logical_id, resource in template["Resources"].items()
        if "Shield" not in logical_id and "ShieldedFunctionLayer" not in logical_id
    }
    for resource in template["Resources"].values():
        if resource["Type"] != FUNCTION:
            continue
        properties = resource["Properties"]
        environment = properties["Environment"]["Variables"]
        for name in [name for name in environment if name.startswith(("SHIELD_", "AWS_LAMBDA_EXEC_WRAPPER"))]:
            del environment[name]
        if not environment:
            del properties["Environment"]
        properties["Layers"] = [layer for layer in properties["Layers"] if "ShieldedFunctionLayer" not in str(layer)]
        if not properties["Layers"]:
            del properties["Layers"]
        if "Shield" in str(properties["LoggingConfig"]["LogGroup"]):
            del properties["LoggingConfig"]["LogGroup"]
        if not properties["LoggingConfig"]:
            del properties["LoggingConfig"]
    return template


def with_everything(stack: cdk.Stack) -> Props:
    return {
        "description": "Takes payments",
        "environment": {"TABLE": "orders", "REGION_NAME": stack.region},
        "function_name": "checkout",
        "layers": [
            lambda_.LayerVersion.from_layer_version_arn(stack, f"L{n}", f"arn:aws:lambda:eu-west-1:1:layer:l:{n}")
            for n in range(2)
        ],
        "logging_format": lambda_.LoggingFormat.JSON,
        "application_log_level_v2": lambda_.ApplicationLogLevel.WARN,
        "system_log_level_v2": lambda_.SystemLogLevel.INFO,
        "memory_size": 512,
        "reserved_concurrent_executions": 5,
        "timeout": cdk.Duration.seconds(20),
        "tracing": lambda_.Tracing.ACTIVE,
        "dead_letter_queue_enabled": True,
        "retry_attempts": 1,
        "vpc": ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=0),
        "vpc_subnets": {"subnet_type": ec2.SubnetType.PRIVATE_ISOLATED},
    }


@pytest.mark.parametrize("more", [lambda stack: {}, with_everything])
def test_everything_else_is_as_function_makes_it(
    props: Props, synthesize: Callable[[cdk.Stack], Any], more: Callable[[cdk.Stack], Props]
) -> None:
    def made_by(kind: type[lambda_.Function]) -> Any:
        stack = cdk.Stack(cdk.App(), "Shop")
        fn = kind(stack, "Checkout", **props, **more(stack))
        fn.add_function_url()
        dynamodb.Table(
            stack, "Table", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        ).grant_read_data(fn)
        return synthesize(stack)

    assert plain_of(made_by(ShieldedFunction)) == made_by(lambda_.Function)


def test_it_is_a_function(stack: cdk.Stack, props: Props) -> None:
    fn: lambda_.Function = ShieldedFunction(stack, "Checkout", **props)
    assert isinstance(fn, lambda_.Function)
    version: Any = fn.current_version
    fn.add_alias("live")
    fn.metric_errors().create_alarm(stack, "Errors", threshold=1, evaluation_periods=1)
    lambda_.Alias(stack, "Canary", alias_name="canary", version=version)
    Template.from_stack(stack).resource_count_is("AWS::Lambda::Alias", 2)


def test_a_new_policy_is_a_new_version(props: Props, resources: Resources) -> None:
    def version(policy: ShieldPolicy) -> str:
        stack = cdk.Stack(cdk.App(), "Shop")
        _ = ShieldedFunction(stack, "Checkout", policy=policy, **props).current_version
        return next(iter(resources(stack, "AWS::Lambda::Version")))

    assert version(ShieldPolicy()) == version(ShieldPolicy())
    assert version(ShieldPolicy()) != version(ShieldPolicy(read_handler="alert"))


def test_a_new_policy_file_is_a_new_version(props: Props, resources: Resources) -> None:
    """With the CDK's default flags, which do not look into layers."""

    def version(hosts: int) -> str:
        stack = cdk.Stack(cdk.App(), "Shop")
        policy = ShieldPolicy(allow_outbound=[f"host-{n}.example.com:443" for n in range(hosts)])
        _ = ShieldedFunction(stack, "Checkout", policy=policy, **props).current_version
        return next(iter(resources(stack, "AWS::Lambda::Version")))

    assert version(300) == version(300)
    assert version(300) != version(301)


def test_a_new_shield_is_a_new_version(props: Props, resources: Resources, layers_folder: Path) -> None:
    def version() -> str:
        stack = cdk.Stack(cdk.App(), "Shop")
        _ = ShieldedFunction(stack, "Checkout", **props).current_version
        return next(iter(resources(stack, "AWS::Lambda::Version")))

    before = version()
    assert version() == before
    (layers_folder / "x86_64" / "shielded-function" / "shield").write_text("a newer one\n")
    assert version() != before


# ---- layers


def test_its_layer_comes_last(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    mine = lambda_.LayerVersion.from_layer_version_arn(stack, "Mine", "arn:aws:lambda:eu-west-1:1:layer:mine:1")
    fn = ShieldedFunction(stack, "Checkout", layers=[mine], **props)
    assert only(resources(stack, FUNCTION))["Layers"] == [
        "arn:aws:lambda:eu-west-1:1:layer:mine:1",
        stack.resolve(layer_arn(fn)),
    ]


# ---- exec wrappers


def test_a_wrapper_in_the_environment_runs_next(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(stack, "Checkout", environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper"}, **props)
    environment = variables(resources, stack)
    assert environment["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER
    assert environment["SHIELD_NEXT_WRAPPER"] == "/opt/datadog_wrapper"


def test_a_wrapper_known_at_deployment_runs_next(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    parameter = cdk.CfnParameter(stack, "Wrapper")
    ShieldedFunction(stack, "Checkout", environment={"AWS_LAMBDA_EXEC_WRAPPER": parameter.value_as_string}, **props)
    assert variables(resources, stack)["SHIELD_NEXT_WRAPPER"] == {"Ref": "Wrapper"}


def test_open_telemetrys_wrapper_runs_next(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(
        stack,
        "Checkout",
        adot_instrumentation=lambda_.AdotInstrumentationConfig(
            exec_wrapper=lambda_.AdotLambdaExecWrapper.INSTRUMENT_HANDLER,
            layer_version=lambda_.AdotLayerVersion.from_python_sdk_layer_version(
                lambda_.AdotLambdaLayerPythonSdkVersion.LATEST
            ),
        ),
        **props,
    )
    environment = variables(resources, stack)
    assert environment["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER
    assert environment["SHIELD_NEXT_WRAPPER"] == "/opt/otel-instrument"
    assert len(only(resources(stack, FUNCTION))["Layers"]) == 2


def test_a_wrapper_added_later_runs_next(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/first"}, **props)
    fn.add_environment("AWS_LAMBDA_EXEC_WRAPPER", "/opt/second")
    environment = variables(resources, stack)
    assert environment["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER
    assert environment["SHIELD_NEXT_WRAPPER"] == "/opt/second"


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_shield_is_not_its_own_next_wrapper(
    stack: cdk.Stack, props: Props, resources: Resources, when: str
) -> None:
    environment = {"AWS_LAMBDA_EXEC_WRAPPER": WRAPPER} if when == "before" else {}
    fn = ShieldedFunction(stack, "Checkout", environment=environment, **props)
    if when == "after":
        fn.add_environment("AWS_LAMBDA_EXEC_WRAPPER", WRAPPER)
    assert "SHIELD_NEXT_WRAPPER" not in variables(resources, stack)


def test_a_next_wrapper_by_hand_is_kept(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(stack, "Checkout", environment={"SHIELD_NEXT_WRAPPER": "/opt/mine"}, **props)
    assert variables(resources, stack)["SHIELD_NEXT_WRAPPER"] == "/opt/mine"


# ---- log groups


def test_a_given_log_group_is_used(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    mine = logs.LogGroup(stack, "Mine", retention=logs.RetentionDays.ONE_WEEK)
    fn = ShieldedFunction(stack, "Checkout", log_group=mine, **props)
    name = stack.resolve(mine.log_group_name)
    assert only(resources(stack, FILTER))["LogGroupName"] == name
    assert only(resources(stack, FUNCTION))["LoggingConfig"]["LogGroup"] == name
    assert list(resources(stack, LOG_GROUP).values()) == [{"RetentionInDays": 7}]
    assert stack.resolve(fn.log_group.log_group_name) == name


def test_an_imported_log_group_is_used(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    imported = logs.LogGroup.from_log_group_name(stack, "Imported", "/shared/shop")
    ShieldedFunction(stack, "Checkout", log_group=imported, **props)
    assert only(resources(stack, FILTER))["LogGroupName"] == "/shared/shop"
    assert resources(stack, LOG_GROUP) == {}


def test_a_log_group_of_another_stack_is_used(app: cdk.App, props: Props, resources: Resources) -> None:
    storage, shop = cdk.Stack(app, "Storage"), cdk.Stack(app, "Shop")
    ShieldedFunction(shop, "Checkout", log_group=logs.LogGroup(storage, "Logs"), **props)
    name = only(resources(shop, FILTER))["LogGroupName"]
    assert list(name) == ["Fn::ImportValue"]
    assert only(resources(shop, FUNCTION))["LoggingConfig"]["LogGroup"] == name


def test_the_log_group_that_the_cdk_manages_is_used(app: cdk.App, props: Props, resources: Resources) -> None:
    app.node.set_context("@aws-cdk/aws-lambda:useCdkManagedLogGroup", True)
    stack = cdk.Stack(app, "Shop")
    fn = ShieldedFunction(stack, "Checkout", **props)
    name = {"Fn::Join": ["", ["/aws/lambda/", stack.resolve(fn.function_name)]]}
    assert only(resources(stack, LOG_GROUP))["LogGroupName"] == name
    assert only(resources(stack, FILTER))["LogGroupName"] == {"Ref": next(iter(resources(stack, LOG_GROUP)))}


def test_a_log_retention_keeps_its_log_group(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(stack, "Checkout", log_retention=logs.RetentionDays.ONE_WEEK, **props)
    assert resources(stack, LOG_GROUP) == {}
    assert "Custom::LogRetention" in {r["Type"] for r in Template.from_stack(stack).to_json()["Resources"].values()}
    assert "LogRetention" in str(only(resources(stack, FILTER))["LogGroupName"])


def test_reading_the_log_group_adds_nothing(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    logs.MetricFilter(
        stack,
        "Errors",
        log_group=fn.log_group,
        filter_pattern=logs.FilterPattern.all_terms("ERROR"),
        metric_namespace="Shop",
        metric_name="Errors",
    )
    assert resources(stack, "Custom::LogRetention") == {}
    assert {f["LogGroupName"]["Ref"] for f in resources(stack, FILTER).values()} == set(resources(stack, LOG_GROUP))


def test_the_rest_of_the_logging_configuration_is_kept(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(
        stack,
        "Checkout",
        logging_format=lambda_.LoggingFormat.JSON,
        application_log_level_v2=lambda_.ApplicationLogLevel.DEBUG,
        system_log_level_v2=lambda_.SystemLogLevel.WARN,
        **props,
    )
    logging = only(resources(stack, FUNCTION))["LoggingConfig"]
    assert logging.pop("LogGroup") == {"Ref": next(iter(resources(stack, LOG_GROUP)))}
    assert logging == {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN"}


def test_functions_that_share_a_log_group_share_its_filter(
    stack: cdk.Stack, props: Props, resources: Resources
) -> None:
    """CloudWatch takes 100 filters on a log group; the line says whose it is."""
    shared = logs.LogGroup(stack, "Shared")
    one, two = (ShieldedFunction(stack, name, log_group=shared, **props) for name in ("One", "Two"))
    assert one.shield.metric_filter is two.shield.metric_filter
    assert len(resources(stack, FILTER)) == 1
    watched = [alarm["Dimensions"][0]["Value"] for alarm in resources(stack, ALARM).values()]
    assert watched == [stack.resolve(fn.function_name) for fn in (one, two)]
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


# ---- metrics and alarms


def test_the_metric(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    metric = fn.metric_violations()
    assert (metric.namespace, metric.statistic, metric.period.to_seconds()) == ("ShieldedFunction", "Sum", 60)
    hourly = fn.metric_violations(period=cdk.Duration.hours(1), statistic=cloudwatch.Stats.MAXIMUM, label="worst")
    assert (hourly.statistic, hourly.period.to_hours(), hourly.label) == ("Maximum", 1, "worst")
    assert len(resources(stack, FILTER)) == 1


def test_a_policys_metric_adds_its_filter_once(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    metric, _ = (fn.metric_violations("outbound_connectivity") for _ in range(2))
    metric.create_alarm(stack, "Egress", threshold=1, evaluation_periods=1)
    [_, by_policy] = resources(stack, FILTER).values()
    [_, name, pattern] = by_policy["FilterPattern"]["Fn::Join"][1]
    assert name == stack.resolve(fn.function_name)
    assert pattern == '") && ' + violations_by_policy().render()[2:]
    [transformation] = by_policy["MetricTransformations"]
    keys = {dimension["Key"]: dimension["Value"] for dimension in transformation["Dimensions"]}
    assert keys == {"FunctionName": "$.function", "Policy": "$.policy"}
    [egress] = [alarm for name, alarm in resources(stack, ALARM).items() if name.startswith("Egress")]
    assert egress["MetricName"] == transformation["MetricName"]
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in egress["Dimensions"]}
    assert dimensions == {"FunctionName": stack.resolve(fn.function_name), "Policy": "outbound_connectivity"}


def test_alarm_actions(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    topic: Any = sns.Topic(stack, "Topic")
    action = cloudwatch_actions.SnsAction(topic)
    alarms = ShieldAlarms(threshold=5, actions=[action], ok_actions=[action])
    fn = ShieldedFunction(stack, "Checkout", alarms=alarms, **props)
    alarm = only(resources(stack, ALARM))
    arn = stack.resolve(topic.topic_arn)
    assert (alarm["Threshold"], alarm["AlarmActions"], alarm["OKActions"]) == (5, [arn], [arn])
    assert fn.shield.alarm is not None


def test_no_alarm(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", alarms=ShieldAlarms(enabled=False), **props)
    assert fn.shield.alarm is None
    assert resources(stack, ALARM) == {}
    assert len(resources(stack, FILTER)) == 1


# ---- errors


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"runtime": lambda_.Runtime.PROVIDED_AL2023}, "runtime: provided.al2023 cannot be shielded"),
        ({"runtime": lambda_.Runtime.JAVA_8}, "runtime: java8 cannot be shielded"),
        ({"environment": {"SHIELD_READ_HANDLER": "allow"}}, "SHIELD_READ_HANDLER: set in the environment"),
        (
            {"environment": {"SHIELD_ACCOUNT_ID": "111122223333"}},
            "SHIELD_ACCOUNT_ID: set in the environment, but the stack decides it: leave it out",
        ),
        ({"environment": {"SHIELD_ALLOW_OUTBOUND": "*.example"}}, "SHIELD_ALLOW_OUTBOUND: set in the environment"),
        (
            {
                "logging_format": lambda_.LoggingFormat.JSON,
                "application_log_level_v2": lambda_.ApplicationLogLevel.ERROR,
            },
            "application_log_level: ERROR drops the alert lines",
        ),
    ],
)
def test_what_cannot_be_shielded(
    stack: cdk.Stack, props: Props, synthesize: Callable[[cdk.Stack], Any], more: Props, says: str
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "code")  # inline code is not for every runtime
    merged: Any = {**props, "code": lambda_.Code.from_bucket(bucket, "code.zip"), **more}
    with pytest.raises(ShieldError) as error:
        ShieldedFunction(stack, "Checkout", **merged)
    assert str(error.value).startswith("Shop/Checkout: ")
    assert says in str(error.value)
    assert stack.node.try_find_child("Checkout") is None
    assert "Resources" not in synthesize(stack)


def test_every_problem_is_named(stack: cdk.Stack, props: Props) -> None:
    layers = [
        lambda_.LayerVersion.from_layer_version_arn(stack, f"L{n}", f"arn:aws:lambda:eu-west-1:1:layer:l:{n}")
        for n in range(5)
    ]
    with pytest.raises(ShieldError) as error:
        ShieldedFunction(stack, "Checkout", layers=layers, environment={"SHIELD_READ_HANDLER": "allow"}, **props)
    assert "layers: 5 of 5 are in use" in str(error.value)
    assert "SHIELD_READ_HANDLER" in str(error.value)


def test_a_log_class_without_filters(stack: cdk.Stack, props: Props) -> None:
    cheap = logs.LogGroup(stack, "Cheap", log_group_class=logs.LogGroupClass.INFREQUENT_ACCESS)
    with pytest.raises(ShieldError, match="log_group: its class is INFREQUENT_ACCESS"):
        ShieldedFunction(stack, "Checkout", log_group=cheap, **props)


def test_code_signing_is_warned_of(stack: cdk.Stack, props: Props) -> None:
    signing = lambda_.CodeSigningConfig.from_code_signing_config_arn(
        stack, "Signing", "arn:aws:lambda:eu-west-1:1:code-signing-config:csc-1"
    )
    ShieldedFunction(stack, "Checkout", code_signing_config=signing, **props)
    Annotations.from_stack(stack).has_warning("/Shop/Checkout", Match.string_like_regexp("code-signing"))


# ---- what is found at synthesis


def environment_replaced(resource: lambda_.CfnFunction) -> None:
    resource.environment = lambda_.CfnFunction.EnvironmentProperty(variables={"NEW": "1"})


def layers_replaced(resource: lambda_.CfnFunction) -> None:
    resource.layers = ["arn:aws:lambda:eu-west-1:1:layer:mine:1"]


def runtime_replaced(resource: lambda_.CfnFunction) -> None:
    resource.runtime = "provided.al2023"


def logging_replaced(resource: lambda_.CfnFunction) -> None:
    resource.logging_config = lambda_.CfnFunction.LoggingConfigProperty(log_group="/elsewhere")


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (environment_replaced, "lost after the shield was applied"),
        (layers_replaced, "layers: the shield's layer was removed"),
        (runtime_replaced, "runtime: provided.al2023 cannot be shielded"),
        (logging_replaced, "log_group: changed after the shield was applied"),
    ],
)
def test_tampering_fails_the_synthesis(
    app: cdk.App, stack: cdk.Stack, props: Props, tamper: Callable[[Any], None], says: str
) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    tamper(fn.node.default_child)
    with pytest.raises(Exception, match="Shop/Checkout") as error:
        app.synth()
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda fn: fn.add_environment("SHIELD_READ_HANDLER", "allow"), "SHIELD_READ_HANDLER: set in the environment"),
        (lambda fn: fn.add_environment("SHIELD_ACCOUNT_ID", "1"), "SHIELD_ACCOUNT_ID: set in the environment, but the"),
        (lambda fn: fn.add_environment("SHIELD_ALLOW_TMP", "/tmp/**"), "SHIELD_ALLOW_TMP: set in the environment"),
        (lambda fn: fn.add_environment("BIG", "x" * 4000), "bytes with the policy, of which Lambda takes 4096"),
        (lambda fn: fn.add_environment("AWS_LAMBDA_EXEC_WRAPPER", "late"), "AWS_LAMBDA_EXEC_WRAPPER: 'late' is not an"),
    ],
)
def test_later_additions_are_checked(
    app: cdk.App, stack: cdk.Stack, props: Props, change: Callable[[Any], None], says: str
) -> None:
    change(ShieldedFunction(stack, "Checkout", **props))
    with pytest.raises(Exception, match="Shop/Checkout") as error:
        app.synth()
    assert says in str(error.value)


def test_a_long_policy_is_put_into_a_file(app: cdk.App, stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """Literals into a file in a layer of its own, values known at deployment into the environment."""
    hosts = [f"host-{n:03}.example.com:443" for n in range(200)]
    bucket = s3.Bucket(stack, "Uploads")
    policy = ShieldPolicy(allow_outbound=hosts, allow_buckets=["reports", bucket])
    fn = ShieldedFunction(stack, "Checkout", policy=policy, **props)
    ShieldedFunction(stack, "Other", **props)
    checkout, other = resources(stack, FUNCTION).values()
    environment = checkout["Environment"]["Variables"]
    assert environment["SHIELD_POLICY_FILE"] == "/opt/shielded-function/policy"
    assert environment["SHIELD_ALLOW_BUCKETS"] == stack.resolve(bucket.bucket_name)
    assert environment["SHIELD_READ_HANDLER"] == "block"
    assert "SHIELD_ALLOW_OUTBOUND" not in environment
    assert (len(checkout["Layers"]), len(other["Layers"])) == (2, 1)
    assert set(hosts) <= set(fn.shield.policy.allow_outbound)
    layers = resources(stack, LAYER)
    [key] = [v["Content"]["S3Key"] for v in layers.values() if "CompatibleArchitectures" not in v]
    [asset] = Path(app.outdir).glob(f"asset.{key.removesuffix('.zip')}*")
    with zipfile.ZipFile(asset) as archive:
        lines = archive.read("shielded-function/policy").decode()
    assert lines == f"SHIELD_ALLOW_OUTBOUND={','.join(hosts)}\nSHIELD_ALLOW_BUCKETS=reports\n"


def test_what_does_not_fit_a_file_either(app: cdk.App, stack: cdk.Stack, props: Props) -> None:
    parameters = [cdk.CfnParameter(stack, f"Host{n}").value_as_string for n in range(20)]
    ShieldedFunction(stack, "Checkout", policy=ShieldPolicy(allow_outbound=parameters), **props)
    with pytest.raises(Exception, match=r"Shop/Checkout: environment: up to \d+ bytes with the policy"):
        app.synth()


def test_a_policy_file_is_the_shields_to_make(stack: cdk.Stack, props: Props) -> None:
    with pytest.raises(ShieldError, match=r"SHIELD_POLICY_FILE: .* give yours to ShieldPolicy.from_file"):
        ShieldedFunction(stack, "Checkout", environment={"SHIELD_POLICY_FILE": "/var/task/shield.env"}, **props)


def test_a_layer_of_your_own(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    arn = "arn:aws:lambda:eu-west-1:111122223333:layer:shield:7"
    for name in ("One", "Two"):
        ShieldedFunction(stack, name, shield_layer=arn, **props)
    assert [f["Layers"] for f in resources(stack, FUNCTION).values()] == [[arn], [arn]]
    assert resources(stack, LAYER) == {}


def test_a_container_image_that_holds_the_shield(stack: cdk.Stack, resources: Resources) -> None:
    repository = ecr.Repository.from_repository_name(stack, "Repository", "shop")
    code = lambda_.DockerImageCode.from_ecr(repository, tag_or_digest="1")
    attached = Shield(in_image=True).apply(lambda_.DockerImageFunction(stack, "Image", code=code))
    [function] = resources(stack, FUNCTION).values()
    assert function["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER
    assert "Layers" not in function
    assert attached.layer is None


def test_a_metric_of_no_policy(stack: cdk.Stack, props: Props) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    with pytest.raises(ValueError, match=r"metric_violations: 'outbound' is not a policy; use one of outbound_conn"):
        fn.metric_violations(cast("Any", "outbound"))


def test_options_of_another_type(stack: cdk.Stack, props: Props) -> None:
    for wrong in ({"policy": {"read_handler": "alert"}}, {"alarms": ShieldPolicy()}, {"logs": 7}):
        with pytest.raises((TypeError, ValueError), match="Shield"):
            ShieldedFunction(stack, "Checkout", **cast("Any", wrong), **props)
        assert stack.node.try_find_child("Checkout") is None


def test_shield_of_finds_it(stack: cdk.Stack, props: Props) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    assert Shield.of(fn) is fn.shield
    assert fn.shield.function is fn
