"""Rules: the policy restricts as much as it appears to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from shielded_function_monitoring.cfn.template import as_mapping

from ...granted.in_policy import is_unknown_grant
from ...policy.fields import effective_on_failure
from ...policy.presets import PRESETS
from ..templates import LambdaFunction
from .rule import Context, Problem, of_policy, variable

if TYPE_CHECKING:
    from ...granted import Grants
    from ...policy import ShieldPolicy

CONTROLS: Final = (
    "outbound_connectivity",
    "read_write_tmp",
    "create_child_process",
    "read_handler",
    "executable_memory",
)
_LISTS: Final = (
    ("outbound_connectivity", "allow_outbound"),
    ("outbound_connectivity", "allow_buckets"),
    ("read_write_tmp", "allow_tmp"),
    ("create_child_process", "allow_child_process"),
    ("executable_memory", "allow_executable_memory"),
)
# Improbable paths: a list that admits them admits everything.
_ANY_TMP: Final = ("/tmp/shielded-function-check-8f1d", "/tmp/shielded-function-check-8f1d/a/b")


@of_policy
def list_without_effect(function: LambdaFunction, policy: ShieldPolicy, _: Context) -> Iterator[Problem]:
    """A list beside a mode that allows everything."""
    for mode, entries in _LISTS:
        if getattr(policy, mode) == "allow" and getattr(policy, entries):
            yield Problem(
                f"{entries} means nothing, as {mode} is allow",
                f"set {mode} to block or alert, or take the list out",
                variable(entries),
            )
    if policy.outbound_connectivity == "allow" and policy.allow_aws != "all":
        yield Problem(
            "allow_aws means nothing, as outbound_connectivity is allow",
            "set outbound_connectivity to block or alert, or take allow_aws out",
            variable("allow_aws"),
        )


def aws_beyond_grants(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """`allow_aws="all"` where the grants are known; no error in alert mode, or where a grant is for another region."""
    policy, (grants, unknown) = function.policy.policy, _grants_beside_all(function, context)
    if policy is None or grants is None or unknown:
        return
    names = [*grants.services, *(f"bucket {each}" for each in grants.buckets)]
    far = any(each.id.endswith("OtherRegion") for each in grants.warnings) or "/cdk/exports/" in str(grants.sources)
    yield Problem(
        "allow_aws is all, which adds every other service of AWS to those that its role is granted "
        f"({', '.join(names) or 'none'})",
        'leave allow_aws out, or write "granted"; add a service that it calls without a grant: ["granted", "sts"]',
        variable("allow_aws"),
        "warning" if far or policy.outbound_connectivity == "alert" else "error",
    )


def grants_unknown(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """A production function with `allow_aws="all"`, the default for unknown grants."""
    if context.is_production(function) and (unknown := _grants_beside_all(function, context)[1]):
        yield Problem(
            f"it is production, and allow_aws is all, as for grants that are unknown: {'; '.join(unknown)}",
            'list the services that it calls: allow_aws=["granted", "dynamodb"]',
            variable("allow_aws"),
        )


def _grants_beside_all(function: LambdaFunction, context: Context) -> tuple[Grants | None, list[str]]:
    """The grants of a function that reaches all of AWS, and why they are unknown; None for another function."""
    policy, hidden = function.policy.policy, function.policy_file in ("unseen", "missing")
    if policy is None or policy.outbound_connectivity == "allow" or policy.allow_aws != "all" or hidden:
        return None, []
    from ..template_grants import TemplateGrants  # which imports the model of these checks

    reader = context.read(TemplateGrants)
    grants = reader.grants_of(reader.caller_of(function))
    found = (*grants.problems, *grants.warnings)
    return grants, list(dict.fromkeys(each.message for each in found if is_unknown_grant(each)))


@of_policy
def alert_in_production(function: LambdaFunction, policy: ShieldPolicy, context: Context) -> Iterator[Problem]:
    """A production function whose policy does not block."""
    if not context.is_production(function):
        return
    if policy.outbound_connectivity == "allow":
        yield Problem(
            "it is production, and outbound_connectivity is allow: its code may send anything anywhere",
            "set block, and list its hosts",
            variable("outbound_connectivity"),
        )
    alerting = [mode for mode in CONTROLS if getattr(policy, mode, None) == "alert"]
    if alerting:
        yield Problem(
            f"it is production, and {' and '.join(alerting)} only {'alerts' if len(alerting) == 1 else 'alert'}",
            "set block, once the alerts of ordinary use are listed",
            variable(alerting[0]),
        )


@of_policy
def runtime_updates(function: LambdaFunction, policy: ShieldPolicy, context: Context) -> Iterator[Problem]:
    """AWS replaces managed runtimes by default.

    https://docs.aws.amazon.com/lambda/latest/dg/runtime-management-shared.html
    """
    if effective_on_failure(vars(policy)) == "run_unshielded" or not function.runtime:
        return
    when = as_mapping(function.properties.get("RuntimeManagementConfig")).get("UpdateRuntimeOn", "Auto")
    if when == "Auto" and context.is_production(function):
        yield Problem(
            "it is production, and AWS replaces its libc and interpreter without a deployment; where the shield cannot "
            "be armed then, it does not start (on_failure is refuse)",
            "set runtime_management_mode=RuntimeManagementMode.FUNCTION_UPDATE, and deploy to a canary first",
            "Properties.RuntimeManagementConfig",
        )


@of_policy
def durable_without_lambda(function: LambdaFunction, policy: ShieldPolicy, _: Context) -> Iterator[Problem]:
    """A durable function saves its steps by calls to Lambda.

    https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html
    """
    if not function.properties.get("DurableConfig"):
        return
    region = function.template.region or "us-east-1"
    decision = policy.decide("connect", f"lambda.{region}.amazonaws.com:443", region=region)
    if decision.action != "allow":
        yield Problem(
            "it is a durable function, and its policy does not admit Lambda, where it saves its steps",
            "add lambda to allow_aws",
            variable("allow_aws"),
        )


@of_policy
def tmp_wide_open(function: LambdaFunction, policy: ShieldPolicy, _: Context) -> Iterator[Problem]:
    """A list that admits every file of /tmp."""
    if policy.read_write_tmp == "allow" or not policy.allow_tmp:
        return
    if any(policy.decide("tmp", path).action == "allow" for path in _ANY_TMP):
        yield Problem(
            f"allow_tmp ({function.policy.show(', '.join(policy.allow_tmp))}) admits any file of /tmp, beside "
            f"read_write_tmp={policy.read_write_tmp}",
            "list the folders that it uses, or set read_write_tmp to allow",
            variable("allow_tmp"),
        )


@of_policy
def unshielded_program(function: LambdaFunction, policy: ShieldPolicy, _: Context) -> Iterator[Problem]:
    """A program that runs without the shield."""
    for entry in policy.allow_child_process:
        if entry.startswith("unshielded:"):
            yield Problem(
                f"{function.policy.show(entry.removeprefix('unshielded:'))} runs without a shield",
                "use a dynamically linked program, without unshielded:, or acknowledge it",
                variable("allow_child_process"),
            )


@of_policy
def executable_memory_needed(function: LambdaFunction, policy: ShieldPolicy, _: Context) -> Iterator[Problem]:
    """A library in the code that needs executable memory, which the policy blocks."""
    if "SHIELD_EXECUTABLE_MEMORY" in function.policy.late:
        return
    # Unset, it is as strict as the strictest of the other modes.
    modes = [policy.executable_memory or getattr(policy, mode) for mode in CONTROLS]
    if "block" not in modes:
        return
    for name in function.find_presets():
        if set(PRESETS[name].allow_executable_memory) <= set(policy.allow_executable_memory):
            continue
        yield Problem(
            f"its code holds {name}, which does not work without executable memory",
            f'add the preset: presets=["{name}"], or acknowledge it where the library is not used',
            variable("executable_memory"),
        )
