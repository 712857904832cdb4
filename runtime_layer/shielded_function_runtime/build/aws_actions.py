"""Writes `granted/actions.json`, the AWS services of each IAM action, and a type with the services' names.

    python -m shielded_function_runtime.build.aws_actions            writes the table
    python -m shielded_function_runtime.build.aws_actions --check    exits with 1 when the table is out of date

The table is committed; it changes when botocore's pin does. It has three parts:

- `services`: action prefix -> services, in botocore's names, which `allow_aws` takes. A prefix is the name that signs
  requests (`states` for Step Functions), except for the services in `_PREFIXES`.
- `operations`: where a prefix has several services, the operations that distinguish each: `InvokeModel` is
  bedrock-runtime's. Services that share their host names with another (neptune with rds) are left out.
- `hosts`: service -> the first label of its regional host name, where that is not the service's own name.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import TextWrapper
from typing import Any

from botocore.loaders import Loader

from .aws_endpoints import BOTOCORE_VERSION, resolve
from .generated_file import write_or_check

_CONSTRUCTS = Path(__file__).resolve().parents[3] / "constructs" / "shielded_function"
TABLE = _CONSTRUCTS / "granted" / "actions.json"
SERVICES = _CONSTRUCTS / "policy" / "services.py"

# Services that sign requests with another name than the action prefix; from the "Actions, resources, and condition
# keys" pages of the Service Authorization Reference. None: no IAM policy grants it (its own tokens do).
_PREFIXES: Mapping[str, tuple[str, ...] | None] = {
    "apigatewaymanagementapi": None,  # execute-api:ManageConnections: the host is the API's own
    "cloudcontrol": ("cloudformation",),
    "cloudwatch": ("cloudwatch",),
    "connectparticipant": None,
    "iot-data": ("iot",),
    "iot-jobs-data": ("iot", "iotjobsdata"),
    "iotsecuretunneling": ("iot",),
    "mturk": ("mechanicalturk",),
    "neptunedata": None,  # neptune-db: the host is the cluster's own
    "partnercentral-account": ("partnercentral",),
    "partnercentral-benefits": ("partnercentral",),
    "partnercentral-channel": ("partnercentral",),
    "partnercentral-marketing": ("partnercentral",),
    "partnercentral-selling": ("partnercentral",),
    "resourcegroupstaggingapi": ("tag",),
    "s3": ("s3", "s3express", "s3-object-lambda"),
    "s3control": ("s3", "s3-outposts"),
    "sso": None,
}

# s3control has operations of S3's names, for the buckets of Outposts (s3-outposts).
_OUTPOSTS: Mapping[str, str] = {"s3control": "s3"}


def _prefixes(service: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
    if service in _PREFIXES:
        return _PREFIXES[service] or ()
    return ((metadata.get("signingName") or metadata["endpointPrefix"]).lower(),)


def _without_own_hosts(services: Sequence[str], hosts: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Service -> another of the same prefix that has all its host names, for those where there is one."""
    covered: dict[str, str] = {}
    for service in services:
        for other in services:
            if other == service or other in covered:
                continue
            if hosts[service] < hosts[other] or (hosts[service] == hosts[other] and len(service) >= len(other)):
                covered[service] = other
                break
    return covered


def build(loader: Any = None) -> dict[str, Any]:
    """The table, from botocore's service models and the host names it resolves.

    Args:
        loader: a `botocore.loaders.Loader`; by default one over the installed botocore's own data.
    """
    loader = loader or Loader(include_default_search_paths=False, extra_search_paths=[Loader.BUILTIN_DATA_PATH])
    _, patterns = resolve(loader)
    by_service: dict[str, set[str]] = defaultdict(set)
    for pattern, partitions in patterns.items():
        for partition, services in partitions.items():
            for service in services:
                by_service[service].add(f"{partition} {pattern}")
    hosts = {service: frozenset(found) for service, found in by_service.items()}

    groups: dict[str, list[str]] = defaultdict(list)
    operations: dict[str, set[str]] = {}
    labels: dict[str, str] = {}
    for service in sorted(hosts):
        model: Mapping[str, Any] = loader.load_service_model(service, "service-2")
        operations[service] = set(model["operations"])
        labels[service] = model["metadata"]["endpointPrefix"]
        for prefix in _prefixes(service, model["metadata"]):
            groups[prefix].append(service)

    table: dict[str, list[str]] = {}
    by_operation: dict[str, list[str]] = {}
    for prefix, services in sorted(groups.items()):
        covered = _without_own_hosts(services, hosts)
        table[prefix] = [service for service in services if service not in covered]
        if len(table[prefix]) > 1:
            for service in table[prefix]:
                own = operations[service].union(*(operations[s] for s, by in covered.items() if by == service))
                own -= operations.get(_OUTPOSTS.get(service, ""), set())
                by_operation[service] = sorted(own | set(by_operation.get(service, ())))
    return {
        "botocore": BOTOCORE_VERSION,
        "services": table,
        "operations": dict(sorted(by_operation.items())),
        "hosts": {service: label for service, label in sorted(labels.items()) if label != service},
    }


def render(table: Mapping[str, Any]) -> str:
    """One line for each prefix and service, so that a change can be reviewed."""

    def lines(rows: Mapping[str, Any]) -> str:
        return ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(value if isinstance(value, str) else ' '.join(value))}"
            for name, value in rows.items()
        )

    parts = [f'"botocore": {json.dumps(table["botocore"])}']
    parts += [f'"{part}": {{\n{lines(table[part])}\n}}' for part in ("services", "operations", "hosts")]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def render_services(table: Mapping[str, Any]) -> str:
    """The module with the type of a service's name, for editors and type checkers."""
    names = sorted({service for services in table["services"].values() for service in services})
    head = '"""Names of AWS services; `python -m shielded_function_runtime.build.aws_actions` writes them."""'
    wrapper = TextWrapper(119, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    rows = wrapper.fill(", ".join(f'"{each}"' for each in names))
    return f"{head}\n\nfrom typing import Literal\n\n# fmt: off\nService = Literal[\n{rows},\n]\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the files; the exit status is 1 when a check finds one out of date."""
    table, module = build(), "shielded_function_runtime.build.aws_actions"
    return max(
        write_or_check(module, TABLE, lambda: render(table), arguments),
        write_or_check(module, SERVICES, lambda: render_services(table), arguments),
    )


if __name__ == "__main__":
    sys.exit(main())
