"""The arguments of a `ShieldPerimeter`, checked."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, get_args

import aws_cdk as cdk
from constructs import IConstruct

from ..alarms.alarm_options import ControlAlarm, check_choice, check_list, check_switch, wrong_type
from ..errors import ShieldError, shown
from ..policy import ShieldPolicy, ShieldPolicyError
from ..reading.kinds import owner_of
from ..shield.log_group import LogOptions
from ..tokens import has_token
from . import firewall
from .query_logs import unused_options

Mode = Literal["block", "alert"]
EndpointPolicy = Literal["granted", "account", "none"]
Tier = Literal["free", "closed"]
_PRIVATE: Final = [
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]


def check_options(path: str, **given: Any) -> None:
    """Checks the options, including errors that a type checker cannot find.

    Raises:
        ShieldError: an option is malformed; the message lists all problems.
    """
    if problems := [*_problems_of_switches(given), *_problems(given)]:
        raise ShieldError(path, problems)


def _problems_of_switches(given: dict[str, Any]) -> Iterator[str]:
    checks: list[tuple[str, Callable[..., None], list[Any]]] = [
        ("mode", check_choice, [get_args(Mode)]),
        ("endpoint_policies", check_choice, [(None, *get_args(EndpointPolicy))]),
        ("tier", check_choice, [(None, *get_args(Tier))]),
        ("security_groups", check_switch, []),
        ("threats", check_switch, []),
        ("query_logs", check_switch, []),
    ]
    for name, check, arguments in checks:
        try:
            check(name, given[name], *arguments)
        except ShieldError as error:
            yield f"{error}{'; write log_group=' if hasattr(given[name], 'log_group_arn') else ''}"


def _problems(given: dict[str, Any]) -> Iterator[str]:
    priority, organization, accounts = (given[name] for name in ("priority", "organization", "accounts"))
    if given["tier"] is None and given["prefix_lists"] is not None:
        yield "prefix_lists: has no effect without a tier; take it out"
    if given["tier"] == "free" and given["also_allow"]:
        yield "also_allow: tier='free' has no DNS Firewall, so it stops no name; take it out"
    if given["tier"] is not None and given["endpoint_policies"] == "none":
        yield "endpoint_policies: with a tier, the endpoints are its way out; take it out"
    if given["tier"] is not None and given["security_groups"] is False:
        yield "security_groups: with a tier, the groups lead only to its endpoints; take it out"
    log_group, logs, alarm, lock = (given[name] for name in ("log_group", "logs", "alarm", "lock_credentials"))
    if isinstance(priority, bool) or not isinstance(priority, int) or priority not in firewall.PRIORITIES:
        yield f"priority: {priority!r} is no whole number from 101 to 9900"
    if isinstance(lock, (list, tuple)) and lock:
        yield from filter(None, map(_address_problem, lock))
    elif not isinstance(lock, bool):
        yield f"lock_credentials: {lock!r} is neither True, False nor a list of the NAT gateways' addresses"
    if organization is not None and not (
        isinstance(organization, str) and (organization.startswith("o-") or has_token(organization))
    ):
        yield f"organization: {organization!r} is no organization's id, such as o-a1b2c3d4e5"
    if organization is not None and accounts:
        yield "accounts: has no effect beside organization; give one of the two"
    if isinstance(accounts, str) or not all(map(_is_account, accounts)):
        yield f"accounts: {accounts!r} is no list of accounts, twelve digits each"
    if log_group is not None and not hasattr(log_group, "log_group_arn"):
        yield f"log_group: {shown(log_group)} is no log group; options of one are logs=LogOptions(...)"
    if logs is not None and not isinstance(logs, LogOptions):
        yield f"logs: {wrong_type(logs, LogOptions)}" + ("; write log_group=" if hasattr(logs, "log_group_arn") else "")
    for name, value in (("log_group", log_group), ("logs", logs)):
        if value is not None and given["query_logs"] is False:
            yield f"{name}: has no effect beside query_logs=False; leave one of them out"
    if log_group is not None and logs is not None:
        yield "logs: are options of the log group that is made, and log_group is one; leave one of them out"
    if alarm is not None and not isinstance(alarm, ControlAlarm):
        yield f"alarm: {wrong_type(alarm, ControlAlarm)}"
    elif alarm is not None:
        for name in unused_options(alarm):
            yield f"alarm: ControlAlarm.{name} has no effect on look-ups: take it out"


def _is_account(value: Any) -> bool:
    return isinstance(value, str) and (cdk.Token.is_unresolved(value) or (value.isdigit() and len(value) == 12))


def chosen_functions(path: str, functions: Any) -> list[IConstruct] | None:
    """The selection of functions; None for all.

    Raises:
        ShieldError: the selection is no list of constructs.
    """
    if functions is None:
        return None
    try:
        check_list("functions", functions, "function")
    except ValueError as error:
        raise ShieldError(path, [str(error)]) from None
    return [owner_of(one) or one for one in functions]


def others_policy(path: str, names: Sequence[Any] | None, services: Any) -> ShieldPolicy:
    """The policy of other resources in the VPC.

    Raises:
        ShieldError: an entry or a service is malformed.
    """
    try:
        return ShieldPolicy(allow_outbound=names or (), allow_aws=services)
    except ShieldPolicyError as error:
        text = str(error).replace("allow_outbound", "also_allow").replace("allow_aws", "also_allow_aws")
        raise ShieldError(path, [text]) from error


def _address_problem(address: Any) -> str:
    """A request that reaches AWS by a NAT gateway has its public address, which `aws:SourceIp` is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceip
    """
    if cdk.Token.is_unresolved(address):
        return ""
    try:
        network = ipaddress.ip_network(str(address), strict=False)  # a number would be taken as an address
    except ValueError:
        return f"lock_credentials: {address!r} is no IP address or network: give the NAT gateways' public addresses"
    if any(network.version == each.version and network.overlaps(each) for each in _PRIVATE):
        return f"lock_credentials: {address!r} is private: give the public addresses of the NAT gateways"
    return ""
