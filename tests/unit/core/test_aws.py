"""The AWS endpoint table: what botocore resolves is admitted, what a stranger can create is not."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
from collections.abc import Iterator
from typing import Any

import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.endpoint_provider
import botocore.exceptions
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.thinning import long_but
from shielded_function_runtime.build import aws_labels, aws_table
from unit.core.aws import ACCOUNT, HOME_REGIONS, SOME_REGIONS, Answers, Region, Resolved, Table, every_region
from unit.core.native import Native

# The sweeps over botocore are worth making once, in one worker.
pytestmark = pytest.mark.xdist_group("aws")


def assert_admitted(table: Table, answers: Answers, partition: str, *, at_least: int) -> None:
    regions = answers.regions(partition)
    missing = [(region, host) for region in regions for host in answers.of(region) if not table.admits(host, region)]
    assert not missing, missing[:20]
    assert regions
    assert all(len(answers.of(region)) > at_least for region in regions)


@pytest.mark.parametrize("partition", HOME_REGIONS)
def test_admits_every_host_that_botocore_resolves(table: Table, answers: Answers, partition: str) -> None:
    assert_admitted(table, answers, partition, at_least=300)


@pytest.mark.long
@pytest.mark.parametrize("partition", HOME_REGIONS)
def test_admits_them_in_every_region(table: Table, all_answers: Answers, partition: str) -> None:
    assert_admitted(table, all_answers, partition, at_least=1500)


@pytest.mark.long
def test_every_service_has_a_host_in_every_partition(all_answers: Answers) -> None:
    services = set(botocore.session.Session().get_available_services())
    for region in HOME_REGIONS.values():
        resolved = set().union(*all_answers.of(region).values())
        assert len(services - resolved) <= 3, services - resolved
    assert set().union(*all_answers.of("us-east-1").values()) == services


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_a_narrow_list_admits_its_services_only(table: Table, answers: Answers, region: str) -> None:
    wrong: list[tuple[str, str]] = []
    for host, services in answers.of(region).items():
        wrong += [(host, service) for service in services if not table.admits(host, region, service)]
        strangers = [s for s in ("sqs", "dynamodb", "s3", "iam", "ec2", "kms") if s not in services]
        wrong += [(host, "strangers")] if table.admits(host, region, *strangers) else []
    assert not wrong, wrong[:20]


@pytest.mark.parametrize("region", [*SOME_REGIONS, *HOME_REGIONS.values()])
def test_refuses_the_endpoints_of_other_regions(table: Table, answers: Answers, region: str) -> None:
    assert_others_refused(table, answers, region)


@pytest.mark.long
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "mx-central-1", *HOME_REGIONS.values()])
def test_refuses_the_endpoints_of_every_other_region(table: Table, all_answers: Answers, region: str) -> None:
    assert_others_refused(table, all_answers, region)


def assert_others_refused(table: Table, answers: Answers, region: str) -> None:
    """A host that names another region is admitted only where botocore resolves it here too (global services)."""
    here = answers.of(region)
    wrong = [
        (other, host)
        for (_, other), hosts in answers.hosts.items()
        if other != region
        for host in hosts
        if other in re.split(r"[.]", host) and host not in here and table.admits(host, region)
    ]
    assert not wrong, wrong[:20]


@pytest.mark.long
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-north-1", "us-gov-east-1", "us-iso-west-1"])
def test_a_name_stands_in_its_own_patterns_only(
    table: Table, all_answers: Answers, resolved: Resolved, region: str
) -> None:
    """Puts every name into every pattern: what is admitted, botocore resolves in a region of this partition."""
    partition = next(p for p in resolved[0] if region in p.regions)
    rows, names = aws_table.split(*resolved)
    known = {host.replace(f".{other}.", f".{region}.") for other in partition.regions for host in all_answers.of(other)}
    forms = [row.pattern for row in rows if aws_labels.Token.NAME in row.pattern]
    assert len(forms) > 15
    admitted = 0
    for form, name in itertools.product(forms, names):
        host = form.lstrip("H").replace("N", name.name)
        for token, text in (
            (".R", f".{region}"),
            (".G", f".{partition.home}"),
            (".P", f".{partition.pseudo}"),
            (".D", f".{partition.dns}"),
            (".U", f".{partition.dual_stack}"),
        ):
            host = host.replace(token, text)
        if table.admits(host, region):
            admitted += 1
            assert host in known, host
    assert admitted > 1500


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
    "web site on S3": ["bucket.s3-website.R.D", "bucket.s3-website-R.D", "s3-website.R.D", "s3-website-R.D"],
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
    "no service": ["nonesuch.R.D", "R.D", "D", "R.U", "x.R.on.aws", "xs3.R.D", "x.sqs.R.D"],
    "another region": ["s3.xx-west-9.D", "b.s3.xx-west-9.D", "123456789012.ddb.xx-west-9.D", "sqs.xx-west-9.U"],
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


def test_a_new_region_follows_the_rules_of_its_partition(table: Table) -> None:
    assert table.admits("sqs.eu-north-7.amazonaws.com", "eu-north-7")
    assert table.admits("sqs.us-gov-north-1.amazonaws.com", "us-gov-north-1")
    assert table.admits("sqs.cn-south-1.amazonaws.com.cn", "cn-south-1")
    assert not table.admits("sqs.cn-south-1.amazonaws.com", "cn-south-1")
    # as botocore does with a prefix it does not know
    assert table.admits("sqs.xx-north-1.amazonaws.com", "xx-north-1")
    assert table.admits("sqs.cnx-north-1.amazonaws.com", "cnx-north-1")


# Of the forms below, what is admitted in every region of the partition.
GLOBAL = {
    "123456789012.cloudfront-kvs.global.api.aws",
    "sts.amazonaws.com",
    "iam.amazonaws.com",
    "route53.amazonaws.com",
    "cloudfront.amazonaws.com",
    "organizations.us-east-1.amazonaws.com",
}


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("bucket.s3.us-east-1.amazonaws.com", "s3"),
        ("my.dotted.bucket.s3.us-east-1.amazonaws.com", "s3"),
        ("a-b--c.s3.us-east-1.amazonaws.com", "s3"),
        (f"{'b' * 63}.s3.us-east-1.amazonaws.com", "s3"),
        ("bucket.s3-fips.us-east-1.amazonaws.com", "s3"),
        ("bucket.s3.dualstack.us-east-1.amazonaws.com", "s3"),
        ("my.bucket.s3-fips.dualstack.us-east-1.amazonaws.com", "s3"),
        ("bucket.s3.amazonaws.com", "s3"),
        ("point-123456789012.s3-accesspoint.us-east-1.amazonaws.com", "s3"),
        ("point-123456789012.s3-accesspoint-fips.dualstack.us-east-1.amazonaws.com", "s3"),
        ("point-abcdefghijklmn-s3alias.s3.us-east-1.amazonaws.com", "s3"),
        ("point-123456789012.s3-object-lambda.us-east-1.amazonaws.com", "s3"),
        ("io-iad-cell001.s3-object-lambda.us-east-1.amazonaws.com", "s3"),
        ("point-123456789012.op-0123456789abcdef0.s3-outposts.us-east-1.amazonaws.com", "s3"),
        ("bucket--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", "s3"),
        ("bucket--use1-az4--x-s3.s3express-fips-use1-az4.dualstack.us-east-1.amazonaws.com", "s3"),
        ("point--use1-az12--xa-s3.s3express-use1-az12.us-east-1.amazonaws.com", "s3"),
        ("bucket--usw2-lax1-az1--x-s3.s3express-usw2-lax1-az1.us-east-1.amazonaws.com", "s3"),
        ("s3express-control.us-east-1.amazonaws.com", "s3"),
        ("s3express-control.us-east-1.amazonaws.com", "s3control"),
        ("123456789012.s3-control.us-east-1.amazonaws.com", "s3control"),
        ("123456789012.s3-control.dualstack.us-east-1.amazonaws.com", "s3control"),
        ("123456789012.ddb.us-east-1.amazonaws.com", "dynamodb"),
        ("123456789012.ddb.us-east-1.api.aws", "dynamodb"),
        ("123456789012.streams-ddb.us-east-1.amazonaws.com", "dynamodbstreams"),
        ("123456789012.data-kinesis.us-east-1.amazonaws.com", "kinesis"),
        ("123456789012.control-kinesis-fips.us-east-1.amazonaws.com", "kinesis"),
        ("123456789012.eventsv2.us-east-1.amazonaws.com", "eventbridgev2"),
        ("123456789012.cloudfront-kvs.global.api.aws", "cloudfront-keyvaluestore"),
        ("ingest-cell1.timestream.us-east-1.amazonaws.com", "timestream-write"),
        ("query-cell23.timestream.us-east-1.amazonaws.com", "timestream-query"),
        ("sync-states.us-east-1.amazonaws.com", "stepfunctions"),
        ("stream-logs.us-east-1.amazonaws.com", "logs"),
        ("data-servicediscovery.us-east-1.amazonaws.com", "servicediscovery"),
        ("api.iotsitewise.us-east-1.amazonaws.com", "iotsitewise"),
        ("execute-api.us-east-1.amazonaws.com", "apigatewaymanagementapi"),
        ("data-ats.iot.us-east-1.amazonaws.com", "iot-data"),
        ("neptune-graph.us-east-1.on.aws", "neptune-graph"),
        ("rds.us-east-1.amazonaws.com", "neptune"),
        ("queue.amazonaws.com", "sqs"),
        ("us-east-1.queue.amazonaws.com", "sqs"),
        ("sts.amazonaws.com", "sts"),
        ("iam.amazonaws.com", "iam"),
        ("route53.amazonaws.com", "route53"),
        ("cloudfront.amazonaws.com", "cloudfront"),
        ("organizations.us-east-1.amazonaws.com", "organizations"),
        ("runtime.sagemaker.us-east-1.amazonaws.com", "sagemaker-runtime"),
    ],
)
def test_admits_the_forms_of_a_service(table: Table, host: str, service: str) -> None:
    assert table.admits(host, "us-east-1")
    assert table.admits(host, "us-east-1", service)
    assert table.admits(host, "us-east-1", "kms", service)
    assert not table.admits(host, "us-east-1", "kms", "ec2")
    assert table.admits(host, "eu-west-1") is (host in GLOBAL)


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
    """Their host names, in every form that S3 has, are all of S3."""
    hosts = own_hosts("s3", {"Bucket": "my-bucket"})
    assert len(hosts) > 200
    for region, host in hosts:
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


def test_no_name_of_awss_looks_like_data(native: Native, answers: Answers) -> None:
    for region in HOME_REGIONS.values():
        wrong = [host for host in answers.of(region) if native.lib.words_look_like_data(native.text(host))]
        assert not wrong, wrong[:20]


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


# Which host a client would have called: (service, client options, operation, its arguments, a piece of the host).
CALLS: list[tuple[str, dict[str, Any], str, dict[str, Any], str]] = [
    ("s3", {}, "get_object", {"Bucket": "my-bucket", "Key": "k"}, "my-bucket.s3."),
    ("s3", {}, "get_object", {"Bucket": "my.bucket", "Key": "k"}, "s3."),
    ("s3", {"s3": {"addressing_style": "path"}}, "get_object", {"Bucket": "my-bucket", "Key": "k"}, "s3."),
    ("s3", {"use_dualstack_endpoint": True}, "get_object", {"Bucket": "my-bucket", "Key": "k"}, ".dualstack."),
    ("s3", {"use_fips_endpoint": True}, "get_object", {"Bucket": "my-bucket", "Key": "k"}, "s3-fips"),
    (
        "s3",
        {},
        "get_object",
        {"Bucket": "arn:aws:s3:{region}:123456789012:accesspoint/point", "Key": "k"},
        "point-123456789012.s3-accesspoint.",
    ),
    ("s3", {}, "list_objects_v2", {"Bucket": "b1--use1-az4--x-s3"}, ".s3express-use1-az4."),
    ("s3", {}, "list_buckets", {}, "s3."),
    ("s3", {}, "write_get_object_response", {"RequestRoute": "io-cell002", "RequestToken": "t"}, "io-cell002."),
    ("s3control", {}, "list_jobs", {"AccountId": ACCOUNT}, f"{ACCOUNT}.s3-control."),
    ("dynamodb", {}, "get_item", {"TableName": "t", "Key": {}}, f"{ACCOUNT}.ddb."),
    ("dynamodb", {"account_id_endpoint_mode": "disabled"}, "get_item", {"TableName": "t", "Key": {}}, "dynamodb."),
    ("sqs", {}, "send_message", {"QueueUrl": "https://sqs.{region}.amazonaws.com/1/q", "MessageBody": "m"}, "sqs."),
    ("kinesis", {}, "put_record",
     {"StreamARN": "arn:aws:kinesis:{region}:123456789012:stream/s", "Data": b"d", "PartitionKey": "p"},
     f"{ACCOUNT}.data-kinesis."),
    ("sts", {}, "get_caller_identity", {}, "sts."),
    ("iam", {}, "list_roles", {}, "iam.amazonaws.com"),
    ("lambda", {}, "invoke", {"FunctionName": "f"}, "lambda."),
    ("secretsmanager", {}, "get_secret_value", {"SecretId": "s"}, "secretsmanager."),
    ("stepfunctions", {}, "start_sync_execution", {"stateMachineArn": "arn:aws:states:x:1:x:x"}, "sync-states."),
    ("logs", {}, "start_live_tail", {"logGroupIdentifiers": ["arn:aws:logs:x:1:log-group:x"]}, "stream-logs."),
    ("servicediscovery", {}, "discover_instances", {"NamespaceName": "n", "ServiceName": "s"}, "data-"),
    ("events", {}, "put_events", {"Entries": [{}]}, "events."),
    ("sagemaker-runtime", {}, "invoke_endpoint", {"EndpointName": "e", "Body": b"x"}, "runtime.sagemaker."),
]  # fmt: skip


@pytest.mark.parametrize("region", long_but({"us-east-1"}, ["us-east-1", "eu-west-1"]))
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}-{call[2]}-{call[4]}")
def test_admits_what_a_client_calls(
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
    call: tuple[str, dict[str, Any], str, dict[str, Any], str],
    region: str,
) -> None:
    service, options, operation, arguments, piece = call
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    session = botocore.session.Session()
    session._credentials = botocore.credentials.Credentials("AKID", "SECRET", account_id=ACCOUNT)
    client: Any = session.create_client(service, region, config=botocore.config.Config(**options))
    hosts: list[str] = []

    def send(request: Any, **_: Any) -> Any:
        hosts.append(request.url.split("/")[2])
        return botocore.awsrequest.AWSResponse(request.url, 500, {}, _Empty())

    client.meta.events.register_first("before-send", send)
    filled = {k: v.format(region=region) if isinstance(v, str) else v for k, v in arguments.items()}
    with contextlib.suppress(Exception):
        getattr(client, operation)(**filled)
    assert hosts
    assert piece in hosts[0]
    for host in hosts:
        assert table.admits(host, region), host
        assert table.admits(host, region, service), host
        assert not table.admits(host, region, "kms"), host


class _Empty:
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield b""


@given(st.binary(max_size=300), st.text(max_size=40))
def test_takes_any_bytes(table: Table, host: bytes, region: str) -> None:
    assert not table.admits(host, region)
