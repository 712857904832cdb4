"""What `make test-aws` deploys: for each architecture an attacked function in block and in alert mode, and a doctor.

The stack's name is the context value `stack`. Nothing is retained when it is deleted.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from shielded_function import ShieldedFunction, ShieldPolicy

HERE = Path(__file__).parent
# The dependency that attacks is the example's own.
DEPENDENCY = HERE.parents[3] / "examples" / "checkout" / "handler" / "leftpad_plus"
ARCHITECTURES = {"X8664": lambda_.Architecture.X86_64, "Arm64": lambda_.Architecture.ARM_64}
STRICT = ShieldPolicy(allow_aws=["dynamodb"], read_handler="block")
POLICIES = {"Blocked": STRICT, "Watched": replace(ShieldPolicy.report_only(), read_handler="alert")}


class AttackedStack(cdk.Stack):
    """The functions `<role><architecture>`, each with a log group `<role><architecture>Log` that is not retained."""

    def __init__(self, scope: Construct, id: str, attacked: lambda_.Code) -> None:
        super().__init__(scope, id)
        for suffix, architecture in ARCHITECTURES.items():
            layer: lambda_.ILayerVersion | None = None
            for role, policy in POLICIES.items():
                function = ShieldedFunction(
                    self,
                    f"{role}{suffix}",
                    runtime=lambda_.Runtime.PYTHON_3_13,
                    architecture=architecture,
                    handler="app.handler",
                    code=attacked,
                    timeout=cdk.Duration.seconds(60),
                    memory_size=256,
                    log_group=self._log_group(f"{role}{suffix}"),
                    policy=policy,
                )
                layer = function.shield.layer
            assert layer is not None
            # The layer is there, the wrapper is not: what is asked is what Lambda itself allows.
            lambda_.Function(
                self,
                f"Doctor{suffix}",
                runtime=lambda_.Runtime.PYTHON_3_13,
                architecture=architecture,
                handler="app.handler",
                code=lambda_.Code.from_asset(str(HERE / "doctor"), exclude=["**/__pycache__"]),
                timeout=cdk.Duration.seconds(120),
                memory_size=256,
                log_group=self._log_group(f"Doctor{suffix}"),
                layers=[layer],
            )

    def _log_group(self, name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self, f"{name}Log", retention=logs.RetentionDays.ONE_DAY, removal_policy=cdk.RemovalPolicy.DESTROY
        )


app = cdk.App()
with tempfile.TemporaryDirectory() as folder:
    code = Path(folder) / "code"
    shutil.copytree(HERE / "handler", code, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(DEPENDENCY, code / DEPENDENCY.name, ignore=shutil.ignore_patterns("__pycache__"))
    AttackedStack(app, app.node.get_context("stack"), lambda_.Code.from_asset(str(code)))
    app.synth()
