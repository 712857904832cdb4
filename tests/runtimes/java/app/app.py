"""One function for each Java runtime behind the default policy. JAVA_CODE: the folder that is their code."""

from __future__ import annotations

import os

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from shielded_function import ShieldedFunction

RUNTIMES = (lambda_.Runtime.JAVA_17, lambda_.Runtime.JAVA_21, lambda_.Runtime.JAVA_25)

app = cdk.App()
stack = cdk.Stack(app, "Java")
architecture = stack.node.try_get_context("architecture") or "x86_64"
for runtime in RUNTIMES:
    ShieldedFunction(
        stack,
        runtime.name,
        runtime=runtime,
        architecture={"x86_64": lambda_.Architecture.X86_64, "arm64": lambda_.Architecture.ARM_64}[architecture],
        handler="attempts.Handler::handle",
        code=lambda_.Code.from_asset(os.environ["JAVA_CODE"]),
        timeout=cdk.Duration.seconds(60),
        memory_size=512,
    )
app.synth()
