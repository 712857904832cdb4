"""The incidents: `python -m integration.docs.incidents` (in tests/) prints their table for docs/security/incidents.md.

With `--drill` it drills two functions, records the outcomes in incidents.json, and prints the sum for page and README.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from shielded_function import ShieldedFunction, ShieldPolicy
from shielded_function_emulator.incidents import Incident, incidents

RECORDED = Path(__file__).with_name("incidents.json")
_HEADING = "| incident | deed | result | outcome |\n|---|---|---|---|"
POLICY = ShieldPolicy(allow_outbound=["api.stripe.com:443"])
_WHEN = {"install": "the install", "build": "the build", "start": "each start", "import": "import", "call": "a call"}
_ARCHITECTURES = {"x86_64": lambda_.Architecture.X86_64, "aarch64": lambda_.Architecture.ARM_64}
_FUNCTIONS = {
    "Python": (lambda_.Runtime.PYTHON_3_13, "def handler(event, context):\n    return 'done'\n"),
    "Node": (lambda_.Runtime.NODEJS_22_X, "exports.handler = async () => 'done';\n"),
}


def drilled() -> tuple[str, dict[str, Any]]:
    """The sum in a sentence, and the outcomes by incident, after drilling both functions.

    Raises:
        SystemExit: they differ, or an incident that was stopped raised no alarm.
    """
    with tempfile.TemporaryDirectory(prefix="drilled-") as folder:
        python, node = (_drill(synthesize(Path(folder) / name, name), name) for name in _FUNCTIONS)
    found, other = ({each["id"]: outcome_of(each) for each in told["incidents"]} for told in (python, node))
    if wrong := [name for name, each in found.items() if each != other[name]]:
        raise SystemExit(f"{', '.join(wrong)}: not the same in Python and in Node.js: the page has to say both")
    for each in python["incidents"]:
        names = [one["alarm"] for one in each["alarms"]]
        if each["outcome"] == "stopped" and not any(name.startswith("shield-critical-") for name in names):
            raise SystemExit(f"{each['id']} was stopped, and no alarm for critical violations fires")
    return python["summary"], found


def outcome_of(each: dict[str, Any]) -> dict[str, Any]:
    """The part of a drill's incident that is recorded."""
    told = [{part: one[part] for part in ("behaviour", "stopped_by")} for one in each["behaviours"]]
    return {"outcome": each["outcome"], "behaviours": told}


def recorded() -> dict[str, Any]:
    """The outcomes of the last drill."""
    return json.loads(RECORDED.read_text(encoding="utf-8"))


def table() -> str:
    """A row for each incident."""
    rows = [
        f"{facts(each)} {became(told)} |" for each, told in zip(incidents().values(), recorded().values(), strict=True)
    ]
    return "\n".join((_HEADING, *rows))


def facts(incident: Incident) -> str:
    """The cells of an incident that are known without a drill."""
    source = incident["source"] if incident["year"] else Path(incident["source"]).name
    when = f", {incident['ecosystem']}, {incident['year']}, at {_WHEN[incident['when']]}" if incident["year"] else ""
    return f"| [{incident['name']}]({source}){when} | {incident['did']} *{incident['differs']}* |"


def became(each: dict[str, Any]) -> str:
    """The cells of an incident that a drill tells."""
    told = [f"• {one['behaviour']}: {_by(one['stopped_by'])}" for one in each["behaviours"]]
    return f"{'<br>'.join(told) or '-'} | {each['outcome']}"


def _by(controls: list[str]) -> str:
    return f"stopped by {', '.join(f'`{each}`' for each in controls)}" if controls else "happened"


def synthesize(folder: Path, name: str, policy: ShieldPolicy = POLICY, code: str = "") -> Path:
    """An app with one function of the page, or with another policy or code."""
    runtime, text = _FUNCTIONS[name]
    app = cdk.App(outdir=str(folder), analytics_reporting=False)
    stack = cdk.Stack(app, "Shop")
    props: dict[str, Any] = {"runtime": runtime, "architecture": _ARCHITECTURES[platform.machine()], "policy": policy}
    inline = lambda_.Code.from_inline(code or text)
    function = ShieldedFunction(
        stack, name, handler="index.handler", code=inline, timeout=cdk.Duration.seconds(30), **props
    )
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    dynamodb.Table(stack, "Orders", partition_key=key).grant_write_data(function)
    s3.Bucket(stack, "Receipts", bucket_name="shop-receipts").grant_read(function)
    return Path(app.synth().directory)


def _drill(assembly: Path, name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "shielded_function.cli", "drill", str(assembly), name, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the drill of {name} failed")
    return json.loads(done.stdout)


def main() -> None:
    """Prints the table; with `--drill` drills first."""
    if "--drill" in sys.argv[1:]:
        summary, found = drilled()
        lines = [f"{json.dumps(name)}: {json.dumps(each, ensure_ascii=False)}" for name, each in found.items()]
        RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        print(summary)
    else:
        print(table())


if __name__ == "__main__":
    main()
