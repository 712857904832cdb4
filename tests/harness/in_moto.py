"""An AWS of moto's, in this process: a fixture for conftest.py, and its reading of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from shielded_function_monitoring.cfn.values import Resolver


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials that lead nowhere, and moto behind boto3."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    from moto import mock_aws  # slow to import, for every worker

    with mock_aws():
        yield


def cloudformation(template: Mapping[str, Any], stack: str = "Shop") -> Callable[[Any], Any]:
    """Makes a template's values as moto's CloudFormation does, in the region and account of `Resolver`."""
    from moto.cloudformation.parsing import ResourceMap, clean_json

    known = Resolver(stack, template)
    parameters = template.get("Parameters", {}).items()
    kept = {name: each for name, each in parameters if "Default" in each and not each["Type"].startswith("AWS::SSM")}
    stack_id = known.pseudo["AWS::StackId"]
    found = ResourceMap(stack_id, stack, {}, {}, known.region, known.account, {**template, "Parameters": kept}, {})
    found.load_mapping()
    found.load_parameters()
    found.load_conditions()
    return lambda value: clean_json(value, found)
