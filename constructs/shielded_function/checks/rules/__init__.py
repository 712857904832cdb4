"""The rules: one table."""

from __future__ import annotations

from typing import Final

from ..dates import EXPIRED
from . import alerts, applied, coverage, lists, modes, outside
from .rule import Context, Problem, Rule

__all__ = ["NOT_SEEN", "NOT_SHIELDED", "OF_NO_FUNCTION", "PRODUCTION", "RULES", "Context", "Problem", "Rule"]

NOT_SHIELDED: Final = "not-shielded"

RULES: Final[tuple[Rule, ...]] = (
    Rule(NOT_SHIELDED, "error", "nothing shields the function", applied.not_shielded, False),
    Rule("wrapper-without-layer", "error", "no layer holds the wrapper", applied.wrapper_without_layer, False),
    Rule("architecture-mismatch", "error", "a shield for another architecture", applied.architecture_mismatch),
    Rule("layer-without-wrapper", "error", "layer or policy without the wrapper", applied.layer_without_wrapper, False),
    Rule("policy-missing", "error", "the shield without a policy", applied.policy_missing, False),
    Rule("policy-invalid", "error", "a policy that is refused at start", applied.policy_invalid, False),
    Rule("policy-overridden", "error", "variables that differ from the policy", applied.policy_overridden),
    Rule("policy-file-missing", "error", "a policy file that is nowhere", applied.policy_file_missing, False),
    Rule("runtime-unsupported", "error", "a runtime that never runs the wrapper", applied.runtime_unsupported, False),
    Rule("alerts-not-counted", "error", "no metric filter on the log group", alerts.alerts_not_counted),
    Rule("alerts-dropped", "error", "a log level that drops the alert lines", alerts.alerts_dropped),
    Rule("network-too-wide", "error", "a network of too many addresses", lists.network_too_wide),
    Rule("wildcard-too-wide", "error", "a wildcard under which anyone can have a name", lists.wildcard_too_wide),
    Rule(
        "alert-in-production", "error", "in production, a mode that only alerts, or any host", modes.alert_in_production
    ),
    Rule("nothing-enforced", "error", "a policy that allows everything", modes.nothing_enforced),
    Rule("shield-replaced", "error", "a later layer replaces the shield's files", applied.shield_replaced),
    Rule(
        "durable-without-lambda", "error", "a durable function that may not reach Lambda", modes.durable_without_lambda
    ),
    Rule(
        "outside-perimeter",
        "error",
        "no ShieldPerimeter, where one is required",
        outside.outside_perimeter,
    ),
    Rule("aws-beyond-grants", "error", "all of AWS, where the role's grants are known", modes.aws_beyond_grants),
    Rule("grants-unknown", "error", "in production, all of AWS, as the grants are unknown", modes.grants_unknown),
    Rule("runtime-updates", "warning", "in production, runtimes that AWS replaces by itself", modes.runtime_updates),
    Rule("shared-host", "warning", "a host where any customer can receive data", lists.shared_host),
    Rule("list-without-effect", "warning", "a list beside a mode that allows all", modes.list_without_effect),
    Rule("tmp-wide-open", "warning", "a list that admits all of /tmp", modes.tmp_wide_open),
    Rule("unshielded-program", "warning", "a program that runs without a shield", modes.unshielded_program),
    Rule("run-unshielded", "warning", "the function runs unshielded where the shield fails", modes.run_unshielded),
    Rule(
        "executable-memory-needed",
        "warning",
        "a library that needs the executable memory that is blocked",
        modes.executable_memory_needed,
    ),
    Rule("version-not-renewed", "warning", "traffic on a version that stays as it is", applied.version_not_renewed),
    Rule("runtime-untested", "warning", "an untested runtime", applied.runtime_untested),
    Rule("shield-unknown", "warning", "a shield that is not this package's", applied.shield_unknown),
    Rule("image-unseen", "warning", "a container image cannot be looked into", applied.image_unseen),
    Rule("policy-file-unseen", "warning", "a policy file outside the assembly", applied.policy_file_unseen),
    Rule("no-alarm", "warning", "no alarm on the violations", coverage.no_alarm),
    Rule("alarm-without-action", "warning", "an alarm without an action", alerts.alarm_without_action),
    Rule("new-targets-hidden", "warning", "an alarm that hides a second attack", alerts.new_targets_hidden),
    Rule("alarm-never-fires", "warning", "an alarm on a metric that is never published", alerts.alarm_never_fires),
    Rule("topic-unreadable", "warning", "a topic that CloudWatch may not write to", alerts.topic_unreadable),
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
