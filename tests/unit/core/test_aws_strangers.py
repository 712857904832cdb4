"""The AWS endpoint table admits nothing that a stranger can create, or that only looks like a host of AWS's."""

from __future__ import annotations

import re
from typing import Any

import botocore.endpoint_provider
import botocore.session
import pytest

from unit.core.aws import ACCOUNT, Table, every_region

# With test_aws.py, which has the table compiled already.
pytestmark = [pytest.mark.promise("outbound.aws-hosts"), pytest.mark.xdist_group("aws")]


# What strangers can create, or what is one tenant's, in us-east-1 unless told otherwise.
STRANGERS = [
    # EC2 public names, load balancers, PrivateLink
    "ec2-203-0-113-7.compute-1.amazonaws.com",
    "ec2-203-0-113-7.us-west-2.compute.amazonaws.com",
    "ec2-203-0-113-7.us-east-1.compute.amazonaws.com",
    "compute-1.amazonaws.com",
    "my-lb-1234567890.us-east-1.elb.amazonaws.com",
    "my-nlb-0123456789abcdef.elb.us-east-1.amazonaws.com",
    "internal-my-lb-1234567890.us-east-1.elb.amazonaws.com",
    "vpce-0123456789abcdef0-abcdefgh.vpce-svc-0123456789abcdef0.us-east-1.vpce.amazonaws.com",
    "vpce-0123456789abcdef0-abcdefgh.sqs.us-east-1.vpce.amazonaws.com",
    "bucket.vpce-0123456789abcdef0-abcdefgh.s3.us-east-1.vpce.amazonaws.com",
    # anybody's API, function, site, distribution or app
    "abcdef1234.execute-api.us-east-1.amazonaws.com",
    "abcdef1234.execute-api-fips.us-east-1.amazonaws.com",
    "abcdef1234.execute-api.us-east-1.api.aws",
    "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws",
    "lambda-url.us-east-1.on.aws",
    "us-east-1.on.aws",
    "bucket.s3-website-us-east-1.amazonaws.com",
    "bucket.s3-website.us-east-1.amazonaws.com",
    "s3-website.us-east-1.amazonaws.com",
    "s3-website-us-east-1.amazonaws.com",
    "d111111abcdef8.cloudfront.net",
    "d111111abcdef8.cloudfront.amazonaws.com",
    "main.d1234567890.amplifyapp.com",
    "x.us-east-1.awsapprunner.com",
    "x.us-east-1.elasticbeanstalk.com",
    "abcdefghij.appsync-api.us-east-1.amazonaws.com",
    "abcdefghij.appsync-realtime-api.us-east-1.amazonaws.com",
    "abcdefghij.ddpg-api.us-east-1.amazonaws.com",
    "my-domain.auth.us-east-1.amazoncognito.com",
    "x.lightsail.us-east-1.amazonaws.com",
    "abcdefghij.us-east-1.cs.amazonlightsail.com",
    # one account's servers
    "abcdefghij1234-ats.iot.us-east-1.amazonaws.com",
    "abcdefghij1234.iot.us-east-1.amazonaws.com",
    "abcdefghij1234.credentials.iot.us-east-1.amazonaws.com",
    "db.abcdefghijkl.us-east-1.rds.amazonaws.com",
    "proxy.proxy-abcdefghijkl.us-east-1.rds.amazonaws.com",
    "cache.abcdef.0001.use1.cache.amazonaws.com",
    "cluster.abcdefghijkl.us-east-1.redshift.amazonaws.com",
    "wg.123456789012.us-east-1.redshift-serverless.amazonaws.com",
    "search-domain-abcdefghijklmnopqrstuvwxyz.us-east-1.es.amazonaws.com",
    "search-domain-abcdefghijklmnopqrstuvwxyz.aos.us-east-1.on.aws",
    "abcdefghij.us-east-1.aoss.amazonaws.com",
    "b-12345678-1.mq.us-east-1.amazonaws.com",
    "b-1.cluster.abcdef.c1.kafka.us-east-1.amazonaws.com",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com",
    "domain-123456789012.d.codeartifact.us-east-1.amazonaws.com",
    "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com",
    "abcd1234.mediaconvert.us-east-1.amazonaws.com",
    "s-12345678.kinesisvideo.us-east-1.amazonaws.com",
    "space.osm.us-east-1.on.aws",
    "g-0123456789.us-east-1.neptune-graph.amazonaws.com",
    "g-0123456789.neptune-graph.us-east-1.on.aws",
    "endpoint.proxy-abcdefghijkl.us-east-1.docdb.amazonaws.com",
    "x.studio.us-east-1.sagemaker.aws",
    "x.notebook.us-east-1.sagemaker.aws",
    "x.airflow.amazonaws.com",
    # out of the region
    "abcde.veo.endpoint.events.amazonaws.com",
    "abcdef.endpoints.email.global.api.aws",
    "abcdef.endpoints.email.amazonaws.com",
    "bucket.s3-accelerate.amazonaws.com",
    "bucket.s3-accelerate.dualstack.amazonaws.com",
    "abcdefghijklm.mrap.accesspoint.s3-global.amazonaws.com",
    "sqs.us-west-2.amazonaws.com",
    "bucket.s3.us-west-2.amazonaws.com",
    "bucket.s3-us-west-2.amazonaws.com",
    "123456789012.ddb.us-west-2.amazonaws.com",
    # Kinesis labels that do not tell the account
    "01234567890123456789.abc.data-kinesis.us-east-1.amazonaws.com",
    "queue-id.data-kinesis-queues.us-east-1.amazonaws.com",
    "channel-id.data-kinesis.us-east-1.amazonaws.com",
    # AWS, but no endpoint of a service
    "amazonaws.com",
    "us-east-1.amazonaws.com",
    "api.aws",
    "us-east-1.api.aws",
    "on.aws",
    "aws.amazon.com",
    "console.aws.amazon.com",
    "docs.aws.amazon.com",
    "",
    ".",
]


@pytest.mark.parametrize("host", STRANGERS)
def test_refuses_what_strangers_and_tenants_create(table: Table, host: str) -> None:
    assert not table.admits(host, "us-east-1")


# The same kinds as a template, for every region of every partition. R, D and U are filled in.
KINDS = {
    "EC2 public name": ["ec2-203-0-113-7.R.compute.D", "ec2-203-0-113-7.compute-1.D", "ec2-203-0-113-7.compute.D"],
    "EC2 private name": ["ip-10-0-0-7.R.compute.internal", "i-0123456789abcdef0.R.compute.internal"],
    "load balancer": ["lb-1234567890.R.elb.D", "lb-0123456789abcdef.elb.R.D", "dualstack.lb-1234567890.R.elb.D"],
    "PrivateLink": ["vpce-0123456789abcdef0-abcdefgh.vpce-svc-0123456789abcdef0.R.vpce.D"],
    "API": ["abcdef1234.execute-api.R.D", "abcdef1234.execute-api-fips.R.D", "abcdef1234.execute-api.R.U"],
    "function URL": ["abcdefghijklmnopqrstuvwxyz012345.lambda-url.R.on.aws", "x.lambda-url.R.on.D", "x.lambda-url.R.D"],
    "web site on S3": [
        "bucket.s3-website.R.D",
        "bucket.s3-website-R.D",
        "s3-website.R.D",
        "s3-website-R.D",
        "b.xs3-R.D",
    ],
    "CloudFront": ["d111111abcdef8.cloudfront.net", "d111111abcdef8.cloudfront.cn", "d111111abcdef8.cloudfront.D"],
    "Amplify": ["main.d1234567890.amplifyapp.com", "d1234567890.amplifyapp.com"],
    "App Runner": ["abcdefghij.R.awsapprunner.com"],
    "Elastic Beanstalk": ["app.R.elasticbeanstalk.com", "app.elasticbeanstalk.com", "app.elasticbeanstalk.R.D"],
    "sign-in page of Cognito's": ["shop.auth.R.amazoncognito.com", "shop.auth-fips.R.amazoncognito.com"],
    "AppSync": ["abcdefghij.appsync-api.R.D", "abcdefghij.appsync-realtime-api.R.D"],
    "database": ["db.abcdefghijkl.R.rds.D", "db.abcdefghijkl.rds.R.D", "cluster.abcdefghijkl.R.redshift.D"],
    "cache or search": ["cache.abcdef.0001.use1.cache.D", "search-x.R.es.D", "abcdefghij.R.aoss.D"],
    "registry": ["123456789012.dkr.ecr.R.D", "domain-123456789012.d.codeartifact.R.D"],
    "global endpoint": ["bucket.s3-accelerate.D", "abc.mrap.accesspoint.s3-global.D", "abcde.veo.endpoint.events.D"],
    "no service": ["nonesuch.R.D", "R.D", "D", "R.U", "x.R.on.aws", "xs3.R.D", "xs3-R.D", "x.sqs.R.D"],
    "another region": [
        "s3.xx-west-9.D",
        "b.s3.xx-west-9.D",
        "b.s3-xx-west-9.D",
        "123456789012.ddb.xx-west-9.D",
        "sqs.xx-west-9.U",
    ],
    "another partition": ["s3.R.D.example", "s3.R.amazonaws.com.invalid", "sqs.R.D.cn", "sqs.R.x.D"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_them_in_every_region(table: Table, kind: str) -> None:
    for region in every_region():
        values = {"R": region.name, "D": region.dns, "U": region.dual_stack}
        for template in KINDS[kind]:
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


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("ec2-203-0-113-7.cn-north-1.compute.amazonaws.com.cn", "cn-north-1"),
        ("my-lb-1234567890.cn-north-1.elb.amazonaws.com.cn", "cn-north-1"),
        ("db.abcdefghijkl.rds.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("abcdef1234.execute-api.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("bucket.s3-website.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("s3.cn-north-1.amazonaws.com", "cn-north-1"),
        ("s3.us-east-1.amazonaws.com.cn", "us-east-1"),
        ("sqs.us-gov-west-1.amazonaws.com", "us-east-1"),
        ("sqs.us-east-1.amazonaws.com", "us-gov-west-1"),
        ("iam.us-gov.amazonaws.com", "us-east-1"),
        ("bucket.s3.amazonaws.com", "eu-west-1"),
        ("s3.amazonaws.com", "eu-west-1"),
        ("bucket.s3.amazonaws.com", "us-gov-west-1"),
        ("ec2-203-0-113-7.us-gov-west-1.compute.amazonaws.com", "us-gov-west-1"),
        ("abcdef1234.execute-api.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
    ],
)
def test_refuses_them_in_other_partitions(table: Table, host: str, region: str) -> None:
    assert not table.admits(host, region)


@pytest.mark.parametrize(
    "host",
    [
        "xs3.us-east-1.amazonaws.com",
        "s3x.us-east-1.amazonaws.com",
        "evil-s3.us-east-1.amazonaws.com",
        "evil.sqs.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com.evil.example",
        "s3.us-east-1.amazonaws.com.",
        "s3.us-east-1.amazonaws.com ",
        "s3.us-east-1.amazonaws.comx",
        "s3.us-east-1.amazonaws.co",
        "s3.us-east-1xamazonaws.com",
        "s3xus-east-1.amazonaws.com",
        "s3.xus-east-1.amazonaws.com",
        "s3.us-east-1.evilamazonaws.com",
        "s3.us-east-1.amazonaws.com\0",
        "s3\0.us-east-1.amazonaws.com",
        "S3.us-east-1.amazonaws.com",
        "s3.US-EAST-1.amazonaws.com",
        "s3.us-east-1.amazonaws.COM",
        ".s3.us-east-1.amazonaws.com",
        "..s3.us-east-1.amazonaws.com",
        "s3..us-east-1.amazonaws.com",
        "N.us-east-1.amazonaws.com",
        "N.R.D",
        "sqs.R.D",
        "B.s3.R.D",
        "B.s3.us-east-1.amazonaws.com",
        "https://s3.us-east-1.amazonaws.com",
        "sqs.us-east-1.amazonaws.com/",
        "sqs.us-east-1.amazonaws.com:443",
    ],
)
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
    "host",
    [
        "ab.s3.us-east-1.amazonaws.com",
        f"{'b' * 64}.s3.us-east-1.amazonaws.com",
        "a..b.s3.us-east-1.amazonaws.com",
        "-bucket.s3.us-east-1.amazonaws.com",
        "bucket-.s3.us-east-1.amazonaws.com",
        "a-.b.s3.us-east-1.amazonaws.com",
        "a.-b.s3.us-east-1.amazonaws.com",
        "my_bucket.s3.us-east-1.amazonaws.com",
        "My-Bucket.s3.us-east-1.amazonaws.com",
        "point.s3-accesspoint.us-east-1.amazonaws.com",
        "point-12345678901.s3-accesspoint.us-east-1.amazonaws.com",
        "-123456789012.s3-accesspoint.us-east-1.amazonaws.com",
        "a.point-123456789012.s3-accesspoint.us-east-1.amazonaws.com",
        "a.b.s3-object-lambda.us-east-1.amazonaws.com",
        f"{'a' * 64}.s3-object-lambda.us-east-1.amazonaws.com",
        "bucket.s3express-use1-az4.us-east-1.amazonaws.com",
        "bucket--x-s3.s3express-use1.us-east-1.amazonaws.com",
        "bucket--x-s3.s3express-az4.us-east-1.amazonaws.com",
        "bucket--x-s3.s3express-.us-east-1.amazonaws.com",
        "bucket--x-s3.s3express--az4.us-east-1.amazonaws.com",
        "bucket--x-s3.s3express-control.us-east-1.amazonaws.com",
        "bucket--x-s3.xs3express-use1-az4.us-east-1.amazonaws.com",
        "12345678901.ddb.us-east-1.amazonaws.com",
        "1234567890123.ddb.us-east-1.amazonaws.com",
        "x123456789012.ddb.us-east-1.amazonaws.com",
        "a.123456789012.ddb.us-east-1.amazonaws.com",
        "123456789012.dynamodb.us-east-1.amazonaws.com",
        "ingest-cell.timestream.us-east-1.amazonaws.com",
        "ingest-cell12345.timestream.us-east-1.amazonaws.com",
        "ingest-cellx.timestream.us-east-1.amazonaws.com",
    ],
)
def test_refuses_malformed_labels(table: Table, host: str) -> None:
    assert not table.admits(host, "us-east-1")


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
