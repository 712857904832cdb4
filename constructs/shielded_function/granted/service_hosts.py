"""The CDK's values for the entries of one function's stack: names of buckets, hosts of constructs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import aws_cdk as cdk
from constructs import IConstruct

from .entries import BUCKET_LENGTH, Kind
from .resources import Target, Unknown, literal, text_of
from .s3 import Place
from .stage_reader import StageReader

__all__ = ["CdkEmitter", "HostsOf"]

HostsOf = Callable[[Any], Sequence["tuple[str, int | None]"]]
"""A construct -> entries for `allow_outbound`, each with its longest length. Raises ValueError for none."""

_NAME: int = 50
"""Characters of an access point's name, at most
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/creating-access-points.html)."""


_PARAMETER: Final = re.compile(r"\{\{resolve:ssm:([^}]*)\}\}")


class CdkEmitter:
    """Requests each value once."""

    def __init__(self, reader: StageReader, stack: cdk.Stack, hosts_of: HostsOf | None) -> None:
        self._reader = reader
        self._stack = stack
        self._hosts_of = hosts_of or _hosts_of
        self._names: dict[str, str] = {}

    def bucket(self, place: Place) -> str:
        """A bucket's name: literal where known, otherwise the part of its ARN after the last colon."""
        if place.name not in self._names:
            self._names[place.name] = self._bucket(place)
        return self._names[place.name]

    def _bucket(self, place: Place) -> str:
        target = place.target
        if target and target.type in ("AWS::S3::Bucket", "AWS::S3Express::DirectoryBucket"):
            properties = target.element.properties
            if known := literal(self._reader.pieces(properties.get("BucketName", ""), target.element)):
                return known
            own = self._reader.stack_of(target.path)
            if own and own.stack is self._stack:
                return self._reader.construct_at(target.path).ref
        if place.pieces:
            return _PARAMETER.sub(_as_token, text_of(place.pieces))
        if place.divider != ":":
            return cdk.Fn.select(0, cdk.Fn.split("/", cdk.Fn.select(1, cdk.Fn.split(place.divider, place.arn))))
        name = cdk.Fn.select(5, cdk.Fn.split(":", place.arn))
        return name if target else cdk.Fn.select(0, cdk.Fn.split("/", name))

    def point(self, place: Place) -> Sequence[tuple[Kind, str, int | None]]:
        """An access point: its host, for its ARN in SDKs, and its alias, for use as a bucket's name."""
        stack = self._stack
        if place.target is None:
            name, region, account = (text_of(part) for part in (place.pieces, place.region, place.account))
            if not region:  # of several regions: https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRequests.html
                return [("host", f"{name}.accesspoint.s3-global.{stack.url_suffix}:443", None)]
            host = f"{name}-{account}.{_point_label(place)}.{region}.{stack.url_suffix}:443"
            return [("host", host, None)]
        construct = self._reader.construct_at(place.target.path)
        if place.target.type == "AWS::S3Express::AccessPoint":
            return [("bucket", construct.ref, BUCKET_LENGTH)]
        host = f"{construct.ref}-{stack.account}.{_point_label(place)}.{stack.region}.{stack.url_suffix}:443"
        alias = cdk.Token.as_string(construct.get_att("Alias" if place.service == "s3" else "Alias.Value"))
        return [("host", host, _NAME + 120), ("bucket", alias, BUCKET_LENGTH)]

    def hosts(self, target: Target) -> Sequence[tuple[str, int | None]]:
        """The hosts of a construct, by its L1 or the L2 around it."""
        for construct in self._candidates(target):
            try:
                return list(self._hosts_of(construct))
            except ValueError:
                continue
        return []

    def regional(self, host: str) -> str:
        """A host of the function's region."""
        return host.format(region=self._stack.region, suffix=self._stack.url_suffix)

    def _candidates(self, target: Target) -> Sequence[IConstruct]:
        if target.type in ("AWS::Lambda::Function", "AWS::Lambda::Alias"):
            return [
                self._reader.construct_at(url.path)
                for url in self._reader.elements("AWS::Lambda::Url")
                for pieces in self._reader.each(url.properties.get("TargetFunctionArn"), url)
                if any(isinstance(p, Unknown) and p.target and p.target.path == target.path for p in pieces)
            ]
        construct = self._reader.construct_at(target.path)
        around = construct.node.scope
        return [construct, *([around] if around is not None else [])]


def _as_token(parameter: re.Match[str]) -> str:
    """A dynamic reference as a value known only at deployment."""
    return cdk.CfnDynamicReference(cdk.CfnDynamicReferenceService.SSM, parameter[1]).to_string()


def _point_label(place: Place) -> str:
    return "s3-object-lambda" if place.service == "s3-object-lambda" else "s3-accesspoint"


def _hosts_of(construct: Any) -> Sequence[tuple[str, int | None]]:
    from .. import hosts  # imported only where needed

    return [(entry.text, entry.longest) for entry in hosts.entries_of(construct).outbound]
