"""Reads Lambda's work on behalf of functions (`origins.LambdaUse`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from shielded_function_monitoring.cfn.template import as_mapping, as_mappings

from .origins import DEAD_LETTERS, DESTINATION, LEFTOVER, SOURCE_TYPES, SOURCES
from .resources import Element, Field, Resource, l2_path, literal, parse_arn, target_of, words

__all__ = ["Mappings"]


class _Reader(Protocol):
    def elements(self, *kinds: str) -> Iterator[Element]: ...
    def pieces(self, value: Any, element: Element) -> Field: ...


class Mappings:
    """The event source mappings and destinations of an app, by the path of their function."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._polled: dict[str, dict[str, str]] = {}
        self._sent_to: dict[str, dict[str, str]] = {}
        for element in reader.elements("AWS::Lambda::EventSourceMapping"):
            self._read_mapping(element)
        for element in reader.elements("AWS::Lambda::EventInvokeConfig"):
            self._add(element, {}, self._destinations(element, DESTINATION))

    def use_of(self, function: Element) -> dict[str, Any]:
        """The fields of `LambdaUse` for a function, without its keys' holders."""
        path, properties = l2_path(function.path), function.properties
        group = self._reader.pieces(as_mapping(properties.get("LoggingConfig")).get("LogGroup", ""), function)
        sent = dict(self._sent_to.get(path, {}))
        for name in self._words(as_mapping(properties.get("DeadLetterConfig")).get("TargetArn"), function):
            sent.setdefault(name, DEAD_LETTERS)
        return {
            "polled": self._polled.get(path, {}),
            "sent_to": sent,
            "log_group": found.path if (found := target_of(group)) else words(group),
            "traced": as_mapping(properties.get("TracingConfig")).get("Mode") == "Active",
            "in_vpc": "VpcConfig" in properties,
            "key": next(self._words(properties.get("KmsKeyArn"), function), ""),
        }

    def _words(self, value: Any, element: Element) -> Iterator[str]:
        """A value in words, if it is given."""
        if value:
            yield words(self._reader.pieces(value, element))

    def _read_mapping(self, element: Element) -> None:
        properties, polled = element.properties, dict[str, str]()
        if source := properties.get("EventSourceArn"):
            pieces = self._reader.pieces(source, element)
            for prefix in SOURCES.get(_service_of(pieces), ()):
                polled.setdefault(words(pieces), prefix)
                for stream in self._streams_of(pieces):
                    polled.setdefault(stream, prefix)
        if properties.get("SelfManagedEventSource"):
            polled["self-managed Kafka"] = "kafka"
        for access in as_mappings(properties.get("SourceAccessConfigurations")):
            for name in self._words(access.get("URI", access.get("Uri")), element):
                polled[name] = "secretsmanager"
        self._add(element, polled, self._destinations(element, LEFTOVER))

    def _add(self, element: Element, polled: Mapping[str, str], sent_to: Mapping[str, str]) -> None:
        for function in self._functions(element, 3):
            self._polled.setdefault(function, {}).update(polled)
            self._sent_to.setdefault(function, {}).update(sent_to)

    def _streams_of(self, consumer: Field) -> Iterator[str]:
        """The stream of a fan-out consumer, on which the CDK adds grants too."""
        for target in Resource(consumer).targets:
            if target.type == "AWS::Kinesis::StreamConsumer":
                yield from self._words(
                    target.element.properties.get("StreamARN", target.element.properties.get("StreamArn")),
                    target.element,
                )

    def _destinations(self, element: Element, reason: str) -> dict[str, str]:
        config = as_mapping(element.properties.get("DestinationConfig"))
        sides = (as_mapping(config.get(side)).get("Destination") for side in ("OnSuccess", "OnFailure"))
        return {name: reason for value in sides for name in self._words(value, element)}

    def _functions(self, element: Element, depth: int) -> Iterator[str]:
        """The functions that its function's name or ARN refers to, directly or by an alias."""
        for target in Resource(self._reader.pieces(element.properties.get("FunctionName", ""), element)).targets:
            if target.type == "AWS::Lambda::Function":
                yield l2_path(target.path)
            elif depth and target.type in ("AWS::Lambda::Alias", "AWS::Lambda::Version"):
                yield from self._functions(target.element, depth - 1)


def _service_of(pieces: Field) -> str:
    if arn := parse_arn(pieces):
        return literal(arn.service) or ""
    target = target_of(pieces)
    return SOURCE_TYPES.get(target.type, "") if target else ""
