"""The log group that the shield makes, its options, and who may write to it."""

from __future__ import annotations

import re
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

from harness.function_template import FILTER, FUNCTION, LOG_GROUP, Props, Resources, only
from shielded_function import LogOptions, Shield, ShieldedFunction, ShieldError, ShieldPolicy
from shielded_function.checks import check, read_assembly
from unit.constructs.aws import l1_function

pytestmark = pytest.mark.promise("construct.logs")

POLICY = "AWS::IAM::Policy"
LAMBDA: Any = iam.ServicePrincipal("lambda.amazonaws.com")
WARNING = Match.string_like_regexp("logs:PutLogEvents")


def test_options(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """And the removal policy as `Function` takes it."""
    key = kms.Key(stack, "Key")
    name, destroy = "/shop/checkout", cdk.RemovalPolicy.DESTROY
    week = logs.RetentionDays.ONE_WEEK
    options = LogOptions(retention=week, removal_policy=destroy, encryption_key=key, log_group_name=name)
    ShieldedFunction(stack, "Checkout", logs=options, **props)
    ShieldedFunction(stack, "Refund", log_removal_policy=destroy, **props)
    made = Template.from_stack(stack).find_resources(LOG_GROUP).values()
    assert [each["DeletionPolicy"] for each in made] == ["Delete"] * 2
    expected = {"RetentionInDays": 7, "LogGroupName": name, "KmsKeyId": stack.resolve(key.key_arn)}
    assert expected.items() <= next(iter(made))["Properties"].items()


@pytest.mark.parametrize("how", ["given", "of another stack", "of an L1 function"])
def test_a_given_log_group_is_used(
    how: str, app: cdk.App, stack: cdk.Stack, props: Props, resources: Resources
) -> None:
    mine = logs.LogGroup(cdk.Stack(app, "Storage") if how == "of another stack" else stack, "Mine")
    if how == "of an L1 function":
        logging = lambda_.CfnFunction.LoggingConfigProperty(log_group=mine.log_group_name)
        attached = Shield().apply(l1_function(stack, l1_role(stack).attr_arn, logging_config=logging))
    else:
        attached = ShieldedFunction(stack, "Checkout", log_group=mine, **props).shield
    name = only(resources(stack, FILTER))["LogGroupName"]
    assert only(resources(stack, FUNCTION))["LoggingConfig"]["LogGroup"] == name
    assert list(name) == ["Fn::ImportValue" if how == "of another stack" else "Ref"]
    assert stack.resolve(attached.log_group.log_group_name) == stack.resolve(mine.log_group_name)
    assert len(resources(stack, LOG_GROUP)) == (how != "of another stack")


def test_reading_the_log_group_adds_nothing(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    errors: Any = {"filter_pattern": logs.FilterPattern.all_terms("ERROR"), "metric_namespace": "Shop"}
    logs.MetricFilter(stack, "Errors", log_group=fn.log_group, metric_name="Errors", **errors)
    assert resources(stack, "Custom::LogRetention") == {}
    assert {f["LogGroupName"]["Ref"] for f in resources(stack, FILTER).values()} == set(resources(stack, LOG_GROUP))


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


def test_lines_stay_where_they_are(app: cdk.App, stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """The metric filter is on the one that Lambda made, and the function's logging stays as it was."""
    role: Any = iam.Role(stack, "Role", assumed_by=LAMBDA)
    existing = LogOptions(existing=True)
    fn = ShieldedFunction(
        stack, "Checkout", logs=existing, role=role, logging_format=lambda_.LoggingFormat.JSON, **props
    )
    given = ShieldedFunction(stack, "Given", logs=existing, log_group=logs.LogGroup(stack, "Logs"), **props)
    l1 = l1_function(stack, role.role_arn)
    Shield(logs=existing).apply(l1)
    found = resources(stack, FILTER)
    names = [{"Fn::Join": ["", ["/aws/lambda/", stack.resolve(name)]]} for name in (fn.function_name, l1.ref)]
    assert [each["LogGroupName"] for each in found.values()] == [
        names[0],
        stack.resolve(given.log_group.log_group_name),
        names[1],
    ]
    functions = resources(stack, FUNCTION).values()
    assert [each.get("LoggingConfig") for each in functions][::2] == [{"LogFormat": "JSON"}, None]
    assert (len(resources(stack, LOG_GROUP)), resources(stack, POLICY)) == (1, {})
    assert stack.resolve(fn.log_group.log_group_name) == names[0]
    report = check(read_assembly(Path(app.synth().directory)))
    assert {finding.rule for finding in report.findings} == {"alarm-without-action"}
    assert "newLogGroup" not in str(app.synth().get_stack_by_name("Shop").messages)


NOT_MADE = "it is of the log group that the shield makes, and exi"
PLACEHOLDERS = "there is no placeholder {function}; use {stack}, {id}, {path}"


@pytest.mark.parametrize(
    ("existing", "name", "value", "says"),
    [
        (True, "retention", logs.RetentionDays.ONE_DAY, NOT_MADE),
        (True, "removal_policy", cdk.RemovalPolicy.DESTROY, NOT_MADE),
        (True, "encryption_key", kms.Key(cdk.Stack(), "Key"), NOT_MADE),
        (True, "log_group_name", "/shop", NOT_MADE),
        (False, "retention", 5, "5 is no RetentionDays; write logs.RetentionDays.ONE_MONTH"),
        (False, "removal_policy", "destroy", "'destroy' is no RemovalPolicy"),
        (False, "encryption_key", "arn:aws:kms:x", "'arn:aws:kms:x' is no key"),
        (False, "log_group_name", 7, "7 is no str"),
        (False, "log_group_name", "/shop/{function}", PLACEHOLDERS),
    ],
)
def test_bad_options(existing: bool, name: str, value: Any, says: str) -> None:
    with pytest.raises(ShieldError, match=re.escape(f"LogOptions.{name}: {says}")):
        LogOptions(existing=existing or None, **{name: value})


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


def l1_role(stack: cdk.Stack, *managed: str) -> iam.CfnRole:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}
    return iam.CfnRole(stack, "Role", assume_role_policy_document=trust, managed_policy_arns=list(managed))


def test_who_may_write(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """A role that lacks the right gets it; of one that is imported a warning tells; a given log group is left alone."""
    basic, alike = (
        iam.ManagedPolicy.from_aws_managed_policy_name(name)
        for name in ("service-role/AWSLambdaBasicExecutionRole", "AdministratorAccess-Amplify")
    )
    arn = "arn:aws:iam::111122223333:role/shop"
    roles: dict[str, Any] = {
        name: iam.Role(stack, f"{name}Role", assumed_by=LAMBDA, managed_policies=policies)
        for name, policies in {
            "Anywhere": [basic],
            "Least": [],
            "Alike": [alike],
            "Fixed": [],
            "FixedBasic": [basic],
        }.items()
    }
    roles |= {name: roles[name].without_policy_updates() for name in ("Fixed", "FixedBasic")}
    roles["Same"] = iam.Role.from_role_arn(stack, "SameRole", roles["Anywhere"].node.default_child.attr_arn)
    roles["Imported"] = iam.Role.from_role_arn(stack, "ImportedRole", arn)
    made = {name: ShieldedFunction(stack, name, role=role, **props).shield for name, role in roles.items()}
    own: Any = iam.Role(stack, "OwnRole", assumed_by=LAMBDA)
    ShieldedFunction(stack, "Given", role=own, log_group=logs.LogGroup(stack, "Logs"), **props)
    made["L1"] = Shield().apply(l1_function(stack, l1_role(stack).attr_arn))
    for name, role in (("ImportedL1", arn), ("KnownLater", "{{resolve:ssm:/shop/role}}")):
        Shield().apply(l1_function(stack, role, name))
    statements = [policy["PolicyDocument"]["Statement"] for policy in resources(stack, POLICY).values()]
    assert [policy["Roles"] for policy in resources(stack, POLICY).values()] == [
        *([stack.resolve(roles[name].role_name)] for name in ("Least", "Alike")),
        [{"Ref": "Role"}],
    ]
    for (statement,), name in zip(statements, ("Least", "Alike", "L1"), strict=True):
        assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        assert statement["Resource"] == stack.resolve(made[name].log_group.log_group_arn)
    for name in ("Imported", "Fixed", "ImportedL1", "KnownLater"):
        Annotations.from_stack(stack).has_warning(f"/Shop/{name}", WARNING)
    for name in ("Anywhere", "Least", "Alike", "FixedBasic", "Same", "Given", "L1"):
        Annotations.from_stack(stack).has_no_warning(f"/Shop/{name}", WARNING)


def test_a_cfn_function_as_a_whole(stack: cdk.Stack, resources: Resources) -> None:
    """Its own variables and layers stay, and values of another stack become imports."""
    other = cdk.Stack(stack.node.root, "Other")  # pyright: ignore[reportArgumentType]
    mine = "arn:aws:lambda:eu-west-1:111122223333:layer:mine:1"
    given = {"OTHER": logs.LogGroup(other, "Elsewhere").log_group_name, "AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"}
    environment = lambda_.CfnFunction.EnvironmentProperty(variables=given)
    more: dict[str, Any] = {"layers": [mine], "architectures": ["arm64"]}
    attached = Shield().apply(l1_function(stack, l1_role(stack).attr_arn, environment=environment, **more))
    attached.metric_violations("read_handler")
    [found] = resources(stack, FUNCTION).values()
    variables = found["Environment"]["Variables"]
    assert list(variables["OTHER"]) == ["Fn::ImportValue"]
    assert variables["SHIELD_NEXT_WRAPPER"] == "/opt/mine"
    assert variables["SHIELD_READ_WRITE_TMP"] == "block"
    assert found["Layers"] == [mine, {"Ref": next(iter(resources(stack, "AWS::Lambda::LayerVersion")))}]
    assert found["LoggingConfig"]["LogGroup"] == stack.resolve(attached.log_group.log_group_name)


@pytest.mark.parametrize("what", ["environment", "layers"])
def test_a_cfn_function_that_is_known_only_at_deployment(stack: cdk.Stack, what: str) -> None:
    unknown: Any = {
        "environment": cdk.Fn.condition_if("C", {"Variables": {"A": "b"}}, {}),
        "layers": cdk.Fn.split(",", cdk.Fn.import_value("Layers")),
    }
    function = l1_function(stack, **{what: unknown[what]})
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
