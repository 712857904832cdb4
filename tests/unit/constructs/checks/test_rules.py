"""Each rule, over the template that would be deployed: its findings, with the remedy.

The rules on alerts are in test_alert_rules.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_config as config
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sam as sam
from aws_cdk import aws_sqs as sqs

from shielded_function import AlarmOptions, Shield, ShieldedFunction, ShieldError, ShieldPerimeter, ShieldPolicy
from shielded_function.checks import LEFT_OUT, check, read_assembly
from shielded_function.checks.rules import OF_NO_FUNCTION, RULES
from shielded_function.layer.runtimes import TESTED, can_be_shielded
from shielded_function.reading.other_code import FUNCTIONS, NO_CODE, OTHER_CODE, PREFIXES
from shielded_function.testing import assert_shielded
from unit.constructs.aws import aws, l1_function

from .conftest import Judge, MakeFunction, Read, rules

ROOT = Path(__file__).parents[4]
WRAPPER = "Environment.Variables.AWS_LAMBDA_EXEC_WRAPPER"
OUTBOUND = "Environment.Variables.SHIELD_ALLOW_OUTBOUND"
MODES = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler")
NO_POLICY = {
    f"Environment.Variables.SHIELD_{name}": None
    for name in ("OUTBOUND_CONNECTIVITY", "READ_WRITE_TMP", "CREATE_CHILD_PROCESS", "READ_HANDLER", "ALLOW_AWS")
}


def environment(**variables: Any) -> dict[str, Any]:
    return {f"Environment.Variables.SHIELD_{name.upper()}": value for name, value in variables.items()}


def overridden(overrides: dict[str, Any], *found: str) -> set[str]:
    """What is found of overrides beside what they are here for: a policy that says something else."""
    of_layer = ("NEXT_WRAPPER", "NODE_CALLERS")
    changed = any("Variables.SHIELD_" in name and not name.endswith(of_layer) for name in overrides)
    return {"policy-overridden"} if changed and "policy-missing" not in found else set()


def test_a_shielded_function_that_tells_somebody_is_right(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, action: Any
) -> None:
    policy = ShieldPolicy(
        allow_outbound=["api.stripe.com:443", "*.example.com", "10.0.0.0/8", "192.0.2.0/24:443", "2001:db8::/32"],
        allow_tmp=["/tmp/cache/**"],
        allow_child_process=["/usr/bin/ffmpeg"],
        allow_aws=["dynamodb"],
    )
    updates = lambda_.RuntimeManagementMode.FUNCTION_UPDATE
    shielded(stack, policy=policy, alarms=AlarmOptions(actions=[action]), runtime_management_mode=updates)
    report = judge(["Shop"])
    assert [finding.message for finding in report.findings] == []
    assert [function.layers for function in report.shielded] == [["shield"]]


# Each: what is written into the shielded function's resource, and the only rule that is to find it.
DAMAGE: dict[str, tuple[dict[str, Any], str]] = {
    "another wrapper": ({WRAPPER: "/opt/other"}, "layer-without-wrapper"),
    "no wrapper": ({WRAPPER: None}, "layer-without-wrapper"),
    "a wrapper known at deployment": ({WRAPPER: {"Ref": "AWS::StackName"}}, "layer-without-wrapper"),
    "no layer": ({"Layers": None}, "wrapper-without-layer"),
    "an empty list of layers": ({"Layers": []}, "wrapper-without-layer"),
    "no value of layers": ({"Layers": [{"Ref": "AWS::NoValue"}]}, "wrapper-without-layer"),
    "another layer": ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:dd:7"]}, "wrapper-without-layer"),
    "a layer by a parameter": ({"Layers": [{"Ref": "Unknown"}]}, "wrapper-without-layer"),
    "no policy": (NO_POLICY, "policy-missing"),
    "a misspelt mode": (environment(read_handler="blok"), "policy-invalid"),
    "an unknown variable": (environment(read_hander="block"), "policy-invalid"),
    "an old runtime": ({"Runtime": "python3.7"}, "runtime-unsupported"),
    **{
        f"{name}, not tried": ({"Runtime": name}, "runtime-untested")
        for name in ("python3.10", "java8.al2023", "dotnet10", "ruby4.0")
    },
    "another log group": ({"LoggingConfig.LogGroup": "elsewhere"}, "alerts-not-counted"),
    "no log group": ({"LoggingConfig": None}, "alerts-not-counted"),
    "a log level": ({"LoggingConfig.ApplicationLogLevel": "ERROR"}, "alerts-dropped"),
    "all of IPv4": ({OUTBOUND: "0.0.0.0/0"}, "policy-invalid"),
    "all of IPv6, one port": ({OUTBOUND: "[::/0]:443"}, "policy-invalid"),
    "half of IPv4, by TCP": ({OUTBOUND: "tcp://128.0.0.0/1:443"}, "network-too-wide"),
    "a wide network of IPv6": ({OUTBOUND: "2600::/12"}, "network-too-wide"),
    "a country's suffix": ({OUTBOUND: "*.co.uk"}, "wildcard-too-wide"),
    "a private suffix": ({OUTBOUND: "*.github.io:443"}, "wildcard-too-wide"),
    "all of AWS": ({OUTBOUND: "*.amazonaws.com"}, "wildcard-too-wide"),
    "any API": ({OUTBOUND: "*.execute-api.us-east-1.amazonaws.com"}, "wildcard-too-wide"),
    "any bucket": ({OUTBOUND: "*.s3.eu-west-1.amazonaws.com"}, "wildcard-too-wide"),
    "a suffix in another alphabet": ({OUTBOUND: "*.xn--55qx5d.cn"}, "wildcard-too-wide"),
    "a word for a host": ({OUTBOUND: "stripe"}, "name-without-dot"),
    "a chat's webhooks": ({OUTBOUND: "hooks.slack.com:443"}, "shared-host"),
    "a wildcard over them": ({OUTBOUND: "*.slack.com:443"}, "shared-host"),
    "S3 by path": ({OUTBOUND: "s3.us-east-1.amazonaws.com:443"}, "shared-host"),
    "a list without effect": (
        environment(outbound_connectivity="allow", allow_outbound="api.example.com"),
        "list-without-effect",
    ),
    "programs without effect": (
        environment(create_child_process="allow", allow_child_process="/bin/sh"),
        "list-without-effect",
    ),
    "all of tmp": (environment(allow_tmp="/tmp/**"), "tmp-wide-open"),
    "all of tmp, otherwise": (environment(allow_tmp="/tmp/?**"), "tmp-wide-open"),
    "the top of tmp": (environment(read_write_tmp="alert", allow_tmp="/tmp/*"), "tmp-wide-open"),
    "a program without a shield": (environment(allow_child_process="unshielded:/opt/tool"), "unshielded-program"),
    "without a shield where it fails": (environment(on_failure="run_unshielded"), "run-unshielded"),
    "durable": ({"DurableConfig": {"ExecutionTimeout": 60}, **environment(allow_aws="s3")}, "durable-without-lambda"),
    "a file in no layer": (environment(policy_file="/opt/shielded-function/policy"), "policy-file-missing"),
    "a file not in the code": (environment(policy_file="/var/task/policy"), "policy-file-missing"),
    "a file elsewhere": (environment(policy_file="/etc/policy"), "policy-file-missing"),
    "a file known at deployment": (environment(policy_file={"Ref": "AWS::StackName"}), "policy-file-unseen"),
}


# A policy, and the only rule that is to find it.
POLICIES: dict[str, tuple[Callable[[cdk.Stack], dict[str, Any]], str]] = {
    "everything is allowed": (lambda _: dict.fromkeys(MODES, "allow"), "nothing-enforced"),
    "a default of a parameter": (
        lambda stack: {"allow_outbound": [cdk.CfnParameter(stack, "Net", default="128.0.0.0/1").value_as_string]},
        "network-too-wide",
    ),
}


def test_what_is_found(stack: cdk.Stack, shielded: MakeFunction, judge: Judge, source: Path) -> None:
    for name, (overrides, _) in DAMAGE.items():
        shielded(stack, name, overrides)
    for name, (policy, _) in POLICIES.items():
        shielded(stack, name, policy=ShieldPolicy(**policy(stack)))
    other = lambda_.LayerVersion(stack, "Other", code=lambda_.Code.from_asset(str(source)))
    shielded(stack, "a layer without the shield", {"Layers": [stack.resolve(other.layer_version_arn)]})
    report = judge()
    found = {name: rules(report, f"Shop/{name}") for name in (*DAMAGE, *POLICIES, "a layer without the shield")}
    assert found == {
        **{name: {rule, *overridden(overrides, rule)} for name, (overrides, rule) in DAMAGE.items()},
        **{name: {rule} for name, (_, rule) in POLICIES.items()},
        "a layer without the shield": {"wrapper-without-layer"},
    }
    assert all(finding.fix and finding.message.startswith(f"{finding.place.path}: ") for finding in report.findings)


def test_every_rule_is_tried_here() -> None:
    tried = {rule for _, rule in (*DAMAGE.values(), *POLICIES.values())}
    source = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*rules.py"))
    assert [rule.id for rule in RULES if rule.id not in tried and f'{rule.id}"' not in source] == []


def test_every_rule_is_in_the_table_of_its_page() -> None:
    page = (ROOT / "docs" / "guide" / "checks.md").read_text()
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (error|warning) \|", page, re.MULTILINE))
    assert listed == {**{rule.id: rule.severity for rule in RULES}, **dict.fromkeys(OF_NO_FUNCTION, "warning")}


# Each: an override that is no fault.
FINE: dict[str, dict[str, Any]] = {
    "durable, and Lambda is admitted": {"DurableConfig": {"ExecutionTimeout": 60}, **environment(allow_aws="lambda")},
    "one customer's storage account": environment(allow_outbound="contoso.blob.core.windows.net:443"),
    "one customer's API": environment(allow_outbound="a1b2c3.execute-api.us-east-1.amazonaws.com:443"),
    "a customer's own wildcard": environment(allow_outbound="*.contoso.co.uk"),
    "shared hosts that are denied": environment(
        allow_outbound="*.slack.com:443", deny_outbound="hooks.slack.com,files.slack.com,wss-primary.slack.com"
    ),
    "a host that looks like a shared one": environment(allow_outbound="github.com.example.net,myslack.com"),
    "a wide list where nothing is blocked": environment(outbound_connectivity="allow", allow_aws="all"),
    "settings of the layer": environment(next_wrapper="/opt/other", node_callers="off"),
    "hosts known at deployment": {
        OUTBOUND: {"Fn::Join": ["", [{"Fn::GetAtt": ["Db", "Endpoint.Address"]}, ":5432,api.example.com"]]}
    },
}


def test_what_is_no_fault(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    for name, overrides in FINE.items():
        shielded(stack, name, overrides)
    report = judge()
    assert {name: rules(report, f"Shop/{name}") for name in FINE} == {
        name: overridden(overrides) for name, overrides in FINE.items()
    }
    assert len(report.shielded) == len(FINE)


def test_what_differs_from_the_policy(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    changed = environment(outbound_connectivity="allow", read_write_tmp=None, allow_tmp="/tmp/a", account_id="1" * 12)
    shielded(stack, overrides={**changed, OUTBOUND: "a.example"}, policy=ShieldPolicy(allow_outbound=["b.example:443"]))
    found = [each for each in judge().errors if each.rule == "policy-overridden"]
    assert [each.problem for each in found] == [
        "SHIELD_ACCOUNT_ID differs from its policy",
        "SHIELD_ALLOW_OUTBOUND is 'a.example', and its policy says 'b.example:443'",
        "SHIELD_ALLOW_TMP is there, and its policy does not set it",
        "SHIELD_OUTBOUND_CONNECTIVITY is 'allow', and its policy says 'block'",
        "SHIELD_READ_WRITE_TMP is missing, and its policy sets it",
    ]
    assert found[0].locations == ("Properties.Environment.Variables.SHIELD_ACCOUNT_ID",)
    with pytest.raises(AssertionError, match="SHIELD_OUTBOUND_CONNECTIVITY is 'allow'"):
        assert_shielded(stack)


def test_a_policy_of_other_stacks_values_is_no_other_policy(
    app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge
) -> None:
    """What a nested stack, or another one, refers to by a parameter or an export; at each synthesis again."""
    bucket, other = s3.Bucket(stack, "Bucket"), s3.Bucket(cdk.Stack(app, "Other"), "Bucket")
    policy = ShieldPolicy(allow_outbound=[f"{bucket.bucket_name}.example"], allow_buckets=[other])
    fn = shielded(cdk.NestedStack(stack, "Nested"), policy=policy)
    assert rules(judge()) == set()
    assert isinstance(fn, ShieldedFunction)
    with pytest.raises(ShieldError, match="allow_to: its template is synthesized already"):
        fn.shield.allow_to("api.example.com:443")
    report = judge()
    assert (rules(report), len(report.shielded[0].noted["SHIELD_ALLOW_BUCKETS"])) == (set(), 1)


# Each: a policy, and the only rule that is to find it where it is in production.
PRODUCTION: dict[str, tuple[dict[str, Any], str]] = {
    **{mode: ({mode: "alert", "allow_aws": "none"}, "alert-in-production") for mode in MODES},
    "any host": ({"outbound_connectivity": "allow"}, "alert-in-production"),
    "some services": ({"allow_aws": ["s3"]}, ""),
    "no service": ({"allow_aws": "none"}, ""),
}


def test_what_is_found_in_production(app: cdk.App, shielded: MakeFunction, assembly: Read) -> None:
    for stage in ("Live", "Dev"):
        stack = cdk.Stack(cdk.Stage(app, stage), "Shop")
        for name, (policy, _) in PRODUCTION.items():
            shielded(stack, name, policy=ShieldPolicy(**policy))
    assert rules(check(assembly())) == set()
    report = check(assembly(), ["Live"])
    assert {name: rules(report, f"Live/Shop/{name}") for name in PRODUCTION} == {
        name: {rule} if rule else set() for name, (_, rule) in PRODUCTION.items()
    }
    assert {each.place.path.partition("/")[0] for each in report.errors} == {"Live"}


# By policy and role: what is found where all of AWS is admitted. Unknown grants are found in production alone.
IMPORTED = "role/theirs is imported, so only the grants of this app are known"
ALL_OF_AWS: dict[str, tuple[ShieldPolicy, str, str]] = {
    "Queue": (ShieldPolicy(allow_aws="all"), "error aws-beyond-grants", "those that its role is granted (sqs)"),
    "Acknowledged": (ShieldPolicy(allow_aws="all"), "", ""),
    "Variables": (ShieldPolicy.from_env({"SHIELD_READ_HANDLER": "block"}), "error aws-beyond-grants", "(none)"),
    "Reports": (ShieldPolicy(allow_aws="all").with_mode("alert"), "warning aws-beyond-grants", "(none)"),
    "Far": (ShieldPolicy(allow_aws="all"), "warning aws-beyond-grants", "(sqs)"),
    "FarText": (ShieldPolicy(allow_aws="all"), "warning aws-beyond-grants", "(none)"),
    "ImportedAll": (ShieldPolicy(allow_aws="all"), "error grants-unknown", IMPORTED),
    "Imported": (ShieldPolicy(), "error grants-unknown", IMPORTED),
    "Rule": (ShieldPolicy(), "", ""),
    "Unset": (ShieldPolicy(), "", ""),
    "Anything": (ShieldPolicy(outbound_connectivity="allow", allow_aws="all"), "", ""),
}


def test_all_of_aws_beside_known_grants(app: cdk.App, shielded: MakeFunction, assembly: Read) -> None:
    for stage in ("Live", "Dev"):
        here = cdk.Stage(app, stage)
        stack, us = (
            cdk.Stack(here, name, env=cdk.Environment(account="1" * 12, region=region), cross_region_references=True)
            for name, region in {"Shop": "eu-west-1", "Us": "us-east-1"}.items()
        )
        role: Any = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111111111111:role/theirs")
        made: dict[str, Any] = {
            name: shielded(stack, name, policy=policy, **({"role": role} if "Imported" in name else {}))
            for name, (policy, _, _) in ALL_OF_AWS.items()
        }
        sqs.Queue(stack, "Jobs").grant_send_messages(made["Queue"])
        sqs.Queue(us, "Jobs").grant_send_messages(made["Far"])
        far = ["arn:aws:sqs:us-east-1:111111111111:far"]
        made["FarText"].add_to_role_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=far))
        config.CustomRule(stack, "ConfigRule", lambda_function=made["Rule"], periodic=True)
        cdk.Validations.of(made["Acknowledged"]).acknowledge(
            cdk.Acknowledgment(id="shielded-function::aws-beyond-grants", reason="It is a tool for all services.")
        )
    findings = [each for each in check(assembly(), ["Live"]).findings if "grants" in each.rule]
    found = {each.place.path: (f"{each.severity} {each.rule}", each.problem) for each in findings}
    for name, (_, what, text) in ALL_OF_AWS.items():
        for stage in ("Live", "Dev"):
            rule, problem = found.get(f"{stage}/Shop/{name}", ("", ""))
            expected = "" if stage == "Dev" and "unknown" in what else what
            assert (rule, not rule or text in problem) == (expected, True), f"{stage} {name}: {problem}"


def test_runtimes_that_aws_replaces_in_production(
    app: cdk.App, shielded: MakeFunction, props: dict[str, Any], assembly: Read
) -> None:
    """One finding for each stage that is production, of the functions that AWS updates and nobody acknowledged."""
    mode = lambda_.RuntimeManagementMode
    for name in ("Live", "Dev"):
        stage = cdk.Stage(app, name)
        for stack in (cdk.Stack(stage, "Shop"), cdk.Stack(stage, "Pay")):
            shielded(stack, "Default")
            shielded(stack, "Auto", runtime_management_mode=mode.AUTO)
            shielded(stack, "Deployed", runtime_management_mode=mode.FUNCTION_UPDATE)
            shielded(stack, "Goes on", policy=ShieldPolicy(on_failure="run_unshielded"))
            lambda_.Function(stack, "Plain", **props)
    one, two = cdk.Stack(app, "One"), cdk.Stack(app, "Two")
    shielded(one)
    shielded(two)
    cdk.Validations.of(two).acknowledge(cdk.Acknowledgment(id="shielded-function::runtime-updates", reason="a toy"))

    def found(*production: str) -> list[tuple[str, str]]:
        findings = [each for each in check(assembly(), production).findings if each.rule == "runtime-updates"]
        assert all("RuntimeManagementMode.FUNCTION_UPDATE" in each.fix for each in findings)
        return [(each.place.path, each.problem.partition("interpreter of ")[2][:1]) for each in findings]

    assert found() == []
    assert found("Live", "One", "Two") == [("Live", "4"), ("One", "1")]
    assert found("Live/Pay") == [("Live/Pay", "2")]


def test_a_glob_for_production_that_matches_nothing(stack: cdk.Stack, shielded: MakeFunction, judge: Judge) -> None:
    """A misspelt one is found; another may be a stage of another synthesis, and is only noted."""
    shielded(stack)
    report = judge(["Shop", "Shpo", "shop/*", "Live"])
    found = [each.message for each in report.findings if each.rule == "production-matches-nothing"]
    assert ["'Shpo'" in found[0], "'shop/*'" in found[1], len(found)] == [True, True, 2]
    assert all("did you mean 'Shop'?" in message for message in found)
    assert report.note.startswith("production: nothing in this synthesis is under 'Shpo', 'shop/*', 'Live', so")


def test_no_shield(app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, props: dict[str, Any], judge: Judge) -> None:
    stack.template_options.transforms = ["AWS::Serverless-2016-10-31"]
    lambda_.Function(stack, "Plain", **props)
    code = lambda_.Code.from_bucket(s3.Bucket.from_bucket_name(stack, "Code", "shop-code"), "go.zip")
    lambda_.Function(stack, "Go", **{**props, "runtime": lambda_.Runtime.PROVIDED_AL2023, "code": code})
    role = "arn:aws:iam::123456789012:role/r"
    l1_function(stack, role, "Raw")
    cdk.CfnResource(stack, "Sam", type="AWS::Serverless::Function", properties={"Runtime": "python3.13"})
    wrapped = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield", "SHIELD_READ_HANDLER": "block"}
    image = lambda_.CfnFunction.CodeProperty(image_uri="123456789012.dkr.ecr.us-east-1.amazonaws.com/i:1")
    for name, variables in {"Image": {}, "Wrapped": wrapped}.items():
        environment = lambda_.CfnFunction.EnvironmentProperty(variables=variables)
        lambda_.CfnFunction(stack, name, role=role, package_type="Image", code=image, environment=environment)
    left_out: dict[str, Any] = {"Theirs": lambda_.Function(stack, "Theirs", **props)}
    left_out["RawTheirs"] = lambda_.CfnFunction(stack, "RawTheirs", role=role, code=image)
    for name, construct in {**left_out, "Damaged": shielded(stack, "Damaged", {WRAPPER: "/opt/other"})}.items():
        construct.node.add_metadata(LEFT_OUT, f"a vendor's {name}")
    stack.node.add_metadata(LEFT_OUT, "a mark on a stack says nothing of its functions")
    shielded(cdk.Stack(cdk.Stage(app, "Dev"), "Shop"))
    lambda_.Function(cdk.Stack(cdk.Stage(app, "Late"), "Shop"), "Fn", **props)
    report = judge()
    bare = {*(f"Shop/{name}" for name in ("Plain", "Go", "Raw", "Sam", "Image")), "Late/Shop/Fn"}
    found = {each.place.path: each for each in report.findings if each.rule == "not-shielded"}
    assert found.keys() == bare
    assert {each.place.path: each.left_out for each in report.excused} == {
        f"Shop/{name}": f"a vendor's {name}" for name in left_out
    }
    assert rules(report, "Shop/Damaged") == {"layer-without-wrapper"}
    assert rules(report, "Shop/Wrapped") == {"image-unseen", "alerts-not-counted"}
    assert "provided.al2023" in found["Shop/Go"].message
    assert "call that again after it" in found["Late/Shop/Fn"].fix


def test_code_that_is_in_no_function(app: cdk.App, stack: cdk.Stack, judge: Judge) -> None:
    """What runs it is an error, as a function without a shield is, and can be acknowledged or excluded."""
    canaries = [cdk.CfnResource(stack, name, type="AWS::Synthetics::Canary") for name in ("One", "Two", "Three")]
    cdk.Validations.of(canaries[1]).acknowledge(
        cdk.Acknowledgment(id="shielded-function::not-shielded", reason="it calls our own site")
    )
    Shield.everywhere(app, ShieldPolicy(), exclude=[canaries[2]])
    cdk.CfnStack(stack, "Elsewhere", template_url="https://bucket.s3.amazonaws.com/template.json")
    cdk.CfnResource(cdk.NestedStack(stack, "Nested"), "Vm", type="AWS::Lambda::MicrovmImage")
    rotation: dict[str, Any] = {"HostedRotationLambda": {"RotationType": "MySQLSingleUser"}}
    for name, properties in (("Hosted", rotation), ("Own", {"RotationLambdaARN": "arn"})):
        cdk.CfnResource(stack, name, type="AWS::SecretsManager::RotationSchedule", properties=properties)
    cdk.CfnResource(stack, "Application", type="AWS::Serverless::Application")
    cdk.CfnResource(stack, "Web", type="AWS::Serverless::WebFunction")
    cdk.CfnResource(stack, "New", type="AWS::Lambda::Daemon")
    for name in NO_CODE - {"AWS::Lambda::LayerVersion"}:
        cdk.CfnResource(stack, name.rpartition("::")[0].replace(":", "") + name.rpartition("::")[2], type=name)
    report = judge()
    assert {each.place.path: (each.rule, each.severity) for each in report.findings} == {
        **dict.fromkeys(["Shop/One", "Shop/Nested/Vm", "Shop/Web", "Shop/New"], ("not-shielded", "error")),
        **dict.fromkeys(["Shop/Elsewhere", "Shop/Hosted", "Shop/Application"], ("functions-not-seen", "warning")),
    }
    assert [each.place.path for each in report.acknowledged] == ["Shop/Two"]
    (new,) = [each.message for each in report.findings if each.place.path == "Shop/New"]
    assert new.endswith(
        "does not know AWS::Lambda::Daemon, which may run code: upgrade shielded-function, or acknowledge this"
    )


@pytest.mark.parametrize("module", [lambda_, sam])
def test_every_type_of_the_cdk_is_known(module: Any) -> None:
    """A newer CDK may bring a type that runs code: say in `other_code` whether it does."""
    types = {name for each in vars(module).values() if (name := getattr(each, "CFN_RESOURCE_TYPE_NAME", None))}
    assert len(types) > 5
    assert types <= {*FUNCTIONS, *OTHER_CODE, *NO_CODE}
    assert all(name.startswith(PREFIXES) for name in types)
    assert not NO_CODE & {*FUNCTIONS, *OTHER_CODE}


def test_a_shield_that_the_context_leaves_away(tmp_path: Path, props: dict[str, Any]) -> None:
    app = cdk.App(outdir=str(tmp_path / "off"), context={"shield": "off"})
    ShieldedFunction(cdk.Stack(app, "Shop"), "Fn", **props)
    assembly = read_assembly(Path(app.synth().directory))
    reports = [check(assembly, production, ["Shop"]) for production in ([], ["Shop"], ["Live"])]
    assert [rules(report) for report in reports] == [{"not-shielded"}, {"not-shielded"}, set()]
    assert all("deploy with -c shield=alert" in finding.fix for report in reports for finding in report.findings)


def test_policy_files(stack: cdk.Stack, shielded: MakeFunction, judge: Judge, source: Path, tmp_path: Path) -> None:
    """In a layer, and in the code."""
    policy = tmp_path / "policy" / "shielded-function" / "policy"
    policy.parent.mkdir(parents=True)
    policy.write_text("SHIELD_ALLOW_OUTBOUND=pastebin.com\nSHIELD_ON_FAILURE=run_unshielded\n")
    layer = lambda_.LayerVersion(stack, "Policy", code=lambda_.Code.from_asset(str(tmp_path / "policy")))
    overrides = environment(policy_file="/opt/shielded-function/policy", allow_outbound="webhook.site")
    shielded(stack, "Layer", overrides).add_layers(layer)
    (source / "policy.txt").write_text("SHIELD_ALLOW_TMP=/tmp/**\n")
    code = {"code": lambda_.Code.from_asset(str(source)), "handler": "app.handler"}
    shielded(stack, "Code", environment(policy_file="/var/task/policy.txt"), **code)
    report = judge()
    assert rules(report, "Shop/Layer") == {"shared-host", "run-unshielded", "policy-overridden"}
    assert rules(report, "Shop/Code") == {"tmp-wide-open", "policy-overridden"}
    assert report.shielded[0].policy.policy is not None
    assert set(report.shielded[0].policy.policy.allow_outbound) == {"pastebin.com", "webhook.site"}


# Each: a policy, and whether a library that needs executable memory is found.
EXECUTABLE: list[tuple[ShieldPolicy, bool]] = [
    (ShieldPolicy(), True),
    (ShieldPolicy(allow_executable_memory=["libffi"]), True),
    (ShieldPolicy(presets=["numba"]), False),
    (ShieldPolicy(allow_executable_memory=["libffi", "libllvmlite"]), False),
    (ShieldPolicy(executable_memory="alert"), False),
    (ShieldPolicy.report_only(), False),
]


def test_a_library_that_needs_executable_memory(
    stack: cdk.Stack, shielded: MakeFunction, judge: Judge, source: Path, tmp_path: Path
) -> None:
    """In the code, wherever Lambda keeps it, and in a layer; also if its mode is known only at deployment."""
    for folder in (source, tmp_path / "layer" / "python"):
        (folder / "numba").mkdir(parents=True)
        (folder / "numba" / "__init__.py").write_text("")
    layer = lambda_.LayerVersion(stack, "Libraries", code=lambda_.Code.from_asset(str(tmp_path / "layer")))
    code = {"code": lambda_.Code.from_asset(str(source)), "handler": "app.handler"}
    for number, (policy, _) in enumerate(EXECUTABLE):
        shielded(stack, f"Code{number}", {"Code.S3ObjectStorageMode": "REFERENCE"}, policy=policy, **code)
        shielded(stack, f"Layer{number}", policy=policy).add_layers(layer)
    late = cdk.CfnParameter(stack, "Mode", default="allow").value_as_string
    for name, mode in ("Late", late), ("Known", "block"):
        shielded(stack, name, environment(executable_memory=mode), **code)
    report = judge()
    for number, (_, found) in enumerate(EXECUTABLE):
        for place in ("Code", "Layer"):
            assert rules(report, f"Shop/{place}{number}") == ({"executable-memory-needed"} if found else set())
    assert rules(report, "Shop/Late") == {"policy-overridden"}
    assert rules(report, "Shop/Known") == {"policy-overridden", "executable-memory-needed"}


def test_the_tested_runtimes_are_the_rows_of_the_page() -> None:
    page = (ROOT / "docs" / "guide" / "runtimes.md").read_text()
    table = page.split("| runtime | a plain function", 1)[1].split("\n\n", 1)[0]
    rows = re.findall(r"^\| ([a-z]+[0-9][0-9.alx, a-z]*) \|", table, re.MULTILINE)
    assert {name for row in rows for name in row.split(", ")} == TESTED
    assert all(can_be_shielded(runtime) for runtime in TESTED)
    new = ("ruby4.0", "dotnet10", "java8.al2023", "java11.al2023", "java17.al2023")
    assert all(can_be_shielded(runtime) for runtime in new)
    assert not any(can_be_shielded(runtime) for runtime in ("provided.al2", "provided.al2023", "go1.x"))


def test_layers_log_groups_versions_and_wildcards(
    app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, judge: Judge, tmp_path: Path
) -> None:
    """A layer behind the shield's, or for another processor; a class without filters; a version that stays."""
    folder = tmp_path / "fake" / "shielded-function"
    folder.mkdir(parents=True)
    (folder / "shield").write_text('#!/bin/sh\nexec "$@"\n')
    fake = lambda_.LayerVersion(stack, "Fake", code=lambda_.Code.from_asset(str(folder.parent)))
    shielded(stack, "Behind").add_layers(fake)
    shielded(stack, "Instead", shield_layer=fake)
    layer: Any = Shield.of(shielded(stack, "One")).layer
    layers = {"Layers": [stack.resolve(layer.layer_version_arn)]}
    shielded(stack, "Two", layers, architecture=lambda_.Architecture.ARM_64)
    shielded(stack, "Three", {"Architectures": {"Ref": "AWS::Region"}}, shield_layer=layer)
    for kind in ("INFREQUENT_ACCESS", "DELIVERY"):
        resource: Any = Shield.of(shielded(stack, kind)).log_group.node.default_child
        resource.add_property_override("LogGroupClass", kind)
    function: Any = shielded(stack, "Fn")
    old: Any = lambda_.Version(stack, "Old", lambda_=function)
    for name, version in (("Stale", old), ("Fresh", function.current_version)):
        lambda_.Alias(stack, name, alias_name=name, version=version)
    late = cdk.Aws
    wide = cdk.Stack(app, "Wide", env=cdk.Environment(region="eu-west-1", account="111122223333"))
    for number, entry in enumerate((f"*.{late.URL_SUFFIX}", f"*.execute-api.{late.REGION}.{late.URL_SUFFIX}:443")):
        shielded(wide, f"Fn{number}", policy=ShieldPolicy(allow_outbound=[entry]))
    report = judge()
    assert {each.place.path: found for each in report.findings if (found := rules(report, each.place.path))} == {
        "Shop/Behind": {"shield-unknown", "shield-replaced"},
        "Shop/Instead": {"shield-unknown"},
        "Shop/Two": {"architecture-mismatch"},
        **dict.fromkeys(["Shop/INFREQUENT_ACCESS", "Shop/DELIVERY"], frozenset({"alerts-not-counted"})),
        "Shop/Fn": {"version-not-renewed"},
        **dict.fromkeys(["Wide/Fn0", "Wide/Fn1"], frozenset({"wildcard-too-wide"})),
    }
    told = " ".join(each.problem for each in report.findings)
    assert all(f"its log group's class is {kind}" in told for kind in ("INFREQUENT_ACCESS", "DELIVERY"))
    assert "Shop/Stale leads to the version Shop/Old" in told


@pytest.mark.promise("perimeter.required")
def test_what_is_outside_of_a_perimeter(app: cdk.App, props: dict[str, Any]) -> None:
    """The mark of a perimeter alone is not believed: what would be deployed is read."""

    def function(name: str, policy: ShieldPolicy | None = None) -> tuple[cdk.Stack, Any]:
        env = cdk.Environment(account="111122223333", region="eu-west-1")
        stack = cdk.Stack(cdk.Stage(app, name), "Shop", env=env)
        vpc = aws.ec2.Vpc(stack, "Vpc", max_azs=2)
        ShieldedFunction(stack, "Fn", vpc=None if name == "Outside" else vpc, policy=policy, **props)
        return stack, vpc

    function("Outside")
    function("Inside")
    stack, vpc = function("Covered", ShieldPolicy())
    ShieldPerimeter(stack, vpc=vpc)
    stack, vpc = function("Alerting", ShieldPolicy.report_only())
    ShieldPerimeter(stack, "Wall", vpc=vpc, mode="alert")
    stack, vpc = function("Gone")
    assert ShieldPerimeter(stack, "Wall", vpc=vpc).node.try_remove_child("RulesOfVpc")
    assembly = read_assembly(Path(app.synth().directory))

    def found(*globs: str) -> dict[str, str]:
        findings = [f for f in check(assembly, perimeter=globs).findings if f.rule == "outside-perimeter"]
        assert {f.severity for f in findings} <= {"error"}
        return {f.place.path: f"{f.problem}: {f.fix}" for f in findings}

    uncovered = "no ShieldPerimeter covers it: make a ShieldPerimeter of its VPC, and let its functions= name it"
    assert found() == {}
    assert found("*") == {
        "Outside/Shop/Fn": "it is in no VPC, so nothing outside of its process limits it: give it vpc=",
        "Inside/Shop/Fn": uncovered,
        "Alerting/Shop/Fn": "its perimeter, Alerting/Shop/Wall, only alerts: "
        'say mode="block" there, once its log is quiet',
        "Gone/Shop/Fn": uncovered,
    }
    [unmatched] = found("Covred").values()
    assert unmatched.startswith("perimeter: 'Covred' matches no shielded function")
