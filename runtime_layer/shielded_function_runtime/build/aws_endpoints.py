"""Every host name that botocore resolves, as patterns: the input of the AWS endpoint table (`aws_table`).

botocore's own resolvers are asked, for every service, region and variant (standard, FIPS, dual-stack, both, and
the global endpoints of S3 and STS): `EndpointProvider`, which evaluates a service's endpoint rule set, and the
older `EndpointResolver` over `endpoints.json`, which boto3 still reports as a client's `meta.endpoint_url` and
which older SDKs follow. What they answer becomes a pattern by putting a token where the answer depends on the
region, the partition or the caller (`Token`).

Labels that name something of a tenant's (a bucket, an account, a graph) need a decision each. `PROBES` says which
are admitted and gives botocore the sample values that bring them out; `DECLINED` says which are not, and why. A
rule set that grows a label which neither table knows is an error, so that a newer botocore cannot widen what is
admitted without somebody having looked.

A label is admitted when it only routes a request to the same regional API that the plain host name serves: what
it reaches could be reached without it. It is declined when it names a server of one tenant's, leads out of the
region, or could not be narrowed to the function's own account later.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import botocore
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError, EndpointVariantError
from botocore.loaders import Loader
from botocore.regions import EndpointResolver

BOTOCORE_VERSION: str = botocore.__version__

Json: TypeAlias = Mapping[str, Any]


class Token:
    """What a pattern holds where a host name varies. Capitals, because canonical host names have none."""

    REGION = "R"  # the function's region
    HOME = "G"  # the partition's implicit global region: us-east-1, us-gov-west-1, ...
    DNS = "D"  # amazonaws.com, ...
    DUAL_STACK = "U"  # api.aws, ...
    PSEUDO = "P"  # aws-global, ... (the older resolver puts it where a global service has no host name)
    AT_HOME = "H"  # nothing; what follows is admitted in the home region only
    NAME = "N"  # one of the table's names
    BUCKET = "B"  # the rest of the host: a bucket's name, dots included
    LABEL = "L"  # the rest of a label
    ACCOUNT = "A"  # twelve digits
    CELL = "C"  # one to four digits
    ZONE = "Z"  # a label such as s3express-use1-az4 or s3express-fips-use1-az4


@dataclass(frozen=True)
class Partition:
    """A partition of `partitions.json`; regions exclude the pseudo region of its global services."""

    id: str
    home: str
    dns: str
    dual_stack: str
    regions: tuple[str, ...]
    prefixes: tuple[str, ...]

    @property
    def pseudo(self) -> str:
        return f"{self.id}-global"


@dataclass(frozen=True)
class Probe:
    """Sample parameters that make a rule set answer with a tenant's label.

    Attributes:
        service: botocore's name of the service.
        parameters: rule set parameters; `{partition}` and `{region}` are filled in.
        tokens: what to put for which sample text in the answer, tried in this order.
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
        reason: why; the remedy is always the same, an entry in `allow_outbound`.
    """

    service: str
    marker: str
    reason: str


_ACCOUNT = "123456789012"
_OUTPOST = "op-0123456789abcdef0"
_OUTPOST_NAME = "probe-{}0123456789abcdef0zzzzzzzzzzzzzzzzzzzzusw21--op-s3"
_BY_ACCOUNT = {_ACCOUNT: Token.ACCOUNT}
_POINT = {"probe-point": Token.LABEL, _OUTPOST: Token.LABEL, **_BY_ACCOUNT}
_EXPRESS = {"s3express-fips-use1-az4": Token.ZONE, "s3express-use1-az4": Token.ZONE, "probe-use1": Token.LABEL}


def _accounts(service: str, **parameters: str | bool) -> Probe:
    return Probe(service, {"AccountId": _ACCOUNT, "AccountIdEndpointMode": "preferred", **parameters}, _BY_ACCOUNT)


# Any twelve digits pass for an account until the table is told the function's own.
PROBES = (
    # Buckets: any name passes, as any bucket can be reached by path on s3.<region> all the same. What a function
    # may do with which bucket is for its role and a VPC endpoint policy to say.
    Probe("s3", {"Bucket": "probe-bucket"}, {"probe-bucket": Token.BUCKET}),
    # Directory buckets and their access points end in --x-s3 and --xa-s3.
    Probe("s3", {"Bucket": "probe-use1--use1-az4--x-s3"}, {**_EXPRESS, "L--use1-az4": Token.LABEL}),
    Probe("s3", {"Bucket": "probe-use1--use1-az4--xa-s3"}, {**_EXPRESS, "L--use1-az4": Token.LABEL}),
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
    *(
        _accounts("kinesis", OperationType=plane, **kind)
        for plane in ("control", "data")
        for kind in (cast("dict[str, str | bool]", {}), {"ResourceType": "queue"})
    ),
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

# Host names that a service hands out for its clients to use (endpoint discovery), in AWS's own naming. Timestream
# serves every request from a cell: docs.aws.amazon.com/timestream/latest/developerguide/architecture.html
HANDED_OUT = {
    "ingest-cellC.timestream.R.D": "timestream-write",
    "query-cellC.timestream.R.D": "timestream-query",
}

# What a URL template may hold without a decision: it comes from the region, or is the custom endpoint itself.
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
    """A rule set or model has a label that neither `PROBES` nor `DECLINED` speaks of."""


def load_partitions(loader: Any) -> tuple[Partition, ...]:
    """The partitions in botocore's order, `aws` first."""
    return tuple(_partition(p) for p in loader.load_data("partitions")["partitions"])


def _partition(data: Json) -> Partition:
    # ^(us|eu|ap)\-\w+\-\d+$ and ^us\-gov\-\w+\-\d+$: a prefix, one word, a number.
    body = re.fullmatch(r"\^(.+)\\-\\w\+\\-\\d\+\$", data["regionRegex"])
    if not body:
        raise ValueError(f"partition {data['id']}: cannot read its regionRegex {data['regionRegex']}")
    parts = [part.strip("()").split("|") for part in body[1].split("\\-")]
    outputs = data["outputs"]
    return Partition(
        id=data["id"],
        home=outputs["implicitGlobalRegion"],
        dns=outputs["dnsSuffix"],
        dual_stack=outputs["dualStackDnsSuffix"],
        regions=tuple(sorted(r for r in data["regions"] if not r.endswith("-global"))),
        prefixes=tuple(sorted("-".join(choice) for choice in itertools.product(*parts))),
    )


@dataclass
class _Service:
    """One service: its rule set, and what its operations do to the host name."""

    name: str
    endpoint_prefix: str
    provider: EndpointProvider
    parameters: frozenset[str]
    # static context parameters of an operation -> the host prefixes of the operations that have them
    contexts: dict[tuple[tuple[str, Any], ...], set[str]] = field(
        default_factory=lambda: cast("dict[tuple[tuple[str, Any], ...], set[str]]", {})
    )

    def variants(self) -> Iterator[dict[str, Any]]:
        """The parameter sets of standard, FIPS, dual-stack and global endpoints that the rule set can tell apart."""
        switches = [name for name in ("UseFIPS", "UseDualStack", "UseGlobalEndpoint") if name in self.parameters]
        for values in itertools.product((False, True), repeat=len(switches)):
            yield dict(zip(switches, values, strict=True))

    def resolve(self, region: str, parameters: Json) -> str | None:
        """The host name for these parameters, or None where the service has none (no FIPS, no dual-stack)."""
        try:
            url: str = self.provider.resolve_endpoint(Region=region, **parameters).url
        except EndpointProviderError:
            return None
        return url.split("://", 1)[1].split("/", 1)[0]


def _load_services(loader: Any) -> Iterator[_Service]:
    partitions = loader.load_data("partitions")
    for name in sorted(loader.list_available_services("service-2")):
        model: Json = loader.load_service_model(name, "service-2")
        rules: Json = loader.load_service_model(name, "endpoint-rule-set-1")
        provider: EndpointProvider = EndpointProvider(rules, partitions)
        service = _Service(name, model["metadata"]["endpointPrefix"], provider, frozenset(rules["parameters"]))
        prefixes = {""}
        service.contexts[()] = prefixes
        for operation in cast("Iterable[Json]", model["operations"].values()):
            static = operation.get("staticContextParams", {})
            prefix: str = operation.get("endpoint", {}).get("hostPrefix", "")
            key = tuple(sorted((param, value["value"]) for param, value in static.items()))
            _check_label(name, prefix)
            service.contexts.setdefault(key, {""}).add("" if "{" in prefix else prefix)
        for template in _url_templates(rules["rules"]):
            _check_label(name, template)
        yield service


def _url_templates(node: Any) -> Iterator[str]:
    """Every endpoint URL of a rule set that is a template."""
    if isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        url = fields.get("url")
        if isinstance(url, str):
            yield url
        for value in fields.values():
            yield from _url_templates(value)
    elif isinstance(node, list):
        for value in cast("list[Any]", node):
            yield from _url_templates(value)


def _check_label(service: str, template: str) -> None:
    """Raises UnknownLabelError for a tenant's label that nobody decided on."""
    host = template.split("://", 1)[-1].split("/", 1)[0]
    if any(d.service == service and d.marker in host for d in DECLINED) or "#authority}" in host:
        return
    labels = {label[1:-1] for label in _PLACEHOLDER.findall(_NOT_TENANTS.sub("", host))}
    unknown = labels - _PROBED.get(service, set())
    if unknown:
        raise UnknownLabelError(
            f"{service}: {template} has {', '.join(sorted(unknown))}; decide on it in PROBES or DECLINED of {__name__}"
        )


def _pattern(host: str, partition: Partition, region: str) -> str:
    """The host name with tokens for what comes from the partition and the region."""
    suffix = ""
    for token, text in ((Token.DUAL_STACK, partition.dual_stack), (Token.DNS, partition.dns)):
        if host.endswith(f".{text}"):
            host, suffix = host[: -len(text) - 1], f".{token}"
            break
    varying = {partition.home: Token.HOME, partition.pseudo: Token.PSEUDO, region: Token.REGION}
    return ".".join(varying.get(label, label) for label in host.split(".")) + suffix


# (partition, region) -> pattern -> services
Resolved: TypeAlias = "dict[tuple[Partition, str], dict[str, set[str]]]"
# pattern -> partition id -> services
Patterns: TypeAlias = Mapping[str, Mapping[str, set[str]]]


def _resolve_all(loader: Any, partitions: tuple[Partition, ...]) -> Resolved:
    resolved: Resolved = defaultdict(lambda: defaultdict(set))
    older: Any = EndpointResolver(loader.load_data("endpoints"))
    for service in _load_services(loader):
        probes = [probe for probe in PROBES if probe.service == service.name]
        found = 0
        for partition in partitions:
            for region in partition.regions:
                here = resolved[partition, region]
                for host in itertools.chain(
                    _plain_hosts(service, region),
                    _probed_hosts(service, probes, partition, region),
                    _older_hosts(older, service, partition, region),
                ):
                    here[_pattern(host, partition, region)].add(service.name)
                    found += 1
        if not found:
            raise ValueError(f"botocore resolves no host for {service.name}")
    return resolved


def _plain_hosts(service: _Service, region: str) -> Iterator[str]:
    for variant in service.variants():
        for context, prefixes in service.contexts.items():
            host = service.resolve(region, {**variant, **dict(context)})
            if host:
                yield from (prefix + host for prefix in prefixes)


def _probed_hosts(service: _Service, probes: Iterable[Probe], partition: Partition, region: str) -> Iterator[str]:
    for probe in probes:
        parameters = {
            name: value.format(partition=partition.id, region=region) if isinstance(value, str) else value
            for name, value in probe.parameters.items()
        }
        for variant in service.variants():
            host = service.resolve(region, {**variant, **parameters})
            if host:
                host = probe.host_prefix + host
                for sample, token in probe.tokens.items():
                    host = host.replace(sample, token)
                yield host


def _older_hosts(resolver: Any, service: _Service, partition: Partition, region: str) -> Iterator[str]:
    for fips, dual_stack in itertools.product((False, True), repeat=2):
        try:
            endpoint = resolver.construct_endpoint(
                service.endpoint_prefix,
                region,
                partition.id,
                use_dualstack_endpoint=dual_stack,
                use_fips_endpoint=fips,
            )
        except EndpointVariantError:
            continue
        if endpoint:
            yield from (cast("str", endpoint[key]) for key in ("hostname", "sslCommonName") if key in endpoint)


def resolve(loader: Any = None) -> tuple[tuple[Partition, ...], Patterns]:
    """Asks botocore for everything.

    Args:
        loader: a `botocore.loaders.Loader`; by default one over the installed botocore's own data, and nothing
            that the user's AWS_DATA_PATH or home directory adds.

    Returns:
        The partitions, and pattern -> partition id -> services.

    Raises:
        UnknownLabelError: a rule set or model has a label that nobody decided on.
    """
    loader = loader or Loader(include_default_search_paths=False, extra_search_paths=[Loader.BUILTIN_DATA_PATH])
    partitions = load_partitions(loader)
    resolved = _resolve_all(loader, partitions)
    patterns: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for partition in partitions:
        away = {p for r in partition.regions if r != partition.home for p in resolved[partition, r]}
        for region in partition.regions:
            for pattern, services in resolved[partition, region].items():
                settled = _settle(pattern, region, partition, away)
                patterns[settled][partition.id] |= services
    for pattern, service in HANDED_OUT.items():
        for partition in partitions:
            patterns[pattern][partition.id].add(service)
    return partitions, {pattern: dict(by_partition) for pattern, by_partition in patterns.items()}


def _settle(pattern: str, region: str, partition: Partition, away: set[str]) -> str:
    """Tells, for an answer in the home region, whether it holds its region because it is home or because it is asked.

    Seen from the home region, `organizations.us-east-1` and `sqs.us-east-1` look alike; the answers of the other
    regions (`away`) tell them apart. An answer without a region that no other region gets (`s3.amazonaws.com`)
    stays with the home region.
    """
    if region != partition.home or len(partition.regions) == 1 or pattern in away:
        return pattern
    labels = pattern.split(".")
    if Token.REGION not in labels:
        return Token.AT_HOME + pattern
    global_pattern = ".".join(Token.HOME if label == Token.REGION else label for label in labels)
    return global_pattern if global_pattern in away else pattern
