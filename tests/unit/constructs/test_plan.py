"""The changes that a shield plans, as data: no CDK, no function."""

from __future__ import annotations

from typing import Any

import pytest

from shielded_function import ShieldPolicy
from shielded_function.shield.plan import plan_variables
from shielded_function.shield.resolution import ResolvedPolicy

pytestmark = pytest.mark.promise("construct.function")

SMALL = ResolvedPolicy(ShieldPolicy(), {"SHIELD_A": "block"}, 16)
LONG = ShieldPolicy(allow_outbound=[f"host-{number}.example:443" for number in range(300)])
OF_POLICY = {"SHIELD_A": "block", "SHIELD_ACCOUNT_ID": "text"}
WRAPPER = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield"}


def plan(environment: dict[str, Any], before: set[str], resolved: ResolvedPolicy = SMALL, *, file: bool = True) -> Any:
    return plan_variables(environment, before, resolved, account="1", account_text="text", takes_file=file)


@pytest.mark.parametrize(
    ("environment", "before", "added"),
    [
        ({}, set[str](), {**OF_POLICY, **WRAPPER}),
        (WRAPPER, set[str](), OF_POLICY),
        ({"SHIELD_A": "allow"}, set[str](), {"SHIELD_ACCOUNT_ID": "text", **WRAPPER}),
        ({"SHIELD_A": "alert", **WRAPPER}, {"SHIELD_A"}, OF_POLICY),
        (
            {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/other"},
            set[str](),
            {**OF_POLICY, **WRAPPER, "SHIELD_NEXT_WRAPPER": "/opt/other"},
        ),
    ],
)
def test_the_apps_own_variables_stay(environment: dict[str, Any], before: set[str], added: dict[str, Any]) -> None:
    planned = plan(environment, before)
    assert (planned.added, planned.settings, planned.file, planned.longest) == (added, OF_POLICY, "", 16)


@pytest.mark.parametrize("takes_file", [True, False])
def test_a_long_policy_becomes_a_file(takes_file: bool) -> None:
    environment = LONG.to_env()
    planned = plan({}, set(), ResolvedPolicy(LONG, environment, 9000), file=takes_file)
    assert ("host-299.example" in planned.file) == takes_file
    assert ("SHIELD_ALLOW_OUTBOUND" in planned.settings) != takes_file
    assert (planned.longest < 4096) == takes_file
