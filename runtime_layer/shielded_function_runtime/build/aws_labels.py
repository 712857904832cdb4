"""Labels of AWS host names that a tenant chooses: which are admitted, which are not, and why.

Labels that name something of a tenant's (a bucket, an account, a graph) need a decision each. `PROBES` says which
are admitted and gives botocore the sample values that bring them out; `DECLINED` says which are not. A rule set
that grows a label which neither table knows is an error, so that a newer botocore cannot admit more hosts without a
review.

A label is admitted when it only routes a request to the same regional API that the plain host name serves: the plain
host name reaches the same. It is declined when it names a server of one tenant's, leads out of the region, or could not
be narrowed to the function's own account later. A declined host can still be listed in `allow_outbound`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


class Token:
    """The placeholder of a pattern where a host name varies. Capitals, because canonical host names have none."""

    REGION = "R"  # the function's region
    HOME = "G"  # the partition's implicit global region: us-east-1, us-gov-west-1, ...
    DNS = "D"  # amazonaws.com, ...
    DUAL_STACK = "U"  # api.aws, ...
    PSEUDO = "P"  # aws-global, ... (the older resolver puts it where a global service has no host name)
    AT_HOME = "H"  # matches nothing; the rest of the pattern is admitted in the home region only
    NAME = "N"  # one of the table's names
    BUCKET = "B"  # the rest of the host: a bucket's name, dots included
    LABEL = "L"  # the rest of a label
    ACCOUNT = "A"  # twelve digits
    CELL = "C"  # one to four digits
    ZONE = "Z"  # a label such as s3express-use1-az4 or s3express-fips-use1-az4


@dataclass(frozen=True)
class Probe:
    """Sample parameters that make a rule set answer with a tenant's label.

    Attributes:
        service: botocore's name of the service.
        parameters: rule set parameters; `{partition}` and `{region}` are filled in.
        tokens: the token for each sample text in the answer, tried in this order.
        host_prefix: a host prefix trait with its label as sample text.
    """

    service: str
    parameters: Mapping[str, str | bool]
    tokens: Mapping[str, str]
    host_prefix: str = ""


@dataclass(frozen=True)
class Decline:
    """Host names that botocore resolves and that are not admitted.

    Attributes:
        service: botocore's name of the service.
        marker: a piece of the URL template or host prefix that tells which are meant.
        reason: why.
    """

    service: str
    marker: str
    reason: str


_ACCOUNT = "123456789012"
_OUTPOST = "op-0123456789abcdef0"
_OUTPOST_NAME = "probe-{}0123456789abcdef0zzzzzzzzzzzzzzzzzzzzusw21--op-s3"
_BY_ACCOUNT = {_ACCOUNT: Token.ACCOUNT}
_POINT = {"probe-point": Token.LABEL, _OUTPOST: Token.LABEL, **_BY_ACCOUNT}
_EXPRESS = {
    "probe--use1-az4": Token.LABEL,
    "s3express-fips-use1-az4": Token.ZONE,
    "s3express-use1-az4": Token.ZONE,
}


def _accounts(service: str, **parameters: str | bool) -> Probe:
    return Probe(service, {"AccountId": _ACCOUNT, "AccountIdEndpointMode": "preferred", **parameters}, _BY_ACCOUNT)


# Any twelve digits pass for an account until the table knows the function's own.
PROBES = (
    # Buckets: any name passes, as s3.<region> reaches any bucket by path too. The function's role and a VPC endpoint
    # policy restrict the buckets.
    Probe("s3", {"Bucket": "probe-bucket"}, {"probe-bucket": Token.BUCKET}),
    # Directory buckets and their access points end in --x-s3 and --xa-s3.
    Probe("s3", {"Bucket": "probe--use1-az4--x-s3"}, _EXPRESS),
    Probe("s3", {"Bucket": "probe--use1-az4--xa-s3"}, _EXPRESS),
    Probe("s3", {"Bucket": f"arn:{{partition}}:s3:{{region}}:{_ACCOUNT}:accesspoint/probe-point"}, _POINT),
    Probe(
        "s3", {"Bucket": f"arn:{{partition}}:s3-object-lambda:{{region}}:{_ACCOUNT}:accesspoint/probe-point"}, _POINT
    ),
    # The route under which an Object Lambda function answers (io-cell001, ...) is AWS's to choose.
    Probe("s3", {"UseObjectLambdaEndpoint": True}, {"probe-route": Token.LABEL}, host_prefix="probe-route."),
    Probe(
        "s3",
        {"Bucket": f"arn:{{partition}}:s3-outposts:{{region}}:{_ACCOUNT}:outpost/{_OUTPOST}/accesspoint/probe-point"},
        _POINT,
    ),
    *(
        Probe("s3", {"Bucket": name}, {name: f"{Token.LABEL}--op-s3", _OUTPOST: Token.LABEL, "ec2": Token.LABEL})
        for name in (_OUTPOST_NAME.format("o"), _OUTPOST_NAME.format("e"))
    ),
    Probe("s3control", {"AccountId": _ACCOUNT, "RequiresAccountId": True}, _BY_ACCOUNT),
    Probe("s3control", {"AccountId": _ACCOUNT, "OutpostId": _OUTPOST}, _BY_ACCOUNT),
    _accounts("dynamodb"),
    _accounts("dynamodb", IsSearchOperation=True),
    _accounts("dynamodbstreams"),
    _accounts("eventbridgev2"),
    *(_accounts("kinesis", OperationType=plane) for plane in ("control", "data")),
    *(_accounts("kinesis", OperationType=plane, ResourceType="queue") for plane in ("control", "data")),
    *(
        Probe(
            "kinesis",
            {"StreamARN": f"arn:{{partition}}:kinesis:{{region}}:{_ACCOUNT}:stream/probe", "OperationType": plane},
            _BY_ACCOUNT,
        )
        for plane in ("control", "data")
    ),
    Probe(
        "cloudfront-keyvaluestore",
        {"KvsARN": f"arn:{{partition}}:cloudfront::{_ACCOUNT}:key-value-store/probe"},
        _BY_ACCOUNT,
    ),
)

DECLINED = (
    Decline("s3", "s3-accelerate", "serves buckets of every region, an attacker's own included"),
    Decline("s3", ".accesspoint.s3-global", "leads to buckets of every region; neither region nor account in it"),
    Decline("events", "{EndpointId}.endpoint", "a tenant's global endpoint, which leads out of the region"),
    Decline("sesv2", "{EndpointId}.endpoints", "a tenant's global endpoint, which leads out of the region"),
    Decline("opensearchmemory", "{SpaceId}.osm", "a tenant's server, under on.aws like a function URL"),
    Decline("neptune-graph", "{graphIdentifier}.", "a tenant's server"),
    *(
        Decline("kinesis", label, "names a stream, channel or queue whose account the host name does not tell")
        for label in ("{StreamIdPrefixValue}", "{channelId}", "{queueId}", "{resourceId}")
    ),
)

# Host names that a service hands out for its clients to use, in AWS's own naming, and that botocore does not resolve.
# Timestream serves every request from a cell:
# https://docs.aws.amazon.com/timestream/latest/developerguide/VPCEndpoints.vpc-endpoint-considerations.html
# S3's older names stand in presigned URLs, also in those by which CloudFormation takes a custom resource's answer:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html#VirtualHostingBackwardsCompatibility
HANDED_OUT = {
    "ingest-cellC.timestream.R.D": "timestream-write",
    "query-cellC.timestream.R.D": "timestream-query",
    "B.s3-R.D": "s3",
    "s3-R.D": "s3",
}

# Labels of a URL template that need no decision: each comes from the region, or is the custom endpoint itself.
_NOT_TENANTS = re.compile(
    r"\{(Region|Endpoint|url#\w+|\w*[pP]artition(Result)?#\w+|(bucketArn|accessPointArn)#region|OperationType)\}"
)
_PLACEHOLDER = re.compile(r"\{[\w#]+\}")
# The labels that PROBES bring out.
_PROBED = {
    "s3": {
        "Bucket",
        "accessPointName",
        "bucketArn#accountId",
        "outpostId",
        "s3expressAvailabilityZoneId",
        "RequestRoute",
    },
    "s3control": {"AccountId"},
    "dynamodb": {"AccountId", "ParsedArn#accountId"},
    "dynamodbstreams": {"AccountId", "ParsedArn#accountId"},
    "eventbridgev2": {"AccountId", "ParsedBusArn#accountId"},
    "kinesis": {"AccountId", "arn#accountId"},
    "cloudfront-keyvaluestore": {"parsedArn#accountId"},
}


class UnknownLabelError(Exception):
    """A rule set or model has a label that is neither in `PROBES` nor in `DECLINED`."""


def check_label(service: str, template: str) -> None:
    """Raises UnknownLabelError for a tenant's label that the tables do not know."""
    host = template.split("://", 1)[-1].split("/", 1)[0]
    if any(d.service == service and d.marker in host for d in DECLINED) or "#authority}" in host:
        return
    labels = {label[1:-1] for label in _PLACEHOLDER.findall(_NOT_TENANTS.sub("", host))}
    unknown = labels - _PROBED.get(service, set())
    if unknown:
        raise UnknownLabelError(
            f"{service}: {template} has {', '.join(sorted(unknown))}; decide on it in PROBES or DECLINED of {__name__}"
        )
