"""The log group that the shield makes, its options, and who may write to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Annotations, Match, Template
from constructs import Construct

from shielded_function import LogOptions, Shield, ShieldedFunction, ShieldError, ShieldPolicy
from shielded_function.checks import check, read_assembly

pytestmark = pytest.mark.promise("construct.logs")

Props = dict[str, Any]
Resources = Callable[[cdk.Stack, str], "dict[str, Any]"]
LOG_GROUP, POLICY = "AWS::Logs::LogGroup", "AWS::IAM::Policy"
LAMBDA: Any = iam.ServicePrincipal("lambda.amazonaws.com")
WARNING = Match.string_like_regexp("logs:PutLogEvents")


def test_options(stack: cdk.Stack, props: Props) -> None:
    key = kms.Key(stack, "Key")
    options = LogOptions(
        retention=logs.RetentionDays.ONE_WEEK,
        removal_policy=cdk.RemovalPolicy.DESTROY,
        encryption_key=key,
        log_group_name="/shop/checkout",
    )
    ShieldedFunction(stack, "Checkout", logs=options, **props)
    expected = {
        "Properties": {"RetentionInDays": 7, "LogGroupName": "/shop/checkout", "KmsKeyId": stack.resolve(key.key_arn)},
        "DeletionPolicy": "Delete",
    }
    Template.from_stack(stack).has_resource(LOG_GROUP, expected)


def test_the_removal_policy_as_function_takes_it(stack: cdk.Stack, props: Props) -> None:
    ShieldedFunction(stack, "Checkout", log_removal_policy=cdk.RemovalPolicy.DESTROY, **props)
    Template.from_stack(stack).has_resource(LOG_GROUP, {"DeletionPolicy": "Delete"})


def test_names_for_an_app(app: cdk.App, props: Props, resources: Resources) -> None:
    """Each function's own, and the same in each stage's stacks; a token, as of a nested stack's name, stays one."""
    for stage in ("Beta", "Prod"):
        stack = cdk.Stack(cdk.Stage(app, stage), "Shop")
        lambda_.Function(stack, "One", **props)
        lambda_.Function(Construct(stack, "Two"), "Handler", **props)
        nested = cdk.NestedStack(stack, "Nested")
        lambda_.Function(nested, "Three", **props)
        Shield.everywhere(stack, ShieldPolicy(), logs=LogOptions(log_group_name="/shop/{stack}/{id}"))
        names = [found["LogGroupName"] for found in resources(stack, LOG_GROUP).values()]
        assert names == [f"/shop/{stage}-Shop/One", f"/shop/{stage}-Shop/Handler"]
        [within] = [found["LogGroupName"] for found in resources(nested, LOG_GROUP).values()]
        assert list(within) == ["Fn::Join"]
    stack = cdk.Stack(app, "Paths")
    ShieldedFunction(Construct(stack, "A"), "Fn", logs=LogOptions(log_group_name="/aws/{path}"), **props)
    assert [found["LogGroupName"] for found in resources(stack, LOG_GROUP).values()] == ["/aws/Paths/A/Fn"]
    with pytest.raises(ShieldError, match=r"log_group: '/aws/Paths/B:C' is no name for one: use letters"):
        ShieldedFunction(stack, "B:C", logs=LogOptions(log_group_name="/aws/{path}"), **props)


def test_a_key_lets_cloudwatch_logs_use_it(app: cdk.App, stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """A key of the app does, whatever its stack; of another a warning tells, once a stack."""
    keys = cdk.Stack(app, "Keys")
    here = kms.Key(keys, "Key")
    theirs = kms.Key.from_key_arn(stack, "Theirs", "arn:aws:kms:eu-west-1:111122223333:key/1")
    for name, key in (("One", here), ("Two", here), ("Three", theirs), ("Four", theirs)):
        ShieldedFunction(stack, name, logs=LogOptions(encryption_key=key), **props)
    statements = next(iter(resources(keys, "AWS::KMS::Key").values()))["KeyPolicy"]["Statement"]
    [statement] = [each for each in statements if "Service" in each["Principal"]]
    region, suffix = {"Ref": "AWS::Region"}, {"Ref": "AWS::URLSuffix"}
    assert statement["Principal"]["Service"] == {"Fn::Join": ["", ["logs.", region, ".", suffix]]}
    assert {"kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*"} < set(statement["Action"])
    assert list(statement["Condition"]["ArnLike"]) == ["kms:EncryptionContext:aws:logs:arn"]
    told = [str(m.entry.data) for m in app.synth().get_stack_by_name("Shop").messages if "encryption_key" in str(m)]
    assert len([text for text in told if "Shop/Theirs is not of this app" in text]) == len(told) == 1


def test_lines_stay_in_the_log_group_that_exists(
    app: cdk.App, stack: cdk.Stack, props: Props, resources: Resources
) -> None:
    """The metric filter is on the one that Lambda made, and the function's logging stays as it was."""
    role: Any = iam.Role(stack, "Role", assumed_by=LAMBDA)
    existing = LogOptions(existing=True)
    fn = ShieldedFunction(
        stack, "Checkout", logs=existing, role=role, logging_format=lambda_.LoggingFormat.JSON, **props
    )
    given = ShieldedFunction(stack, "Given", logs=existing, log_group=logs.LogGroup(stack, "Logs"), **props)
    l1 = l1_function(stack, role.role_arn)
    Shield(logs=existing).apply(l1)
    found = resources(stack, "AWS::Logs::MetricFilter")
    names = [{"Fn::Join": ["", ["/aws/lambda/", stack.resolve(name)]]} for name in (fn.function_name, l1.ref)]
    assert [each["LogGroupName"] for each in found.values()] == [
        names[0],
        stack.resolve(given.log_group.log_group_name),
        names[1],
    ]
    functions = resources(stack, "AWS::Lambda::Function").values()
    assert [each.get("LoggingConfig") for each in functions][::2] == [{"LogFormat": "JSON"}, None]
    assert (len(resources(stack, LOG_GROUP)), resources(stack, POLICY)) == (1, {})
    assert stack.resolve(fn.log_group.log_group_name) == names[0]
    report = check(read_assembly(Path(app.synth().directory)))
    assert {finding.rule for finding in report.findings} == {"alarm-without-action"}
    assert "newLogGroup" not in str(app.synth().get_stack_by_name("Shop").messages)


@pytest.mark.parametrize("name", ["retention", "removal_policy", "encryption_key", "log_group_name"])
def test_options_of_no_log_group(stack: cdk.Stack, name: str) -> None:
    options: dict[str, Any] = {
        "retention": logs.RetentionDays.ONE_DAY,
        "removal_policy": cdk.RemovalPolicy.DESTROY,
        "encryption_key": kms.Key(stack, "Key"),
        "log_group_name": "/shop",
    }
    with pytest.raises(ValueError, match=rf"LogOptions\.{name}: it is of the log group that the shield makes, and exi"):
        LogOptions(existing=True, **{name: options[name]})


# Each: options, and whether a function without a log group is told of.
MOVES: dict[str, tuple[LogOptions | None, bool]] = {
    "not said": (None, True),
    "retention": (LogOptions(retention=logs.RetentionDays.ONE_DAY), True),
    "new": (LogOptions(existing=False), False),
    "named": (LogOptions(log_group_name="/shop/{id}"), False),
}


@pytest.mark.parametrize("acknowledged", [True, False])
def test_lines_that_go_to_a_new_log_group_are_told_once(app: cdk.App, props: Props, acknowledged: bool) -> None:
    """One warning a stack, of the functions of which nobody has said where their lines go."""
    stage = cdk.Stage(app, "Live")
    stack = cdk.Stack(stage, "Shop")
    for name, (options, _) in MOVES.items():
        ShieldedFunction(stack, name, logs=options, **props)
    ShieldedFunction(stack, "Given", log_group=logs.LogGroup(stack, "Logs"), **props)
    if acknowledged:
        cdk.Annotations.of(stage).acknowledge_warning("shielded-function:newLogGroup", "nothing reads them")
    (nested,) = app.synth().nested_assemblies
    told = [str(m.entry.data) for m in nested.nested_assembly.get_stack_by_name("Live-Shop").messages]
    moved = ", ".join(f"Live/Shop/{name}" for name, (_, moves) in MOVES.items() if moves)
    assert [text.partition(" go to ")[0] for text in told if "newLogGroup" in text] == (
        [] if acknowledged else [f"The lines of {moved}"]
    )


@pytest.mark.parametrize("how", ["made by the shield", "given"])
def test_two_log_groups_of_one_name(stack: cdk.Stack, props: Props, how: str) -> None:
    def add(name: str) -> None:
        if how == "given":
            group = logs.LogGroup(stack, f"{name}Logs", log_group_name="/shop/all")
            ShieldedFunction(stack, name, log_group=group, **props)
        else:
            ShieldedFunction(stack, name, logs=LogOptions(log_group_name="/shop/all"), **props)

    add("One")
    with pytest.raises(ShieldError, match=r"Shop/Two: log_group: Shop/One\w* has one that is called /shop/all too"):
        add("Two")


def test_a_role_that_may_write_anywhere_needs_no_more(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    basic = iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSLambdaBasicExecutionRole")
    role: Any = iam.Role(stack, "Role", assumed_by=LAMBDA, managed_policies=[basic])
    ShieldedFunction(stack, "Checkout", role=role, **props)
    assert resources(stack, POLICY) == {}


def test_a_role_with_least_privilege_is_let_write(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    role: Any = iam.Role(stack, "Role", assumed_by=LAMBDA)
    fn = ShieldedFunction(stack, "Checkout", role=role, **props)
    [policy] = resources(stack, POLICY).values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == stack.resolve(fn.log_group.log_group_arn)
    assert policy["Roles"] == [stack.resolve(role.role_name)]


def test_an_imported_role_is_warned_of(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/shop")
    ShieldedFunction(stack, "Checkout", role=role, **props)
    Annotations.from_stack(stack).has_warning("/Shop/Checkout", WARNING)
    assert resources(stack, POLICY) == {}


def test_a_given_log_group_is_not_looked_after(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    role: Any = iam.Role(stack, "Role", assumed_by=LAMBDA)
    ShieldedFunction(stack, "Checkout", role=role, log_group=logs.LogGroup(stack, "Logs"), **props)
    assert resources(stack, POLICY) == {}
    Annotations.from_stack(stack).has_no_warning("/Shop/Checkout", WARNING)


def l1_function(stack: cdk.Stack, role: str, **more: Any) -> lambda_.CfnFunction:
    code = lambda_.CfnFunction.CodeProperty(zip_file="x")
    return lambda_.CfnFunction(stack, "L1", role=role, code=code, runtime="python3.13", handler="app.handler", **more)


def l1_role(stack: cdk.Stack, *managed: str) -> iam.CfnRole:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}
    return iam.CfnRole(stack, "Role", assume_role_policy_document=trust, managed_policy_arns=list(managed))


def test_the_role_of_a_cfn_function_is_let_write(stack: cdk.Stack, resources: Resources) -> None:
    role = l1_role(stack)
    attached = Shield().apply(l1_function(stack, role.attr_arn))
    [policy] = resources(stack, POLICY).values()
    assert policy["Roles"] == [{"Ref": "Role"}]
    assert policy["PolicyDocument"]["Statement"][0]["Resource"] == stack.resolve(attached.log_group.log_group_arn)


@pytest.mark.parametrize("role", ["arn:aws:iam::111122223333:role/shop", "{{resolve:ssm:/shop/role}}"])
def test_the_imported_role_of_a_cfn_function_is_warned_of(stack: cdk.Stack, role: str) -> None:
    Shield().apply(l1_function(stack, role))
    Annotations.from_stack(stack).has_warning("/Shop/L1", WARNING)


def test_a_cfn_function_as_a_whole(stack: cdk.Stack, resources: Resources) -> None:
    """Its own variables and layers stay, and values of another stack become imports."""
    other = cdk.Stack(stack.node.root, "Other")  # pyright: ignore[reportArgumentType]
    table = logs.LogGroup(other, "Elsewhere")
    function = l1_function(
        stack,
        l1_role(stack).attr_arn,
        environment=lambda_.CfnFunction.EnvironmentProperty(
            variables={"OTHER": table.log_group_name, "AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"}
        ),
        layers=["arn:aws:lambda:eu-west-1:111122223333:layer:mine:1"],
        architectures=["arm64"],
    )
    attached = Shield().apply(function)
    attached.metric_violations("read_handler")
    [found] = resources(stack, "AWS::Lambda::Function").values()
    environment = found["Environment"]["Variables"]
    assert list(environment["OTHER"]) == ["Fn::ImportValue"]
    assert environment["SHIELD_NEXT_WRAPPER"] == "/opt/mine"
    assert environment["SHIELD_READ_WRITE_TMP"] == "block"
    assert found["Layers"] == [
        "arn:aws:lambda:eu-west-1:111122223333:layer:mine:1",
        {"Ref": next(iter(resources(stack, "AWS::Lambda::LayerVersion")))},
    ]
    assert found["LoggingConfig"]["LogGroup"] == stack.resolve(attached.log_group.log_group_name)


@pytest.mark.parametrize("what", ["environment", "layers"])
def test_a_cfn_function_that_is_known_only_at_deployment(stack: cdk.Stack, what: str) -> None:
    unknown: Any = {
        "environment": cdk.Fn.condition_if("C", {"Variables": {"A": "b"}}, {}),
        "layers": cdk.Fn.split(",", cdk.Fn.import_value("Layers")),
    }
    function = l1_function(stack, "arn:aws:iam::111122223333:role/shop", **{what: unknown[what]})
    with pytest.raises(ShieldError, match=f"Shop/L1: {what}: known only at deployment"):
        Shield().apply(function)


@pytest.mark.parametrize("nested", [False, True])
def test_a_role_of_another_stack_makes_no_cycle(app: cdk.App, props: Props, nested: bool) -> None:
    """The grant goes into the function's stack: in the role's it would depend on the log group, and be depended on."""
    roles = cdk.Stack(app, "Iam")
    role: Any = iam.Role(roles, "Role", assumed_by=LAMBDA)
    scope = cdk.NestedStack(roles, "Shop") if nested else cdk.Stack(app, "Shop")
    ShieldedFunction(scope, "Checkout", role=role, **props)
    app.synth()
    (document,) = (p["Properties"] for p in Template.from_stack(scope).find_resources(POLICY).values())
    assert document["PolicyDocument"]["Statement"][0]["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert Template.from_stack(roles).find_resources(POLICY) == {}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"retention": 5}, "LogOptions.retention: 5 is no RetentionDays; write logs.RetentionDays.ONE_MONTH"),
        ({"removal_policy": "destroy"}, "LogOptions.removal_policy: 'destroy' is no RemovalPolicy"),
        ({"log_group_name": 7}, "LogOptions.log_group_name: 7 is no str"),
        (
            {"log_group_name": "/shop/{function}"},
            "LogOptions.log_group_name: there is no placeholder {function}; use {stack}, {id}, {path}",
        ),
        ({"encryption_key": "arn:aws:kms:x"}, "LogOptions.encryption_key: 'arn:aws:kms:x' is no key"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_option_of_another_type(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ShieldError, match=re.escape(told)):
        LogOptions(**options)


def test_the_log_group_of_a_cfn_function(stack: cdk.Stack, resources: Resources) -> None:
    group = logs.LogGroup(stack, "Logs")
    logging = lambda_.CfnFunction.LoggingConfigProperty(log_group=group.log_group_name)
    attached = Shield().apply(l1_function(stack, l1_role(stack).attr_arn, logging_config=logging))
    [found] = resources(stack, "AWS::Logs::MetricFilter").values()
    assert found["LogGroupName"] == stack.resolve(group.log_group_name)
    assert stack.resolve(attached.log_group.log_group_name) == stack.resolve(group.log_group_name)
    assert len(resources(stack, LOG_GROUP)) == 1
