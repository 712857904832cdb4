"""Assertions for unit tests: every function is shielded, the right alarm fires, a perimeter blocks a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shielded_function_monitoring.cfn.assembly import construct_paths
from shielded_function_monitoring.cfn.template import Template
from shielded_function_monitoring.explaining import why_not

from ..checks.checking import Report, check
from ..checks.cloud_assembly import read_assembly
from ..checks.differences import loosened
from ..checks.policies import FunctionPolicy
from ..checks.templates import Assembly, LambdaFunction, read_functions, read_others
from ..errors import ShieldError
from ..globs import covers
from ..keywords import by_name
from ..perimeter.simulated import SimulatedPerimeter
from ..policy import ShieldPolicy
from .simulation import SimulatedCloudWatch, alert_line, simulate_cloudwatch, synthesized

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import assertions

__all__ = [
    "SimulatedCloudWatch",
    "SimulatedPerimeter",
    "alert_line",
    "assert_shielded",
    "simulate_cloudwatch",
    "why_not",
]


@by_name("assert_shielded")
def assert_shielded(
    template: assertions.Template | cdk.Stage | cdk.Stack | Mapping[str, Any] | Path | str,
    *,
    policy: ShieldPolicy | None = None,
    functions: Sequence[str] | None = None,
) -> None:
    """Asserts that the Lambda functions are shielded, and that no check finds an error.

        def test_the_shop_is_shielded():
            stack = Shop(cdk.App(), "Shop")
            assert_shielded(stack)
            assert_shielded(stack, policy=ShieldPolicy(allow_aws=["dynamodb"]), functions=["Shop/Checkout"])

    Functions that are acknowledged with a reason, left out, or the CDK's own are skipped. Warnings are ignored. A
    template does not show the content of a layer, acknowledgements, or overridden variables: give the stack, or the
    app, where these matter.

    Args:
        template: a stack, a stage or an app, which is synthesized; an `aws_cdk.assertions.Template` or its JSON; or a
            path to a template's file or a cloud assembly.
        policy: each of these functions must allow no more than this.
        functions: construct paths, logical ids, or globs of them; by default all. Each must be found.

    Raises:
        AssertionError: a function is not shielded, its policy allows more, or there is none of that name; the message
            lists all findings.
        ShieldError: `template` is of another type, or `functions` is a string.
    """
    if isinstance(functions, str):
        raise ShieldError(f"functions: {functions!r} is one text; write a list: [{functions!r}]")
    report = check(_read(template))
    chosen, problems = _choose(report.assembly.functions, functions)
    wanted = {(function.template.file, function.place.logical_id) for function in chosen}
    problems.extend(
        finding.message
        for finding in report.errors
        if functions is None or (finding.place.template, finding.place.logical_id) in wanted
    )
    if functions is not None:
        problems.extend(_excused(report, chosen))
    if policy is not None:
        problems.extend(_looser(policy, chosen))
    if problems:
        raise AssertionError("not shielded as expected:\n" + "\n".join(f"- {problem}" for problem in problems))


def _choose(functions: Sequence[LambdaFunction], globs: Sequence[str] | None) -> tuple[list[LambdaFunction], list[str]]:
    if globs is None:
        return list(functions), [] if functions else ["there is no Lambda function: nothing was checked"]
    chosen: list[LambdaFunction] = []
    problems: list[str] = []
    for glob in globs:
        found = [f for f in functions if covers(glob, f.place.path) or covers(glob, f.place.logical_id)]
        chosen.extend(function for function in found if function not in chosen)
        if not found:
            names = ", ".join(function.place.path for function in functions) or "none"
            problems.append(f"no function is called {glob!r}; there are: {names}")
    return chosen, problems


def _excused(report: Report, chosen: Sequence[LambdaFunction]) -> list[str]:
    """Problems of named functions, which count even if they were left out of shielding."""
    return [
        f"{function.place.path}: no shield: it is left out ({function.left_out or function.cdk_handler})"
        for function in report.excused
        if function in chosen
    ]


def _looser(policy: ShieldPolicy, chosen: Sequence[LambdaFunction]) -> list[str]:
    problems: list[str] = []
    for function in chosen:
        more = loosened(FunctionPolicy(policy), function.policy) if function.is_shielded else []
        problems.extend(f"{function.place.path}: it allows more than expected: {detail}" for detail in more)
    return problems


def _read(template: Any) -> Assembly:
    found, stack = synthesized(template, "template")
    if not isinstance(found, Path):
        read = Template(found, paths=dict(construct_paths(found, "", {})))
        return Assembly("template", [read], list(read_functions(read)), others=list(read_others(read)))
    return read_assembly(found, [found / stack.template_file] if stack is not None else None)
