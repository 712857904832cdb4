"""The CDK command line that `make setup` installs, and the environment in which tests run it."""

from __future__ import annotations

from pathlib import Path

from shielded_function_emulator import node_program as node

ROOT = Path(__file__).parents[2]
CDK = ROOT / "node_modules" / ".bin" / "cdk"


def cdk_environment(home: Path) -> dict[str, str]:
    """A Node.js that the CDK supports, and nothing of the credentials, region and profile of whoever runs the tests.

    Args:
        home: a folder for what the command line keeps between runs.
    """
    found = node.environment_with(node.choose())
    kept = {name: value for name, value in found.items() if not name.startswith(("AWS_", "CDK_"))}
    return {**kept, "CDK_HOME": str(home), "CDK_DISABLE_CLI_TELEMETRY": "true"}
