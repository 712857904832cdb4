"""The blast radius of the whole app: what is told of each function, and what a narrower policy would take away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from integration.cli.running import command
from integration.examples.conftest import Assembly
from shielded_function import ShieldedFunction, ShieldPolicy

AWS = "AWS, with keys of any account"
ANY = ("any host", ["*"])
ORDERS, REPORTS, PAID = "table Live/Data/Orders", "bucket Live/Data/Reports", "queue Live/Data/Paid"
ASSETS = "bucket cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
SEED = ["function Live/Orders/SeedOrders"]
STOCK = "Live/Data/Stock.Endpoint.Address:Live/Data/Stock.Endpoint.Port"
FIRST_SEEN = "ShieldMonitoring-c8e887ed/FirstSeen/Function"
SEEN = "table Live/Orders/ShieldMonitoring-c8e887ed/FirstSeen/Seen"
# The function -> how far data can go; services; what is read; what is written; hosts; files.
EXPECTED: dict[str, tuple[str, list[str], list[str], list[str], list[str], list[str]]] = {
    "Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C": (*ANY, [REPORTS, ASSETS], [REPORTS], ["*"], ["*"]),
    "Custom::S3AutoDeleteObjectsCustomResourceProvider/Handler": (*ANY, [REPORTS], [REPORTS], ["*"], ["*"]),
    "Seeding/framework-onEvent": (*ANY, SEED, SEED, ["*"], ["*"]),
    "ExchangeRates": (*ANY, [], [], ["*"], ["*"]),
    "FulfilOrder": (
        *(AWS, ["sqs", "dynamodb", "secretsmanager"], [PAID, "secret Live/Data/Stock/Secret/Attachment", ORDERS]),
        *([PAID, ORDERS], [STOCK], []),
    ),
    "Reports/DailyReport": (AWS, ["dynamodb", "s3"], [ORDERS], [REPORTS], [], ["/tmp/report.csv"]),
    "PlaceOrder": (AWS, ["dynamodb", "sqs"], [], [PAID, ORDERS], ["api.payments.example:443"], []),
    FIRST_SEEN: (AWS, ["dynamodb", "events"], [], ["event bus event-bus/default", SEEN], [], []),
    "SeedOrders": (AWS, ["dynamodb"], [], [ORDERS], [], []),
    "SingletonLambda0f7ce8f06a394f0d8cf33f5b3ad0c6a1": (AWS, ["sns"], [], ["topic Live/Data/News"], [], []),
}


def ask(*arguments: object, **environment: str) -> tuple[int, str]:
    """The command's exit status, and what it prints."""
    done = command(*map(str, arguments), environment=environment)
    return done.returncode, done.stdout + done.stderr


def named(resources: list[dict[str, Any]], access: str) -> list[str]:
    return [f"{each['kind']} {each['name']}" for each in resources if each[access] and each["admitted"]]


def test_the_whole_app(assembly: Assembly) -> None:
    status, printed = ask("audit", assembly("whole_app"), "--json")
    told = json.loads(printed)
    found = {
        each["path"].split("/", 2)[2]: (
            *(each["data_can_go_to"], each["services"], named(each["resources"], "reads")),
            *(named(each["resources"], "writes"), each["hosts"], each["files"]),
        )
        for each in told["radius"]
    }
    assert status == 0
    assert found == EXPECTED
    assert list(found) == list(EXPECTED), "the widest first"
    assert all(each["admitted"] for function in told["radius"] for each in function["resources"])
    assert not any(each["narrower"] for each in told["radius"] if each["shielded"])


def test_its_table(assembly: Assembly) -> None:
    status, printed = ask("audit", assembly("whole_app"), "--all", COLUMNS="80")
    assert status == 0
    assert max(map(len, printed.split("Blast radius")[1].splitlines())) <= 80
    for text in ("Live/Orders/PlaceOrder", "hosts: api.payments.example:443"):
        assert text in printed


BLOCK = (
    'outbound_connectivity="block": every host but 0 listed',
    'create_child_process="block": every program but 0 listed',
    'read_write_tmp="block": every file in /tmp but 0 listed',
)
SLACK = "hooks.slack.com:443"
# The widest first: the policy, how far data can go, and what would be narrower.
NARROWER: dict[str, tuple[ShieldPolicy, str, list[str]]] = {
    "Alert": (ShieldPolicy(allow_aws="granted").with_mode("alert"), "any host", [*BLOCK]),
    "Shared": (
        ShieldPolicy(allow_aws="granted", allow_outbound=[SLACK]),
        "a listed host where anybody receives data",
        [f"{SLACK}: a host of your own in front of it"],
    ),
    "All": (
        ShieldPolicy(allow_aws="all"),
        AWS,
        ['allow_aws="granted": every service but its buckets', "allow_buckets: every bucket but Shop/Orders"],
    ),
    "Spare": (
        ShieldPolicy(allow_aws=["sqs"], allow_buckets=["other"]),
        AWS,
        ["allow_aws without sqs: its role has no grant there"],
    ),
    "Default": (ShieldPolicy(), "listed hosts", []),
    "Parameter": (
        ShieldPolicy(allow_aws="granted", allow_tmp=["/tmp/a"]),
        "listed hosts",
        ['read_write_tmp="block": every file in /tmp but 1 listed'],
    ),
    "Tight": (ShieldPolicy(allow_aws="granted"), "listed hosts", []),
    "Nothing": (ShieldPolicy(allow_aws="none"), "nowhere", []),
}
# By policy, of the one bucket: its name, not its construct path, and no name that holds it.
NAMED = {"my-orders-archive": True, "my-orders": False}


def reader(stack: cdk.Stack, name: str, policy: ShieldPolicy, bucket: s3.Bucket) -> ShieldedFunction:
    """A function whose role may read a bucket."""
    code = lambda_.Code.from_inline("def handler(event, context): return event")
    python = lambda_.Runtime.PYTHON_3_13
    function = ShieldedFunction(stack, name, runtime=python, handler="index.handler", code=code, policy=policy)
    bucket.grant_read(function)
    return function


def test_what_a_narrower_policy_takes_away(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"))
    stack = cdk.Stack(app, "Shop")
    orders = s3.Bucket(stack, "Orders")
    for name in sorted(NARROWER):
        function = reader(stack, name, NARROWER[name][0], orders)
        if name == "Parameter":
            mode = cdk.CfnParameter(stack, "Mode").value_as_string
            resource = function.node.default_child
            assert isinstance(resource, lambda_.CfnFunction)
            resource.add_property_override("Environment.Variables.SHIELD_READ_WRITE_TMP", mode)
    stack = cdk.Stack(app, "Named")
    archive = s3.Bucket(stack, "Files", bucket_name="my-orders-archive")
    for name in NAMED:
        reader(stack, name, ShieldPolicy(allow_aws="none", allow_buckets=[name]), archive)
    _, printed = ask("audit", app.synth().directory, "--json")
    functions = {each["path"]: each for each in json.loads(printed)["radius"]}
    found = {path.removeprefix("Shop/"): each for path, each in functions.items() if path.startswith("Shop/")}
    for name, (_, width, narrower) in NARROWER.items():
        told = [text.partition(" (")[0] if name == "Shared" else text for text in found[name]["narrower"]]
        assert (found[name]["data_can_go_to"], told) == (width, narrower), name
    assert [each["name"] for each in found["Nothing"]["resources"] if each["admitted"]] == []
    assert list(found) == list(NARROWER)
    for name, admitted in NAMED.items():
        assert {each["admitted"] for each in functions[f"Named/{name}"]["resources"]} == {admitted}
