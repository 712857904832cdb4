"""The tokens of a stage, resolved and parsed together; each is asked once for the construct that it refers to.

A reference to another stack resolves differently after the synthesis has begun, so a token that refers to a construct
is identified by that construct.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import aws_cdk as cdk
import jsii

from ..batching import find_all, members_of
from ..paths import path_of, request_paths
from .arns import Field, Piece, Target, Unknown, join_pieces

__all__ = ["Place", "Tokens", "resolve"]

_TEXT: Final = re.compile(r"\$\{Token\[[^\]]*\]\}")
_LIST: Final = "#{Token["
_BETWEEN: Final = ("Outputs.", "/cdk/exports/")
"""Attributes by which the CDK passes a value between stacks: a nested stack's output, a parameter of another region."""


@dataclass(frozen=True, eq=False)
class Place:
    """A stack, in which texts are resolved.

    Attributes:
        path: its construct path.
        stack: the stack itself.
        region: where known.
        account: where known.
    """

    path: str
    stack: cdk.Stack
    region: str = ""
    account: str = ""

    @staticmethod
    def of(path: str, stack: cdk.Stack) -> Place:
        region, account = stack.region, stack.account
        return Place(path, stack, "" if "${Token[" in region else region, "" if "${Token[" in account else account)


class Tokens:
    """Texts of one stage, as pieces."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = sorted(places, key=lambda place: -len(place.path))
        self._parts: dict[str, Any] = {}  # marker -> the CDK's token
        self._referred: dict[int, Any] = {}
        self._resolved: dict[tuple[Place, str], Any] = {}
        self._targets: dict[str, Target] = {}
        self._types: dict[type, str | None] = {}
        self._fields: dict[tuple[Place, str], Field] = {}
        self._elements: dict[Place, dict[str, Any]] = {}

    @property
    def places(self) -> Sequence[Place]:
        return self._places

    def place_of(self, path: str) -> Place | None:
        """The stack of a construct path; None outside this stage."""
        return next((p for p in self._places if path == p.path or path.startswith(f"{p.path}/") or not p.path), None)

    def learn(self, texts: Iterable[tuple[Place, str]]) -> None:
        """Resolves all tokens in these texts: one request for all, and one for each stack."""
        wanted: dict[Place, dict[str, None]] = {}
        for place, text in texts:
            for marker in _TEXT.findall(text):
                if (place, marker) not in self._resolved:
                    wanted.setdefault(place, {})[marker] = None
        markers = list(dict.fromkeys(m for found in wanted.values() for m in found if m not in self._parts))
        if markers:
            tokens = cdk.Tokenization.reverse_string("".join(markers)).tokens
            self._parts.update(zip(markers, tokens, strict=True))
            references = [token for token in tokens if isinstance(token, cdk.Reference)]
            targets = [target for (target,) in members_of(references, "target")]
            request_paths(targets)
            self._referred.update(zip(map(id, references), targets, strict=True))
        for place, found in wanted.items():
            values = resolve(place.stack, list(found))
            self._resolved.update({(place, m): v for m, v in zip(found, values, strict=True)})

    def pieces(self, place: Place, text: str) -> Field:
        """The parts of a text, seen from a stack."""
        if "${Token[" not in text:
            return (text,) if text else ()
        if (place, text) not in self._fields:
            self.learn([(place, text)])
            pieces: list[Piece] = []
            at = 0
            for found in _TEXT.finditer(text):
                pieces += [text[at : found.start()], *self._of_marker(place, found[0])]
                at = found.end()
            self._fields[place, text] = join_pieces([*pieces, text[at:]])
        return self._fields[place, text]

    def of_value(self, place: Place, value: Any) -> list[tuple[str, Field]]:
        """A value of a document (text, a list token's text, an intrinsic, a token) as (text, pieces) each."""
        if isinstance(value, str):
            if value.startswith(_LIST):
                return [v for item in place.stack.resolve([value]) for v in self.of_json(place, item)]
            return [(value, pieces)] if (pieces := self.pieces(place, value)) else []
        if isinstance(value, (list, tuple)):
            return [found for item in value for found in self.of_value(place, item)]
        if isinstance(value, dict):
            return self.of_json(place, place.stack.resolve(value))
        text = cdk.Token.as_string(value)
        return [(text, self.pieces(place, text))]

    def logical_id(self, place: Place, text: str) -> str:
        """The logical id that a resolved text refers to; empty where there is none."""
        value = self._resolved.get((place, text))
        argument = value.get("Fn::GetAtt") if isinstance(value, dict) else None
        return str(argument[0]) if isinstance(argument, list) else ""

    def of_json(self, place: Place, value: Any) -> list[tuple[str, Field]]:
        """The (text, pieces) of a resolved value, with both branches of an Fn::If."""
        if isinstance(value, list):
            return [found for item in value for found in self.of_json(place, item)]
        if isinstance(value, dict) and "Fn::If" in value:
            return [found for item in value["Fn::If"][1:] for found in self.of_json(place, item)]
        if value == {"Ref": "AWS::NoValue"}:
            return []
        pieces = self._flatten(place, value, ())
        text = "".join(piece if isinstance(piece, str) else piece.text for piece in pieces)
        whole = all(isinstance(piece, str) or piece.text for piece in pieces)
        return [(text if whole else "", pieces)]

    def targets_of(self, place: Place, value: Any) -> tuple[Target, ...]:
        """Every construct that a value refers to. Each token costs a request to Node.js: for rare cases only."""
        finder = _References()
        try:
            cdk.Tokenization.resolve(value, scope=place.stack, resolver=cast(Any, finder), preparing=False)
        except RuntimeError:
            return ()
        return tuple(dict.fromkeys(self.target_of(token) for token in finder.found))

    def _of_marker(self, place: Place, marker: str) -> Sequence[Piece]:
        token, value = self._parts[marker], self._resolved[place, marker]
        if value is None:
            return []
        if isinstance(value, dict) and str(value.get("Ref", "")).startswith("AWS::"):
            return [Unknown(marker, value["Ref"])]
        if isinstance(token, cdk.Reference):
            return [Unknown(marker, "", self.target_of(token, marker, value))]
        if isinstance(value, str):
            return [value]
        if not _refers(value):
            return self._flatten(place, value, (), marker)
        # A function around references: each reference is identified by its construct.
        finder = _References()
        value = cdk.Tokenization.resolve([marker], scope=place.stack, resolver=cast(Any, finder), preparing=False)
        value = value[0] if isinstance(value, list) else value
        return self._flatten(place, value, finder.found, marker)

    def _flatten(self, place: Place, value: Any, found: Sequence[Any], marker: str = "") -> Field:
        """A resolved value as pieces. `marker` is the CDK's text for all of it."""
        if isinstance(value, str):
            return tuple(_of_sub(value, found, self)) if _FOUND in value else (value,)
        if isinstance(value, (int, float)):
            return (str(value),)
        if not isinstance(value, dict) or len(value) != 1:
            return (Unknown(marker, json.dumps(value, sort_keys=True)),)
        (function, argument), *_ = value.items()
        if function == "Ref" and str(argument).startswith("AWS::"):
            return (Unknown(marker or _text_of_pseudo(argument), argument),)
        if function == "Fn::Join" and argument[0] == "" and isinstance(argument[1], list):
            return join_pieces(p for item in argument[1] for p in self._flatten(place, item, found))
        if function == "Fn::Sub":
            template, variables = argument if isinstance(argument, list) else (argument, {})
            return join_pieces(self._of_template(place, template, variables, found))
        if function in ("Ref", "Fn::GetAtt"):
            return (self._by_logical_id(place, value, marker),)
        text = json.dumps(value, sort_keys=True)
        inner = tuple(self.target_of(found[int(n)]) for n in dict.fromkeys(_REFERENCE.findall(text)))
        for n in set(_REFERENCE.findall(text)):
            target = self.target_of(found[int(n)])
            text = text.replace(_mark(int(n)), f"{target.name}.{target.attribute}")
        return (Unknown(marker, text, inner=inner),)

    def _of_template(
        self, place: Place, template: str, variables: dict[str, Any], found: Sequence[Any]
    ) -> Iterable[Piece]:
        at = 0
        for variable in re.finditer(r"\$\{([^!}]+)\}", template):
            literal = template[at : variable.start()].replace("${!", "${")
            yield from _of_sub(literal, found, self, in_template=True)
            name, _, attribute = variable[1].partition(".")
            value = {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}
            yield from self._flatten(place, variables.get(variable[1], value), found)
            at = variable.end()
        yield from _of_sub(template[at:].replace("${!", "${"), found, self, in_template=True)

    def _by_logical_id(self, place: Place, value: dict[str, Any], marker: str) -> Unknown:
        """The target of a Ref or Fn::GetAtt written by hand."""
        (argument,) = value.values()
        name, attribute = (argument, "Ref") if isinstance(argument, str) else (argument[0], argument[1])
        if isinstance(argument, str) and "." in argument and "Fn::GetAtt" in value:
            name, _, attribute = argument.partition(".")
        if place not in self._elements:
            elements = [element for element, _ in find_all(place.stack, ("CfnElement",), ())]
            ids = place.stack.resolve([logical_id for (logical_id,) in members_of(elements, "logicalId")])
            self._elements[place] = dict(zip(ids, elements, strict=True))
        element = self._elements[place].get(name)
        if element is None:
            return Unknown(marker, json.dumps(value, sort_keys=True))
        text = marker or cdk.Token.as_string(value)
        return Unknown(text, "", Target(self, element, attribute))

    def target_of(self, token: Any, marker: str = "", value: Any = None) -> Target:
        """The construct that a reference leads to, once for each marker."""
        if marker not in self._targets:
            target = Target(self, token, _attribute(value))
            if not marker:
                return target
            self._targets[marker] = target
        return self._targets[marker]

    # The questions of a Target

    def attribute(self, token: Any) -> str:
        return token.display_name

    def construct(self, token: Any) -> Any:
        if not isinstance(token, cdk.Reference):
            return token
        return self._referred.get(id(token)) or token.target  # _parts keeps each resolved token alive

    def path(self, construct: Any) -> str:
        return path_of(construct)[0]

    def type(self, construct: Any) -> str:
        """Its type by its class, which is requested once, except for a plain CfnResource."""
        kind = type(construct)
        if kind not in self._types:
            self._types[kind] = getattr(kind, "CFN_RESOURCE_TYPE_NAME", None)
        known = self._types[kind]
        return path_of(construct)[1] if known is None else known

    def region(self, path: str) -> str:
        place = self.place_of(path)
        return place.region if place else ""


def resolve(stack: cdk.Stack, values: Sequence[Any]) -> list[Any]:
    """The resolved values, by one request; None for an empty value.

    The CDK drops empty values from lists, so each value has its own key. A value that cannot be resolved in that stack,
    which fails the synthesis later, becomes an intrinsic that does not exist.
    """
    try:
        return [found.get("value") for found in stack.resolve([{"value": value} for value in values])]
    except RuntimeError:  # an impossible reference, which fails the synthesis later
        if len(values) == 1:
            return [{"Unresolvable": str(values[0])}]
        return [found for value in values for found in resolve(stack, [value])]


@cache
def _text_of_pseudo(name: str) -> str:
    return cdk.Token.as_string({"Ref": name})


def _attribute(value: Any) -> str:
    """The attribute in a resolved reference, unless it leads to another stack."""
    if isinstance(value, dict) and len(value) == 1 and "Fn::GetAtt" in value:
        argument = value["Fn::GetAtt"]
        return str(argument[1]) if isinstance(argument, list) and not str(argument[1]).startswith(_BETWEEN) else ""
    if isinstance(value, dict) and list(value) == ["Ref"] and not str(value["Ref"]).startswith("referenceto"):
        return "Ref"
    return ""


def _refers(value: Any) -> bool:
    """Whether a resolved value refers to a construct or to another stack."""
    text = json.dumps(value)
    return any(mark in text for mark in ('"Fn::GetAtt"', '"Fn::ImportValue"', '"Fn::Sub"')) or bool(
        re.search(r'"Ref": "(?!AWS::)', text)
    )


_FOUND: Final = "\0reference "
_REFERENCE: Final = re.compile(r"\\u0000reference (\d+)\\u0000")


def _mark(number: int) -> str:
    return f"\\u0000reference {number}\\u0000"


def _of_sub(text: str, found: Sequence[Any], tokens: Tokens, *, in_template: bool = False) -> Iterable[Piece]:
    at = 0
    for mark in re.finditer("\0reference (\\d+)\0", text):
        if mark.start() > at:
            yield text[at : mark.start()]
        target = tokens.target_of(found[int(mark[1])])
        yield Unknown(_named(target) if in_template else cdk.Token.as_string(found[int(mark[1])]), "", target)
        at = mark.end()
    if text[at:]:
        yield text[at:]


def _named(target: Target) -> str:
    """The CDK's text for a name in a template of Fn::Sub. The template's own, `${Name}`, holds in that alone."""
    construct, attribute = target.construct, target.attribute
    if isinstance(construct, cdk.CfnParameter):
        return cdk.Token.as_string(construct.value)
    return construct.ref if attribute == "Ref" else cdk.Token.as_string(construct.get_att(attribute))


@jsii.implements(cdk.IFragmentConcatenator)
class _Join:
    """Puts fragments together as CloudFormation would."""

    def join(self, left: Any = None, right: Any = None) -> Any:
        """Called by the CDK for two neighbours."""
        parts = [part for side in (left, right) if side is not None for part in _parts_of(side)]
        return "".join(parts) if all(isinstance(p, str) for p in parts) else {"Fn::Join": ["", parts]}


def _parts_of(value: Any) -> list[Any]:
    if isinstance(value, dict) and list(value) == ["Fn::Join"] and value["Fn::Join"][0] == "":
        return list(value["Fn::Join"][1])
    return [value]


class _References(cdk.DefaultTokenResolver):
    """Resolves like the CDK, but replaces each reference by a mark that identifies it."""

    def __init__(self) -> None:
        super().__init__(_Join())
        self.found: list[cdk.Reference] = []

    def resolve_token(self, t: Any, context: Any, post_processor: Any) -> Any:
        """Called by the CDK for each token."""
        if isinstance(t, cdk.Reference):
            self.found.append(t)
            return f"{_FOUND}{len(self.found) - 1}\0"
        return super().resolve_token(t, context, post_processor)
