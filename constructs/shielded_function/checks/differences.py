"""Compares two syntheses and finds looser policies, for the review of a pull request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from shielded_function.policy import ShieldPolicy
from shielded_function_monitoring.cfn.template import Place

from .policies import FunctionPolicy
from .rules.coverage import less_watched
from .rules.rule import Context
from .templates import Assembly, LambdaFunction

ChangeKind = Literal["lost-shield", "looser", "new-unshielded", "left-out", "stricter", "new", "removed"]
"""Kinds of change of a function. The first three fail an audit; the others are information."""

LOOSER: Final[tuple[ChangeKind, ...]] = ("lost-shield", "looser", "new-unshielded")


@dataclass(frozen=True)
class Change:
    """A change of one function.

    Attributes:
        kind: the kind of change.
        place: the function; the former place of a removed one.
        details: each difference, in words.
    """

    kind: ChangeKind
    place: Place
    details: tuple[str, ...] = ()

    @property
    def is_looser(self) -> bool:
        """Whether its code may do more than before, or raises fewer alarms."""
        return self.kind in LOOSER


def compare(before: Assembly, after: Assembly) -> list[Change]:
    """Changes between two syntheses, looser ones first. Functions are identified by their construct paths."""
    old = {function.place.path: function for function in before.functions}
    new = {function.place.path: function for function in after.functions}
    changes = [Change("removed", old[path].place) for path in old if path not in new]
    contexts = Context(before), Context(after)
    for path, function in new.items():
        change = _added(function, after) if path not in old else _changed(old[path], function, *contexts)
        if change is not None:
            changes.append(change)
    return sorted(changes, key=lambda change: (not change.is_looser, change.kind, change.place.path))


def _added(function: LambdaFunction, assembly: Assembly) -> Change | None:
    if function.cdk_handler and function.is_excused:
        return None
    if function.is_shielded:
        beyond = loosened(FunctionPolicy(ShieldPolicy()), function.policy)
        return Change("new", function.place, tuple(f"beyond the default policy: {detail}" for detail in beyond))
    reason = _reason(function, assembly)
    return Change("left-out", function.place, (reason,)) if reason else Change("new-unshielded", function.place)


def _changed(old: LambdaFunction, new: LambdaFunction, before: Context, after: Context) -> Change | None:
    if not new.is_shielded:
        if not old.is_shielded:
            return None
        reason = _reason(new, after.assembly)
        return Change("lost-shield", new.place, (f"left out: {reason}",) if reason else ())
    if not old.is_shielded:
        return Change("stricter", new.place, ("it has a shield now",))
    looser = [*_other_shield(old, new), *loosened(old.policy, new.policy), *less_watched(old, before, new, after)]
    if looser:
        return Change("looser", new.place, tuple(looser))
    tighter = loosened(new.policy, old.policy)
    return Change("stricter", new.place, tuple(f"before: {detail}" for detail in tighter)) if tighter else None


def _other_shield(old: LambdaFunction, new: LambdaFunction) -> list[str]:
    """Tells whether the shield now comes from another layer: an unreadable one, or one of another package."""
    if old.is_image or new.is_image:
        return []
    found: list[str] = []
    if "shield" in old.layers and "shield" not in new.layers:
        found.append("its shield came from the package's own layer, and now from another")
    before, after = old.layers.count("unknown-shield"), new.layers.count("unknown-shield")
    if after > before and "shield" in new.layers:
        found.append("a layer that was added holds files of the shield's names")
    arns = [layer for layer in _given_layers(new) if layer not in _given_layers(old)]
    if arns and "shield" not in new.layers:
        found.append(f"layers that were not there: {', '.join(arns)}")
    return found


def _given_layers(function: LambdaFunction) -> list[str]:
    layers = function.properties.get("Layers")
    return [layer for layer in layers if isinstance(layer, str)] if isinstance(layers, list) else []


def _reason(function: LambdaFunction, assembly: Assembly) -> str:
    """The reason given for no shield; empty for none."""
    accepted = assembly.acknowledgement("not-shielded", function.place.path)
    return function.left_out or (accepted.reason if accepted else "")


def loosened(before: FunctionPolicy, after: FunctionPolicy) -> list[str]:
    """Each way in which a policy allows more than another, in words; empty for none.

    An unknown policy counts as looser: a wrong policy, a mode known only at deployment.
    """
    if before.policy is None or after.policy is None:
        wrong = after.error or before.error
        return [f"it cannot be compared: {wrong or 'there is no policy'}"] if before != after else []
    unknown = [
        f"{name} is {' and '.join(after.late[name])}, known only at deployment"
        for name in after.late
        if not name.startswith("SHIELD_ALLOW_") and after.late[name] != before.late.get(name)
    ]
    services = [
        f"allow_aws: {service}, known only at deployment, was not admitted"
        for service in after.late.get("SHIELD_ALLOW_AWS", ())
        if before.policy.allow_aws != "all" and service not in before.late.get("SHIELD_ALLOW_AWS", ())
    ]
    known = [before.show(after.show(str(each))) for each in after.policy.diff(before.policy)]
    return [*unknown, *services, *known]
