"""`allow_aws` of a learned policy whose present one is unknown: never more than the starts in the log had."""

from __future__ import annotations

from typing import Any, Final

from shielded_function_monitoring.learning import FunctionLog, Learned

_ALL: Final = 'allow_aws is "all", as every start in the log had it; list the services that the function needs'
_LISTED: Final = (
    "allow_aws has the services that every start in the log had; in a CDK app, leave it out for the grants of the role"
)
_GRANTED: Final = 'in allow_aws, "granted" means the grants of the role, which only a CDK app knows'
_OTHERS: Final = (
    "; the policy of the starts has hosts or buckets that the log does not name: --policy or --assembly keeps them"
)
_UNSET: Final = (
    "allow_aws is left out: in a CDK app that means the grants of the role, elsewhere every service; give --policy or "
    "--assembly to keep the present one"
)


def aws_of(log: FunctionLog, learned: Learned, services: tuple[str, ...]) -> tuple[Any, str]:
    """The value before learned services are added to it, and its meaning.

    Code can fake a start in the log, so only the services count that every start has: a faked one cannot add any.

    Args:
        log: the function's log.
        learned: the result of learning from it.
        services: the names of all services.
    """
    told = [set(aws.split(",")) for aws, _, _ in log.armed if aws]
    lists = [each for each in told if each != {"all"}]
    is_told = 0 < len(told) == len(log.armed)
    has_buckets = any(buckets for _, buckets, _ in log.armed)
    has_others = has_buckets or any(hosts for _, _, hosts in log.armed)
    listed: list[str] = []
    if is_told and lists:
        listed = sorted(set.intersection(*lists, {*services}) - ({"s3"} if has_buckets else set()))
    if is_told and not has_others and (lists or not learned.uses_aws):
        return (tuple(listed) or "none", _LISTED) if lists else ("all", _ALL)
    value, note = (("granted", *listed), _GRANTED) if lists or learned.uses_aws else (None, _UNSET)
    return value, note + _OTHERS if has_others else note
