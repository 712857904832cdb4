"""The invariants of a function: before it gets a shield, and at synthesis.

Pure functions from facts to problems; a problem is one line that names the property and the fix.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from shielded_function_monitoring.cfn.template import ref_of

from .function_facts import FunctionFacts
from .names import (
    ACCOUNT_VARIABLE,
    NEXT_WRAPPER_VARIABLE,
    NODE_CALLERS_VARIABLE,
    POLICY_FILE_VARIABLE,
    WRAPPER,
    WRAPPER_VARIABLE,
)
from .policy.fields import KINDS, NOT_POLICY, field_of
from .runtimes import SUPPORTED, can_be_shielded

MAX_LAYERS: Final = 5
MAX_ENVIRONMENT: Final = 4096
"""Bytes of all variables, measured by Lambda as one JSON object
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

_PREFIX: Final = "SHIELD_"
# Settings outside the policy: the previous wrapper, and whether alerts name JavaScript.
_NOT_POLICY: Final = (NEXT_WRAPPER_VARIABLE, NODE_CALLERS_VARIABLE)
_POLICY_DECIDES: Final = "the policy decides it: set it in ShieldPolicy"
_DECIDED_BY: Final = {
    ACCOUNT_VARIABLE: "the stack decides it: leave it out",
    POLICY_FILE_VARIABLE: "the shield makes that file itself where a policy is long: give yours to "
    "ShieldPolicy.from_file, and leave it out",
}

_FAMILIES: Final = (
    lambda_.RuntimeFamily.PYTHON,
    lambda_.RuntimeFamily.NODEJS,
    lambda_.RuntimeFamily.JAVA,
    lambda_.RuntimeFamily.DOTNET_CORE,
    lambda_.RuntimeFamily.RUBY,
)

# Alert lines are WARN: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
_DROPPING_LEVELS: Final = ("ERROR", "FATAL")


@dataclass(frozen=True)
class AppliedShield:
    """The settings that the shield put on a function, to be checked at synthesis.

    Attributes:
        environment: the policy's variables and the account's, resolved.
        layers: the resolved ARNs of the shield's layers: the shield's, and possibly that of the policy's file.
        log_group: the resolved name of the log group in the function's logging configuration, if any.
        log_class: the log group's class, where known.
        longest: the most bytes of the variables in `environment` at deployment, with names and punctuation.
        in_image: whether the function is a container image with the shield's files.
        architecture: the architecture of its layer; None where unknown.
    """

    environment: Mapping[str, Any]
    layers: Sequence[Any]
    log_group: Any
    log_class: str | None
    longest: int = 0
    in_image: bool = False
    architecture: str | None = None


Rule = Callable[[FunctionFacts, AppliedShield], "list[str]"]


def eligibility_problems(
    facts: FunctionFacts, settings: Mapping[str, Any], *, layers: int = 1, in_image: bool = False
) -> list[str]:
    """The reasons why a function cannot be shielded with these settings; empty when it can.

    Args:
        facts: the function.
        settings: the variables of its shield.
        layers: the number of its shield's layers.
        in_image: whether its container image contains the shield's files.
    """
    if facts.environment is None:
        return ["environment: known only at deployment, so the shield's variables cannot be added: write it out"]
    problems = [*_runtime(facts, in_image), *_log_level(facts), *foreign_settings(facts.environment, settings)]
    problems += layer_problems(facts, layers)
    if WRAPPER_VARIABLE in facts.environment and NEXT_WRAPPER_VARIABLE in facts.environment:
        problems.append(
            f"{NEXT_WRAPPER_VARIABLE}: the shield sets it to the {WRAPPER_VARIABLE} that the function has: "
            "set only one of them"
        )
    return [*problems, *wrapper_problems(facts.environment)]


def layer_problems(facts: FunctionFacts, layers: int) -> list[str]:
    """The reason why a function takes no further layers, of this number."""
    if not layers:
        return []
    if facts.layers is None:
        return ["layers: known only at deployment, so the shield's cannot be added: write them out"]
    if len(facts.layers) + layers <= MAX_LAYERS:
        return []
    return [f"layers: {len(facts.layers)} of {MAX_LAYERS} are in use and the shield needs one: remove or merge some"]


def policy_file_problems(others: int) -> list[str]:
    """The reasons why a policy cannot be in a file.

    Args:
        others: the number of the function's layers besides the shield's.
    """
    if others + 2 <= MAX_LAYERS:
        return []
    return [
        f"policy: it does not fit into Lambda's {MAX_ENVIRONMENT} bytes of variables, and its file takes a layer "
        f"beside the shield's, but {others} of {MAX_LAYERS} are in use: remove or merge some, or shorten the policy"
    ]


def wrapper_problems(environment: Mapping[str, Any]) -> list[str]:
    """Problems of the function's exec wrapper: Lambda needs an absolute path."""
    paths = {name: environment.get(name) for name in (WRAPPER_VARIABLE, NEXT_WRAPPER_VARIABLE)}
    return [
        f"{name}: {path!r} is not an absolute path: write the wrapper's full path, such as /opt/{path}"
        for name, path in paths.items()
        if isinstance(path, str) and not path.startswith("/")
    ]


def invariant_problems(facts: FunctionFacts, applied: AppliedShield) -> list[str]:
    """The invariants of a shielded function that do not hold at synthesis."""
    return [problem for rule in _INVARIANTS for problem in rule(facts, applied)]


def log_class_problems(log_class: str | None) -> list[str]:
    """The reason why a log group of this class cannot have metric filters."""
    if log_class in (None, logs.LogGroupClass.STANDARD.value):
        return []
    return [f"log_group: its class is {log_class}, which has no metric filters: use LogGroupClass.STANDARD"]


def environment_size(environment: Mapping[str, Any]) -> int:
    """Bytes that Lambda counts. Values known only at deployment count as empty, so it is a lower bound."""
    known = {name: _known(value) for name, value in environment.items()}
    return len(json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode())


def _known(value: Any) -> str:
    if ref_of(value) == "AWS::AccountId":
        return "0" * 12  # an account has twelve digits
    return value if isinstance(value, str) else ""


def _runtime(facts: FunctionFacts, in_image: bool) -> list[str]:
    if facts.runtime is None and in_image:
        return []
    if facts.runtime is None:
        return [
            "code: container images cannot be shielded by a layer: copy the shield into the image and say "
            f"Shield(in_image=True), or use a zip function on {SUPPORTED}"
        ]
    if in_image:
        return [f"in_image: the function is no container image but {facts.runtime}: leave in_image out"]
    if not isinstance(facts.runtime, str):
        if facts.family in _FAMILIES:
            return []
        return [f"runtime: not known at synthesis: name one of {SUPPORTED}"]
    if can_be_shielded(facts.runtime):
        return []
    return [f"runtime: {facts.runtime} cannot be shielded, only {SUPPORTED}"]


def _log_level(facts: FunctionFacts) -> list[str]:
    level = facts.logging.get("applicationLogLevel")
    if level not in _DROPPING_LEVELS:
        return []
    return [f"application_log_level: {level} drops the alert lines, which are WARN: use WARN or lower"]


def foreign_settings(environment: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Variables of the shield whose value differs from the one that the shield sets."""
    return [
        f"{name}: {_foreign_reason(name)}"
        for name, value in environment.items()
        if name.startswith(_PREFIX) and name not in _NOT_POLICY and settings.get(name) != value
    ]


def _foreign_reason(name: str) -> str:
    if field_of(name) or name in _DECIDED_BY or name in NOT_POLICY:
        return f"set in the environment, but {_DECIDED_BY.get(name, _POLICY_DECIDES)}"
    near = get_close_matches(name.removeprefix(_PREFIX).lower(), KINDS, n=1)
    fix = f"did you mean {near[0]}? Set it in ShieldPolicy" if near else f"rename it: {_PREFIX} is the shield's prefix"
    return f"there is no such setting, and the shield refuses to start with it: {fix}"


def _settings(facts: FunctionFacts, applied: AppliedShield) -> list[str]:
    gone = [name for name in applied.environment if name not in (facts.environment or {})]
    lost = f"{', '.join(gone)}: lost after the shield was applied: use add_environment, which keeps existing ones"
    return [*foreign_settings(facts.environment or {}, applied.environment), *([lost] if gone else [])]


def _wrapper(facts: FunctionFacts, applied: AppliedShield) -> list[str]:
    del applied
    current = (facts.environment or {}).get(WRAPPER_VARIABLE)
    if current == WRAPPER:
        return []
    return [
        f"{WRAPPER_VARIABLE}: it is {current}, not {WRAPPER}: set another wrapper with add_environment, it is chained"
    ]


def _layer(facts: FunctionFacts, applied: AppliedShield) -> list[str]:
    if facts.layers is not None and all(layer in facts.layers for layer in applied.layers):
        return []
    return ["layers: the shield's layer was removed after it was applied: use add_layers, which keeps it"]


def _architecture(facts: FunctionFacts, applied: AppliedShield) -> list[str]:
    if applied.architecture in (None, facts.architecture):
        return []
    return [
        f"architectures: {facts.architecture} was set after the shield's layer for {applied.architecture} was added: "
        "set it by architecture=, or in an aspect that runs before the shield's (Shield.everywhere's priority is 900)"
    ]


def _layer_count(facts: FunctionFacts, applied: AppliedShield) -> list[str]:
    del applied
    if facts.layers is None or len(facts.layers) <= MAX_LAYERS:
        return []
    return [f"layers: {len(facts.layers)}, with the shield's, of which Lambda takes {MAX_LAYERS}: remove or merge some"]


def _environment_size(facts: FunctionFacts, applied: AppliedShield) -> list[str]:
    variables = {**(facts.environment or {}), **facts.overridden}
    size = environment_size({n: v for n, v in variables.items() if n not in applied.environment}) + applied.longest
    if size <= MAX_ENVIRONMENT:
        return []
    return [
        f"environment: up to {size} bytes with the policy, of which Lambda takes {MAX_ENVIRONMENT}: shorten the "
        "function's own variables, or the policy's lists of values known only at deployment, which no file can hold "
        '(in place of granted buckets, allow_aws=["granted", "s3"] admits any)'
    ]


def _worker_threads(facts: FunctionFacts, applied: AppliedShield) -> list[str]:
    """Each worker thread of Node.js loads the handler, so the engine does not start where reading it is blocked."""
    is_node = str(facts.runtime).startswith("nodejs")
    if not (facts.on_instances and is_node) or applied.environment.get("SHIELD_READ_HANDLER") == "allow":
        return []
    return [
        'read_handler: on Managed Instances several threads of Node.js load the handler: write read_handler="allow"'
    ]


def _log_group(facts: FunctionFacts, applied: AppliedShield) -> list[str]:
    if facts.logging.get("logGroup") == applied.log_group:
        return log_class_problems(applied.log_class)
    return ["log_group: changed after the shield was applied, so its metric filter would see nothing: set it before"]


_INVARIANTS: Final[tuple[Rule, ...]] = (
    lambda facts, applied: _runtime(facts, applied.in_image),
    lambda facts, _: _log_level(facts),
    _settings,
    _wrapper,
    _layer,
    _architecture,
    _layer_count,
    _environment_size,
    _worker_threads,
    _log_group,
)
