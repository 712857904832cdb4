"""A text of a template in parts: literal texts, and the expressions that only a deployment knows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from .template import as_mapping, ref_of

_VARIABLE: Final = re.compile(r"\$\{([^}]+)\}")


def parts(value: Any) -> Iterator[Any]:
    """Literal texts, and expressions as the template has them. `Fn::Join` and `Fn::Sub` are taken apart.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html
    """
    match value:
        case str() | bool() | int() | float():
            yield str(value)
        case {"Fn::Join": [str(delimiter), [*items]]}:
            for number, item in enumerate(items):
                yield delimiter if number else ""
                yield from parts(item)
        case {"Fn::Sub": argument}:
            yield from parts_of_sub(argument)
        case _:
            yield value


def parts_of_sub(argument: Any) -> Iterator[Any]:
    """The parts of the text that `Fn::Sub` makes of its argument."""
    text, variables = argument if isinstance(argument, list) else (argument, {})
    if not isinstance(text, str):  # a text with expressions of the CDK in it
        for part in parts(text):
            yield from parts_of_sub([part, variables]) if isinstance(part, str) else (part,)
        return
    at = 0
    for found in _VARIABLE.finditer(text):
        yield text[at : found.start()]
        at, name = found.end(), found[1]
        resource, _, attribute = name.partition(".")
        if name.startswith("!"):  # the text `${name}`
            yield "${" + name[1:] + "}"
        elif name in variables:
            yield from parts(variables[name])
        else:
            yield {"Fn::GetAtt": [resource, attribute]} if attribute else {"Ref": name}
    yield text[at:]


def divider_of(part: Any) -> str:
    """The text between the members of a list that only a deployment knows; empty for another part."""
    match part:
        case {"Fn::Join": [str(divider), {**_list}]}:
            return divider
        case _:
            return ""


def text_of(value: Any) -> str:
    """A value as text, with an expression in the form of `Fn::Sub` where possible, else as JSON."""
    return "".join(part if isinstance(part, str) else expression(part) for part in parts(value))


def expression(value: Any) -> str:
    """One expression as `text_of` writes it: `${Table}`, `${Table.Arn}`."""
    match value:
        case {"Ref": str(name)}:
            return "${" + name + "}"
        case {"Fn::GetAtt": [*names]}:
            return "${" + ".".join(map(str, names)) + "}"
        case _:
            return json.dumps(value)


def texts(value: Any) -> Iterator[str]:
    """Every literal text within a value, in its order."""
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ():
        yield from texts(item)


def references(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every reference within a value, also in the text of an `Fn::Sub`: to a resource, a construct, a parameter, or an
    export.
    """
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from references(item)
    for name, argument in as_mapping(value).items():
        if name in ("Ref", "Fn::GetAtt", "Fn::ImportValue", "Construct"):
            yield {name: argument}
        else:
            yield from references(list(parts_of_sub(argument)) if name == "Fn::Sub" else argument)


def choices(value: Any) -> Iterator[Any]:
    """Each value of a list or of one value, and of both branches of an `Fn::If`."""
    match value:
        case [*items] | {"Fn::If": [_, *items]}:
            for item in items:
                yield from choices(item)
        case None | {"Ref": "AWS::NoValue"}:
            return
        case _:
            yield value


def as_template(value: Any) -> Any:
    """Properties of a CDK's resource, resolved, as in a template: with its names, `RoleName` for `roleName`.

    Args:
        value: the properties. A text that consists of several parts is `{"Parts": [...]}`.
    """
    match value:
        case [*items]:
            return [as_template(item) for item in items]
        case {"Parts": items}:
            return {"Fn::Join": ["", as_template(items)]}
        case {"Fn::Sub": [text, {**variables}]}:
            return {"Fn::Sub": [as_template(text), {name: as_template(each) for name, each in variables.items()}]}
        case {**items}:
            return {name[:1].upper() + name[1:]: as_template(item) for name, item in items.items()}
        case _:
            return value


def map_constructs(value: Any, replaced: Callable[..., Any]) -> Any:
    """A value with each construct (`{"Construct": [...]}`) replaced, by a function of the fields that it has."""
    match value:
        case {"Construct": [*fields]}:
            return replaced(*fields)
        case [*items]:
            return [map_constructs(item, replaced) for item in items]
        case {**items}:
            return {name: map_constructs(item, replaced) for name, item in items.items()}
        case _:
            return value


def joined_again(value: Any) -> Any:
    """The text that an expression splits and joins again, if that makes it no longer; else None."""
    match value:
        case {"Fn::Join": [str(delimiter), {"Fn::Split": [old, text]}]} if len(delimiter) <= len(old):
            return text
        case _:
            return None


def with_known(value: Any, known: Mapping[str, str]) -> Any:
    """A value with each known `Ref` replaced by its value."""
    if isinstance(value, list):
        return [with_known(item, known) for item in cast("list[Any]", value)]
    if name := ref_of(value):
        return known.get(name, value)
    return {key: with_known(item, known) for key, item in as_mapping(value).items()} or value
