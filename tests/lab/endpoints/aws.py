"""AWS's endpoints for the tests: the core's table from Python, and what botocore resolves.

The C is compiled on its own and called through cffi. What it must admit is asked of botocore anew, by the way that
a client takes (`EndpointRulesetResolver`, operation by operation), not of the generator.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.regions
import botocore.session
import cffi

from harness.toml_tables import table
from shielded_function_runtime.build import aws_endpoints

NATIVE = Path(__file__).parents[3] / "runtime_layer" / "native"
SOURCES = [NATIVE / "core" / name for name in ("aws.c", "text.c", "memory.c")]
HOME_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-northwest-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-us-gov": "us-gov-west-1",
}
# Beside them, in the partitions that have several.
SOME_REGIONS = ("us-west-2", "eu-central-1", "cn-north-1")
_PECULIAR = (
    *("s3", "s3control", "s3outposts", "dynamodb", "sqs", "sts", "iam", "lambda", "kinesis", "events", "ec2", "kms"),
    *("cloudfront-keyvaluestore", "iot-data", "timestream-query", "sagemaker-runtime", "route53", "signin"),
)
ACCOUNT = "123456789012"
Resolved = tuple[tuple[aws_endpoints.Partition, ...], aws_endpoints.Patterns]


def _hosts() -> dict[str, dict[str, list[str]]]:
    """aws_hosts.toml, without abbreviations."""
    text = Path(__file__).with_name("aws_hosts.toml").read_text()
    return table(text.replace("~", ".us-east-1.amazonaws.com"))


HOSTS = _hosts()


def compile_c(*flags: str, out: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "ziglang",
            "cc",
            "-std=c11",
            "-s",
            "-Wall",
            "-Wextra",
            "-Werror",
            *flags,
            "-o",
            str(out),
        ],
        check=True,
    )


class Table:
    """aws.h from Python."""

    def __init__(self, library: Path) -> None:
        self._ffi = cffi.FFI()
        self._ffi.cdef(
            """
            struct text { const char *at; uint32_t len; };
            bool aws_service_index(struct text service, uint16_t *index);
            struct text aws_service_name(uint16_t index);
            struct aws_limits {
                struct text region, account, buckets;
                const uint16_t *services;
                uint32_t service_count;
                bool every_service;
            };
            bool aws_is_endpoint(struct text host, const struct aws_limits *limits);
            """
        )
        self._library: Any = self._ffi.dlopen(str(library))
        self._chars, self._struct = self._ffi.typeof("char[]"), self._ffi.typeof("struct text *")
        # The sweeps ask a hundred thousand times, with few limits.
        self._limits = lru_cache(maxsize=4096)(self._make_limits)

    def _text(self, value: bytes) -> tuple[Any, Any]:
        """The struct, and the buffer that must outlive it: exactly as long as the text."""
        buffer = self._ffi.new(self._chars, max(len(value), 1))
        self._ffi.memmove(buffer, value, len(value))
        return self._ffi.new(self._struct, (buffer, len(value)))[0], buffer

    def admits(
        self, host: str | bytes, region: str, *services: str, account: str = "", buckets: Sequence[str] = ()
    ) -> bool:
        """Is it an endpoint in the region, of one of these services, or of any when none is given?"""
        host_text, _host = self._text(host.encode() if isinstance(host, str) else host)
        limits, _alive = self._limits(region, services, account, ",".join(buckets))
        return self._library.aws_is_endpoint(host_text, limits)

    def _make_limits(self, region: str, services: tuple[str, ...], account: str, buckets: str) -> tuple[Any, list[Any]]:
        """The struct, and what must outlive it."""
        indexes = self._ffi.new("uint16_t[]", [self.index(service) for service in services])
        limits = {"services": indexes, "service_count": len(services), "every_service": not services}
        alive: list[Any] = [indexes]
        for name, value in (("region", region), ("account", account), ("buckets", buckets)):
            limits[name], buffer = self._text(value.encode())
            alive.append(buffer)
        return self._ffi.new("struct aws_limits *", limits), alive

    def index(self, service: str) -> int:
        index = self._ffi.new("uint16_t *")
        text, _buffer = self._text(service.encode())
        if not self._library.aws_service_index(text, index):
            raise KeyError(service)
        return index[0]

    def name(self, index: int) -> str:
        text = self._library.aws_service_name(index)
        return bytes(self._ffi.buffer(text.at, text.len)).decode()


@dataclass(frozen=True)
class Region:
    """A region of botocore's `partitions.json`, and the suffixes of its partition."""

    name: str
    partition: str
    dns: str
    dual_stack: str


@lru_cache(maxsize=1)
def every_region() -> list[Region]:
    return [
        Region(region, p["id"], p["outputs"]["dnsSuffix"], p["outputs"]["dualStackDnsSuffix"])
        for p in botocore.session.Session().get_component("data_loader").load_data("partitions")["partitions"]
        for region in p["regions"]
        if not region.endswith("-global")
    ]


@dataclass(frozen=True)
class Answers:
    """What botocore resolves: (partition, region) -> host -> services."""

    hosts: dict[tuple[str, str], dict[str, set[str]]]

    def regions(self, partition: str) -> list[str]:
        return sorted(region for p, region in self.hosts if p == partition)

    def of(self, region: str) -> dict[str, set[str]]:
        return next(hosts for (_, r), hosts in self.hosts.items() if r == region)


def every_service() -> list[str]:
    return botocore.session.Session().get_available_services()


def some_services() -> list[str]:
    """Each fourth, and those whose hosts have forms of their own."""
    return sorted({*every_service()[::4], *_PECULIAR})


def ask_botocore(wanted: Container[str], services: Sequence[str]) -> Answers:
    """Every host of these services, variant by variant and operation by operation, in these regions, from both of
    botocore's resolvers.
    """
    session = botocore.session.Session()
    session.set_config_variable("data_path", None)
    loader = session.get_component("data_loader")
    emitter = session.get_component("event_emitter")
    partitions = loader.load_data("partitions")
    older = botocore.regions.EndpointResolver(loader.load_data("endpoints"))
    regions = [
        (partition["id"], region)
        for partition in partitions["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global") and region in wanted
    ]
    hosts: dict[tuple[str, str], dict[str, set[str]]] = {place: defaultdict(set) for place in regions}
    for service in services:
        model = session.get_service_model(service)
        rules = loader.load_service_model(service, "endpoint-rule-set-1")
        operations = _different_operations(model)
        switches = [s for s in ("UseFIPS", "UseDualStack", "UseGlobalEndpoint") if s in rules["parameters"]]
        for values in itertools.product((False, True), repeat=len(switches)):
            builtins: dict[str, Any] = {"AWS::S3::ForcePathStyle": False}
            builtins.update({rules["parameters"][s]["builtIn"]: v for s, v in zip(switches, values, strict=True)})
            resolver = botocore.regions.EndpointRulesetResolver(
                rules, partitions, model, builtins, {}, emitter, use_ssl=True
            )
            for partition, region in regions:
                builtins["AWS::Region"] = region
                for operation, arguments in operations:
                    with contextlib.suppress(botocore.exceptions.BotoCoreError):
                        endpoint: Any = resolver.construct_endpoint(operation, arguments, {})
                        for prefix in _prefixes(operation):
                            hosts[partition, region][prefix + endpoint.url.split("/")[2]].add(service)
        for partition, region in regions:
            for fips, dual in itertools.product((False, True), repeat=2):
                with contextlib.suppress(botocore.exceptions.EndpointVariantError):
                    endpoint = older.construct_endpoint(
                        model.endpoint_prefix,
                        region,
                        partition,
                        use_fips_endpoint=fips,
                        use_dualstack_endpoint=dual,
                    )
                    for key in {"hostname", "sslCommonName"} & set(endpoint or ()):
                        hosts[partition, region][endpoint[key]].add(service)
    return Answers({place: dict(found) for place, found in hosts.items()})


def _different_operations(model: Any) -> list[tuple[Any, dict[str, str]]]:
    """One operation of each kind that an endpoint can depend on, with arguments that it cannot do without."""
    seen: dict[Any, Any] = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        static = tuple((p.name, p.value) for p in operation.static_context_parameters)
        seen.setdefault((static, str(operation.endpoint)), operation)
    arguments = {
        "s3control": {"AccountId": ACCOUNT},
        "cloudfront-keyvaluestore": {"KvsARN": f"arn:aws:cloudfront::{ACCOUNT}:key-value-store/x"},
    }.get(model.service_name, {})
    return [(operation, arguments) for operation in seen.values()]


def _prefixes(operation: Any) -> list[str]:
    """What botocore may put in front; host prefixes with a label are the tenants' tests' business."""
    prefix = (operation.endpoint or {}).get("hostPrefix", "")
    return ["", prefix] if prefix and "{" not in prefix else [""]
