"""The facts about a function: those before it gets a shield, and those that must hold at synthesis.

Pure functions from facts to problems; a problem is one line that names the property and the fix. A fact that a template
shows too is a rule of `checks`, which the synthesis applies as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from shielded_function_monitoring.cfn.template import Place, Template, ref_of

from ..checks.checking import find_in
from ..checks.rules import RULES, Context
from ..checks.rules.alarms import alerts_dropped
from ..checks.templates import Assembly, FileKind, LambdaFunction, LayerKind
from ..layer.runtimes import SUPPORTED, can_be_shielded
from ..names import NEXT_WRAPPER_VARIABLE, POLICY_FILE_VARIABLE, SHIELD, WRAPPER_VARIABLE
from ..policy.lengths import MAX_ENVIRONMENT, environment_size
from ..reading.functions import FunctionFacts

MAX_LAYERS: Final = 5

_FAMILIES: Final = (
    lambda_.RuntimeFamily.PYTHON,
    lambda_.RuntimeFamily.NODEJS,
    lambda_.RuntimeFamily.JAVA,
    lambda_.RuntimeFamily.DOTNET_CORE,
    lambda_.RuntimeFamily.RUBY,
)
_APPLIED: Final = (
    *("wrapper-without-layer", "architecture-mismatch", "layer-without-wrapper", "policy-missing"),
    *("policy-overridden", "policy-file-missing", "runtime-unsupported", "alerts-dropped"),
)
_RULES: Final = [rule for rule in RULES if rule.id in _APPLIED]


def eligibility_problems(facts: FunctionFacts, *, layers: int = 1, in_image: bool = False) -> list[str]:
    """The reasons why a function cannot be shielded; empty when it can.

    Args:
        facts: the function.
        layers: the number of its shield's layers.
        in_image: whether its container image contains the shield's files.
    """
    if facts.environment is None:
        return ["environment: known only at deployment, so the shield's variables cannot be added: write it out"]
    dropped = alerts_dropped(*_to_check(facts, {"settings": {}, "layers": []}, None))
    problems = [*_runtime(facts, in_image), *layer_problems(facts, layers)]
    problems += (f"{found.text}: {found.fix}" for found in dropped)
    if WRAPPER_VARIABLE in facts.environment and NEXT_WRAPPER_VARIABLE in facts.environment:
        problems.append(
            f"{NEXT_WRAPPER_VARIABLE}: the shield sets it to the {WRAPPER_VARIABLE} that the function has: "
            "set only one of them"
        )
    return problems


def layer_problems(facts: FunctionFacts, layers: int) -> list[str]:
    """The reason why a function takes no further layers, of this number."""
    if facts.layers is None:
        unknown = "layers: known only at deployment, so the shield's cannot be added: write them out"
        return [unknown] if layers else []
    if len(facts.layers) + layers <= MAX_LAYERS:
        return []
    needs = ("", " and the shield needs one", " and the shield needs one, and its long policy another")[layers]
    return [f"layers: {len(facts.layers)} of {MAX_LAYERS} are in use{needs}: remove or merge some"]


class _OfApp(LambdaFunction):
    """A function of the app: the layers that its shield added are known without their archives."""

    @cached_property
    def layers(self) -> Sequence[LayerKind]:
        return ["shield" if layer in self.record["layers"][:1] else "other" for layer in self.properties["Layers"]]

    @property
    def policy_file(self) -> FileKind:
        is_lost = POLICY_FILE_VARIABLE in self.noted and self.record["layers"][-1] in self.lost_layers
        return "missing" if is_lost else "unnamed"


def applied_problems(facts: FunctionFacts, record: Mapping[str, Any], architecture: str | None = None) -> list[str]:
    """The findings of rules about a function with a shield, at synthesis. They read no archive.

    Args:
        facts: the function.
        record: the variables that the shield set (`settings`), and the ARNs of its `layers`, resolved: that with the
            shield and, possibly, that with the policy's file.
        architecture: the architecture of the first layer; None where unknown.
    """
    found = find_in(*_to_check(facts, record, architecture), _RULES)
    return [f"{each.problem}: {each.fix}" for each in found]


def _to_check(
    facts: FunctionFacts, record: Mapping[str, Any], architecture: str | None
) -> tuple[LambdaFunction, Context]:
    """A function as the rules read it."""
    of_layer = {"Properties": {"CompatibleArchitectures": [architecture] if architecture else None}}
    template = Template(
        {"Resources": {ref_of(layer): of_layer for layer in record["layers"]}},
        paths={"": facts.path},
        metadata={facts.path: [{"type": SHIELD, "data": json.dumps(record)}]},
    )
    properties = {
        "PackageType": "Zip" if facts.runtime else "Image",
        "Runtime": facts.runtime,
        "Architectures": [facts.architecture],
        "Environment": {"Variables": facts.environment},
        "Layers": facts.layers or (),
        "LoggingConfig": {"ApplicationLogLevel": facts.logging.get("applicationLogLevel")},
    }
    function = _OfApp(Place(facts.path), template, properties)
    return function, Context(Assembly("", [template], [function]))


def late_problems(facts: FunctionFacts, settings: Mapping[str, Any], longest: int) -> list[str]:
    """The limits of Lambda that a function exceeds at synthesis.

    Args:
        facts: the function.
        settings: the variables that the shield set.
        longest: the most bytes of those at deployment, with names and punctuation.
    """
    problems = layer_problems(facts, 0)
    variables = {**(facts.environment or {}), **facts.overridden}
    wrapper = variables.get(NEXT_WRAPPER_VARIABLE)
    if isinstance(wrapper, str) and not wrapper.startswith("/"):
        problems.append(
            f"{WRAPPER_VARIABLE}: {wrapper!r} is not an absolute path: write the wrapper's full path, such as "
            f"/opt/{wrapper}"
        )
    size = environment_size({n: v for n, v in variables.items() if n not in settings}) + longest
    if size > MAX_ENVIRONMENT:
        problems.append(
            f"environment: up to {size} bytes with the policy, of which Lambda takes {MAX_ENVIRONMENT}: shorten the "
            "function's own variables, or the policy's lists of values known only at deployment, which no file can "
            'hold (in place of granted buckets, allow_aws=["granted", "s3"] admits any)'
        )
    is_node = str(facts.runtime).startswith("nodejs")
    if is_node and facts.on_instances and settings.get("SHIELD_READ_HANDLER") != "allow":
        problems.append(  # the engine does not start where a thread is blocked from reading the handler
            'read_handler: on Managed Instances several threads of Node.js load the handler: write read_handler="allow"'
        )
    return problems


def log_group_problems(now: Any, wanted: Any, log_class: str | None) -> list[str]:
    """The reason why metric filters on a function's log group see nothing.

    Args:
        now: the resolved name of the log group in its logging configuration.
        wanted: the same, as the shield was applied.
        log_class: the log group's class, where known.
    """
    if now != wanted:
        return [
            "log_group: changed after the shield was applied, so its metric filter would see nothing: set it before"
        ]
    if log_class in (None, logs.LogGroupClass.STANDARD.value):
        return []
    return [f"log_group: its class is {log_class}, which has no metric filters: use LogGroupClass.STANDARD"]


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
