"""The rules: one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...layer.runtimes import SUPPORTED, TESTED, can_be_shielded
from ...names import POLICY_FILE_VARIABLE
from ..expiry import EXPIRED
from ..templates import LambdaFunction
from . import alarms, applied, coverage, lists, outside, strict
from .rule import ENVIRONMENT, Context, Problem, Rule, variable, where

__all__ = ["NOT_SEEN", "NOT_SHIELDED", "OF_NO_FUNCTION", "PRODUCTION", "RULES", "Context", "Problem", "Rule"]

NOT_SHIELDED: Final = "not-shielded"

_SIMPLE: Final[Mapping[tuple[Any, ...], tuple[Callable[[LambdaFunction], object], str, str, str]]] = {
    ("policy-missing", "error", "the shield without a policy", False): (
        lambda function: (function.has_wrapper or function.has_shield_layer) and not function.has_policy,
        "half a shield: no SHIELD_* variable sets a policy, so it refuses to start",
        "shield it with the construct, which writes the policy into the environment",
        ENVIRONMENT,
    ),
    ("policy-invalid", "error", "a policy that is refused at start", False): (
        lambda function: function.policy.error,
        "its policy is wrong, so it refuses to start: {0.policy.error}",
        "set it in ShieldPolicy, which checks it",
        ENVIRONMENT,
    ),
    ("policy-file-missing", "error", "a policy file that is nowhere", False): (
        lambda function: function.policy_file == "missing",
        f"{POLICY_FILE_VARIABLE} is {{0.environment[{POLICY_FILE_VARIABLE}]!r}}, neither in its code nor in its "
        "layers, so it refuses to start",
        "put the file there: /opt/... is in a layer, /var/task/... in the code",
        f"{ENVIRONMENT}.{POLICY_FILE_VARIABLE}",
    ),
    ("runtime-unsupported", "error", "a runtime that never runs the wrapper", False): (
        lambda it: not it.is_image and it.is_touched and it.runtime and not can_be_shielded(it.runtime),
        "the runtime {0.runtime} does not run an exec wrapper that the shield can be, so nothing is enforced",
        f"use {SUPPORTED}, or take the shield off and acknowledge that",
        "Properties.Runtime",
    ),
    ("nothing-enforced", "error", "a policy that allows everything"): (
        lambda function: all(getattr(function.policy.policy, mode, "") == "allow" for mode in strict.CONTROLS[:4]),
        "its policy allows everything: outbound_connectivity, read_write_tmp, create_child_process and "
        "read_handler are allow",
        "set block or alert for the controls that it does not need, or leave the function out and acknowledge that",
        ENVIRONMENT,
    ),
    ("run-unshielded", "warning", "the function runs unshielded where the shield fails"): (
        lambda function: getattr(function.policy.policy, "on_failure", "") == "run_unshielded",
        "it runs without a shield where the shield cannot be armed (on_failure is run_unshielded)",
        "use refuse, or leave it out",
        variable("on_failure"),
    ),
    ("runtime-untested", "warning", "an untested runtime"): (
        lambda it: it.runtime and can_be_shielded(it.runtime) and it.runtime not in TESTED,
        "the shield is untested on {0.runtime}",
        "use a runtime of docs/guide/runtimes.md, or try it yourself in alert mode and acknowledge this",
        "Properties.Runtime",
    ),
    ("shield-unknown", "warning", "a shield that is not this package's"): (
        lambda function: function.has_wrapper and "unknown-shield" in function.layers,
        "the shield in its layer is not the one of the installed shielded-function",
        "check where the layer comes from: another version of the package, or something else",
        "Properties.Layers",
    ),
    ("image-unseen", "warning", "a container image cannot be looked into"): (
        lambda function: function.is_image,
        "it is a container image: that the shield is in it cannot be seen here",
        "build it as the docs on images say, and acknowledge this",
        "Properties.Code",
    ),
    ("policy-file-unseen", "warning", "a policy file outside the assembly"): (
        lambda function: function.policy_file == "unseen",
        f"the file that {POLICY_FILE_VARIABLE} names is not in the assembly, so its content is not checked",
        "check that file by `shielded-function explain`, and acknowledge this",
        f"{ENVIRONMENT}.{POLICY_FILE_VARIABLE}",
    ),
}
"""Rules that find the same in each function that fits: the text, in which fields of the function are in braces, the
fix, and the location."""

_TABLE: Final = (
    Rule(NOT_SHIELDED, "error", "nothing shields the function", applied.not_shielded, False),
    Rule("wrapper-without-layer", "error", "no layer holds the wrapper", applied.wrapper_without_layer, False),
    Rule("architecture-mismatch", "error", "a shield for another architecture", applied.architecture_mismatch),
    Rule("layer-without-wrapper", "error", "layer or policy without the wrapper", applied.layer_without_wrapper, False),
    Rule("policy-overridden", "error", "variables that differ from the policy", applied.policy_overridden),
    Rule("alerts-not-counted", "error", "no metric filter on the log group", alarms.alerts_not_counted),
    Rule("alerts-dropped", "error", "a log level that drops the alert lines", alarms.alerts_dropped),
    Rule("network-too-wide", "error", "a network of too many addresses", lists.network_too_wide),
    Rule("wildcard-too-wide", "error", "a wildcard under which anyone can have a name", lists.wildcard_too_wide),
    Rule(
        "alert-in-production",
        "error",
        "in production, a mode that only alerts, or any host",
        strict.alert_in_production,
    ),
    Rule("shield-replaced", "error", "a later layer replaces the shield's files", applied.shield_replaced),
    Rule(
        "durable-without-lambda",
        "error",
        "a durable function that may not reach Lambda",
        strict.durable_without_lambda,
    ),
    Rule("outside-perimeter", "error", "no ShieldPerimeter, where one is required", outside.outside_perimeter),
    Rule("aws-beyond-grants", "error", "all of AWS, where the role's grants are known", strict.aws_beyond_grants),
    Rule("grants-unknown", "error", "in production, all of AWS, as the grants are unknown", strict.grants_unknown),
    Rule("runtime-updates", "warning", "in production, runtimes that AWS replaces by itself", strict.runtime_updates),
    Rule("name-without-dot", "warning", "a host name without a dot", lists.name_without_dot),
    Rule("shared-host", "warning", "a host where any customer can receive data", lists.shared_host),
    Rule("list-without-effect", "warning", "a list beside a mode that allows all", strict.list_without_effect),
    Rule("tmp-wide-open", "warning", "a list that admits all of /tmp", strict.tmp_wide_open),
    Rule("unshielded-program", "warning", "a program that runs without a shield", strict.unshielded_program),
    Rule(
        "executable-memory-needed",
        "warning",
        "a library that needs the executable memory that is blocked",
        strict.executable_memory_needed,
    ),
    Rule("version-not-renewed", "warning", "traffic on a version that stays as it is", applied.version_not_renewed),
    Rule("no-alarm", "warning", "no alarm on the violations", coverage.no_alarm),
    Rule("alarm-without-action", "warning", "an alarm without an action", alarms.alarm_without_action),
    Rule("new-targets-hidden", "warning", "an alarm that hides a second attack", alarms.new_targets_hidden),
    Rule("alarm-never-fires", "warning", "an alarm on a metric that is never published", alarms.alarm_never_fires),
    Rule("topic-unreadable", "warning", "a topic that CloudWatch may not write to", alarms.topic_unreadable),
)
RULES: Final = sorted(
    (
        *_TABLE,
        *(
            Rule(rule, severity, summary, where(*found), *only)
            for (rule, severity, summary, *only), found in _SIMPLE.items()
        ),
    ),
    key=lambda rule: rule.severity,
)
"""All rules about functions, errors first. docs/guide/checks.md explains them."""

PRODUCTION: Final = "production-matches-nothing"
NOT_SEEN: Final = "functions-not-seen"

OF_NO_FUNCTION: Final = {
    PRODUCTION: "a glob for production that is misspelt",
    NOT_SEEN: "a resource whose functions are in a template elsewhere",
    EXPIRED: "an expired exception: alert mode, an acknowledgement",
}
"""The rules beyond single functions, warnings by default, with their summaries."""
