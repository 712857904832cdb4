"""A policy that holds constructs and tokens, resolved for one function.

    resolved = resolve_policy(policy, function)
    resolved.environment   # {"SHIELD_ALLOW_OUTBOUND": "${Token[...]}:5432", ...}
    resolved.longest       # 312

A policy of literals alone is returned unchanged, without a request to Node.js.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ...errors import ShieldError, shown
from ...policy import ShieldPolicy, ShieldPolicyError
from ...policy.lengths import UNKNOWN, environment_bytes, json_length, longest_of
from ...tokens import TEXT_TOKEN, has_token, is_list_token

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

    from .references import Place

__all__ = ["ResolvedPolicy", "resolve_policy"]

_DYNAMIC: Final = "{{resolve:"


@dataclass(frozen=True)
class ResolvedPolicy:
    """The policy of one function.

    Attributes:
        policy: with constructs as their entries, whose unknown parts are tokens, and with values known by now in place
            of their tokens.
        environment: its variables.
        longest: the most bytes that these variables add to the environment, by Lambda's count, with names.
        sources: from an entry to the path of its construct.
    """

    policy: ShieldPolicy
    environment: Mapping[str, str]
    longest: int
    sources: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class _Item:
    """An entry in progress: its list, its text, and its source."""

    field: str
    text: str
    longest: int | None = None  # declared by the table, otherwise counted
    source: str = ""


def resolve_policy(policy: ShieldPolicy, function: lambda_.Function | lambda_.CfnFunction) -> ResolvedPolicy:
    """A policy for a function: constructs become entries, and the known part of tokens is checked.

    Values known at synthesis (`Lazy`) are used and checked like literals. It makes a fixed number of requests to
    Node.js, and a few more for each token that refers to a construct.

    Args:
        policy: its lists may hold constructs and tokens.
        function: the function of the environment; it is not changed.

    Raises:
        ShieldError: an entry is malformed or a secret, a construct has no known host, or is of another stage. The
            message begins with the function's path, and lists all problems.
    """
    if not any(_is_unknown(entry) for name in UNKNOWN for entry in getattr(policy, name)):
        return _of_literals(policy, (policy.presets, policy.until))

    from .references import Place  # here, as it imports the CDK, which a policy of literals does not need

    place = Place(function)
    problems: list[str] = []
    items = _resolve_items(list(_expand(policy, problems)), place, problems)
    resolved = policy
    if not problems:
        try:
            resolved = replace(
                policy, **{name: [item.text for item in items if item.field == name] for name in UNKNOWN}
            )
        except ShieldPolicyError as fault:
            problems.append(str(fault))
    if problems:
        raise ShieldError(place.path, list(dict.fromkeys(problems)))
    environment = resolved.to_env()
    return ResolvedPolicy(resolved, environment, _count(resolved, environment, items), _sources(resolved, items))


@lru_cache
def _of_literals(policy: ShieldPolicy, beside: object) -> ResolvedPolicy:
    """Cached; `beside` has the presets and dates, which equality of policies ignores."""
    del beside
    environment = policy.to_env()
    lengths = {name: json_length(value) for name, value in environment.items()}
    return ResolvedPolicy(policy, environment, environment_bytes(lengths))


def _is_unknown(entry: object) -> bool:
    return not isinstance(entry, str) or has_token(entry) or _DYNAMIC in entry


def _expand(policy: ShieldPolicy, problems: list[str]) -> Iterator[_Item]:
    """The policy's entries, with those of its constructs in their place."""
    from ... import hosts  # imported only where needed: it needs the CDK

    for name in UNKNOWN:
        for entry in getattr(policy, name):
            if isinstance(entry, str):
                yield _Item(name, entry)
                continue
            try:
                given = hosts.entries_of(entry, name)
                source = hosts.path_of(entry)
            except ShieldPolicyError as fault:
                problems.append(str(fault))
                continue
            yield from (_Item("allow_outbound", found.text, found.longest, source) for found in given.outbound)
            yield from (_Item("allow_buckets", found.text, found.longest, source) for found in given.buckets)


def _resolve_items(items: list[_Item], function: Place, problems: list[str]) -> list[_Item]:
    """The checked items, each with its longest length, and lists of literals as their members."""
    unknown = [item for item in items if _is_unknown(item.text)]
    trees = dict(zip(map(id, unknown), _resolve(unknown, function.stack, problems), strict=True)) if unknown else {}
    resolved: list[_Item] = []
    for item in items:
        tree = trees.get(id(item), item.text)
        if isinstance(tree, list) and all(_is_literal(value) for value in tree):
            resolved += [replace(item, text=value, longest=None) for value in tree]
        elif _is_literal(tree):
            resolved.append(replace(item, text=tree, longest=None))
        else:
            resolved.append(_check(item, tree, function, problems))
    return resolved


def _resolve(items: list[_Item], stack: Any, problems: list[str]) -> list[Any]:
    """The present value of each text in the CDK: a text, an intrinsic, or a list. One request for all."""
    # Each is in a separate list, as a list token must be alone in its list, which it then replaces.
    texts = [[item.text] for item in items]
    try:
        trees = stack.resolve(texts)
    except RuntimeError:
        trees = [_resolve_one(item, stack, problems) for item in items]
    return [
        tree[0] if isinstance(tree, list) and not is_list_token(item.text) else tree
        for item, tree in zip(items, trees, strict=True)
    ]


def _resolve_one(item: _Item, stack: Any, problems: list[str]) -> Any:
    try:
        return stack.resolve([item.text])
    except RuntimeError as fault:  # the CDK's message
        problems.append(f"ShieldPolicy.{item.field}: {shown(item.text)}: {str(fault).strip()}")
        return [item.text]


def _is_literal(tree: Any) -> bool:
    return isinstance(tree, str) and _DYNAMIC not in tree


def _check(item: _Item, tree: Any, function: Place, problems: list[str]) -> _Item:
    """Checks an entry known only at deployment."""
    import aws_cdk as cdk

    from . import references

    where = f"the entry of {item.source}" if item.source else shown(item.text)
    problems += [
        f"ShieldPolicy.{item.field}: {where}: {reason}" for reason in references.problems_of(item.text, tree, function)
    ]
    # A list, as the text of its members with commas: so a variable holds a list.
    text = cdk.Fn.join(",", [item.text]) if is_list_token(item.text) else item.text
    longest = item.longest if item.longest is not None else longest_of(tree, item.field)
    return replace(item, text=text, longest=longest)


def _count(policy: ShieldPolicy, environment: Mapping[str, str], items: Iterable[_Item]) -> int:
    """The most bytes of the environment. The policy may have changed an entry's known part to canonical form."""
    declared = {(item.field, item.text.casefold()): item.longest for item in items if item.longest is not None}
    lengths = {name: json_length(value) for name, value in environment.items()}
    for name in UNKNOWN:
        variable = f"SHIELD_{name.upper()}"
        if variable in lengths:
            entries = [
                declared.get((name, entry.casefold()), json_length(TEXT_TOKEN.sub("", entry)))
                for entry in getattr(policy, name)
            ]
            lengths[variable] = sum(entries) + len(",") * (len(entries) - 1)
    return environment_bytes(lengths)


def _sources(policy: ShieldPolicy, items: Iterable[_Item]) -> dict[str, str]:
    sources = {item.text.casefold(): item.source for item in items if item.source}
    entries = (entry for name in UNKNOWN for entry in getattr(policy, name))
    return {entry: sources[entry.casefold()] for entry in entries if entry.casefold() in sources}
