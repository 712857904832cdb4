"""The simulated CloudWatch of a CDK app, for users' tests: the alarms that a line raises, and their actions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from shielded_function_monitoring.cfn.assembly import CloudAssembly
from shielded_function_monitoring.cfn.stacks import Stacks
from shielded_function_monitoring.cfn.values import ACCOUNT, REGION, Resolver
from shielded_function_monitoring.simulated import SimulatedCloudWatch, alert_line, read_templates

from ..errors import ShieldError, shown
from ..tokens import has_token

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import assertions

__all__ = ["SimulatedCloudWatch", "alert_line", "simulate_cloudwatch"]


def simulate_cloudwatch(
    source: assertions.Template | cdk.Stage | cdk.Stack | Mapping[str, Any] | Path | str,
    *,
    region: str | None = None,
    account: str | None = None,
    values: Mapping[str, str] | None = None,
) -> SimulatedCloudWatch:
    """The app's CloudWatch: its metric filters, its alarms, and their actions.

        def test_the_alarm_fires_on_a_strange_host():
            cloudwatch = simulate_cloudwatch(app)
            checkout = cloudwatch.function("Shop/Checkout")
            line = alert_line(checkout.name, details={"host": "evil.example", "port": 443, "protocol": "tcp"})
            cloudwatch.put_log_events(checkout.log_group, [line], at=60)
            cloudwatch.evaluate(at=60)
            assert [alarm.place.path for alarm in cloudwatch.firing] == ["Shop/Checkout/Shield/Alarm"]

    Args:
        source: an app, a stage or a stack, which is synthesized (a stack with its whole stage, as an alarm may be
            in another stack than the function); an `aws_cdk.assertions.Template` or its JSON; or a path to a template's
            file or a cloud assembly.
        region: one of several regions; by default that of a given stack.
        account: one of several accounts, likewise.
        values: values known only at deployment: `{"LogicalId": "name or ARN"}`,
            `{"LogicalId.Attribute": ...}`, parameters, exports.

    Raises:
        ShieldError: the stacks are in several accounts or regions, and none was chosen, or `source` is of another type.
    """
    found, stack = synthesized(source, "source")
    if isinstance(found, Path):
        given = {"region": stack.region, "account": stack.account} if stack is not None else {}
        known = {name: value for name, value in given.items() if not has_token(value)}
        return _of_assembly(found, account or known.get("account"), region or known.get("region"), values)
    resolver = Resolver("Stack", found, values or {}, region or REGION, account or ACCOUNT)
    return SimulatedCloudWatch(read_templates([resolver]))


def synthesized(source: Any, name: str) -> tuple[Mapping[str, Any] | Path, cdk.Stack | None]:
    """A template, or the folder of a cloud assembly, from a test's argument; and the stack, if it is one.

    Args:
        source: as of `simulate_cloudwatch`.
        name: of the argument.

    Raises:
        ShieldError: it is of another type.
    """
    if isinstance(source, (str, Path)):
        path = Path(source)
        return (path if path.is_dir() else json.loads(path.read_text(encoding="utf-8"))), None
    if isinstance(source, Mapping):
        return cast("Mapping[str, Any]", source), None
    if hasattr(source, "to_json"):
        return source.to_json(), None
    import aws_cdk as cdk

    stage = cdk.Stage.of(source) if isinstance(source, cdk.Stack) else source
    if not isinstance(stage, cdk.Stage):
        raise ShieldError(f"{name}: {shown(source)} is no template, stack, stage, app or path")
    return Path(stage.synth().directory), source if isinstance(source, cdk.Stack) else None


def _of_assembly(
    directory: Path, account: str | None, region: str | None, values: Mapping[str, str] | None
) -> SimulatedCloudWatch:
    environments = Stacks(CloudAssembly(directory).templates, values).environments()
    found = [stacks for (of, at), stacks in environments.items() if account in (None, of) and region in (None, at)]
    if len(found) != 1:
        there = ", ".join(f"{of} in {at}" for of, at in environments) or "no stack"
        raise ShieldError(f"simulate_cloudwatch: give the account and region of one environment; there are: {there}")
    return SimulatedCloudWatch(read_templates(found[0]))
