"""docs/security/incidents.md: `python -m integration.docs.incidents` (in tests/) drills two functions, and writes the
numbers and rows of the page.

With `--check` it writes nothing, and fails where the page is another.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from integration.docs.pages import ROOT, with_rows
from shielded_function import ShieldedFunction, ShieldPolicy
from shielded_function_emulator.incidents import Incident, incidents

PAGE = ROOT / "docs" / "security" / "incidents.md"
POLICY = ShieldPolicy(allow_outbound=["api.stripe.com:443"])
_WHEN = {"install": "the install", "build": "the build", "start": "each start", "import": "import", "call": "a call"}
_ARCHITECTURES = {"x86_64": lambda_.Architecture.X86_64, "aarch64": lambda_.Architecture.ARM_64}
_FUNCTIONS = {
    "Python": (lambda_.Runtime.PYTHON_3_13, "def handler(event, context):\n    return 'done'\n"),
    "Node": (lambda_.Runtime.NODEJS_22_X, "exports.handler = async () => 'done';\n"),
}


def page() -> str:
    """The page, after drilling both functions.

    Raises:
        SystemExit: they differ, or an incident that was stopped raised no alarm.
    """
    with tempfile.TemporaryDirectory(prefix="drilled-") as folder:
        python, node = (_drill(synthesize(Path(folder) / name, name), name) for name in _FUNCTIONS)
    found, other = ({each["id"]: each for each in told["incidents"]} for told in (python, node))
    for name, each in found.items():
        if any(each[part] != other[name][part] for part in ("outcome", "behaviours")):
            raise SystemExit(f"{name} is not the same in Python and in Node.js: the page has to say both")
        if each["outcome"] == "stopped" and not any(
            one["alarm"].startswith("shield-critical-") for one in each["alarms"]
        ):
            raise SystemExit(f"{name} was stopped, and no alarm for critical violations fires")
    rows = [f"{facts(incident)} {became(found[incident['id']])} |" for incident in incidents().values()]
    text = with_rows(PAGE.read_text(encoding="utf-8"), rows)
    return re.sub(r"^Of \d+ incidents, .*$", lambda _: python["summary"], text, count=1, flags=re.MULTILINE)


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
    """Writes the page, or checks it."""
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/security/incidents.md is not current: run `python -m integration.docs.incidents` in tests/")


if __name__ == "__main__":
    main()
