"""Which functions `Shield.everywhere` shields, and with which policy: by path, glob, tag, id or predicate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from constructs import Construct, IConstruct

from ..errors import ShieldError
from ..globs import covers, is_glob
from ..policy import ShieldPolicy, ShieldPolicyError, check_policy
from ..reading.kinds import owner_of

Exclusion = IConstruct | str | Callable[[IConstruct], bool]
TAG: Final = "tag:"
_REMEDY: Final = "correct it, take it out, or say allow_unmatched=True"


@dataclass
class Rules:
    """Selects the policy of a function, or none. Pure, except for exclusions by a predicate.

    Attributes:
        policies: by path, pattern or tag.
        exclude: constructs, paths, patterns, ids or predicates.
        include_cdk_handlers: whether the CDK's functions get a shield too.
        used: the patterns that matched a function.
    """

    policies: Mapping[str, ShieldPolicy]
    exclude: Sequence[Exclusion]
    include_cdk_handlers: bool
    used: set[tuple[str, str]] = field(default_factory=set["tuple[str, str]"])

    def policy_for(self, path: str) -> ShieldPolicy | None:
        """The policy of the most specific path or glob: the exact path, then the glob with the most literal text."""
        patterns = [key for key in self.policies if not key.startswith(TAG) and covers(key, path)]
        self.used.update(("policies", pattern) for pattern in patterns)
        if not patterns:
            return None
        return self.policies[max(patterns, key=lambda key: (key == path, len(key.replace("*", "")), key))]

    def policy_by_tag(self, tags: Mapping[str, Any]) -> ShieldPolicy | None:
        """The policy of the first tag in `policies` that a function has."""
        for key, policy in self.policies.items():
            name, _, value = key.removeprefix(TAG).partition("=")
            if key.startswith(TAG) and tags.get(name) == value:
                self.used.add(("policies", key))
                return policy
        return None

    @property
    def by_tag(self) -> bool:
        """Whether there are policies by tag."""
        return any(key.startswith(TAG) for key in self.policies)

    def excluded_by(self, function: IConstruct, path: str, construct_id: str) -> str | None:
        """The exclusion of a function, in words; None for none."""
        texts = (exclusion for exclusion in self.exclude if isinstance(exclusion, str))
        matching = {text for text in texts if covers(text, path) or text == construct_id}
        self.used.update(("exclude", text) for text in matching)
        for exclusion in self.exclude:
            if isinstance(exclusion, str):
                if exclusion in matching:
                    return f"excluded by {exclusion!r}"
            elif isinstance(exclusion, Construct):
                above = exclusion.node.path
                if path == above or path.startswith(f"{above}/"):
                    return f"excluded with {above}"
            elif callable(exclusion) and exclusion(function):
                return f"excluded by {getattr(exclusion, '__name__', 'a function')}"
        return None

    @property
    def patterns(self) -> list[tuple[str, str]]:
        """Each path, glob, tag and id, with its argument."""
        excluded = [("exclude", each) for each in self.exclude if isinstance(each, str)]
        return [*(("policies", each) for each in self.policies), *excluded]


def exclusions_of(place: str, exclude: Iterable[Exclusion]) -> list[Exclusion]:
    """The exclusions that `exclude` has; a `SingletonFunction` stands for the function behind it.

    Raises:
        ShieldError: it is no list, or holds something else; `place`: the path in the message.
    """
    if isinstance(exclude, str):
        raise ShieldError(place, [f"exclude: {exclude!r} is one text: write a list, [{exclude!r}]"])
    if not isinstance(exclude, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ShieldError(place, [f"exclude: {exclude!r} is no list"])
    found = [owner_of(e) or e if isinstance(e, Construct) else e for e in exclude]
    for exclusion in found:
        if isinstance(exclusion, type) or not (isinstance(exclusion, (Construct, str)) or callable(exclusion)):
            raise ShieldError(place, [f"exclude: {exclusion!r} is no construct, path, pattern, id or function"])
    return found


def is_general(pattern: str) -> bool:
    """Whether it may match several functions: a glob, or a tag."""
    return is_glob(pattern) or pattern.startswith(TAG)


def check_policies(place: str, policies: Any) -> None:
    """Raises ShieldError where `policies` is not a mapping of texts to policies; `place`: the path in the message."""
    if not isinstance(policies, Mapping):
        raise ShieldError(place, [f"policies: {policies!r} is no mapping of paths, globs or tags to policies"])
    for name, given in policies.items():
        if not isinstance(name, str):
            raise ShieldError(place, [f"policies: {name!r} is no path, glob or tag: write the construct's path"])
        try:
            check_policy(given)
        except ShieldPolicyError as error:
            raise ShieldError(place, [f"policies: {name!r}: {error}"]) from error


def why_unmatched(pattern: str, seen: Mapping[str, str], is_stack: Callable[[str], bool]) -> str:
    """Why a path, glob, tag or id has no effect, with the fix; empty for a stack or stage without a function yet.

    Args:
        pattern: it.
        seen: the reason of each function that has its policy otherwise, or none, by path.
        is_stack: whether there is a stack or a stage at a path.
    """
    for path, reason in seen.items():
        if covers(pattern, path):
            return f"has no effect on {path}: {reason}"
    if pattern.startswith(TAG):
        return f"decides for no function: none has the tag, or a path or glob comes first: {_REMEDY}"
    if is_glob(pattern):
        return f"matches no function: {_REMEDY}"
    if is_stack(pattern):
        return ""
    names = [name for path in seen for name in (path, path.rpartition("/")[2])]
    near = [path for path in seen if pattern.startswith(f"{path}/")] or get_close_matches(
        pattern, names, n=1, cutoff=0.8
    )
    return f"matches no function: {f'did you mean {near[0]!r}?' if near else 'correct it, or take it out'}"
