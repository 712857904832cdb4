"""The package's front door."""

from __future__ import annotations

import subprocess
import sys

import pytest

import shielded_function


def test_a_policy_needs_no_cdk() -> None:
    code = (
        "import sys; from shielded_function import ShieldPolicy; ShieldPolicy();"
        "sys.exit(any(name in sys.modules for name in ('jsii', 'aws_cdk', 'constructs')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", shielded_function.__all__)
def test_what_it_exports(name: str) -> None:
    assert getattr(shielded_function, name).__name__ == name
    assert name in dir(shielded_function)


def test_what_it_does_not_export() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Shields'"):
        shielded_function.Shields  # noqa: B018
