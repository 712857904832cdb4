"""The AWS endpoint table and what is the function's own: its account, and the buckets that its policy lists."""

from __future__ import annotations

import contextlib
import functools
import itertools
from typing import Any

import botocore.endpoint_provider
import botocore.exceptions
import botocore.session
import pytest

from lab.endpoints.aws import ACCOUNT, HOME_REGIONS, Answers, Region, Table, every_region

# With test_aws.py: what both ask of botocore is worth asking once, in one worker.
pytestmark = [pytest.mark.promise("outbound.aws-hosts"), pytest.mark.xdist_group("aws")]


# What rule sets make of the function's own account and its buckets: (service, parameters).
OWN: list[tuple[str, dict[str, Any]]] = [
    ("s3", {"Bucket": "my-bucket"}),
    ("s3", {"Bucket": f"arn:{{partition}}:s3:{{region}}:{ACCOUNT}:accesspoint/point"}),
    ("s3", {"Bucket": f"arn:{{partition}}:s3-object-lambda:{{region}}:{ACCOUNT}:accesspoint/point"}),
    ("s3", {"Bucket": f"arn:{{partition}}:s3-outposts:{{region}}:{ACCOUNT}:outpost:op-0123456789abcde:accesspoint:p"}),
    ("s3control", {"AccountId": ACCOUNT, "RequiresAccountId": True}),
    ("dynamodb", {"AccountId": ACCOUNT, "AccountIdEndpointMode": "required"}),
    (
        "dynamodb",
        {
            "ResourceArn": f"arn:{{partition}}:dynamodb:{{region}}:{ACCOUNT}:table/t",
            "AccountIdEndpointMode": "preferred",
        },
    ),
    ("dynamodbstreams", {"AccountId": ACCOUNT, "AccountIdEndpointMode": "required"}),
    ("eventbridgev2", {"AccountId": ACCOUNT, "AccountIdEndpointMode": "preferred"}),
    *(
        ("kinesis", {"StreamARN": f"arn:{{partition}}:kinesis:{{region}}:{ACCOUNT}:stream/s", "OperationType": plane})
        for plane in ("control", "data")
    ),
    ("cloudfront-keyvaluestore", {"KvsARN": f"arn:aws:cloudfront::{ACCOUNT}:key-value-store/x"}),
]


def own_hosts(service: str, parameters: dict[str, Any]) -> list[tuple[Region, str]]:
    """The hosts of `OWN` in every region: standard, FIPS, dual-stack, both, and S3's global ones."""
    return _own_hosts(service, tuple(parameters.items()))


@functools.lru_cache(maxsize=64)
def _own_hosts(service: str, parameters: tuple[tuple[str, Any], ...]) -> list[tuple[Region, str]]:
    loader = botocore.session.Session().get_component("data_loader")
    rules = loader.load_service_model(service, "endpoint-rule-set-1")
    provider = botocore.endpoint_provider.EndpointProvider(rules, loader.load_data("partitions"))
    switches = [s for s in ("UseFIPS", "UseDualStack", "UseGlobalEndpoint") if s in rules["parameters"]]
    hosts: list[tuple[Region, str]] = []
    for region in every_region():
        filled = {
            name: value.format(region=region.name, partition=region.partition) if isinstance(value, str) else value
            for name, value in parameters
        }
        for values in itertools.product((False, True), repeat=len(switches)):
            with contextlib.suppress(botocore.exceptions.EndpointProviderError):
                endpoint: Any = provider.resolve_endpoint(
                    Region=region.name, **filled, **dict(zip(switches, values, strict=True))
                )
                hosts.append((region, endpoint.url.split("/")[2]))
    return hosts


@pytest.mark.parametrize(("service", "parameters"), OWN)
def test_admits_the_own_account_and_its_buckets_in_every_region(
    table: Table, same_botocore: None, service: str, parameters: dict[str, Any]
) -> None:
    hosts = own_hosts(service, parameters)
    assert {region.partition for region, _ in hosts} >= {"aws", *({"aws-cn", "aws-us-gov"} if service == "s3" else ())}
    with_account = 0
    for region, host in hosts:
        assert table.admits(host, region.name), (region.name, host)
        assert table.admits(host, region.name, service, account=ACCOUNT), (region.name, host)
        if ACCOUNT in host:
            with_account += 1
            assert not table.admits(host, region.name, account="210987654321"), (region.name, host)
            theirs = host.replace(ACCOUNT, "210987654321")
            assert table.admits(theirs, region.name), (region.name, theirs)
            assert not table.admits(theirs, region.name, account=ACCOUNT), (region.name, theirs)
    assert with_account or parameters.get("Bucket") == "my-bucket"


def test_the_account_does_not_narrow_other_names(table: Table, answers: Answers) -> None:
    for region in HOME_REGIONS.values():
        wrong = [h for h in answers.of(region) if ACCOUNT not in h and not table.admits(h, region, account="1" * 12)]
        assert not wrong, wrong[:20]


def test_listed_buckets_in_every_region(table: Table, same_botocore: None) -> None:
    """Their host names, in every form that S3 has, those with a hyphen too, are all of S3."""
    hyphened = [(region, f"my-bucket.s3-{region.name}.{region.dns}") for region in every_region()]
    hosts = [*own_hosts("s3", {"Bucket": "my-bucket"}), *hyphened]
    assert len(hosts) > 200
    for region, host in hosts:
        assert table.admits(host, region.name), (region.name, host)
        assert table.admits(host, region.name, buckets=["other", "my-bucket"]), (region.name, host)
        assert table.admits(host, region.name, "sqs", buckets=["my-bucket"]), (region.name, host)
        assert not table.admits(host, region.name, buckets=["my-bucke", "y-bucket", "my", "x.my-bucket"]), host
        assert not table.admits(f"x.{host}", region.name, buckets=["my-bucket"]), host
        assert not table.admits(host.removeprefix("my-bucket."), region.name, buckets=["my-bucket"]), host
    assert table.admits("my-bucket.s3.amazonaws.com", "us-east-1", buckets=["my-bucket"])
    assert not table.admits("my-bucket.s3.amazonaws.com", "eu-west-1", buckets=["my-bucket"])
    assert table.admits("my.site.s3.us-east-1.amazonaws.com", "us-east-1", buckets=["my.site"])
    assert not table.admits("my.site.s3.us-east-1.amazonaws.com", "us-east-1", buckets=["site", "my"])


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"])
def test_listed_buckets_narrow_s3_and_nothing_else(table: Table, answers: Answers, region: str) -> None:
    for host, services in answers.of(region).items():
        assert table.admits(host, region, buckets=["my-bucket"]) is ("s3" not in services), host
    for service, parameters in OWN:
        for place, host in own_hosts(service, parameters) if service == "s3" else []:
            if place.name == region and not host.startswith("my-bucket."):
                assert not table.admits(host, region, buckets=["my-bucket", "point", f"point-{ACCOUNT}"]), host


def test_a_directory_bucket_may_be_listed(table: Table) -> None:
    bucket = "my--use1-az4--x-s3"
    for zone in ("s3express-use1-az4.us-east-1", "s3express-use1-az4.dualstack.us-east-1"):
        assert table.admits(f"{bucket}.{zone}.amazonaws.com", "us-east-1", buckets=[bucket])
        assert not table.admits(f"x{bucket}.{zone}.amazonaws.com", "us-east-1", buckets=[bucket])
        assert not table.admits(f"{bucket}.{zone}.amazonaws.com", "us-east-1", buckets=["my", "my--use1-az4"])
    assert not table.admits("s3express-control.us-east-1.amazonaws.com", "us-east-1", buckets=[bucket])
