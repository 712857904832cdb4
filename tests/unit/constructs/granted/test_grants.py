"""Grants as people write them: what each opens, and what is said of it. tests/lab/cdk has the CDK's methods."""

from __future__ import annotations

from typing import Any, Final

import aws_cdk as cdk
import pytest

from unit.constructs.aws import aws
from unit.constructs.granted.rows import (
    HOME,
    ID,
    ISOLATED,
    Built,
    Grant,
    Row,
    another,
    build,
    check_app,
    check_row,
    check_templates,
    instance,
    key,
    table,
    vpc,
)

pytestmark = pytest.mark.xdist_group("grants")  # one app for all rows


def allow(function: Any, actions: str, *resources: str, **more: Any) -> None:
    function.add_to_role_policy(
        aws.iam.PolicyStatement(actions=actions.split(), resources=list(resources) or ["*"], **more)
    )


def allowing(actions: str, *resources: str) -> Grant:
    return lambda s, f: allow(f, actions, *resources)


def table_with_an_index(s: Any, f: Any) -> None:
    made = table(s)
    made.add_global_secondary_index(index_name="by-name", partition_key=ID)
    made.grant_read_data(f)


def table_stream_that_lambda_polls(s: Any, f: Any) -> None:
    streamed = table(s, stream=aws.dynamodb.StreamViewType.NEW_IMAGE)
    f.add_event_source(
        aws.lambda_event_sources.DynamoEventSource(streamed, starting_position=aws.lambda_.StartingPosition.LATEST)
    )


def bucket_of_another_region(s: Any, f: Any) -> None:
    far = cdk.Stack(s, "Far", env=cdk.Environment(region="us-east-1", account=HOME.account))
    aws.s3.Bucket(far, "Bucket", bucket_name="shop-far").grant_read(f)


def access_point(s: Any, f: Any) -> None:
    point = aws.s3.CfnAccessPoint(s, "Point", bucket="shop-orders")
    allow(f, "s3:GetObject", f"{point.attr_arn}/object/*")


def directory_bucket(s: Any, f: Any) -> None:
    made = aws.s3express.CfnDirectoryBucket(
        s, "Fast", data_redundancy="SingleAvailabilityZone", location_name="euw1-az1"
    )
    allow(f, "s3express:CreateSession", made.attr_arn)


def bucket_by_an_assumed_role(s: Any, f: Any) -> None:
    role: Any = aws.iam.Role(s, "Role", assumed_by=aws.iam.ArnPrincipal(f.role.role_arn))
    aws.s3.Bucket(s, "Bucket").grant_read(role)
    role.grant_assume_role(f)


def queue_that_lambda_polls_and_code_sends_to(s: Any, f: Any) -> None:
    made = aws.sqs.Queue(s, "Queue")
    f.add_event_source(aws.lambda_event_sources.SqsEventSource(made))
    made.grant_send_messages(f)


def stream_that_lambda_polls(s: Any, f: Any) -> None:
    stream = aws.kinesis.Stream(s, "Stream")
    f.add_event_source(
        aws.lambda_event_sources.KinesisEventSource(stream, starting_position=aws.lambda_.StartingPosition.LATEST)
    )


def stream_consumer_that_lambda_polls(s: Any, f: Any) -> None:
    consumer = aws.kinesis.StreamConsumer(
        s, "Consumer", stream=aws.kinesis.Stream(s, "Stream"), stream_consumer_name="fan"
    )
    f.add_event_source(
        aws.lambda_event_sources.KinesisConsumerEventSource(
            consumer, starting_position=aws.lambda_.StartingPosition.LATEST
        )
    )


def broker_and_cluster_that_lambda_polls(s: Any, f: Any) -> None:
    """From their VPC, which the function is not in."""
    for kind, arn in ("mq", "mq:eu-west-1:111111111111:broker:b:1"), ("rds", "rds:eu-west-1:111111111111:cluster:docs"):
        aws.lambda_.CfnEventSourceMapping(s, kind, function_name=f.function_name, event_source_arn=f"arn:aws:{arn}")
    actions = [
        "mq:DescribeBroker",
        "rds:DescribeDBClusters",
        "rds:DescribeDBSubnetGroups",
        "ec2:CreateNetworkInterface",
    ]
    f.add_to_role_policy(aws.iam.PolicyStatement(actions=actions, resources=["*"]))


def secret_that_rotates(s: Any, f: Any) -> None:
    secret = aws.secretsmanager.Secret(s, "Secret")
    secret.add_rotation_schedule("Schedule", hosted_rotation=aws.secretsmanager.HostedRotation.mysql_single_user())
    secret.grant_read(f)


def secret_by_its_policy(s: Any, f: Any) -> None:
    who: Any = aws.iam.ArnPrincipal(f.role.role_arn)
    aws.secretsmanager.Secret(s, "Secret").add_to_resource_policy(
        aws.iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=["*"], principals=[who])
    )


def secret_of_a_database_that_rotates(s: Any, f: Any) -> None:
    database = instance(s)
    database.add_rotation_single_user()
    database.secret.grant_read(f)


def rest_api(s: Any, f: Any) -> None:
    api = aws.apigateway.RestApi(s, "Api", deploy=False)
    api.root.add_method("GET")
    allow(f, "execute-api:Invoke", api.arn_for_execute_api())


def deployment_hook(s: Any, f: Any) -> None:
    alias: Any = aws.lambda_.Alias(s, "Alias", alias_name="live", version=another(s).current_version)
    aws.codedeploy.LambdaDeploymentGroup(s, "Group", alias=alias).add_pre_hook(f)


def project_start(s: Any, f: Any) -> None:
    spec = aws.codebuild.BuildSpec.from_object({"version": "0.2"})
    allow(f, "codebuild:StartBuild", aws.codebuild.Project(s, "Project", build_spec=spec).project_arn)


def managed_policy_of_the_app(s: Any, f: Any) -> None:
    statement = aws.iam.PolicyStatement(actions=["ses:SendEmail"], resources=["*"])
    f.role.add_managed_policy(aws.iam.ManagedPolicy(s, "Managed", statements=[statement]))


def plain_policy(s: Any, f: Any) -> None:
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    properties: Any = {"Roles": [f.role.role_name], "PolicyDocument": {"Statement": [statement]}}
    cdk.CfnResource(s, "Policy", type="AWS::IAM::Policy", properties=properties)


def alias_polls(s: Any, f: Any) -> None:
    alias = aws.lambda_.Alias(s, "Live", alias_name="live", version=f.current_version)
    alias.add_event_source(aws.lambda_event_sources.SqsEventSource(aws.sqs.Queue(s, "Queue")))


def another_polls(s: Any, f: Any) -> None:
    queue = aws.sqs.Queue(s, "Queue")
    another(s, "Poller").add_event_source(aws.lambda_event_sources.SqsEventSource(queue))
    queue.grant_consume_messages(f)


def mapping_with_dead_letters(s: Any, f: Any) -> None:
    stream = aws.kinesis.Stream(s, "Stream", encryption=aws.kinesis.StreamEncryption.UNENCRYPTED)
    failed = aws.lambda_event_sources.SqsDlq(aws.sqs.Queue(s, "Failed"))
    start = aws.lambda_.StartingPosition.LATEST
    f.add_event_source(aws.lambda_event_sources.KinesisEventSource(stream, starting_position=start, on_failure=failed))


def dead_letters_that_code_sends_too(s: Any, f: Any) -> None:
    f.dead_letter_queue.grant_send_messages(f)


def key_of_a_bucket_that_is_not_granted(s: Any, f: Any) -> None:
    made = key(s)
    aws.s3.Bucket(s, "Bucket", encryption_key=made)
    made.grant_decrypt(f)


def key_of_a_bucket_that_signs(s: Any, f: Any) -> None:
    made = key(s)
    aws.s3.Bucket(s, "Bucket", encryption_key=made).grant_read(f)
    made.grant(f, "kms:Sign")


VIA_S3: Final = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
WRITE_LOGS: Final = "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents"
TABLE: Final = "arn:aws:dynamodb:*:*:table"


ROWS: dict[str, Row] = {
    "alias_polls": Row(alias_polls),
    "another_polls": Row(another_polls, "sqs"),
    "mapping_with_dead_letters": Row(mapping_with_dead_letters),
    "event_bus_that_lambda_sends_to": Row(
        lambda s, f: None,
        props=lambda s: {"on_failure": aws.lambda_destinations.EventBridgeDestination(aws.events.EventBus(s, "Bus"))},
    ),
    "topic_for_dead_letters": Row(lambda s, f: None, props=lambda s: {"dead_letter_topic": aws.sns.Topic(s, "Topic")}),
    "dead_letters_that_code_sends_too": Row(
        dead_letters_that_code_sends_too, "sqs", props=lambda s: {"dead_letter_queue_enabled": True}
    ),
    "key_of_a_bucket_that_is_not_granted": Row(key_of_a_bucket_that_is_not_granted, "kms"),
    "key_of_a_bucket_that_signs": Row(key_of_a_bucket_that_signs, "kms", buckets="Bucket"),
    "key_by_way_of_a_service": Row(lambda s, f: allow(f, "kms:Decrypt", conditions=VIA_S3)),
    "log_of_anything": Row(lambda s, f: allow(f, WRITE_LOGS)),
    "log_of_any_name": Row(lambda s, f: allow(f, WRITE_LOGS, "arn:aws:logs:*:*:*")),
    "log_by_name": Row(lambda s, f: allow(f, WRITE_LOGS, "arn:aws:logs:*:*:log-group:/aws/lambda/x:*")),
    "logs_all": Row(lambda s, f: allow(f, "logs:*"), "logs"),
    "logs_of_another_group": Row(
        lambda s, f: aws.logs.LogGroup(s, "Audit").grant_write(f),
        "logs",
        props=lambda s: {"log_group": aws.logs.LogGroup(s, "Log")},
    ),
    # Which resources of a table can be its stream.
    **{
        f"table_{number}": Row(
            allowing("dynamodb:*", f"{TABLE}/{name}"), "dynamodb dynamodbstreams" if streams else "dynamodb"
        )
        for number, (name, streams) in enumerate(
            {"orders": False, "orders/index/*": False, "orders/*": True, "orders/stream/*": True, "*": True}.items()
        )
    },
    "tables_all": Row(lambda s, f: allow(f, "dynamodb:*"), "dynamodb dynamodbstreams"),
    "table_with_an_index": Row(table_with_an_index, "dynamodb"),
    "table_stream_that_lambda_polls": Row(table_stream_that_lambda_polls, left=("Lambda polls it",)),
    "table_imported_with_a_key": Row(
        lambda s, f: aws.dynamodb.Table.from_table_attributes(
            s, "Table", table_name="orders", encryption_key=key(s)
        ).grant_read_data(f),
        "dynamodb",
    ),
    "table_of_another_account": Row(
        lambda s, f: allow(f, "dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:222222222222:table/orders"),
        "dynamodb",
        said="OtherAccount",
    ),
    "bucket_delete_of_a_prefix": Row(
        lambda s, f: aws.s3.Bucket(s, "Bucket").grant_delete(f, "incoming/*"), buckets="Bucket"
    ),
    "bucket_read_of_a_prefix": Row(lambda s, f: aws.s3.Bucket(s, "Bucket").grant_read(f, "2026/*"), buckets="Bucket"),
    "bucket_that_empties_itself": Row(
        lambda s, f: aws.s3.Bucket(
            s, "Bucket", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY
        ).grant_read(f),
        buckets="Bucket",
    ),
    "bucket_with_a_name": Row(
        lambda s, f: aws.s3.Bucket(s, "Bucket", bucket_name="shop-named").grant_read(f), buckets="shop-named"
    ),
    "bucket_imported": Row(
        lambda s, f: aws.s3.Bucket.from_bucket_name(s, "Bucket", "shop-imported").grant_read_write(f),
        buckets="shop-imported",
    ),
    "bucket_imported_with_a_key": Row(
        lambda s, f: aws.s3.Bucket.from_bucket_attributes(
            s, "Bucket", bucket_name="shop-sealed", encryption_key=key(s)
        ).grant_put(f),
        buckets="shop-sealed",
        left=("it is the key of Bucket, whose service calls KMS",),
    ),
    "bucket_with_dots": Row(
        lambda s, f: aws.s3.Bucket.from_bucket_name(s, "Bucket", "www.example.com").grant_read(f), said="BucketName"
    ),
    "bucket_of_another_region": Row(bucket_of_another_region, said="OtherRegion"),
    "bucket_in_a_parameter": Row(
        lambda s, f: allow(f, "s3:GetObject", "arn:aws:s3:::{{resolve:ssm:/shop/bucket}}/*"),
        buckets="{{resolve:ssm:/shop/bucket}}",
    ),
    "buckets_all": Row(lambda s, f: allow(f, "s3:GetObject s3:ListBucket"), "s3", said="AllBuckets"),
    "batch_operations": Row(
        lambda s, f: allow(f, "s3:CreateJob", "arn:aws:s3:eu-west-1:111111111111:job/*"), "s3control"
    ),
    "access_point": Row(access_point, buckets="Point_(bucket)", hosts="Point_(host)"),
    "directory_bucket": Row(directory_bucket, buckets="Fast"),
    "bucket_by_an_assumed_role": Row(bucket_by_an_assumed_role, "sts", buckets="Bucket"),
    "queue_that_lambda_polls": Row(
        lambda s, f: f.add_event_source(
            aws.lambda_event_sources.SqsEventSource(aws.sqs.Queue(s, "Queue", encryption=aws.sqs.QueueEncryption.KMS))
        ),
        left=("Lambda polls it", "it is the key of Queue, whose service calls KMS"),
    ),
    "queue_that_lambda_polls_and_code_sends_to": Row(queue_that_lambda_polls_and_code_sends_to, "sqs"),
    "queues_that_lambda_sends_to": Row(
        lambda s, f: None,
        props=lambda s: {
            "dead_letter_queue_enabled": True,
            "on_success": aws.lambda_destinations.SqsDestination(aws.sqs.Queue(s, "Done")),
        },
        left=("Lambda sends dead letters to it", "Lambda sends the function's results to it"),
    ),  # Dead letters and a destination.
    "stream_write": Row(
        lambda s, f: aws.kinesis.Stream(s, "Stream", encryption=aws.kinesis.StreamEncryption.KMS).grant_write(f),
        "kinesis",
    ),
    "stream_that_lambda_polls": Row(stream_that_lambda_polls),
    "stream_consumer_that_lambda_polls": Row(stream_consumer_that_lambda_polls),
    "broker_and_cluster_that_lambda_polls": Row(broker_and_cluster_that_lambda_polls),
    "secret_with_a_key": Row(
        lambda s, f: aws.secretsmanager.Secret(s, "Secret", encryption_key=key(s)).grant_write(f), "secretsmanager"
    ),
    "secret_that_rotates": Row(secret_that_rotates, "secretsmanager"),
    "secret_by_its_policy": Row(secret_by_its_policy, "secretsmanager"),
    "secret_of_a_database_that_rotates": Row(secret_of_a_database_that_rotates, "secretsmanager"),
    "parameter_that_is_secure": Row(
        lambda s, f: aws.ssm.StringParameter.from_secure_string_parameter_attributes(
            s, "Parameter", parameter_name="/shop/token", encryption_key=key(s)
        ).grant_read(f),
        "ssm",
        left=("it is the key of Parameter, whose service calls KMS",),
    ),
    "key_of_the_environment": Row(
        lambda s, f: f.node.scope.node.find_child("Key").grant_decrypt(f),
        props=lambda s: {"environment": {"A": "b"}, "environment_encryption": key(s)},
    ),
    "alias_invoke": Row(
        lambda s, f: aws.lambda_.Alias(s, "Alias", alias_name="live", version=another(s).current_version).grant_invoke(
            f
        ),
        "lambda",
    ),
    "rest_api": Row(rest_api, hosts="Api:_*.execute-api.eu-west-1.*:443"),
    "deployment_hook": Row(deployment_hook, "codedeploy"),
    "log_group_of_its_own": Row(
        lambda s, f: f.log_group.grant_write(f), props=lambda s: {"log_group": aws.logs.LogGroup(s, "Log")}
    ),
    "traces_and_insights": Row(
        lambda s, f: None,
        props=lambda s: {
            "tracing": aws.lambda_.Tracing.ACTIVE,
            "insights_version": aws.lambda_.LambdaInsightsVersion.VERSION_1_0_333_0,
        },
    ),  # A daemon and an extension send them.
    "vpc_and_file_system": Row(
        lambda s, f: None,
        props=lambda s: {
            "vpc": vpc(s),
            "vpc_subnets": ISOLATED,
            "filesystem": aws.lambda_.FileSystem.from_efs_access_point(
                aws.efs.FileSystem(s, "Files", vpc=vpc(s), vpc_subnets=ISOLATED).add_access_point("Point"), "/mnt/files"
            ),
        },
    ),  # Lambda makes the interfaces, and mounts.
    "project_start": Row(project_start, "codebuild"),
    "managed_policy_of_the_app": Row(managed_policy_of_the_app, "ses"),
    "managed_policy_of_awss": Row(
        lambda s, f: f.role.add_managed_policy(
            aws.iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSQSFullAccess")
        ),
        said="ManagedPolicy",
    ),
    "imported_role": Row(
        lambda s, f: aws.sqs.Queue(s, "Queue").grant_send_messages(f),
        "sqs",
        said="ImportedRole",
        props=lambda s: {"role": aws.iam.Role.from_role_arn(s, "Role", "arn:aws:iam::111111111111:role/checkout")},
    ),
    "role_of_another_account": Row(
        lambda s, f: allow(f, "sts:AssumeRole", "arn:aws:iam::222222222222:role/x"), "sts", said="AssumedRole"
    ),
    "plain_policy": Row(plain_policy, "sns"),
    "queue_of_another_region": Row(
        lambda s, f: allow(f, "sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:far"), said="OtherRegion"
    ),
}

# Those of data planes, whose hosts "*" does not tell.
PLANES: Final = (
    "aoss:APIAccessAll",
    "appsync:GraphQL",
    "dax:GetItem",
    "dsql:DbConnect",
    "elasticache:Connect",
    "es:ESHttpGet",
    "execute-api:Invoke",
    "kafka-cluster:Connect",
    "neptune-db:ReadDataViaQuery",
    "rds-db:connect",
)


ROWS.update({text: Row(allowing(text), said="DataPlane") for text in PLANES})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("grants"), ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_grant_opens_what_it_says(built: Built, name: str) -> None:
    check_row(built, name)


def test_the_whole_app_says_no_more(built: Built) -> None:
    check_app(built, ROWS)


# What a template does not tell: more is granted than from constructs, never less.
ONLY_FROM_CONSTRUCTS: Final = {
    "bucket_imported_with_a_key": {"kms"},
    "bucket_of_another_region": {"shop-far"},
    "parameter_that_is_secure": {"kms"},
    "table_imported_with_a_key": {"kms"},
}


def test_templates_tell_the_same(built: Built) -> None:
    assert check_templates(built) == ONLY_FROM_CONSTRUCTS
