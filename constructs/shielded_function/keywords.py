"""Errors for options without a name or with a wrong one, which contain the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, signature
from typing import Any, Final, TypeVar

from .errors import ShieldError, ShieldPolicyError, shown

F = TypeVar("F", bound=Callable[..., Any])


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
            if name not in names and (problem := _problem(name, names, known if open_ended else None)):
                raise _error(called, problem)
        return function(*args, **given)

    return call


def _problem(name: str, names: list[str], known: Callable[[], Iterable[str]] | None) -> str:
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
