"""What must hold for a shielded function: before anything is applied, and still at synthesis.

Pure functions from facts to problems; a problem is one line that names the property and the fix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from .inspection import FunctionFacts
from .layer import WRAPPER

WRAPPER_VARIABLE: Final = "AWS_LAMBDA_EXEC_WRAPPER"
NEXT_WRAPPER_VARIABLE: Final = "SHIELD_NEXT_WRAPPER"
ACCOUNT_VARIABLE: Final = "SHIELD_ACCOUNT_ID"
MAX_LAYERS: Final = 5
MAX_ENVIRONMENT: Final = 4096
"""Bytes of all variables, measured by Lambda as one JSON object
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

_PREFIX: Final = "SHIELD_"
# Not the policy's: the wrapper that was there before, and a file for what does not fit into the environment.
_NOT_POLICY: Final = (NEXT_WRAPPER_VARIABLE, "SHIELD_POLICY_FILE")
_POLICY_DECIDES: Final = "the policy decides it: set it in ShieldPolicy"
_DECIDED_BY: Final = {ACCOUNT_VARIABLE: "the stack decides it: leave it out"}

# The managed runtimes on Amazon Linux 2 and later: those before have no exec wrapper or too old a libc, and the
# OS-only runtimes (provided*) never call one (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html).
_RUNTIMES: Final[tuple[tuple[re.Pattern[str], tuple[int, ...]], ...]] = (
    (re.compile(r"python(\d+)\.(\d+)"), (3, 8)),
    (re.compile(r"nodejs(\d+)\.x"), (12,)),
    (re.compile(r"java(\d+)(?:\.al2|\.al2023)"), (8,)),
    (re.compile(r"java(\d+)"), (11,)),
    (re.compile(r"dotnet(\d+)"), (6,)),
    (re.compile(r"ruby(\d+)\.(\d+)"), (2, 7)),
)
_FAMILIES: Final = (
    lambda_.RuntimeFamily.PYTHON,
    lambda_.RuntimeFamily.NODEJS,
    lambda_.RuntimeFamily.JAVA,
    lambda_.RuntimeFamily.DOTNET_CORE,
    lambda_.RuntimeFamily.RUBY,
)
_SUPPORTED: Final = "python3.8+, nodejs12.x+, java8.al2 and java11+, dotnet6+ and ruby2.7+"

# Alert lines are WARN: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
_DROPPING_LEVELS: Final = ("ERROR", "FATAL")


@dataclass(frozen=True)
class Application:
    """What the shield put on a function, to be found again at synthesis.

    Attributes:
        environment: the policy's variables and the account's, resolved.
        layer: the resolved ARN of the shield's layer.
        log_group: the resolved name of the log group in the function's logging configuration, if it has one.
        log_class: the log group's class, where it can be seen.
    """

    environment: Mapping[str, Any]
    layer: Any
    log_group: Any
    log_class: str | None


Rule = Callable[[FunctionFacts, Application], "list[str]"]


def unsupported(facts: FunctionFacts, settings: Mapping[str, Any]) -> list[str]:
    """Why a function cannot be shielded with these settings; empty when it can."""
    problems = [*_runtime(facts), *_log_level(facts), *_foreign_settings(facts, settings)]
    if facts.layers is not None and len(facts.layers) >= MAX_LAYERS:
        problems.append(
            f"layers: {len(facts.layers)} of {MAX_LAYERS} are in use and the shield needs one: remove or merge some"
        )
    if WRAPPER_VARIABLE in facts.environment and NEXT_WRAPPER_VARIABLE in facts.environment:
        problems.append(
            f"{NEXT_WRAPPER_VARIABLE}: the shield sets it to the {WRAPPER_VARIABLE} that the function has: "
            "set only one of them"
        )
    return problems


def broken(facts: FunctionFacts, applied: Application) -> list[str]:
    """Which invariants of a shielded function do not hold at synthesis."""
    return [problem for rule in _INVARIANTS for problem in rule(facts, applied)]


def log_class_problems(log_class: str | None) -> list[str]:
    """Why metric filters cannot be put on a log group of this class."""
    if log_class in (None, logs.LogGroupClass.STANDARD.value):
        return []
    return [f"log_group: its class is {log_class}, which has no metric filters: use LogGroupClass.STANDARD"]


def environment_size(environment: Mapping[str, Any]) -> int:
    """Bytes that Lambda counts. Values known only at deployment count as empty, so it is a lower bound."""
    known = {name: _known(value) for name, value in environment.items()}
    return len(json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode())


def _known(value: Any) -> str:
    if value == {"Ref": "AWS::AccountId"}:
        return "0" * 12  # all have twelve digits
    return value if isinstance(value, str) else ""


def _runtime(facts: FunctionFacts) -> list[str]:
    if facts.runtime is None:
        return [f"code: container images cannot be shielded by a layer: use a zip function on {_SUPPORTED}"]
    if not isinstance(facts.runtime, str):
        if facts.family in _FAMILIES:
            return []
        return [f"runtime: not known at synthesis: name one of {_SUPPORTED}"]
    for pattern, minimum in _RUNTIMES:
        match = pattern.fullmatch(facts.runtime)
        if match and tuple(int(part) for part in match.groups()) >= minimum:
            return []
    return [f"runtime: {facts.runtime} cannot be shielded, only {_SUPPORTED}"]


def _log_level(facts: FunctionFacts) -> list[str]:
    level = facts.logging.get("applicationLogLevel")
    if level not in _DROPPING_LEVELS:
        return []
    return [f"application_log_level: {level} drops the alert lines, which are WARN: use WARN or lower"]


def _foreign_settings(facts: FunctionFacts, settings: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: set in the environment, but {_DECIDED_BY.get(name, _POLICY_DECIDES)}"
        for name, value in facts.environment.items()
        if name.startswith(_PREFIX) and name not in _NOT_POLICY and settings.get(name) != value
    ]


def _settings(facts: FunctionFacts, applied: Application) -> list[str]:
    gone = [name for name in applied.environment if name not in facts.environment]
    lost = f"{', '.join(gone)}: lost after the shield was applied: use add_environment, which keeps what is there"
    return [*_foreign_settings(facts, applied.environment), *([lost] if gone else [])]


def _wrapper(facts: FunctionFacts, applied: Application) -> list[str]:
    del applied
    current = facts.environment.get(WRAPPER_VARIABLE)
    if current == WRAPPER:
        return []
    return [
        f"{WRAPPER_VARIABLE}: it is {current}, not {WRAPPER}: set another wrapper with add_environment, it is chained"
    ]


def _layer(facts: FunctionFacts, applied: Application) -> list[str]:
    if facts.layers is None or applied.layer in facts.layers:
        return []
    return ["layers: the shield's layer was removed after it was applied: use add_layers, which keeps it"]


def _layer_count(facts: FunctionFacts, applied: Application) -> list[str]:
    del applied
    if facts.layers is None or len(facts.layers) <= MAX_LAYERS:
        return []
    return [f"layers: {len(facts.layers)}, with the shield's, of which Lambda takes {MAX_LAYERS}: remove or merge some"]


def _environment_size(facts: FunctionFacts, applied: Application) -> list[str]:
    del applied
    size = environment_size(facts.environment)
    if size <= MAX_ENVIRONMENT:
        return []
    return [
        f"environment: {size} bytes with the policy, of which Lambda takes {MAX_ENVIRONMENT}: shorten the allow lists, "
        "or move the longest into a file of the code that the variable SHIELD_POLICY_FILE names"
    ]


def _log_group(facts: FunctionFacts, applied: Application) -> list[str]:
    if facts.logging.get("logGroup") == applied.log_group:
        return log_class_problems(applied.log_class)
    return ["log_group: changed after the shield was applied, so its metric filter would see nothing: set it before"]


_INVARIANTS: Final[tuple[Rule, ...]] = (
    lambda facts, _: _runtime(facts),
    lambda facts, _: _log_level(facts),
    _settings,
    _wrapper,
    _layer,
    _layer_count,
    _environment_size,
    _log_group,
)
