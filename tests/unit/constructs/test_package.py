"""The package's front door."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import shielded_function
import shielded_function_monitoring
from shielded_function import ShieldError

pytestmark = pytest.mark.promise("package.installed")


@pytest.mark.parametrize(
    "used", [f"shielded_function.{name}" for name in ("policy", "cli.audit", "cli.render", "layer.archive")]
)
def test_what_needs_no_cdk(used: str) -> None:
    """A policy with tokens that follows the grants decides and explains without the CDK."""
    code = (
        f"import sys; import {used}; from shielded_function import ShieldPolicy;"
        "policy = ShieldPolicy(allow_outbound=['${Token[TOKEN.12]}:443'], allow_aws='granted');"
        "policy.decide('connect', 'a.example:443'); policy.explain();"
        "sys.exit(any(name in sys.modules for name in ('jsii', 'aws_cdk', 'constructs')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("package", [shielded_function, shielded_function_monitoring])
def test_what_it_exports(package: Any) -> None:
    assert [getattr(package, name).__name__ for name in package.__all__] == list(package.__all__)
    assert set(package.__all__) <= set(dir(package))


def test_what_it_does_not_export() -> None:
    """And every error is one of the package."""
    assert issubclass(shielded_function.ShieldPolicyError, ShieldError)
    assert issubclass(shielded_function_monitoring.AlertError, ShieldError)
    assert issubclass(ShieldError, ValueError)
    with pytest.raises(AttributeError, match="has no attribute 'Shields'"):
        shielded_function.Shields  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'violations'"):
        shielded_function_monitoring.violations  # noqa: B018


# What somebody writes, and what is said.
WRONG = {
    'ShieldPolicy(allow_outbound=["*"])': (
        'ShieldPolicy.allow_outbound: "*" would admit every host; name the hosts, or write '
        'outbound_connectivity="allow" (environment variable SHIELD_ALLOW_OUTBOUND)'
    ),
    'ShieldPolicy(allow_aws=["bedrock:InvokeModel"])': (
        "ShieldPolicy.allow_aws: 'bedrock:InvokeModel' is not an AWS service as botocore calls them; use "
        '"bedrock-runtime"'
    ),
    "AlarmOptions(actions=object())": "AlarmOptions.actions: <object> is not a list; write [action]",
    'ShieldPolicy(outbound="block")': "ShieldPolicy: there is no 'outbound'; did you mean outbound_connectivity?",
    "AlarmOptions(tresholds=3)": "AlarmOptions: there is no 'tresholds'; did you mean threshold?",
    'ShieldedFunction(None, "F", memory=3)': "ShieldedFunction: there is no 'memory'; did you mean memory_size?",
    'ShieldPolicy(["api.example"])': (
        "ShieldPolicy: ['api.example'] was given without a name, and options are given by name: "
        "outbound_connectivity=, allow_outbound=, deny_outbound=, allow_aws=, allow_buckets=, check_tls_name=, "
        "..."
    ),
    "Shield(ShieldPolicy(), AlarmOptions())": (
        "Shield: AlarmOptions(...) was given without a name, and options are given by name: alarms=, logs=, "
        "shield_layer=, in_image="
    ),
    'ShieldChecks(["Prod"])': (
        "ShieldChecks: ['Prod'] was given without a name, and options are given by name: production=, perimeter=,"
        " expired=, today="
    ),
}


@pytest.mark.parametrize("written", WRONG)
def test_a_wrong_name_gets_the_right_one(written: str) -> None:
    names = {name: getattr(shielded_function, name) for name in shielded_function.__all__}
    with pytest.raises(ShieldError) as raised:
        eval(written, {}, names)
    assert str(raised.value) == WRONG[written]


def test_a_shield_has_ten_members_for_users() -> None:
    shield = shielded_function.AttachedShield
    own = {name for name in {**vars(shield), **shield.__annotations__} if not name.startswith("_")}
    assert own == {
        *("function", "policy", "layer", "log_group", "metric_filter", "alarm", "alarms"),
        *("allow_to", "explain", "metric_violations"),
    }
