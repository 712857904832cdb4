"""`cdk bootstrap`, `deploy`, `diff` and `destroy` of the examples, against moto's server: loopback only, no account.

docs/contributing/releasing.md tells which half of it is moto's and which is ours.
"""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.command_line import CDK
from lab.deployed.examples import EXAMPLES, EXAMPLES_FOLDER, NOT_DEPLOYED, Example
from lab.deployed.loader import FUNCTION, LAYER, DeployedStack, load, read, unload
from lab.deployed.moto_server import ACCOUNT, QUALIFIER, REGION, MotoServer, moto_server, physical_resources, stacks
from shielded_function_monitoring.filters import NAMESPACE, PLATFORM_PROGRAMS, violations
from shielded_function_monitoring.simulated import SimulatedCloudWatch, alert_line, read_templates

WRAPPER = "/opt/shielded-function/shield"
_COUNTED = violations(without=["read_handler"], except_programs=PLATFORM_PROGRAMS, by_level=True)
FILTER = "AWS::Logs::MetricFilter"
ALARM = "AWS::CloudWatch::Alarm"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CDK.exists(), reason="the CDK command line is not in node_modules (make setup)"),
]


@dataclass(frozen=True)
class Deployment:
    """An example that is deployed."""

    example: Example
    server: MotoServer
    assembly: Path
    home: Path
    stacks: tuple[DeployedStack, ...]

    def cdk(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of the CDK's on the synthesized app."""
        return self.server.cdk(command, *options, "--app", str(self.assembly), home=self.home)

    def everything(self) -> list[DeployedStack]:
        """All stacks, nested ones too."""
        return [part for stack in self.stacks for part in stack.everything()]

    def shielded(self) -> list[tuple[DeployedStack, str, dict[str, Any]]]:
        """(stack, logical id, resolved properties) of each function that the template shields."""
        found: list[tuple[DeployedStack, str, dict[str, Any]]] = []
        for stack in self.everything():
            for logical_id, properties in stack.resources(FUNCTION).items():
                if variables(properties).get("AWS_LAMBDA_EXEC_WRAPPER") == WRAPPER:
                    found.append((stack, logical_id, properties))
        return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    folder = tmp_path_factory.mktemp("moto")
    with moto_server(folder / "moto.log") as running:
        options = ("--qualifier", QUALIFIER, "--app", "")  # without the checkout's own cdk.json
        done = running.cdk("bootstrap", *options, f"aws://{ACCOUNT}/{REGION}", home=folder, cwd=folder)
        assert done.returncode == 0, done.stdout
        yield running


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda example: example.name)
def deployment(
    request: pytest.FixtureRequest, server: MotoServer, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    example: Example = request.param
    home = tmp_path_factory.mktemp(example.name)
    assembly = home / "cdk.out"
    synthesize(server, example, assembly, home)
    done = server.cdk("deploy", "**", "--require-approval=never", "--app", str(assembly), home=home)
    assert done.returncode == 0, done.stdout
    top = top_stacks(server)
    assert top, done.stdout
    return Deployment(example, server, assembly, home, tuple(load(server, name) for name in top))


def synthesize(server: MotoServer, example: Example, output: Path, home: Path, *context: str) -> None:
    settings = [f"@aws-cdk/core:bootstrapQualifier={QUALIFIER}", *context]
    options = [option for setting in settings for option in ("--context", setting)]
    done = server.cdk("synth", "--quiet", "--output", str(output), *options, home=home, cwd=example.folder)
    assert done.returncode == 0, done.stdout


def top_stacks(server: MotoServer) -> list[str]:
    every = stacks(server)
    nested = {name for stack in every for name in physical_resources(server, stack).values()}
    return [stack for stack in every if stack not in nested]


def variables(properties: dict[str, Any]) -> dict[str, str]:
    return properties.get("Environment", {}).get("Variables", {})


def log_groups(server: MotoServer) -> set[str]:
    pages = server.client("logs").get_paginator("describe_log_groups").paginate()
    return {group["logGroupName"] for page in pages for group in page["logGroups"]}


def test_every_example_is_deployed_or_says_why_not() -> None:
    folders = {file.parent.name for file in EXAMPLES_FOLDER.glob("*/cdk.json")}
    deployed = {example.name for example in EXAMPLES if example.folder.parent == EXAMPLES_FOLDER}
    assert folders == deployed | set(NOT_DEPLOYED)
    assert all(NOT_DEPLOYED.values())


def test_functions_are_as_the_template_says(deployment: Deployment) -> None:
    shielded = deployment.shielded()
    assert shielded
    client = deployment.server.client("lambda")
    for stack, logical_id, properties in shielded:
        function = client.get_function_configuration(FunctionName=stack.physical(logical_id))
        assert function["Environment"]["Variables"] == variables(properties)
        assert function["Environment"]["Variables"]["SHIELD_ACCOUNT_ID"] == ACCOUNT
        assert {n for n in function["Environment"]["Variables"] if n.startswith("SHIELD_")} > {"SHIELD_ACCOUNT_ID"}
        assert [layer["Arn"] for layer in function["Layers"]] == properties["Layers"]
        assert (function["Runtime"], function["Handler"]) == (properties["Runtime"], properties["Handler"])


def test_a_function_that_is_not_shielded_stays_as_it_is(deployment: Deployment) -> None:
    shielded = {(stack.name, logical_id) for stack, logical_id, _ in deployment.shielded()}
    for stack in deployment.everything():
        for logical_id, properties in stack.resources(FUNCTION).items():
            if (stack.name, logical_id) not in shielded:
                assert not [name for name in variables(properties) if name.startswith("SHIELD_")], logical_id


def test_the_layer_holds_the_shield(deployment: Deployment) -> None:
    s3 = deployment.server.client("s3")
    contents: dict[str, dict[str, int]] = {}
    for stack in deployment.everything():
        for logical_id, properties in stack.resources(LAYER).items():
            content = properties["Content"]
            body = s3.get_object(Bucket=content["S3Bucket"], Key=content["S3Key"])["Body"].read()
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
            contents[stack.physical(logical_id)] = modes
    for _, _, properties in deployment.shielded():
        (modes,) = [contents[arn] for arn in properties["Layers"] if "shielded-function/shield" in contents[arn]]
        assert modes["shielded-function/shield"] == 0o755
        assert modes["shielded-function/libshield.so"] & 0o444 == 0o444


def test_each_function_logs_to_a_log_group_that_exists(deployment: Deployment) -> None:
    """moto does not keep LoggingConfig; that what the template says of it exists is all that can be seen."""
    existing = log_groups(deployment.server)
    for _, logical_id, properties in deployment.shielded():
        assert properties["LoggingConfig"]["LogGroup"] in existing, logical_id


def test_metric_filters_exist(deployment: Deployment) -> None:
    logs = deployment.server.client("logs")
    found = logs.describe_metric_filters()["metricFilters"]
    expected = {
        (properties["LogGroupName"], properties["FilterPattern"], change["MetricNamespace"], change["MetricName"])
        for stack in deployment.everything()
        for properties in stack.resources(FILTER).values()
        for change in properties["MetricTransformations"]
    }
    assert expected
    assert expected == {
        (one["logGroupName"], one["filterPattern"], change["metricNamespace"], change["metricName"])
        for one in found
        for change in one["metricTransformations"]
    }
    assert {log_group for log_group, *_ in expected} <= log_groups(deployment.server)


def test_alarms_exist(deployment: Deployment) -> None:
    found = deployment.server.client("cloudwatch").describe_alarms()["MetricAlarms"]
    names = {stack.physical(logical_id) for stack in deployment.everything() for logical_id in stack.resources(ALARM)}
    assert names
    assert names == {alarm["AlarmName"] for alarm in found}
    published = {
        (change["metricNamespace"], change["metricName"])
        for one in deployment.server.client("logs").describe_metric_filters()["metricFilters"]
        for change in one["metricTransformations"]
    }
    watched = [(alarm["Namespace"], alarm["MetricName"]) for alarm in found if alarm.get("Namespace") == NAMESPACE]
    assert set(watched) <= published  # an alarm on a metric that nobody publishes never fires
    if deployment.example.name == "checkout":
        check_checkout(deployment)


def check_checkout(deployment: Deployment) -> None:
    """The names as a user finds them: written out here, not taken from what loaded them."""
    logs, cloudwatch = deployment.server.client("logs"), deployment.server.client("cloudwatch")
    functions = [f["FunctionName"] for f in deployment.server.client("lambda").list_functions()["Functions"]]
    assert len(functions) == 3
    for construct in ("Shielded", "Watched"):
        (function,) = [name for name in functions if name.startswith(f"Checkout-{construct}")]
        (log_group,) = [name for name in log_groups(deployment.server) if name.startswith(f"Checkout-{construct}")]
        (one,) = logs.describe_metric_filters(logGroupName=log_group)["metricFilters"]
        named = f'{{ ($.function = "{function}") && '
        assert one["filterPattern"] == named + _COUNTED.render().removeprefix("{ ")
        (change,) = one["metricTransformations"]
        assert (change["metricNamespace"], change["metricName"]) == ("ShieldedFunction", "Violations")
        dimensions = {"FunctionName": "$.function", "Level": "$.level"}
        assert (change["metricValue"], change["dimensions"]) == ("$.count", dimensions)
        # moto looks at the metric's name alone.
        alarms = cloudwatch.describe_alarms_for_metric(Namespace="ShieldedFunction", MetricName="Violations")
        for level in ("ERROR", "WARN"):
            one = [{"Name": "FunctionName", "Value": function}, {"Name": "Level", "Value": level}]
            (alarm,) = [found for found in alarms["MetricAlarms"] if found["Dimensions"] == one]
            assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Sum", 60, 1.0)
            assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (15, 1)
            assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
            assert alarm["TreatMissingData"] == "notBreaching"


def test_an_alert_line_fires_the_alarm(deployment: Deployment) -> None:
    """What is deployed, evaluated: a line in a function's log group becomes an alarm's state, and a message."""
    server = deployment.server
    cloudwatch = SimulatedCloudWatch(read_templates([stack.references for stack in deployment.everything()]))
    assert (cloudwatch.problems, cloudwatch.unfed()) == ((), ())
    deployed = {alarm["AlarmName"] for alarm in server.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    assert {alarm.name for alarm in cloudwatch.alarms if alarm.query is not None} == deployed
    cloudwatch.evaluate()
    for stack, logical_id, _ in deployment.shielded():
        function = cloudwatch.function(stack.physical(logical_id))
        lines = [alert_line(function.name, policy) for policy in ("outbound_connectivity", "read_write_tmp")]
        cloudwatch.put_log_events(function.log_group, lines)
    cloudwatch.evaluate()
    assert set(cloudwatch.states.values()) == {"ALARM"}
    called = {each.action for each in cloudwatch.notifications("ALARM")}
    assert called == {action for alarm in cloudwatch.alarms for action in alarm.actions["ALARM"]}
    topics = {topic["TopicArn"] for topic in server.client("sns").list_topics()["Topics"]}
    assert {action for action in called if ":sns:" in action} <= topics


def test_diff_finds_nothing_after_a_deployment(deployment: Deployment) -> None:
    done = deployment.cdk("diff", "--method=template")
    for stack in deployment.stacks:
        assert re.search(rf"^Stack {stack.name} \(.*\)\nThere were no differences", done.stdout, re.MULTILINE), (
            done.stdout
        )
    # The command line does not find moto's nested stacks, and shows what is in them as new.
    if not any(stack.children for stack in deployment.stacks):
        assert "Number of stacks with differences: 0" in done.stdout


def test_an_update(deployment: Deployment) -> None:
    """A changed app: `cdk diff` tells of it, a second `cdk deploy` brings it, and the shield is still there."""
    if deployment.example.change is None:
        pytest.skip(f"{deployment.example.name}: examples.py has no context setting that changes its template")
    changed = deployment.home / "changed.out"
    synthesize(deployment.server, deployment.example, changed, deployment.home, deployment.example.change)
    options = ("--app", str(changed))
    done = deployment.server.cdk("diff", "--method=template", "--fail", *options, home=deployment.home)
    assert done.returncode == 1, done.stdout
    assert "[~] AWS::Lambda::Function" in done.stdout
    before = {stack.physical(name) for stack, name, _ in deployment.shielded()}
    # moto loses a second change set of the same name, and the previous values of parameters: so without either.
    options = ("--method=direct", "--no-previous-parameters", "--require-approval=never", *options)
    done = deployment.server.cdk("deploy", "**", *options, home=deployment.home)
    assert done.returncode == 0, done.stdout
    updated = Deployment(
        deployment.example,
        deployment.server,
        changed,
        deployment.home,
        tuple(load(deployment.server, stack.name) for stack in deployment.stacks),
    )
    assert {stack.physical(name) for stack, name, _ in updated.shielded()} == before
    test_functions_are_as_the_template_says(updated)
    test_metric_filters_exist(updated)
    test_alarms_exist(updated)
    test_the_layer_holds_the_shield(updated)


def test_destroy_leaves_nothing_but_what_is_retained(deployment: Deployment) -> None:
    """The last test of an example: what is left afterwards is what the template retains, and is deleted here."""
    current = [read(deployment.server, stack.name) for stack in deployment.stacks]
    parts = [part for stack in current for part in stack.everything()]
    retained = {
        (resource["Type"], part.physical(logical_id))
        for part in parts
        for logical_id, resource in part.template["Resources"].items()
        if resource.get("DeletionPolicy") == "Retain"
    }
    done = deployment.cdk("destroy", "**", "--force")
    assert done.returncode == 0, done.stdout
    for stack in current:
        unload(deployment.server, stack)
    assert stacks(deployment.server) == []
    assert left(deployment.server) == retained
    forget(deployment.server, retained)
    assert left(deployment.server) == set()


def left(server: MotoServer) -> set[tuple[str, str]]:
    """What exists in the account of what the examples are made of, besides the bootstrap's own."""
    cloudwatch, logs, functions = (server.client(name) for name in ("cloudwatch", "logs", "lambda"))
    found = {
        FUNCTION: [f["FunctionName"] for f in functions.list_functions()["Functions"]],
        LAYER: [layer["LatestMatchingVersion"]["LayerVersionArn"] for layer in functions.list_layers()["Layers"]],
        FILTER: [f["filterName"] for f in logs.describe_metric_filters()["metricFilters"]],
        ALARM: [a["AlarmName"] for a in cloudwatch.describe_alarms()["MetricAlarms"]],
        # Lambda makes the others itself, when a function is invoked that has none; no stack deletes them.
        "AWS::Logs::LogGroup": {name for name in log_groups(server) if not name.startswith("/aws/lambda/")},
        "AWS::IAM::Role": [r["RoleName"] for r in server.client("iam").list_roles()["Roles"]],
        "AWS::DynamoDB::Table": server.client("dynamodb").list_tables()["TableNames"],
        "AWS::SQS::Queue": server.client("sqs").list_queues().get("QueueUrls", []),
        "AWS::SNS::Topic": [t["TopicArn"] for t in server.client("sns").list_topics()["Topics"]],
        "AWS::S3::Bucket": [b["Name"] for b in server.client("s3").list_buckets()["Buckets"]],
    }
    return {(kind, name) for kind, names in found.items() for name in names if f"cdk-{QUALIFIER}-" not in name}


def forget(server: MotoServer, resources: set[tuple[str, str]]) -> None:
    """Deletes what a template retained."""
    delete = {
        "AWS::Logs::LogGroup": lambda name: server.client("logs").delete_log_group(logGroupName=name),
        "AWS::DynamoDB::Table": lambda name: server.client("dynamodb").delete_table(TableName=name),
        "AWS::S3::Bucket": lambda name: server.client("s3").delete_bucket(Bucket=name),
    }
    for kind, name in resources:
        delete[kind](name)
