"""The simulated CloudWatch of a CDK app, for users' tests: the alarms that a line raises, and their actions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from shielded_function_monitoring.cfn.assembly import CloudAssembly
from shielded_function_monitoring.cfn.stacks import Stacks
from shielded_function_monitoring.simulated import MotoCloudWatch, SimulatedCloudWatch, alert_line, read_templates

from .errors import ShieldError, shown

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import assertions

__all__ = ["MotoCloudWatch", "SimulatedCloudWatch", "alert_line", "simulate_cloudwatch"]


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
    if isinstance(source, (str, Path)):
        path = Path(source)
        if path.is_dir():
            return _of_assembly(path, account, region, values)
        return _of_template(json.loads(path.read_text(encoding="utf-8")), account, region, values)
    if isinstance(source, Mapping):
        return _of_template(source, account, region, values)
    if hasattr(source, "to_json"):
        return _of_template(cast(Any, source).to_json(), account, region, values)
    import aws_cdk as cdk

    if isinstance(source, cdk.Stack):
        stage = cdk.Stage.of(source)
        assert stage is not None, "a stack always has a stage: at least the app"
        given = {"region": source.region, "account": source.account}
        known = {name: value for name, value in given.items() if not cdk.Token.is_unresolved(value)}
        where = Path(stage.synth().directory)
        return _of_assembly(where, account or known.get("account"), region or known.get("region"), values)
    if isinstance(source, cdk.Stage):
        return _of_assembly(Path(source.synth().directory), account, region, values)
    raise ShieldError(f"source: {shown(source)} is no template, stack, stage, app or path")


def _of_template(
    template: Mapping[str, Any], account: str | None, region: str | None, values: Mapping[str, str] | None
) -> SimulatedCloudWatch:
    place: dict[str, Any] = {"account": account, "region": region}
    known = {name: value for name, value in place.items() if value is not None}
    return SimulatedCloudWatch.from_template(template, values=values, **known)


def _of_assembly(
    directory: Path, account: str | None, region: str | None, values: Mapping[str, str] | None
) -> SimulatedCloudWatch:
    environments = Stacks(CloudAssembly(directory).templates, values).environments()
    found = [stacks for (of, at), stacks in environments.items() if account in (None, of) and region in (None, at)]
    if len(found) != 1:
        there = ", ".join(f"{of} in {at}" for of, at in environments) or "no stack"
        raise ShieldError(f"simulate_cloudwatch: give the account and region of one environment; there are: {there}")
    return SimulatedCloudWatch(read_templates(found[0]))
