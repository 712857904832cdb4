"""Reads Lambda's work on behalf of a function (`origins.LambdaUse`) from the L1 constructs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from aws_cdk import aws_lambda as lambda_

from ..batching import members_of
from ..paths import path_of
from .arns import Field, Resource, Target, Unknown, l2_path, literal, parse_arn, words
from .documents import properties_of
from .origins import DEAD_LETTERS, DESTINATION, LEFTOVER, SOURCE_TYPES, SOURCES
from .tokens import Place, Tokens

__all__ = ["Mappings", "read_lambda_use"]

# The used properties of an event source mapping.
_MEMBERS: Final = (
    "functionName",
    "eventSourceArn",
    "selfManagedEventSource",
    "sourceAccessConfigurations",
    "destinationConfig",
)


class Mappings:
    """The event source mappings and destinations of a stage, by the path of their function."""

    def __init__(self, tokens: Tokens, constructs: Sequence[Any]) -> None:
        self._tokens = tokens
        self._polled: dict[str, dict[str, str]] = {}
        self._sent_to: dict[str, dict[str, str]] = {}
        mappings: list[tuple[Mapping[str, Any], Place, str, str]] = []
        asked = [c for c in constructs if isinstance(c, lambda_.CfnEventSourceMapping)]
        members = dict(zip(map(id, asked), members_of(asked, *_MEMBERS), strict=True))
        for construct in constructs:
            if isinstance(construct, lambda_.CfnEventSourceMapping):
                place = tokens.place_of(path_of(construct)[0])
                if place is not None:
                    found: dict[str, Any] = dict(zip(_MEMBERS, members[id(construct)], strict=True))
                    mappings.append((found, place, found["functionName"], found.get("eventSourceArn") or ""))
            elif isinstance(construct, lambda_.CfnEventInvokeConfig):
                self._read_destinations(construct)
        tokens.learn((place, text) for _, place, *texts in mappings for text in texts)
        for mapping in mappings:
            self._read_mapping(*mapping)

    def polled(self, function: str) -> dict[str, str]:
        """Event sources of a function: their names -> action prefix."""
        return self._polled.get(function, {})

    def sent_to(self, function: str) -> dict[str, str]:
        """Lambda's destinations for a function: names -> the reason."""
        return self._sent_to.get(function, {})

    def _read_mapping(self, mapping: Mapping[str, Any], place: Place, names: str, source: str) -> None:
        polled: dict[str, str] = {}
        if source:
            pieces = self._tokens.pieces(place, source)
            for prefix in SOURCES.get(_service_of(pieces), ()):
                polled.setdefault(words(pieces), prefix)
                for stream in self._streams_of(place, pieces):
                    polled.setdefault(words(stream), prefix)
        if mapping.get("selfManagedEventSource"):
            polled["self-managed Kafka"] = "kafka"
        for access in _items(mapping.get("sourceAccessConfigurations")):
            if _attr(access, "uri"):
                polled[words(self._tokens.pieces(place, _attr(access, "uri")))] = "secretsmanager"
        sent: dict[str, str] = {}
        failure = _attr(_attr(mapping.get("destinationConfig"), "on_failure"), "destination")
        if failure:
            sent[words(self._tokens.pieces(place, failure))] = LEFTOVER
        for function in self._functions(place, names):
            self._polled.setdefault(function, {}).update(polled)
            self._sent_to.setdefault(function, {}).update(sent)

    def _streams_of(self, place: Place, consumer: Field) -> Iterator[Field]:
        """The stream of a fan-out consumer, on which the CDK adds grants too."""
        for target in Resource("", consumer).targets:
            if target.type == "AWS::Kinesis::StreamConsumer":
                own = self._tokens.place_of(target.path) or place
                yield self._tokens.pieces(own, properties_of([target.construct], "streamArn")[0][0] or "")

    def _read_destinations(self, config: lambda_.CfnEventInvokeConfig) -> None:
        place = self._tokens.place_of(path_of(config)[0])
        if place is None:
            return
        sides = [_attr(config.destination_config, side) for side in ("on_success", "on_failure")]
        found = [_attr(side, "destination") for side in sides]
        for function in self._functions(place, config.function_name):
            sent = self._sent_to.setdefault(function, {})
            sent.update({words(self._tokens.pieces(place, text)): DESTINATION for text in found if text})

    def _functions(self, place: Place, name: str) -> Iterator[str]:
        """The functions that a name or an ARN refers to, directly or by an alias."""
        targets = Resource(name, self._tokens.pieces(place, name)).targets
        yield from self._of_targets(targets, 3)

    def _of_targets(self, targets: Iterable[Target], depth: int) -> Iterator[str]:
        for target in targets:
            if target.type == "AWS::Lambda::Function":
                yield l2_path(target.path)
            elif depth and isinstance(target.construct, (lambda_.CfnAlias, lambda_.CfnVersion)):
                place = self._tokens.place_of(target.path)
                if place:
                    pieces = self._tokens.pieces(place, target.construct.function_name)
                    yield from self._of_targets(Resource("", pieces).targets, depth - 1)


def read_lambda_use(
    tokens: Tokens,
    place: Place,
    path: str,
    resource: Any,
    dead_letters: Any,
    mappings: Mappings,
    prefixes: frozenset[str],
) -> dict[str, Any]:
    """The fields of `LambdaUse` that grants with these action prefixes need; no others are requested."""
    fields: dict[str, Any] = {
        "polled": mappings.polled(l2_path(path)),
        "sent_to": dict(mappings.sent_to(l2_path(path))),
    }
    if prefixes & {"sqs", "sns"}:
        text = _attr(dead_letters, "target_arn")
        if text:
            fields["sent_to"].setdefault(words(tokens.pieces(place, text)), DEAD_LETTERS)
    if "logs" in prefixes:
        text = _attr(resource.logging_config, "log_group")
        if text:
            targets = Resource(text, tokens.pieces(place, text)).targets
            fields["log_group"] = targets[0].path if targets else text
    if "xray" in prefixes:
        fields["traced"] = _attr(resource.tracing_config, "mode") == "Active"
    if "ec2" in prefixes:
        fields["in_vpc"] = resource.vpc_config is not None
    if "kms" in prefixes and resource.kms_key_arn:
        fields["key"] = words(tokens.pieces(place, resource.kms_key_arn))
    return fields


def _service_of(pieces: Field) -> str:
    arn = parse_arn(pieces)
    if arn:
        return literal(arn.service) or ""
    first = pieces[0] if pieces else None
    return SOURCE_TYPES.get(first.target.type, "") if isinstance(first, Unknown) and first.target else ""


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def _attr(value: Any, name: str) -> Any:
    """A property of a structure, which may be a mapping, or a token with unknown content."""
    if isinstance(value, dict):
        head, *rest = name.split("_")
        return value.get(name, value.get(head + "".join(word.title() for word in rest)))
    return getattr(value, name, None)
