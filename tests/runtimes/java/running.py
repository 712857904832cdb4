"""A version of Java's function in other settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from runtimes.attempts import UNSHIELDED, Attempt, problems
from runtimes.functions import Run
from shielded_function_emulator.cloud_assembly import FunctionPackage


def unshielded(package: FunctionPackage) -> FunctionPackage:
    """The package without its wrapper and the settings."""
    kept = {
        name: value
        for name, value in package.environment.items()
        if name != "AWS_LAMBDA_EXEC_WRAPPER" and not name.startswith("SHIELD_")
    }
    return replace(package, environment=kept)


def with_environment(package: FunctionPackage, variables: Mapping[str, str]) -> FunctionPackage:
    """The package with other variables, SHIELD_* settings among them."""
    return replace(package, environment={**package.environment, **variables})


def complaints(
    made: Run, plain: Run, attempts: Iterable[Attempt], mode: Callable[[Attempt], str]
) -> dict[str, list[str]]:
    """What is not as it must be. `mode`: as which an attempt is treated. `plain`: the run without the shield."""
    found = {
        a.id: problems(a, a.id, {UNSHIELDED: plain.outcomes[a.id], mode(a): made.outcomes[a.id]}) for a in attempts
    }
    return {id: told for id, told in found.items() if told}
