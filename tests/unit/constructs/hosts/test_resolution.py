"""`resolve_policy`: one function's environment from a policy with constructs and tokens, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from aws_cdk.assertions import Template

from shielded_function import ShieldError, ShieldPolicy, ShieldPolicyError
from shielded_function.policy.lengths import environment_size
from shielded_function.reading.late import late_list, late_text
from shielded_function.shield.resolution import ResolvedPolicy, resolve_policy
from shielded_function_monitoring.cfn.values import Resolver

from .conftest import make_function


def database(scope: cdk.Stack, construct_id: str = "Db") -> rds.CfnDBInstance:
    return rds.CfnDBInstance(scope, construct_id, engine="postgres")


def give(function: lambda_.Function, resolved: ResolvedPolicy) -> None:
    """Puts it into the function, as the shield does."""
    for name, value in resolved.environment.items():
        function.add_environment(name, value)


def write(function: lambda_.Function, resolved: ResolvedPolicy) -> dict[str, Any]:
    """The same, and what the template then has."""
    give(function, resolved)
    return variables_of(function)


def variables_of(function: lambda_.Function) -> dict[str, Any]:
    """Its environment in the template; synthesizes the app."""
    resources = Template.from_stack(function.stack).to_json()["Resources"]
    logical_id = function.stack.get_logical_id(cast("cdk.CfnElement", function.node.default_child))
    return resources[logical_id]["Properties"]["Environment"]["Variables"]


def att(logical_id: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def address() -> dict[str, Any]:
    return {"Fn::Join": ["", [att("Db", "Endpoint.Address"), ":", att("Db", "Endpoint.Port")]]}


def refuses(policy: ShieldPolicy, function: lambda_.Function, *words: str) -> str:
    """The error of a policy; it begins with the function's path."""
    with pytest.raises(ShieldError) as caught:
        resolve_policy(policy, function)
    text = str(caught.value)
    assert text.startswith(f"{function.node.path}: ")
    assert [word for word in words if word not in text] == []
    return text


def test_literals_ask_nothing_of_node(function: lambda_.Function, requests: list[str]) -> None:
    policy = ShieldPolicy(
        presets=["numba"],
        allow_outbound=["tcp://db.example:5432", "udp://ntp.example"],
        deny_outbound=["preset:chat-webhooks", "b\u00fccher.example"],
        check_tls_name=False,
        allow_buckets=["orders", "reports"],
    )
    resolved = resolve_policy(policy, function)
    assert requests == []
    assert resolved.policy is policy
    assert resolved.environment == policy.to_env()
    assert resolved.longest == environment_size(policy.to_env()) - len("{}") + len(",")
    assert resolved.sources == {}


def test_one_policy_serves_functions_of_several_stacks(app: cdk.App, stack: cdk.Stack) -> None:
    """By a reference, an export of its stack, and a parameter of the nested stack."""
    policy = ShieldPolicy(allow_outbound=[database(stack)])
    functions = [make_function(at) for at in (stack, cdk.Stack(app, "Other"), cdk.NestedStack(stack, "Nested"))]
    for function in functions:
        resolved = resolve_policy(policy, function)
        assert list(resolved.sources.values()) == ["Shop/Db"]
        assert set(resolved.sources) == set(resolved.policy.allow_outbound)
        give(function, resolved)
    here, there, nested = (variables_of(function)["SHIELD_ALLOW_OUTBOUND"] for function in functions)
    assert here == address()
    exports = [output["Export"]["Name"] for output in Template.from_stack(stack).to_json()["Outputs"].values()]
    imports = [piece["Fn::ImportValue"] for piece in there["Fn::Join"][1] if piece != ":"]
    assert (len(imports), set(imports)) == (2, set(exports))
    references = [piece["Ref"] for piece in nested["Fn::Join"][1] if piece != ":"]
    assert ["Endpoint" in reference for reference in references] == [True, True]


def test_a_bucket_among_hosts_is_a_bucket(stack: cdk.Stack, function: lambda_.Function) -> None:
    bucket = s3.CfnBucket(stack, "Orders")
    resolved = resolve_policy(ShieldPolicy(allow_outbound=[bucket, "a.example"], allow_buckets=["mine"]), function)
    assert resolved.policy.allow_outbound == ("a.example",)
    assert "mine" in resolved.policy.allow_buckets
    assert write(function, resolved)["SHIELD_ALLOW_BUCKETS"] == {"Fn::Join": ["", ["mine,", {"Ref": "Orders"}]]}


def test_what_is_known_at_synthesis_is_a_literal(function: lambda_.Function) -> None:
    host, hosts = late_text(lambda: "API.Example.com"), late_list(lambda: ["one.example:443", "two.example"])
    resolved = resolve_policy(ShieldPolicy(allow_outbound=[f"{host}:443", *hosts]), function)
    assert resolved.policy.allow_outbound == ("api.example.com:443", "one.example:443", "two.example")
    assert resolved.policy.decide("connect", "api.example.com:443").action == "allow"
    assert resolved.policy.decide("connect", "api.example.com:80").action == "deny"


def test_a_bad_literal_is_an_error_at_synthesis(function: lambda_.Function) -> None:
    for text, reason in {"10.0.0.1/8": "bits set", "a b": "a b", "": "empty", "a.example:99999": "port"}.items():
        policy = ShieldPolicy(allow_outbound=[late_text(partial(str, text))])
        refuses(policy, function, "ShieldPolicy.allow_outbound", reason)


def test_tokens_reach_the_template(stack: cdk.Stack, function: lambda_.Function) -> None:
    """Python writes the token of a number as -1.8881545897087503e+289, which the CDK reads again."""
    parameter = ssm.StringParameter.value_for_string_parameter(stack, "/db/host")
    listed = cdk.CfnParameter(stack, "Hosts", type="CommaDelimitedList").value_as_list
    instance = database(stack)
    port = f"{cdk.Token.as_number(instance.attr_endpoint_port)}"
    assert "e+289" in port
    policy = ShieldPolicy(
        allow_outbound=[
            f"{parameter}:5432",
            *listed,
            cdk.Fn.import_value("Host"),
            cdk.Fn.join(".", ["replica", instance.attr_endpoint_address]),
            f"{instance.attr_endpoint_address}:{port}",
            f"{cdk.Fn.select(2, cdk.Fn.split('/', cdk.Fn.import_value('Url')))}:443",
        ],
        allow_tmp=[f"/tmp/{cdk.Aws.STACK_NAME}/**"],
    )
    variables = write(function, resolve_policy(policy, function))
    pieces = variables["SHIELD_ALLOW_OUTBOUND"]["Fn::Join"][1]
    assert pieces[0]["Ref"].startswith("SsmParameterValue")
    assert pieces[1:] == [
        ":5432,",
        {"Fn::Join": [",", {"Ref": "Hosts"}]},
        ",",
        {"Fn::ImportValue": "Host"},
        ",",
        {"Fn::Join": [".", ["replica", att("Db", "Endpoint.Address")]]},
        ",",
        att("Db", "Endpoint.Address"),
        ":",
        att("Db", "Endpoint.Port"),
        ",",
        {"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::ImportValue": "Url"}]}]},
        ":443",
    ]
    assert variables["SHIELD_ALLOW_TMP"] == {"Fn::Join": ["", ["/tmp/", {"Ref": "AWS::StackName"}, "/**"]]}


def test_an_ssm_reference_that_is_no_secret_stays(stack: cdk.Stack, function: lambda_.Function) -> None:
    parameter = ssm.StringParameter.from_string_parameter_attributes(
        stack, "P", parameter_name="/db/host", force_dynamic_reference=True
    )
    resolved = resolve_policy(ShieldPolicy(allow_outbound=[f"{parameter.string_value}:5432"]), function)
    assert resolved.longest - resolve_policy(ShieldPolicy(), function).longest > 253
    assert write(function, resolved)["SHIELD_ALLOW_OUTBOUND"] == "{{resolve:ssm:/db/host}}:5432"


def test_what_is_yet_to_be_looked_up_admits_nobody(app: cdk.App) -> None:
    """The command line looks it up only after a first synthesis, which must not fail. A network has bits behind its
    mask."""
    stack = cdk.Stack(app, "Known", env=cdk.Environment(account="111111111111", region="us-east-1"))
    host, vpc = ssm.StringParameter.value_from_lookup(stack, "/host"), ec2.Vpc.from_lookup(stack, "V", vpc_id="vpc-1")
    assert vpc.vpc_cidr_block == "1.2.3.4/5"
    policy = ShieldPolicy(allow_outbound=[vpc, f"{host}:443", "tcp://1.2.3.4/5:5432"], allow_buckets=[host])
    resolved = resolve_policy(policy, make_function(stack)).policy
    assert {*resolved.allow_outbound} == {"dummy-value.invalid:443", "tcp://192.0.2.0/24:5432", "192.0.2.0/24"}
    assert resolved.allow_buckets == ("shielded-function-dummy-value",)
    Template.from_stack(stack)
    with pytest.raises(ShieldPolicyError):
        ShieldPolicy(allow_outbound=["1.2.3.5/5"])


def test_a_value_of_another_kind_is_refused(stack: cdk.Stack) -> None:
    parameter: Any = cdk.CfnParameter(stack, "Host")
    secret: Any = cdk.SecretValue.secrets_manager("db")
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"allow_outbound": [secret]}, "a secret would stand in the function's environment for all to read"),
        ({"allow_outbound": [parameter.value]}, r"make it a text with Token\.as_string\(\)"),
        ({"allow_buckets": [database(stack)]}, r"allow_buckets: Shop/Db .* is not a bucket: list it in allow_outbound"),
        ({"allow_tmp": [parameter]}, r"^ShieldPolicy\.allow_tmp: .* is a construct; "),
    )
    for given, said in wrong:
        with pytest.raises(ShieldPolicyError, match=said):
            ShieldPolicy(**given)


SECRETS: dict[str, Callable[[cdk.Stack], str]] = {
    "alone": lambda stack: cdk.SecretValue.secrets_manager("db", json_field="host").unsafe_unwrap(),
    "in a text": lambda stack: f"{cdk.SecretValue.secrets_manager('db').unsafe_unwrap()}:5432",
    "in a join": lambda stack: cdk.Fn.join(".", ["a", cdk.SecretValue.secrets_manager("db").unsafe_unwrap()]),
    "of the stack": lambda stack: (
        secretsmanager.Secret(stack, "S").secret_value_from_json("host").unsafe_unwrap() + ":5432"
    ),
    "secure parameter": lambda stack: cdk.SecretValue.ssm_secure("/db/host", "1").unsafe_unwrap(),
    "by hand": lambda stack: late_text(lambda: "{{resolve:secretsmanager:db}}"),
}


def test_a_secret_is_refused(stack: cdk.Stack, function: lambda_.Function) -> None:
    for make in SECRETS.values():
        text = refuses(ShieldPolicy(allow_outbound=[make(stack)]), function, "holds a secret ({{resolve:")
        assert "environment" in text
    secret = SECRETS["alone"](stack)
    imported = rds.DatabaseInstance.from_database_instance_attributes(
        stack, "Db", instance_identifier="db", instance_endpoint_address=secret, port=5432, security_groups=[]
    )
    refuses(ShieldPolicy(allow_outbound=[imported]), function, "the entry of Shop/Db: it holds a secret")


def test_a_parameter_that_is_not_shown_is_refused(stack: cdk.Stack, function: lambda_.Function) -> None:
    hidden = cdk.CfnParameter(stack, "Hidden", no_echo=True).value_as_string
    shown = cdk.CfnParameter(stack, "Shown").value_as_string
    wraps: tuple[Callable[[str], str], ...] = (str, lambda text: cdk.Fn.select(0, cdk.Fn.split(",", text)))
    for wrap in wraps:
        resolve_policy(ShieldPolicy(allow_outbound=[wrap(shown)]), function)
        refuses(ShieldPolicy(allow_outbound=[wrap(hidden)]), function, "Shop/Hidden has no_echo")


FAR: tuple[Callable[[Any], Any], ...] = (
    lambda instance: instance,
    lambda instance: f"{instance.attr_endpoint_address}:5432",
    lambda instance: cdk.Fn.select(0, cdk.Fn.split(":", instance.attr_endpoint_address)),
)


def test_a_reference_across_stages_names_both(app: cdk.App) -> None:
    data, web = cdk.Stage(app, "Data"), cdk.Stage(app, "Web")
    instance = database(cdk.Stack(data, "Shop"))
    far, top, near = (make_function(cdk.Stack(*at)) for at in ((web, "Shop"), (app, "Top"), (data, "Near")))
    for make in FAR:
        policy = ShieldPolicy(allow_outbound=[make(instance)])
        refuses(policy, far, "Data/Shop/Db is in the stage Data", "the function in the stage Web", "SSM parameter")
        text = refuses(policy, top, "Data/Shop/Db", "the function in the app itself")
        assert text.count("Data/Shop/Db is in") == 1
        resolve_policy(policy, near)


def test_another_region_or_account_is_the_cdks_affair(app: cdk.App) -> None:
    """It reads what the other stack exports, by a custom resource or by `Fn::GetStackOutput`; older ones raise."""
    here = cdk.Stack(app, "Here", env=cdk.Environment(account="111111111111", region="us-east-1"))
    policy = ShieldPolicy(allow_outbound=[database(here)])
    functions: dict[str, lambda_.Function] = {}
    for account, region, by in ("111111111111", "eu-west-1", "Fn::GetAtt"), ("222222222222", "us-east-1", "Fn::GetS"):
        there = cdk.Stack(app, f"There{account[0]}", env=cdk.Environment(account=account, region=region))
        functions[by] = make_function(there)
        give(functions[by], resolve_policy(policy, functions[by]))
    for by, function in functions.items():
        pieces = variables_of(function)["SHIELD_ALLOW_OUTBOUND"]["Fn::Join"][1]
        assert pieces[1] == ":"
        assert all(next(iter(piece)).startswith(by) for piece in (pieces[0], pieces[2]))


def test_all_problems_are_told_at_once(app: cdk.App, stack: cdk.Stack, function: lambda_.Function) -> None:
    far = database(cdk.Stack(cdk.Stage(app, "Data"), "Shop"))
    redis = elasticache.CfnReplicationGroup(stack, "Redis", replication_group_description="d", cluster_mode="enabled")
    policy = ShieldPolicy(allow_outbound=[redis, far, cdk.SecretValue.secrets_manager("db").unsafe_unwrap()])
    refuses(policy, function, "Shop/Redis", "Data/Shop/Db", "holds a secret")


def test_what_it_counts_covers_what_is_deployed(stack: cdk.Stack, function: lambda_.Function) -> None:
    """With the longest values put in for the tokens, the variables are no longer than they were counted."""
    instance = database(stack)
    token = cdk.CfnParameter(stack, "P").value_as_string
    resolved = resolve_policy(
        ShieldPolicy(
            allow_outbound=["a.example", instance, f"{token}:443", "é.example"],
            allow_buckets=[s3.CfnBucket(stack, "B"), "orders"],
            allow_tmp=['/tmp/"quoted"\\', f"/tmp/{token}"],
        ),
        function,
    )
    variables = write(function, resolved)

    endpoint = f"{'d' * 63}.abcdefghijkl.ap-northeast-1.rds.amazonaws.com.cn"
    known = {"B": "b" * 63, "Db.Endpoint.Address": endpoint, "Db.Endpoint.Port": "65535"}
    deployed = {
        name: Resolver("Shop", {}, {**known, "P": "p" * (253 if "OUTBOUND" in name else 255)}).resolve(variables[name])
        for name in resolved.environment
    }
    measured = environment_size(deployed)
    assert measured <= resolved.longest + len("{}") <= measured + 32
    assert json.loads(json.dumps(deployed)) == deployed
