"""Fixtures: a function beside what it may reach."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from jsii._kernel.providers import process

from unit.constructs.granted.rows import another

PROMISE = "construct.hosts"


def make_function(scope: cdk.Stack, construct_id: str = "Fn") -> lambda_.Function:
    """The least that a function needs."""
    return another(scope, construct_id)


@pytest.fixture
def function(stack: cdk.Stack) -> lambda_.Function:
    return make_function(stack)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of Node.js."""
    asked: list[str] = []
    send = process._NodeProcess.send

    def count(self: Any, request: Any, response: Any) -> Any:
        asked.append(type(request).__name__)
        return send(self, request, response)

    monkeypatch.setattr(process._NodeProcess, "send", count)
    return asked
