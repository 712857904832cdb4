"""Errors for options with a wrong or an old name, which contain the right or the new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, signature
from typing import Any, Final, NoReturn, TypeVar

from .errors import ShieldError, ShieldPolicyError, shown

F = TypeVar("F", bound=Callable[..., Any])

CLASSES: Final[Mapping[str, str]] = {
    "AlarmOn": "ControlAlarm",
    "ShieldAlarms": "AlarmOptions",
    "ShieldLogs": "LogOptions",
}
_DROPPED_NAMES: Final = "is gone: take it out, and list hosts in place of *.domain, so that no name carries data"
_LAYER: Final = {"layer": "is now shield_layer"}
KEYWORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ShieldPolicy": {"check_server_name": "is now check_tls_name", "unusual_names": _DROPPED_NAMES},
    "ControlAlarm": {
        "except_packages": "is gone: code can fake a package; use except_hosts, except_paths or except_programs"
    },
    "Shield": _LAYER,
    "Shield.everywhere": _LAYER,
    "ShieldedFunction": _LAYER,
}
_METHODS: Final[Mapping[str, Mapping[str, str]]] = {
    "ShieldPolicy": {
        "alert": "is now report_only()",
        "alerting": 'is now with_mode("alert")',
        "blocking": 'is now with_mode("block")',
        "looser_than": "is now diff(other)",
        "stricter_than": "is now is_at_least_as_strict_as(other)",
        "allow_bucket": "is gone: add a policy, policy + ShieldPolicy(allow_buckets=[bucket])",
    },
}
VARIABLES: Final[Mapping[str, str]] = {
    f"SHIELD_{name.upper()}": text.replace("check_tls_name", "SHIELD_CHECK_TLS_NAME")
    for name, text in KEYWORDS["ShieldPolicy"].items()
}


class Renamed:
    """Stands for an attribute that is not there; the error names the right one."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(self._text)


def by_name(called: str, *, known: Callable[[], Iterable[str]] = tuple) -> Callable[[F], F]:
    """Decorates a class of options, or a function with options, with errors about wrong options.

    Args:
        called: its public name, such as `Shield.everywhere`.
        known: the options of a function with `**` besides those in its signature; called for an unknown one.

    Raises:
        ShieldError: a call has an option without a name, or with an unknown name.
    """

    def decorate(given: F) -> F:
        if not isinstance(given, type):
            return _checked(given, called, known)
        of_class: Any = given
        of_class.__init__ = _checked(of_class.__init__, called, known)
        old = {**KEYWORDS.get(called, {}), **_METHODS.get(called, {})}
        for name, text in old.items():
            setattr(of_class, name, Renamed(f"{called}.{name} {text}"))
        return of_class

    return decorate


def _checked(function: Any, called: str, known: Callable[[], Iterable[str]]) -> Any:
    parameters = signature(function).parameters.values()
    places = sum(each.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD) for each in parameters)
    names = [each.name for each in parameters if each.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)]
    options = [each.name for each in parameters if each.kind is Parameter.KEYWORD_ONLY]
    open_ended = any(each.kind is Parameter.VAR_KEYWORD for each in parameters)

    @wraps(function)
    def call(*args: Any, **given: Any) -> Any:
        if len(args) > places:
            listed = ", ".join(f"{name}=" for name in options[:6]) + (", ..." if len(options) > 6 else "")
            raise _error(
                called, f"{shown(args[places])} was given without a name, and options are given by name: {listed}"
            )
        for name in given:
            if name not in names and (problem := _problem(called, name, names, known if open_ended else None)):
                raise _error(called, problem)
        return function(*args, **given)

    return call


def _problem(called: str, name: str, names: list[str], known: Callable[[], Iterable[str]] | None) -> str:
    old = KEYWORDS.get(called, {}).get(name)
    if old:
        return f"{name} {old}"
    all_names = names if known is None else [*names, *known()]
    if name in all_names:
        return ""
    return f"there is no {name!r}; {suggest(name, all_names)}"


_MEANT: Final = {
    **dict.fromkeys(("hosts", "host", "domains", "urls", "network"), "allow_outbound"),
    **dict.fromkeys(("services", "aws_services"), "allow_aws"),
    **dict.fromkeys(("files", "paths"), "allow_tmp"),
    **dict.fromkeys(("programs", "processes", "commands"), "allow_child_process"),
}


def suggest(name: str, names: Iterable[str]) -> str:
    """The nearest of these names, in words; all of them where none is near."""
    names = [each for each in names if each != "self"]
    plain = name.lower().replace("-", "_")
    begin = [each for each in names if len(plain) > 2 and each.startswith(plain)]
    meant = [each for each in (_MEANT.get(plain.removeprefix("allow_")),) if each in names]
    near = meant or begin or get_close_matches(plain, names, n=1)
    return f"did you mean {near[0]}?" if near else f"use {', '.join(names)}"


def _error(called: str, text: str) -> ShieldError:
    return ShieldPolicyError("", text) if called == "ShieldPolicy" else ShieldError(called, [text])
