"""The target of a resource in an S3 statement: a bucket, an access point, the control plane, or any bucket.

A shield sees only host names, so a grant is narrow only where its bucket has one name. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from .resources import Field, Resource, Target, Unknown, literal, parse_arn, words

__all__ = ["PREFIXES", "Place", "bucket_name_problem", "place_of"]

PREFIXES: Final = ("s3", "s3express", "s3-object-lambda", "s3-outposts")

_CONTROL: Final = ("job/", "storage-lens", "access-grants/", "async-request/")
_CONTROL_TYPES: Final = ("AWS::S3::StorageLens", "AWS::S3::StorageLensGroup", "AWS::S3::AccessGrant")
_BUCKET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Place:
    """The target of a resource.

    Attributes:
        kind: "bucket" has one name; "point" is an access point, with its own host; "control" is the control
            plane's; "any" may be any bucket; "none" is outside S3.
        name: in words, stable between reads.
        pieces: of a bucket: its name, or empty where only `arn` or `target` has it.
        arn: of a bucket: the CDK's text that begins with its ARN.
        divider: the text before the name in that ARN.
        target: the bucket or access point in the app.
        region: of an access point: in its ARN.
        account: of an access point: in its ARN.
        service: of an access point: `s3` or `s3-object-lambda`.
    """

    kind: Literal["bucket", "point", "control", "any", "none"]
    name: str = ""
    pieces: Field = ()
    arn: str = ""
    divider: str = ":"
    target: Target | None = None
    region: Field = ()
    account: Field = ()
    service: str = ""


def bucket_name_problem(name: str) -> str:
    """The reason why a name cannot be listed, with the fix; empty when it can."""
    if "{{resolve:" in name:
        return (
            ""
            if "{{resolve:ssm:" in name
            else "is a secret, which no variable holds: keep the name in a plain parameter"
        )
    if "." in name:
        return (
            "has a dot in its name, so SDKs address it by path, through the host of all buckets: name it without, or "
            "list s3.<region>.amazonaws.com:443 in allow_outbound, which admits every bucket by path"
        )
    if not _BUCKET_NAME.fullmatch(name):
        return "is no bucket's name, which has 3 to 63 of a-z, 0-9 and hyphens: correct the statement"
    return ""


def place_of(resource: Resource) -> Place:
    """The target of a resource (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html)."""
    if resource.everything:
        return Place("any", resource.name)
    arn = parse_arn(resource.pieces)
    if arn is None:
        return _of_token(resource)
    service = (literal(arn.service) or "*").lower()
    if _is_pattern(service):
        return Place("any", resource.name)
    if service not in PREFIXES:
        return Place("none", resource.name)
    if service == "s3-outposts":
        return Place("any", resource.name)
    kind, rest = _first_component(arn.resource)
    if kind == "accesspoint" and service in ("s3", "s3-object-lambda"):
        point = _up_to(rest, "/")
        if _is_pattern(words(point)) or not point:
            return Place("any", resource.name)
        return Place("point", words(point), point, region=arn.region, account=arn.account, service=service)
    if service == "s3express":
        name = _up_to(rest, "/")
        return _bucket(resource, name) if kind in ("bucket", "accesspoint") else Place("any", resource.name)
    if service == "s3" and words(arn.resource).startswith(_CONTROL) and (arn.region or arn.account):
        return Place("control", resource.name)
    return _bucket(resource, _up_to(arn.resource, "/"))


def _bucket(resource: Resource, name: Field) -> Place:
    if not name or _is_pattern(words([p for p in name if isinstance(p, str)])):
        return Place("any", resource.name)
    target = name[0].target if len(name) == 1 and isinstance(name[0], Unknown) else None
    return Place("bucket", words(name), name, target=target)


def _of_token(resource: Resource) -> Place:
    whole = resource.whole
    if whole is None:
        return Place("none", resource.name)  # CloudFormation rejects text that is not an ARN
    tail = resource.tail
    if _is_pattern(tail.partition("/")[0]):
        return Place("any", resource.name)  # bucket.bucket_arn + "*": every bucket whose name has this prefix
    target = whole.target
    if target is None or not target.type.startswith("AWS::") or target.type.startswith("AWS::CloudFormation::"):
        # An import, a parameter, an output: the value of an S3 grant counts as a bucket's ARN.
        return Place("bucket", words(resource.pieces[:1]) + tail.partition("/")[0], arn=resource.text)
    if target.type == "AWS::S3::Bucket":
        return Place("bucket", target.name, target=target, arn=whole.text)
    if target.type == "AWS::S3Express::DirectoryBucket":
        return Place("bucket", target.name, target=target, arn=whole.text, divider="bucket/")
    if target.type in ("AWS::S3::AccessPoint", "AWS::S3ObjectLambda::AccessPoint", "AWS::S3Express::AccessPoint"):
        service = "s3-object-lambda" if "ObjectLambda" in target.type else "s3"
        return Place("point", target.name, target=target, arn=whole.text, service=service)
    if target.type.startswith(_CONTROL_TYPES):
        return Place("control", resource.name)
    return Place("any" if target.type.startswith("AWS::S3") else "none", resource.name)


def _first_component(pieces: Field) -> tuple[str, Field]:
    """`bucket` and the rest of `bucket/name`; empty where the first piece is unknown."""
    if pieces and isinstance(pieces[0], str) and "/" in pieces[0]:
        kind, _, rest = pieces[0].partition("/")
        return kind, ((rest,) if rest else ()) + pieces[1:]
    return "", pieces


def _up_to(pieces: Field, divider: str) -> Field:
    found: list[str | Unknown] = []
    for piece in pieces:
        if isinstance(piece, str):
            head = re.match(rf"(?:\{{\{{resolve:[^}}]*\}}\}}|[^{re.escape(divider)}])*", piece)
            assert head  # it matches every text
            found += [head[0]] if head[0] else []
            if head[0] != piece:
                break
        else:
            found.append(piece)
    return tuple(found)


def _is_pattern(text: str) -> bool:
    """Whether it has wildcards, or IAM variables such as `${aws:username}`."""
    return any(mark in text for mark in ("*", "?", "${aws:", "${saml:", "${cognito"))
