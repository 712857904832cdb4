"""The examples' functions, run in an emulated Lambda: what they are for works, and an attack is denied or reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.thinning import long_but
from integration.examples.catalogue import FOLDER
from integration.examples.conftest import Assembly
from integration.examples.image import TASK_ROOT, build
from integration.examples.outside import ATTEMPTS, CHARGE, DATABASE, Aws, alerts, started
from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPackage, Known
from shielded_function_emulator.emulated_function import EmulatedFunction, Invocation
from shielded_function_emulator.kernel import machine
from shielded_function_monitoring.cfn.values import Resolver

pytestmark = [
    pytest.mark.skipif(machine() != "x86_64", reason="the examples' functions are for x86_64"),
    pytest.mark.usefixtures("namespaces"),
]

DENIED = dict.fromkeys(ATTEMPTS, "denied")
POLICIES = {"outbound_connectivity", "read_write_tmp", "create_child_process"}


def answer(invocation: Invocation) -> object:
    """What the function returned, when it failed not and raised no alert."""
    assert not invocation.failed, (invocation.payload, [line.message for line in invocation.log])
    assert alerts(invocation) == []
    return invocation.payload


def attack(function: EmulatedFunction, mode: str = "block") -> object:
    """What became of each attempt; every one of them was reported."""
    invocation = function.invoke({"attack": True})
    assert not invocation.failed, invocation.payload
    assert set(alerts(invocation)) == {(policy, mode) for policy in POLICIES}
    return invocation.payload


def find(assembly: Path, path: str, known: Known | None = None) -> FunctionPackage:
    read = CloudAssembly(assembly)
    return read.package(read.find(path), known or Known())


def logical_id(assembly: Path, kind: str) -> str:
    """The only resource of a type in an assembly."""
    resources = [json.loads(file.read_text())["Resources"] for file in assembly.rglob("*.template.json")]
    [found] = [name for each in resources for name, resource in each.items() if resource["Type"] == kind]
    return found


@pytest.mark.usefixtures("aws")
def test_the_function_beside_the_database(assembly: Assembly) -> None:
    folder = assembly("whole_app")
    database = logical_id(folder, "AWS::RDS::DBInstance")
    known = {
        f"{database}.Endpoint.Address": DATABASE,
        f"{database}.Endpoint.Port": "5432",
        logical_id(folder, "AWS::SecretsManager::SecretTargetAttachment"): "stock",
    }
    package = find(folder, "Live/Orders/FulfilOrder", Known(values=known))
    table = package.environment["ORDERS_TABLE"]
    aws = Aws(table, secret="stock")
    with started(package, aws.application) as (function, outside):
        event = {"Records": [{"body": json.dumps({"order": "1042"})}]}
        assert answer(function.invoke(event)) == {"orders": ["1042"]}
        assert outside.queries == 1
        assert [item["state"]["S"] for item in aws.dynamodb.scan(TableName=table)["Items"]] == ["fulfilled"]
        assert attack(function) == DENIED


@pytest.mark.usefixtures("aws")
def test_the_function_with_the_bucket(assembly: Assembly) -> None:
    folder = assembly("whole_app")
    bucket = logical_id(folder, "AWS::S3::Bucket")
    known = {bucket: "shop-reports", f"{bucket}.Arn": "arn:aws:s3:::shop-reports"}
    package = find(folder, "Live/Orders/Reports/DailyReport", Known(values=known))
    aws = Aws(package.environment["ORDERS_TABLE"], bucket="shop-reports")
    with started(package, aws.application) as (function, _):
        assert answer(function.invoke({})) == {"orders": 1}
        assert aws.s3.get_object(Bucket="shop-reports", Key="report.csv")["Body"].read() == b"1042,1999\r\n"
        assert attack(function) == DENIED


@pytest.mark.parametrize(("stage", "mode"), [("Beta", "alert"), ("Production", "block")])
def test_the_stages_of_the_pipeline(assembly: Assembly, stage: str, mode: str) -> None:
    with started(find(assembly("pipeline"), f"Pipeline/{stage}/Shop/Charges")) as (function, outside):
        assert answer(function.invoke({"charge": "ch_0001"})) == CHARGE
        assert [request.path for request in outside.provider.requests] == ["/charges/ch_0001"]
        outcomes = attack(function, mode)
        assert outcomes == (DENIED if mode == "block" else dict.fromkeys(ATTEMPTS, "done"))


# What the products' wrappers do in Python: they have the runtime load a handler of theirs, which loads the function's.
WRAPPERS = {
    "Telemetry/Traced": ("otel-instrument", "ORIG_HANDLER"),
    "Telemetry/Watched": ("datadog_wrapper", "DD_LAMBDA_HANDLER"),
}


@pytest.mark.parametrize("path", long_but({"Telemetry/Traced"}, WRAPPERS))
def test_behind_the_wrappers_of_others(assembly: Assembly, tmp_path: Path, path: str) -> None:
    """Their layers are not here: one of ours, that does the same, takes the place of all of theirs."""
    folder = assembly("beside_telemetry")
    stack = path.partition("/")[0]
    read = CloudAssembly(folder)
    template = read.resolver(stack).template
    layers = template["Resources"][read.find(path).logical_id]["Properties"]["Layers"]
    first, *rest = [Resolver(stack, template).resolve(layer) for layer in layers if "Ref" not in layer]
    package = find(folder, path, Known(layers={first: make_layer(tmp_path, *WRAPPERS[path]), **dict.fromkeys(rest)}))
    with started(package) as (function, _):
        assert answer(function.invoke({"charge": "ch_0001"})) == {"watched": CHARGE}
        assert attack(function) == {"watched": DENIED}


def make_layer(folder: Path, wrapper: str, variable: str) -> Path:
    """A layer with an exec wrapper and the handler that it puts in front."""
    (folder / "python").mkdir()
    (folder / "python" / "watching.py").write_text(
        "import importlib, os\n"
        f"module, name = os.environ[{variable!r}].rsplit('.', 1)\n"
        "real = getattr(importlib.import_module(module), name)\n"
        "def handler(event, context):\n"
        "    return {'watched': real(event, context)}\n"
    )
    (folder / wrapper).write_text(f'#!/bin/bash\nexport {variable}="$_HANDLER" _HANDLER=watching.handler\nexec "$@"\n')
    (folder / wrapper).chmod(0o755)
    return folder


@pytest.mark.long
def test_the_container_image(assembly: Assembly, tmp_path: Path) -> None:
    """The Dockerfile, carried out in a folder: no image was built, and the base image is not there."""
    read = CloudAssembly(assembly("container_image"))
    template = read.resolver("Image").template
    properties = template["Resources"][read.find("Image/Charges").logical_id]["Properties"]
    context = FOLDER / "container_image" / "image"
    image = build(context, tmp_path)
    assert image.base == "public.ecr.aws/lambda/python:3.13"
    variables = Resolver("Image", template).resolve(properties["Environment"]["Variables"])
    limits = {"memory_mb": properties["MemorySize"], "timeout_seconds": properties["Timeout"]}
    code = {"code": image.root / TASK_ROOT[1:], "layers": (image.root / "opt",), "handler": image.command[0]}
    package = FunctionPackage("Charges", "charges", runtime="python3.13", environment=variables, **limits, **code)
    with started(package) as (function, _):
        assert answer(function.invoke({"charge": "ch_0001"})) == CHARGE
        assert attack(function) == DENIED
