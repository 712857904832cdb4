"""Rules: the shield is applied, and complete."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, cast

from shielded_function.layer.runtimes import SUPPORTED, can_be_shielded
from shielded_function_monitoring.cfn.template import canonical, construct_of, ref_of, referred

from ...names import (
    ACCOUNT_VARIABLE,
    NEXT_WRAPPER_VARIABLE,
    NODE_CALLERS_VARIABLE,
    OFF,
    POLICY_FILE_VARIABLE,
    WRAPPER,
    WRAPPER_VARIABLE,
)
from ...policy.fields import KINDS, NOT_POLICY, field_of
from ..templates import LambdaFunction
from .rule import ENVIRONMENT, Context, Problem

_WRAPPER_AT = f"{ENVIRONMENT}.{WRAPPER_VARIABLE}"
_SHIELD_IT = "use ShieldedFunction, Shield, or Shield.everywhere for the whole app"
_OF_VERSIONS = (
    ("AWS::Lambda::Alias", "FunctionVersion"),
    ("AWS::Lambda::EventSourceMapping", "FunctionName"),
    ("AWS::Lambda::Url", "TargetFunctionArn"),
)
_NOT_OF_POLICY = (NEXT_WRAPPER_VARIABLE, NODE_CALLERS_VARIABLE)
_DECIDED_BY = {
    ACCOUNT_VARIABLE: "the stack decides it",
    POLICY_FILE_VARIABLE: "the shield makes that file itself where a policy is long: give yours to "
    "ShieldPolicy.from_file",
}
_MODE = 32  # characters: modes and short lists are printed
_EXCUSE_IT = "or acknowledge it with a reason"


def not_shielded(function: LambdaFunction, context: Context) -> Iterator[Problem]:
    """No part of a shield is there."""
    # In development, outside a configured production, it may be off.
    if function.left_out == OFF and (not context.production or context.is_production(function)):
        yield Problem(
            f"no shield: {OFF} omits it",
            "deploy with -c shield=alert, which stops nothing either; in an emergency acknowledge this with a reason; "
            "for development, name the production stages (production=)",
        )
        return
    if function.is_touched or function.is_excused:
        return
    if function.is_image:
        yield Problem(
            "no shield: the container image's environment does not name it", f"see docs on images, {_EXCUSE_IT}"
        )
    elif function.runtime and not can_be_shielded(function.runtime):
        yield Problem(
            f"no shield, and none is possible with the runtime {function.runtime}",
            f"use {SUPPORTED}, do as docs/guide/other-kinds.md says, {_EXCUSE_IT}"
            if function.runtime.startswith("provided")
            else f"use {SUPPORTED}, {_EXCUSE_IT}",
            "Properties.Runtime",
        )
    elif _stage_was_missed(function, context):
        yield Problem(
            "no shield: nothing in its Stage has one",
            f"if the Stage was made after Shield.everywhere, call that again after it; otherwise {_SHIELD_IT}",
        )
    else:
        yield Problem("no shield: neither wrapper, nor layer, nor policy", f"{_SHIELD_IT}, {_EXCUSE_IT}")


def _stage_was_missed(function: LambdaFunction, context: Context) -> bool:
    """Other functions of the app are shielded, and none in the function's stage."""
    stage = _stage(function)
    shielded = {_stage(other) for other in context.assembly.functions if other.is_shielded}
    return bool(stage and shielded) and stage not in shielded


def _stage(function: LambdaFunction) -> str:
    """The template's folder in the assembly: each stage has one; the app's is empty."""
    return function.template.file.rpartition("/")[0]


def wrapper_without_layer(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """A function that cannot start, as Lambda finds no wrapper."""
    replaced = function.lost_layers and not function.has_shield_layer
    if function.has_wrapper and (replaced or not function.has_layer):
        lost = "the layer that the construct added is gone" if replaced else "no layer holds the shield"
        yield Problem(
            f"half a shield: the wrapper is set, but {lost}, so it cannot start",
            "shield it with the construct, which adds the layer, and do not override Layers: use add_layers",
            "Properties.Layers",
        )


def version_not_renewed(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """Traffic goes to a version that keeps the code and settings of its first deployment.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
    """
    template, logical_id = function.template, function.place.logical_id
    for version, properties in template.of_type("AWS::Lambda::Version"):
        path = construct_of(template.paths.get(version, ""))
        if referred(properties.get("FunctionName")) != logical_id or path.rpartition("/")[2] == "CurrentVersion":
            continue
        for kind, member in _OF_VERSIONS:
            for user, settings in template.of_type(kind):
                if version in canonical(settings.get(member)):
                    yield Problem(
                        f"{template.place(user).path} leads to the version {path or version}, which later deployments "
                        "do not renew, so it may run without this shield",
                        "use function.current_version, which each change of the function renews",
                        f"{user}.{member}",
                    )


def architecture_mismatch(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """A function that cannot start, as the wrapper is a program for another processor."""
    architectures = function.properties.get("Architectures", ["x86_64"])
    layers = function.properties.get("Layers")
    for kind, layer in zip(function.layers, layers if isinstance(layers, list) else (), strict=False):
        compatible: Any = function.template.properties(ref_of(layer)).get("CompatibleArchitectures")
        known = _texts(architectures) and _texts(compatible)
        if kind in ("shield", "unknown-shield") and known and not set(architectures) & set(compatible):
            yield Problem(
                f"its architecture is {architectures[0]}, and the shield in its layer is for "
                f"{' and '.join(compatible)}, so it cannot start",
                "set the architecture by architecture=, or in an aspect before the shield's (priority 900), and do not "
                "override Layers",
                "Properties.Architectures",
            )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in cast("list[Any]", value))


def layer_without_wrapper(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """A function that starts without the shield."""
    is_unseen = function.is_image and not function.noted  # its entry point may be the wrapper
    if is_unseen or function.has_wrapper or not (function.has_shield_layer or function.has_policy):
        return
    there = "its layer" if function.has_shield_layer else "its policy"
    wrapper = function.wrapper
    now = f"is not {WRAPPER}" if wrapper is None else f"is {wrapper!r}, not {WRAPPER!r}"
    yield Problem(
        f"half a shield: {there} is there, but {WRAPPER_VARIABLE} {now}, so nothing is enforced",
        "do not override it: the construct chains another wrapper as SHIELD_NEXT_WRAPPER "
        "(code that calls configure itself: acknowledge it)",
        _WRAPPER_AT,
    )


def shield_replaced(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """Lambda unpacks the layers in their order: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html"""
    holding = [kind for kind in function.layers if kind in ("shield", "unknown-shield")]
    if function.has_wrapper and len(holding) > 1:
        yield Problem(
            f"{len(holding)} of its layers hold a shield, and the files of the last one are those that run",
            "take the other layers out: the construct adds the one that it needs",
            "Properties.Layers",
        )


def policy_overridden(function: LambdaFunction, _: Context) -> Iterator[Problem]:
    """Variables of the app, a property override, or an edit of the template contradict those that the construct set."""
    there = {n: v for n, v in function.environment.items() if n.startswith("SHIELD_") and n not in _NOT_OF_POLICY}
    for name in sorted({*there, *function.noted} if function.noted else ()):
        if there.get(name) != function.noted.get(name):
            yield Problem(
                _difference(name, there.get(name), function.noted.get(name)), _remedy(name), f"{ENVIRONMENT}.{name}"
            )


def _remedy(name: str) -> str:
    if name in _DECIDED_BY or name in NOT_POLICY or field_of(name):
        given = _DECIDED_BY.get(name, "set it in ShieldPolicy")
        return f"{given}, and take it out of the environment or the property override"
    near = get_close_matches(name.removeprefix("SHIELD_").lower(), KINDS, n=1)
    fix = f"did you mean {near[0]}? Set it in ShieldPolicy" if near else "rename it: SHIELD_ is the shield's prefix"
    return f"there is no such setting, and the shield refuses to start with it: {fix}"


def _difference(name: str, now: Any, wanted: Any) -> str:
    if now is None:
        return f"{name} is missing, and its policy sets it"
    if wanted is None:
        return f"{name} is there, and its policy does not set it"
    if any(not isinstance(value, str) or len(value) > _MODE for value in (now, wanted)):
        return f"{name} differs from its policy"
    return f"{name} is {now!r}, and its policy says {wanted!r}"
