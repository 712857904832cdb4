"""Every host name that botocore resolves, as patterns: the input of the AWS endpoint table (`aws_table`).

botocore's own resolvers are asked, for every service, region and variant (standard, FIPS, dual-stack, both, and
the global endpoints of S3 and STS): `EndpointProvider`, which evaluates a service's endpoint rule set, and the
older `EndpointResolver` over `endpoints.json`, which boto3 still reports as a client's `meta.endpoint_url` and
which older SDKs follow. An answer becomes a pattern: a token replaces each part that depends on the region, the
partition or the caller (`Token`).

`aws_labels` decides which labels of tenants are admitted.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import botocore
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError, EndpointVariantError
from botocore.loaders import Loader
from botocore.regions import EndpointResolver

from .aws_labels import HANDED_OUT, PROBES, Probe, Token, check_label

BOTOCORE_VERSION: str = botocore.__version__

Json: TypeAlias = Mapping[str, Any]


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
    """One service: its rule set, and the effects of its operations on the host name."""

    name: str
    endpoint_prefix: str
    provider: EndpointProvider
    parameters: frozenset[str]
    # static context parameters of an operation -> the host prefixes of the operations that have them
    contexts: Mapping[tuple[tuple[str, Any], ...], set[str]]

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
        contexts: dict[tuple[tuple[str, Any], ...], set[str]] = {(): {""}}
        for operation in cast("Iterable[Json]", model["operations"].values()):
            static = operation.get("staticContextParams", {})
            prefix: str = operation.get("endpoint", {}).get("hostPrefix", "")
            key = tuple(sorted((param, value["value"]) for param, value in static.items()))
            check_label(name, prefix)
            contexts.setdefault(key, {""}).add("" if "{" in prefix else prefix)
        for template in _url_templates(rules["rules"]):
            check_label(name, template)
        yield _Service(
            name,
            model["metadata"]["endpointPrefix"],
            EndpointProvider(rules, partitions),
            frozenset(rules["parameters"]),
            contexts,
        )


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


def _pattern(host: str, partition: Partition, region: str) -> str:
    """The host name with tokens for the parts that come from the partition and the region."""
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
        UnknownLabelError: a rule set or model has a label that the tables do not know.
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
