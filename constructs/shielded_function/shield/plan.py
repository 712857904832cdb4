"""The changes that a shield wants in its function. Pure: facts and a resolved policy in, changes out; no CDK here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..names import (
    ACCOUNT_VARIABLE,
    NEXT_WRAPPER_VARIABLE,
    POLICY_FILE,
    POLICY_FILE_VARIABLE,
    WRAPPER,
    WRAPPER_VARIABLE,
)
from ..policy.lengths import MAX_ENVIRONMENT, environment_size
from .resolution import ResolvedPolicy


@dataclass(frozen=True)
class Plan:
    """The changes wanted in a function.

    Attributes:
        settings: the variables of the policy.
        added: those variables that the function lacks, or has from an earlier plan, and the wrapper's.
        file: the lines of the policy's file, where Lambda's 4 KB are too few for the variables; else empty.
        longest: the most bytes of the settings at deployment, with names and punctuation.
    """

    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    added: Mapping[str, Any] = field(default_factory=dict[str, Any])
    file: str = ""
    longest: int = 0


def plan_variables(
    environment: Mapping[str, Any],
    before: Collection[str],
    resolved: ResolvedPolicy,
    *,
    account: Any,
    account_text: str,
    takes_file: bool,
) -> Plan:
    """The variables of a policy, and the part that becomes a file. The app's own variables stay.

    Args:
        environment: the variables that the function has.
        before: the names of those that an earlier plan set.
        resolved: the policy.
        account: the function's account, resolved.
        account_text: the account as a text, possibly a token.
        takes_file: whether the policy may be in a file, as it may not in a container image.

    Raises:
        ShieldPolicyError: the policy's file would be too long.
    """
    settings, file, longest = {**resolved.environment, ACCOUNT_VARIABLE: account_text}, "", resolved.longest
    own = {name: value for name, value in environment.items() if name not in before}
    own |= {ACCOUNT_VARIABLE: account, WRAPPER_VARIABLE: WRAPPER}
    if takes_file and longest > MAX_ENVIRONMENT - environment_size(own):
        kept, file = resolved.policy.to_env_and_lines()
        longest -= environment_size(resolved.environment) - environment_size(kept)
        settings = {**kept, POLICY_FILE_VARIABLE: POLICY_FILE, ACCOUNT_VARIABLE: account_text}
    added = {name: value for name, value in settings.items() if name in before or name not in environment}
    return Plan(settings, {**added, **_wrapper_in(environment)}, file, longest)


def _wrapper_in(environment: Mapping[str, Any]) -> dict[str, Any]:
    """The shield as the exec wrapper, and the previous wrapper as the next one."""
    current = environment.get(WRAPPER_VARIABLE)
    if current == WRAPPER:
        return {}
    return {**({} if current is None else {NEXT_WRAPPER_VARIABLE: current}), WRAPPER_VARIABLE: WRAPPER}
