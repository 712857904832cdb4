"""The context `shield`: one switch for an environment, as docs/guide/whole-app.md has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match

from harness.deploying import Account, Refused
from harness.function_template import Props
from shielded_function import Shield, ShieldedFunction, ShieldError, ShieldPerimeter, ShieldPolicy
from shielded_function.shield.function_shield import attached_to
from unit.constructs.aws import aws
from unit.constructs.test_everywhere import variables

pytestmark = pytest.mark.promise("construct.everywhere")

HOME = cdk.Environment(region="eu-west-1", account="111122223333")


def test_the_context_alert(tmp_path: Path, props: Props) -> None:
    app = cdk.App(outdir=str(tmp_path), context={"shield": "alert", "aws:cdk:enable-path-metadata": True})
    stack = cdk.Stack(app, "Shop")
    fn = ShieldedFunction(stack, "Fn", policy=ShieldPolicy(allow_outbound=["a.example"]), **props)
    [found] = variables(app).values()
    assert found["SHIELD_OUTBOUND_CONNECTIVITY"] == found["SHIELD_READ_WRITE_TMP"] == "alert"
    assert found["SHIELD_ALLOW_OUTBOUND"] == "a.example"
    assert fn.shield.policy.outbound_connectivity == "alert"


def test_the_context_off(tmp_path: Path, props: Props) -> None:
    """The app's own code still finds the metric, the alarm and the log group; the function runs without the shield."""
    app = cdk.App(outdir=str(tmp_path), context={"shield": "off", "aws:cdk:enable-path-metadata": True})
    stack = cdk.Stack(app, "Shop")
    fn = ShieldedFunction(stack, "Fn", environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"}, **props)
    fn.metric_violations().create_alarm(stack, "Mine", threshold=1, evaluation_periods=1)
    [found] = variables(app).values()
    assert found == {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"}
    shield = attached_to(fn)
    assert shield is not None
    assert (shield.policies.original, shield.layer) == (ShieldPolicy(), None)
    Annotations.from_stack(stack).has_warning("*", Match.string_like_regexp("shield=off"))


def test_the_contexts_keep_exports(tmp_path: Path, props: Props) -> None:
    """CloudFormation refuses to delete an export that a deployed stack imports: off comes before the shield goes."""

    def synthesize(switch: str) -> Path:
        context = {"aws:cdk:enable-asset-metadata": True} | ({} if switch == "plain" else {"shield": switch})
        app = cdk.App(outdir=str(tmp_path / switch), context=context)
        data, api, walls = (cdk.Stack(app, name, env=HOME) for name in ("Data", "Api", "Walls"))
        vpc = aws.ec2.Vpc(data, "Vpc", max_azs=2)
        db = aws.rds.DatabaseInstance(data, "Db", vpc=vpc, engine=aws.rds.DatabaseInstanceEngine.POSTGRES)
        secret: Any = db.secret
        bucket = aws.s3.Bucket(data, "Bucket")
        fn = aws.lambda_.Function(api, "Fn", vpc=vpc, **props)
        beside = aws.lambda_.Function(cdk.NestedStack(data, "Nested"), "Beside", vpc=vpc, **props)
        bucket.grant_read(fn)
        proxy = db.add_proxy("Proxy", vpc=vpc, secrets=[secret])  # the perimeter's stack alone imports its endpoint
        if switch != "plain":
            shielded = Shield.everywhere(app, ShieldPolicy(allow_aws="granted"))
            shielded.of(fn).allow_to(db)
            shielded.of(beside).allow_to(proxy)
            ShieldPerimeter(walls, vpc=vpc, also_allow=[])
        return Path(app.synth().directory)

    folders = {switch: synthesize(switch) for switch in ("plain", "on", "alert", "off")}
    account = Account()
    for switch in ("plain", "on", "alert", "off", "on", "off", "plain"):
        account.deploy(folders[switch])
    account.deploy(folders["on"])
    with pytest.raises(Refused, match=r"^Data: the export .* goes or changes, and .* import it$"):
        account.deploy(folders["plain"])


def test_a_misspelt_context(tmp_path: Path, props: Props) -> None:
    app = cdk.App(outdir=str(tmp_path), context={"shield": "alrt"})
    with pytest.raises(ShieldError, match="context shield: 'alrt' is not on, alert or off"):
        ShieldedFunction(cdk.Stack(app, "Shop"), "Fn", **props)
