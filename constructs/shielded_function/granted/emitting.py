"""The CDK's values for the entries of one function's stack: names of buckets, hosts of constructs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from ..paths import path_of
from .arns import Target, Unknown, literal
from .documents import properties_of
from .model import BUCKET_LENGTH, Kind
from .s3 import Place as Where
from .stage_reader import Reader
from .tokens import Place

__all__ = ["CdkEmitter", "HostsOf"]

HostsOf = Callable[[Any], Sequence["tuple[str, int | None]"]]
"""A construct -> entries for `allow_outbound`, each with its longest length. Raises ValueError for none."""

_NAME: int = 50
"""Characters of an access point's name, at most
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/creating-access-points.html)."""


_PARAMETER: Final = re.compile(r"\{\{resolve:ssm:([^}]*)\}\}")


class CdkEmitter:
    """Requests each value once."""

    def __init__(self, reader: Reader, place: Place, hosts_of: HostsOf | None) -> None:
        self._tokens = reader.tokens
        self._place = place
        self._constructs = reader.constructs
        self._bucket_names = reader.bucket_names
        self._hosts_of = hosts_of or _hosts_of
        self._names: dict[str, str] = {}

    def bucket(self, place: Where) -> str:
        """A bucket's name: literal where known, otherwise the part of its ARN after the last colon."""
        if place.name not in self._names:
            self._names[place.name] = self._bucket(place)
        return self._names[place.name]

    def _bucket(self, place: Where) -> str:
        target = place.target
        if target and target.type in ("AWS::S3::Bucket", "AWS::S3Express::DirectoryBucket"):
            own, text = self._bucket_names.get(target.path) or (self._tokens.place_of(target.path), "")
            if own and not text and target.type != "AWS::S3::Bucket":
                text = properties_of([target.construct], "bucketName")[0][0] or ""
            known = literal(self._tokens.pieces(own, text)) if own and text else None
            if known:
                return known
            if own is self._place:
                return target.construct.ref
        if place.pieces:
            return _PARAMETER.sub(_as_token, _text(place.pieces))
        if place.divider != ":":
            return cdk.Fn.select(0, cdk.Fn.split("/", cdk.Fn.select(1, cdk.Fn.split(place.divider, place.arn))))
        name = cdk.Fn.select(5, cdk.Fn.split(":", place.arn))
        return name if target else cdk.Fn.select(0, cdk.Fn.split("/", name))

    def point(self, place: Where) -> Sequence[tuple[Kind, str, int | None]]:
        """An access point: its host, for its ARN in SDKs, and its alias, for use as a bucket's name."""
        stack = self._place.stack
        if place.target is None:
            name, region, account = (_text(part) for part in (place.pieces, place.region, place.account))
            if not region:  # of several regions: https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRequests.html
                return [("host", f"{name}.accesspoint.s3-global.{stack.url_suffix}:443", None)]
            host = f"{name}-{account}.{_point_label(place)}.{region}.{stack.url_suffix}:443"
            return [("host", host, None)]
        construct = place.target.construct
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
        stack = self._place.stack
        return host.format(region=stack.region, suffix=stack.url_suffix)

    def _candidates(self, target: Target) -> Sequence[IConstruct]:
        if target.type in ("AWS::Lambda::Function", "AWS::Lambda::Alias"):
            return [c for c in self._constructs if isinstance(c, lambda_.CfnUrl) and self._is_of(c, target)]
        around = target.construct.node.scope
        return [target.construct, *([around] if around is not None else [])]

    def _is_of(self, url: lambda_.CfnUrl, target: Target) -> bool:
        own = self._tokens.place_of(path_of(url)[0])
        if own is None:
            return False
        pieces = self._tokens.pieces(own, url.target_function_arn)
        return any(isinstance(p, Unknown) and p.target is not None and p.target.path == target.path for p in pieces)


def _text(pieces: Sequence[Any]) -> str:
    return "".join(piece if isinstance(piece, str) else piece.text for piece in pieces)


def _as_token(parameter: re.Match[str]) -> str:
    """A dynamic reference as a value known only at deployment."""
    return cdk.CfnDynamicReference(cdk.CfnDynamicReferenceService.SSM, parameter[1]).to_string()


def _point_label(place: Where) -> str:
    return "s3-object-lambda" if place.service == "s3-object-lambda" else "s3-accesspoint"


def _hosts_of(construct: Any) -> Sequence[tuple[str, int | None]]:
    from .. import hosts  # imported only where needed

    return [(entry.text, entry.longest) for entry in hosts.entries_of(construct).outbound]
