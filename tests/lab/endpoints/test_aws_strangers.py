"""The AWS endpoint table admits nothing that a stranger can create, or that only looks like a host of AWS's."""

from __future__ import annotations

import re
from typing import Any

import botocore.endpoint_provider
import botocore.session
import pytest

from lab.endpoints.aws import ACCOUNT, HOSTS, Table, every_region

# With test_aws.py, which has the table compiled already.
pytestmark = [pytest.mark.promise("outbound.aws-hosts"), pytest.mark.xdist_group("aws")]


@pytest.mark.parametrize("kind", HOSTS["strangers"])
def test_refuses_what_strangers_and_tenants_create(table: Table, kind: str) -> None:
    for region in every_region():
        values = {"R": region.name, "D": region.dns, "U": region.dual_stack}
        for template in HOSTS["strangers"][kind]:
            host = re.sub("[RDU]", lambda found: values[found[0]], template)  # noqa: B023
            assert not table.admits(host, region.name), (region.name, host)
            assert not table.admits(host, region.name, account=ACCOUNT, buckets=["bucket"]), (region.name, host)


def test_refuses_every_other_partitions_suffix(table: Table) -> None:
    """`sqs.<region>` and buckets in the function's own region, under the suffixes of the others."""
    suffixes = {suffix for region in every_region() for suffix in (region.dns, region.dual_stack)}
    for region in every_region():
        for suffix in suffixes - {region.dns, region.dual_stack}:
            for name in ("sqs", "bucket.s3", f"{ACCOUNT}.ddb"):
                assert not table.admits(f"{name}.{region.name}.{suffix}", region.name), (region.name, name, suffix)


@pytest.mark.parametrize("region", HOSTS["other_regions"])
def test_refuses_them_in_other_partitions(table: Table, region: str) -> None:
    assert [host for host in HOSTS["other_regions"][region] if table.admits(host, region)] == []


@pytest.mark.parametrize("host", [host for hosts in HOSTS["refused"].values() for host in hosts])
def test_refuses_what_looks_alike(table: Table, host: str) -> None:
    assert table.admits("s3.us-east-1.amazonaws.com", "us-east-1")
    assert not table.admits(host, "us-east-1")


@pytest.mark.parametrize(
    "region", ["", "us-east", "us", "-", "--", "1", "-1", "us-east-", "us-east-x", "US-EAST-1", "us-east-1.", "a.b-c-1",
               "aws-global", "us-east-1\0", "us--1", "-east-1", "us_east-east-1", "99999999999999999999"]
)  # fmt: skip
def test_admits_nothing_without_a_region(table: Table, region: str) -> None:
    for host in ("s3.us-east-1.amazonaws.com", f"sqs.{region}.amazonaws.com", "iam.amazonaws.com", "sts.amazonaws.com"):
        assert not table.admits(host, region)


@pytest.mark.parametrize(
    ("service", "parameters", "host"),
    [
        ("s3", {"Bucket": "bucket", "Accelerate": True}, "bucket.s3-accelerate.amazonaws.com"),
        (
            "s3",
            {"Bucket": "arn:aws:s3::123456789012:accesspoint:abc.mrap"},
            "abc.mrap.accesspoint.s3-global.amazonaws.com",
        ),
        ("events", {"EndpointId": "abcde.veo"}, "abcde.veo.endpoint.events.amazonaws.com"),
        ("sesv2", {"EndpointId": "abcde.xyz"}, "abcde.xyz.endpoints.email.amazonaws.com"),
        ("opensearchmemory", {"SpaceId": "space"}, "space.osm.us-east-1.on.aws"),
        (
            "kinesis",
            {"StreamId": "01234567890123456789-abc", "OperationType": "data"},
            "01234567890123456789.abc.data-kinesis.us-east-1.amazonaws.com",
        ),
        (
            "kinesis",
            {
                "QueueARN": "arn:aws:kinesis:us-east-1:123456789012:queue/q1",
                "OperationType": "data",
                "ResourceType": "queue",
            },
            "q1.data-kinesis-queues.us-east-1.amazonaws.com",
        ),
    ],
)
def test_refuses_what_is_declined_though_botocore_resolves_it(
    table: Table, service: str, parameters: dict[str, Any], host: str
) -> None:
    """Each entry of DECLINED that a rule set brings forth; should botocore change the name, this tells."""
    loader = botocore.session.Session().get_component("data_loader")
    provider = botocore.endpoint_provider.EndpointProvider(
        loader.load_service_model(service, "endpoint-rule-set-1"), loader.load_data("partitions")
    )
    endpoint: Any = provider.resolve_endpoint(Region="us-east-1", **parameters)
    assert endpoint.url.split("/")[2] == host
    assert not table.admits(host, "us-east-1")
