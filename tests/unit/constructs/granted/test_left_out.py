"""Grants that the function does not use itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm

from shielded_function.granted import Grants

Read = Callable[..., Grants]
Ids = Callable[[Grants], "list[str]"]
LeftOut = Callable[[Grants], "list[str]"]
Allow = Callable[..., None]
MakeFunction = Callable[..., lambda_.Function]


def table(stack: cdk.Stack, **props: Any) -> dynamodb.Table:
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    return dynamodb.Table(stack, "Table", partition_key=key, **props)


def test_event_sources(stack: cdk.Stack, read: Read, checkout: lambda_.Function, left_out: LeftOut) -> None:
    start = lambda_.StartingPosition.LATEST
    queue = sqs.Queue(stack, "Queue", encryption=sqs.QueueEncryption.KMS)
    streamed = table(stack, stream=dynamodb.StreamViewType.NEW_IMAGE)
    stream = kinesis.Stream(stack, "Stream", encryption=kinesis.StreamEncryption.UNENCRYPTED)
    checkout.add_event_source(sources.SqsEventSource(queue))
    checkout.add_event_source(sources.DynamoEventSource(streamed, starting_position=start))
    checkout.add_event_source(sources.KinesisEventSource(stream, starting_position=start))
    grants = read()
    assert grants.entries == ()
    assert {line.rpartition(": ")[2] for line in left_out(grants)} == {
        "Lambda polls it",
        "it is the key of Shop/Queue, whose service calls KMS",
    }


def test_sending_to_the_queue_that_is_polled_counts(
    stack: cdk.Stack, read: Read, checkout: lambda_.Function, left_out: LeftOut
) -> None:
    queue = sqs.Queue(stack, "Queue")
    checkout.add_event_source(sources.SqsEventSource(queue))
    assert read().services == ()
    queue.grant_send_messages(checkout)
    assert read().services == ("sqs",)


def test_an_alias_polls_for_its_function(stack: cdk.Stack, read: Read, checkout: lambda_.Function) -> None:
    queue = sqs.Queue(stack, "Queue")
    lambda_.Alias(stack, "Live", alias_name="live", version=cast(Any, checkout.current_version)).add_event_source(
        sources.SqsEventSource(queue)
    )
    assert read().services == ()


def test_another_functions_event_source_does_not_count(
    stack: cdk.Stack, read: Read, checkout: lambda_.Function, make_function: MakeFunction
) -> None:
    queue = sqs.Queue(stack, "Queue")
    make_function("Poller").add_event_source(sources.SqsEventSource(queue))
    queue.grant_consume_messages(checkout)
    assert read().services == ("sqs",)


def test_dead_letters_and_destinations(
    stack: cdk.Stack, read: Read, make_function: MakeFunction, left_out: LeftOut
) -> None:
    bus = events.EventBus(stack, "Bus")
    function = make_function(
        "Async",
        dead_letter_queue_enabled=True,
        on_success=destinations.SqsDestination(sqs.Queue(stack, "Done")),
        on_failure=destinations.EventBridgeDestination(bus),
    )
    checked = read(function)
    assert checked.entries == ()
    assert {line.rpartition(": ")[2] for line in left_out(checked)} == {
        "Lambda sends dead letters to it",
        "Lambda sends the function's results to it",
    }
    function.dead_letter_queue.grant_send_messages(function)  # type: ignore[union-attr]
    assert read(function).services == ("sqs",)


def test_a_topic_for_dead_letters(stack: cdk.Stack, read: Read, make_function: MakeFunction) -> None:
    assert read(make_function("Async", dead_letter_topic=sns.Topic(stack, "Topic"))).entries == ()


def test_what_a_mapping_could_not_process(stack: cdk.Stack, read: Read, checkout: lambda_.Function) -> None:
    checkout.add_event_source(
        sources.KinesisEventSource(
            kinesis.Stream(stack, "Stream", encryption=kinesis.StreamEncryption.UNENCRYPTED),
            starting_position=lambda_.StartingPosition.LATEST,
            on_failure=cast(Any, sources.SqsDlq(sqs.Queue(stack, "Failed"))),
        )
    )
    assert read().entries == ()


class TestKeys:
    def test_of_what_is_granted(
        self, stack: cdk.Stack, read: Read, checkout: lambda_.Function, left_out: LeftOut
    ) -> None:
        key: Any = kms.Key(stack, "Key")
        s3.Bucket(stack, "Bucket", encryption_key=key).grant_read_write(checkout)
        table(stack, encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED, encryption_key=key).grant_read_data(checkout)
        sqs.Queue(stack, "Queue", encryption_master_key=key).grant_send_messages(checkout)
        grants = read()
        assert set(grants.services) == {"dynamodb", "sqs"}
        assert any("key of Shop/" in line for line in left_out(grants))

    def test_of_what_hides_it_in_a_token_or_is_imported(
        self, stack: cdk.Stack, read: Read, checkout: lambda_.Function, left_out: LeftOut
    ) -> None:
        keys: list[Any] = [kms.Key(stack, f"Key{number}") for number in range(3)]
        name = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        encryption = dynamodb.TableEncryptionV2.customer_managed_key(keys[0])
        dynamodb.TableV2(stack, "Global", partition_key=name, encryption=encryption).grant_read_data(checkout)
        ssm.StringParameter.from_secure_string_parameter_attributes(
            stack, "Parameter", parameter_name="/shop/token", encryption_key=keys[1]
        ).grant_read(checkout)
        s3.Bucket.from_bucket_attributes(
            stack, "Imported", bucket_name="shop-imported", encryption_key=keys[2]
        ).grant_put(checkout)
        assert set(read().services) == {"dynamodb", "ssm"}
        reasons = {line.rpartition(": ")[2] for line in left_out(read())}
        assert {
            f"it is the key of Shop/{n}, whose service calls KMS" for n in ("Global", "Parameter", "Imported")
        } <= reasons

    def test_of_what_is_not_granted(self, stack: cdk.Stack, read: Read, checkout: lambda_.Function) -> None:
        key: Any = kms.Key(stack, "Key")
        s3.Bucket(stack, "Bucket", encryption_key=key)
        key.grant_decrypt(checkout)
        assert read().services == ("kms",)

    def test_signing_is_done_by_code(self, stack: cdk.Stack, read: Read, checkout: lambda_.Function) -> None:
        key: Any = kms.Key(stack, "Key")
        s3.Bucket(stack, "Bucket", encryption_key=key).grant_read(checkout)
        key.grant(checkout, "kms:Sign")
        assert read().services == ("kms",)

    def test_by_way_of_a_service(self, allow: Allow, read: Read) -> None:
        allow("kms:Decrypt", conditions={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})
        assert read().services == ()

    def test_of_the_environment(self, stack: cdk.Stack, read: Read, make_function: MakeFunction) -> None:
        key: Any = kms.Key(stack, "Key")
        function = make_function("Sealed", environment={"A": "b"}, environment_encryption=key)
        key.grant_decrypt(function)
        assert read(function).services == ()


class TestLogs:
    def test_its_own_log_group(self, stack: cdk.Stack, read: Read, make_function: MakeFunction) -> None:
        group = logs.LogGroup(stack, "Log")
        function = make_function("Logged", log_group=group)
        group.grant_write(function)
        assert read(function).services == ()

    def test_another_log_group(self, stack: cdk.Stack, read: Read, make_function: MakeFunction) -> None:
        function = make_function("Logged", log_group=logs.LogGroup(stack, "Log"))
        logs.LogGroup(stack, "Audit").grant_write(function)
        assert read(function).services == ("logs",)

    @pytest.mark.parametrize("resource", ["*", "arn:aws:logs:*:*:*", "arn:aws:logs:*:*:log-group:/aws/lambda/x:*"])
    def test_the_usual_statement(self, allow: Allow, read: Read, resource: str) -> None:
        allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], resource)
        assert read().services == ()

    def test_reading_logs(self, allow: Allow, read: Read) -> None:
        allow("logs:*", "*")
        assert read().services == ("logs",)


def test_traces(read: Read, make_function: MakeFunction, allow: Allow) -> None:
    allow("xray:PutTraceSegments")
    assert read().services == ("xray",)
    assert read(make_function("Traced", tracing=lambda_.Tracing.ACTIVE)).services == ()


def test_a_vpc_and_a_file_system(stack: cdk.Stack, read: Read, make_function: MakeFunction, ids: Ids) -> None:
    vpc = ec2.Vpc(stack, "Vpc")
    files = efs.FileSystem(stack, "Files", vpc=vpc)
    point = files.add_access_point("Point")
    function = make_function(
        "Inside", vpc=vpc, filesystem=lambda_.FileSystem.from_efs_access_point(point, "/mnt/files")
    )
    function.add_to_role_policy(iam.PolicyStatement(actions=["ec2:CreateNetworkInterface"], resources=["*"]))
    grants = read(function)
    assert grants.entries == ()
    assert ids(grants) == []


def test_passing_a_role_calls_nothing(stack: cdk.Stack, read: Read, checkout: lambda_.Function) -> None:
    principal: Any = iam.ServicePrincipal("ecs.amazonaws.com")
    iam.Role(stack, "Role", assumed_by=principal).grant_pass_role(cast(Any, checkout))
    assert read().services == ()


def test_a_tables_stream(stack: cdk.Stack, read: Read, checkout: lambda_.Function, allow: Allow) -> None:
    streamed = table(stack, stream=dynamodb.StreamViewType.NEW_IMAGE)
    streamed.grant_read_data(checkout)
    assert read().services == ("dynamodb",)
    streamed.grant_stream_read(checkout)
    assert set(read().services) == {"dynamodb", "dynamodbstreams"}


@pytest.mark.parametrize(
    ("resource", "streams"),
    [
        ("arn:aws:dynamodb:*:*:table/orders", False),
        ("arn:aws:dynamodb:*:*:table/orders/index/*", False),
        ("arn:aws:dynamodb:*:*:table/orders/*", True),
        ("arn:aws:dynamodb:*:*:table/orders/stream/*", True),
        ("arn:aws:dynamodb:*:*:table/*", True),
        ("*", True),
    ],
)
def test_which_resources_can_be_streams(allow: Allow, read: Read, resource: str, streams: bool) -> None:
    allow("dynamodb:*", resource)
    assert ("dynamodbstreams" in read().services) is streams
