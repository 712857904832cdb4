# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Captures an exception with its stack, and sends it to a host that nobody allowed."""

import sentry_sdk
from outcome import told
from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration

sentry_sdk.init("https://key@api.example/1", integrations=[AwsLambdaIntegration()], traces_sample_rate=1.0)


def use():
    try:
        raise ValueError("for Sentry")
    except ValueError as error:
        sentry_sdk.capture_exception(error)
    sentry_sdk.flush(2)
    return "captured"


handler = told(use)
