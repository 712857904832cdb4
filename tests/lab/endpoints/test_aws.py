"""The AWS endpoint table: what botocore resolves and what clients call is admitted, in the function's own region."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Iterator
from typing import Any

import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.thinning import long_but
from lab.endpoints.aws import ACCOUNT, HOME_REGIONS, HOSTS, SOME_REGIONS, Answers, Resolved, Table
from shielded_function_runtime.build import aws_labels, aws_table

# The sweeps over botocore are worth making once, in one worker.
pytestmark = [pytest.mark.promise("outbound.aws-hosts"), pytest.mark.xdist_group("aws")]


def assert_admitted(table: Table, answers: Answers, partition: str, *, at_least: int) -> None:
    regions = answers.regions(partition)
    missing = [(region, host) for region in regions for host in answers.of(region) if not table.admits(host, region)]
    assert not missing, missing[:20]
    assert regions
    assert all(len(answers.of(region)) > at_least for region in regions)


@pytest.mark.parametrize("partition", long_but({"aws"}, HOME_REGIONS))
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


@pytest.mark.long
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_a_narrow_list_admits_its_services_only(table: Table, answers: Answers, region: str) -> None:
    wrong: list[tuple[str, str]] = []
    for host, services in answers.of(region).items():
        wrong += [(host, service) for service in services if not table.admits(host, region, service)]
        strangers = [s for s in ("sqs", "dynamodb", "s3", "iam", "ec2", "kms") if s not in services]
        wrong += [(host, "strangers")] if table.admits(host, region, *strangers) else []
    assert not wrong, wrong[:20]


@pytest.mark.long
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
    ("host", "service"), [(host, service) for service, hosts in HOSTS["forms"].items() for host in hosts]
)
def test_admits_the_forms_of_a_service(table: Table, host: str, service: str) -> None:
    assert table.admits(host, "us-east-1")
    assert table.admits(host, "us-east-1", service)
    assert table.admits(host, "us-east-1", "kms", service)
    assert not table.admits(host, "us-east-1", "kms", "ec2")
    assert table.admits(host, "eu-west-1") is (host in GLOBAL)


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
