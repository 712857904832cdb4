"""Grants as people write them: what each opens, and what is said of it. tests/lab/cdk has the CDK's methods."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest

from unit.constructs.aws import aws
from unit.constructs.granted.rows import (
    HOME,
    ISOLATED,
    Built,
    Grant,
    Row,
    another,
    build,
    check_app,
    check_row,
    check_templates,
    key,
    table,
    vpc,
)

pytestmark = pytest.mark.xdist_group("grants")  # one app for all rows


SOURCES: Final = aws.lambda_event_sources
LATEST: Final = aws.lambda_.StartingPosition.LATEST


def allow(function: Any, actions: str, *resources: str, **more: Any) -> None:
    function.add_to_role_policy(
        aws.iam.PolicyStatement(actions=actions.split(), resources=list(resources) or ["*"], **more)
    )


def allowing(actions: str, *resources: str) -> Grant:
    return lambda s, f: allow(f, actions, *resources)


def polls(make_source: Callable[[Any], Any]) -> Grant:
    return lambda s, f: f.add_event_source(make_source(s))


def cfn_table(s: Any) -> Any:
    key_schema = [aws.dynamodb.CfnTable.KeySchemaProperty(attribute_name="id", key_type="HASH")]
    return aws.dynamodb.CfnTable(s, "Raw", key_schema=key_schema)


def nothing(_: Any, __: Any) -> None:
    pass


def of_another_region(actions: str, make: Callable[[Any], str]) -> Grant:
    def grant(s: Any, f: Any) -> None:
        stack = cdk.Stack(s, "Far", env=cdk.Environment(region="us-east-1", account=HOME.account))
        allow(f, actions, make(stack))

    return grant


def access_point(s: Any, f: Any) -> None:
    point = aws.s3.CfnAccessPoint(s, "Point", bucket="shop-orders")
    allow(f, "s3:GetObject", f"{point.attr_arn}/object/*")


def bucket_by_an_assumed_role(s: Any, f: Any) -> None:
    role: Any = aws.iam.Role(s, "Role", assumed_by=aws.iam.ArnPrincipal(f.role.role_arn))
    aws.s3.Bucket(s, "Bucket").grant_read(role)
    role.grant_assume_role(f)


def consumer_of_a_stream(s: Any) -> Any:
    stream = aws.kinesis.Stream(s, "Stream")
    consumer = aws.kinesis.StreamConsumer(s, "Consumer", stream=stream, stream_consumer_name="fan")
    return SOURCES.KinesisConsumerEventSource(consumer, starting_position=LATEST)


def broker_and_cluster_that_lambda_polls(s: Any, f: Any) -> None:
    """From their VPC, which the function is not in."""
    for kind, arn in ("mq", "mq:eu-west-1:111111111111:broker:b:1"), ("rds", "rds:eu-west-1:111111111111:cluster:docs"):
        aws.lambda_.CfnEventSourceMapping(s, kind, function_name=f.function_name, event_source_arn=f"arn:aws:{arn}")
    allow(f, "mq:DescribeBroker rds:DescribeDBClusters rds:DescribeDBSubnetGroups ec2:CreateNetworkInterface")


def secret_that_rotates(s: Any, f: Any) -> None:
    secret = aws.secretsmanager.Secret(s, "Secret")
    secret.add_rotation_schedule("Schedule", hosted_rotation=aws.secretsmanager.HostedRotation.mysql_single_user())
    secret.grant_read(f)


def named_by_the_policies_of_resources(s: Any, f: Any) -> None:
    who: Any = aws.iam.ArnPrincipal(f.role.role_arn)
    bucket, queue = aws.s3.Bucket(s, "Bucket"), aws.sqs.Queue(s, "Queue")
    for resource, action, arn in (
        (bucket, "s3:GetObject", bucket.arn_for_objects("*")),
        (queue, "sqs:SendMessage", queue.queue_arn),
        (aws.secretsmanager.Secret(s, "Secret"), "secretsmanager:GetSecretValue", "*"),
    ):
        statement = aws.iam.PolicyStatement(actions=[action], resources=[arn], principals=[who])
        resource.add_to_resource_policy(statement)


def bucket_of_everybody(s: Any, f: Any) -> None:
    names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    access = aws.s3.BlockPublicAccess(**dict.fromkeys(names, False))
    aws.s3.Bucket(s, "Site", enforce_ssl=True, public_read_access=True, block_public_access=access)


def bucket_and(actions: str, resource: str) -> Grant:
    def grant(s: Any, f: Any) -> None:
        allow(f, "s3:GetObject", f"{BUCKET}/*")
        allow(f, actions, resource)

    return grant


def all_but_denied(s: Any, f: Any) -> None:
    """A deny takes nothing away."""
    allow(f, "sqs:*")
    deny = aws.iam.Effect.DENY
    for denied in {"actions": ["*"]}, {"not_actions": ["sns:*"]}:
        f.add_to_role_policy(aws.iam.PolicyStatement(effect=deny, resources=["*"], **denied))


def managed(name: str) -> Grant:
    return lambda s, f: f.role.add_managed_policy(aws.iam.ManagedPolicy.from_aws_managed_policy_name(name))


def by_hand(**statement: Any) -> Grant:
    """A document that the CDK does not check."""
    document = {"Statement": [{"Sid": "Wide", "Effect": "Allow", "Resource": "*", **statement}]}
    return lambda s, f: aws.iam.CfnPolicy(
        s, "Raw", policy_name="raw", roles=[f.role.role_name], policy_document=document
    )


def imported(role_arn: str) -> Callable[[Any], dict[str, Any]]:
    return lambda s: {"role": aws.iam.Role.from_role_arn(s, "Role", role_arn)}


def policy_that_names_an_imported_role(s: Any, f: Any) -> None:
    for name, role in ("mine", "by-name"), ("theirs", "another"):
        statement = {"Effect": "Allow", "Action": "sns:Publish" if name == "mine" else "ses:*", "Resource": "*"}
        aws.iam.CfnPolicy(s, name, policy_name=name, roles=[role], policy_document={"Statement": [statement]})


def config_rule(s: Any, f: Any) -> None:
    aws.config.CustomRule(s, "Rule", lambda_function=f, periodic=True)


def rest_api(s: Any, f: Any) -> None:
    api = aws.apigateway.RestApi(s, "Api", deploy=False)
    api.root.add_method("GET")
    allow(f, "execute-api:Invoke", api.arn_for_execute_api())


def alias_polls(s: Any, f: Any) -> None:
    alias = aws.lambda_.Alias(s, "Live", alias_name="live", version=f.current_version)
    alias.add_event_source(SOURCES.SqsEventSource(aws.sqs.Queue(s, "Queue")))


def another_polls(s: Any, f: Any) -> None:
    queue = aws.sqs.Queue(s, "Queue")
    another(s, "Poller").add_event_source(SOURCES.SqsEventSource(queue))
    queue.grant_consume_messages(f)


def stream_with_dead_letters(s: Any) -> Any:
    stream = aws.kinesis.Stream(s, "Stream", encryption=aws.kinesis.StreamEncryption.UNENCRYPTED)
    failed = SOURCES.SqsDlq(aws.sqs.Queue(s, "Failed"))
    return SOURCES.KinesisEventSource(stream, starting_position=LATEST, on_failure=failed)


def key_of_a_bucket_that_is_not_granted(s: Any, f: Any) -> None:
    made = key(s)
    aws.s3.Bucket(s, "Bucket", encryption_key=made)
    made.grant_decrypt(f)


def key_of_a_bucket_that_signs(s: Any, f: Any) -> None:
    made = key(s)
    bucket = aws.s3.Bucket(s, "Bucket", encryption_key=made)
    allow(f, "s3:GetObject", bucket.arn_for_objects("*"))
    made.grant(f, "kms:Sign")


SEND_EMAIL: Final = aws.iam.PolicyStatement(actions=["ses:SendEmail"], resources=["*"])
VIA_S3: Final = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
WRITE_LOGS: Final = "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents"
BUCKET: Final = "arn:aws:s3:::shop-orders"
BUCKETS: Final = (
    *(BUCKET, f"{BUCKET}/*", f"{BUCKET}/2026/${{aws:username}}/*", "arn:aws-cn:s3:::shop-orders/a:b"),
    f"arn:{cdk.Aws.PARTITION}:s3:::shop-orders/*",
)
IN_PARAMETERS: Final = ("{{resolve:ssm:/shop/bucket:2}}", "logs-{{resolve:ssm:/shop/a}}-{{resolve:ssm:b}}")
IN_SECRETS: Final = ("{{resolve:ssm-secure:/shop/b}}", "{{resolve:secretsmanager:shop:SecretString:bucket}}")
EVERY_BUCKET: Final = (
    ("s3:GetObject", "*"),
    ("s3:ListAllMyBuckets", "*"),
    ("s3:*", "arn:aws:s3:::*/*"),
    ("s3:*", "arn:aws:s3:::logs-*"),
    ("s3:*", "arn:aws:s3:::home-${aws:username}/*"),
    ("s3:*", "arn:aws:s3:eu-west-1:123456789012:accesspoint/*"),
    ("s3:GetObject", "arn:aws:*:::shop-orders"),
    ("s3-object-lambda:WriteGetObjectResponse", "*"),
)
TABLE: Final = "arn:aws:dynamodb:*:*:table"


ROWS: dict[str, Row] = {
    "alias_polls": Row(alias_polls, "sqs", left=("Lambda polls it",)),
    "another_polls": Row(another_polls, "sqs", left=()),
    "mapping_with_dead_letters": Row(
        polls(stream_with_dead_letters),
        "kinesis sqs",
        left=("Lambda polls it", "Lambda sends unprocessed records to it"),
    ),
    "key_of_a_bucket_that_is_not_granted": Row(key_of_a_bucket_that_is_not_granted, "kms", left=()),
    "key_of_a_bucket_that_signs": Row(key_of_a_bucket_that_signs, "kms", buckets="Bucket", left=()),
    "key_by_way_of_a_service": Row(lambda s, f: allow(f, "kms:Decrypt", conditions=VIA_S3)),
    "log_of_anything": Row(allowing(WRITE_LOGS)),
    "log_of_any_name": Row(allowing(WRITE_LOGS, "arn:aws:logs:*:*:*")),
    "log_by_name": Row(allowing(WRITE_LOGS, "arn:aws:logs:*:*:log-group:/aws/lambda/x:*")),
    "logs_all": Row(allowing("logs:*"), "logs"),
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
    "tables_all": Row(allowing("dynamodb:*"), "dynamodb dynamodbstreams"),
    "table_stream_that_lambda_polls": Row(
        polls(
            lambda s: SOURCES.DynamoEventSource(
                table(s, stream=aws.dynamodb.StreamViewType.NEW_IMAGE), starting_position=LATEST
            )
        ),
        "dynamodbstreams",
        left=("Lambda polls it",),
    ),
    "table_of_another_account": Row(
        allowing("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:222222222222:table/x"), "dynamodb", said="OtherAccount"
    ),
    "bucket_read_of_a_prefix": Row(lambda s, f: aws.s3.Bucket(s, "Bucket").grant_read(f, "2026/*"), buckets="Bucket"),
    # Grants of L1 constructs, by the CDK's facades.
    "bucket_l1": Row(lambda s, f: aws.s3.BucketGrants.from_bucket(aws.s3.CfnBucket(s, "Raw")).read(f), buckets="Raw"),
    "table_l1": Row(lambda s, f: aws.dynamodb.TableGrants(table=cfn_table(s)).read_data(f), "dynamodb"),
    "topic_l1": Row(lambda s, f: aws.sns.TopicGrants.from_topic(aws.sns.CfnTopic(s, "Raw")).publish(f), "sns"),
    "queue_l1": Row(lambda s, f: aws.sqs.QueueGrants.from_queue(aws.sqs.CfnQueue(s, "Raw")).send_messages(f), "sqs"),
    "bucket_imported_with_a_key": Row(
        lambda s, f: aws.s3.Bucket.from_bucket_attributes(
            s, "Bucket", bucket_name="shop-sealed", encryption_key=key(s)
        ).grant_put(f),
        "kms",
        "shop-sealed",
        left=("it is the key of Bucket, whose service calls KMS",),
    ),
    "bucket_with_dots": Row(
        lambda s, f: aws.s3.Bucket.from_bucket_name(s, "Bucket", "www.example.com").grant_read(f),
        said="BucketName",
        text="www.example.com has a dot",
    ),
    "bucket_of_another_region": Row(
        of_another_region(
            "s3:GetObject", lambda s: aws.s3.Bucket(s, "Bucket", bucket_name="shop-far").arn_for_objects("*")
        ),
        said="OtherRegion",
        text="list shop-far.s3.us-east-1.amazonaws.com:443 in allow_outbound",
    ),
    "access_point_of_another_region": Row(
        of_another_region("s3:GetObject", lambda s: aws.s3.CfnAccessPoint(s, "Point", bucket="shop-far").attr_arn),
        said="OtherRegion",
        text="list <name>-<account>.s3-accesspoint.us-east-1.amazonaws.com:443 in allow_outbound",
    ),
    # What names a bucket, and what admits every bucket.
    **{
        f"bucket_by_{number}": Row(allowing("s3:GetObject", arn), buckets="shop-orders")
        for number, arn in enumerate(BUCKETS)
    },
    **{
        f"bucket_in_parameters_{number}": Row(allowing("s3:GetObject", f"arn:aws:s3:::{name}/a/*"), buckets=name)
        for number, name in enumerate(IN_PARAMETERS)
    },
    **{
        f"bucket_in_a_secret_{number}": Row(
            allowing("s3:GetObject", f"arn:aws:s3:::{name}/a/*"),
            said="BucketName",
            text="is a secret, which no",
        )
        for number, name in enumerate(IN_SECRETS)
    },
    **{
        f"buckets_by_{number}": Row(
            bucket_and(action, arn), "s3 s3control" if action == "s3:*" else "s3", said="AllBuckets", text=arn
        )
        for number, (action, arn) in enumerate(EVERY_BUCKET)
    },
    "buckets_but_one": Row(
        lambda s, f: f.add_to_role_policy(
            aws.iam.PolicyStatement(actions=["s3:GetObject"], not_resources=["arn:aws:s3:::secrets/*"])
        ),
        "s3",
        said="AllBuckets",
        text="all but arn:aws:s3:::secrets/*",
    ),
    "buckets_whose_names_begin_so": Row(
        lambda s, f: allow(f, "s3:GetObject", f"{aws.s3.Bucket(s, 'Bucket').bucket_arn}*"), "s3", said="AllBuckets"
    ),
    "directory_bucket_by_arn": Row(
        allowing("s3express:CreateSession", "arn:aws:s3express:eu-west-1:111111111111:bucket/orders--euw1-az1--x-s3"),
        buckets="orders--euw1-az1--x-s3",
    ),
    "batch_operations": Row(allowing("s3:CreateJob", "arn:aws:s3:eu-west-1:111111111111:job/*"), "s3control"),
    "queue_with_an_action_of_s3": Row(
        lambda s, f: allow(
            f, "s3:GetObject", "arn:aws:sqs:eu-west-1:111111111111:q", aws.sqs.Queue(s, "Queue").queue_arn
        ),
        left=("its resource is not of S3",),
    ),
    "access_point": Row(access_point, buckets="Point_(bucket)", hosts="Point_(host)"),
    "bucket_by_an_assumed_role": Row(bucket_by_an_assumed_role, "sts", buckets="Bucket"),
    "queue_that_lambda_polls": Row(
        polls(lambda s: SOURCES.SqsEventSource(aws.sqs.Queue(s, "Queue", encryption=aws.sqs.QueueEncryption.KMS))),
        "kms sqs",
        left=("Lambda polls it", "it is the key of Queue, whose service calls KMS"),
    ),
    "queues_that_lambda_sends_to": Row(
        nothing,
        "sqs",
        props=lambda s: {
            "dead_letter_queue_enabled": True,
            "on_success": aws.lambda_destinations.SqsDestination(aws.sqs.Queue(s, "Done")),
        },
        left=("Lambda sends dead letters to it", "Lambda sends the function's results to it"),
    ),  # Dead letters and a destination.
    "stream_consumer_that_lambda_polls": Row(polls(consumer_of_a_stream), "kinesis", left=("Lambda polls it",)),
    "broker_and_cluster_that_lambda_polls": Row(
        broker_and_cluster_that_lambda_polls, "mq rds", left=("Lambda makes the network interfaces", "Lambda polls it")
    ),
    "secret_that_rotates": Row(secret_that_rotates, "secretsmanager"),
    "named_by_the_policies_of_resources": Row(
        named_by_the_policies_of_resources, "secretsmanager sqs", buckets="Bucket"
    ),
    "bucket_of_everybody": Row(bucket_of_everybody),
    "parameter_that_is_secure": Row(
        lambda s, f: aws.ssm.StringParameter.from_secure_string_parameter_attributes(
            s, "Parameter", parameter_name="/shop/token", encryption_key=key(s)
        ).grant_read(f),
        "kms ssm",
        left=("it is the key of Parameter, whose service calls KMS",),
    ),
    "key_of_the_environment": Row(
        lambda s, f: f.node.scope.node.find_child("Key").grant_decrypt(f),
        "kms",
        props=lambda s: {"environment": {"A": "b"}, "environment_encryption": key(s)},
    ),
    "rest_api": Row(rest_api, hosts="Api:_*.execute-api.eu-west-1.*:443"),
    "log_group_of_its_own": Row(
        lambda s, f: f.log_group.grant_write(f), props=lambda s: {"log_group": aws.logs.LogGroup(s, "Log")}
    ),
    "traces_and_insights": Row(
        nothing,
        props=lambda s: {
            "tracing": aws.lambda_.Tracing.ACTIVE,
            "insights_version": aws.lambda_.LambdaInsightsVersion.VERSION_1_0_333_0,
        },
    ),  # A daemon and an extension send them.
    "vpc_and_file_system": Row(
        nothing,
        props=lambda s: {
            "vpc": vpc(s),
            "vpc_subnets": ISOLATED,
            "filesystem": aws.lambda_.FileSystem.from_efs_access_point(
                aws.efs.FileSystem(s, "Files", vpc=vpc(s), vpc_subnets=ISOLATED).add_access_point("Point"), "/mnt/files"
            ),
        },
    ),  # Lambda makes the interfaces, and mounts.
    "managed_of_the_app": Row(
        lambda s, f: f.role.add_managed_policy(aws.iam.ManagedPolicy(s, "Managed", statements=[SEND_EMAIL])), "ses"
    ),
    # Policies of AWS's, by their names.
    "managed_vpc": Row(managed("service-role/AWSLambdaVPCAccessExecutionRole")),
    "managed_traces": Row(managed("AWSXRayDaemonWriteAccess")),
    "managed_durable": Row(managed("service-role/AWSLambdaBasicDurableExecutionRolePolicy"), "lambda"),
    "managed_queue": Row(managed("service-role/AWSLambdaSQSQueueExecutionRole"), "sqs"),
    "managed_config_rule": Row(config_rule, "config s3", said="AllBuckets"),
    "managed_administrator": Row(managed("AdministratorAccess"), said="ManagedPolicy"),
    **{
        f"imported_role_{number}": Row(
            lambda s, f: aws.sqs.Queue(s, "Queue").grant_send_messages(f),
            "sqs",
            said="ImportedRole",
            props=imported(arn),
        )
        for number, arn in enumerate(("arn:aws:iam::111111111111:role/checkout", cdk.Fn.import_value("Role")))
    },
    "policy_that_names_an_imported_role": Row(
        policy_that_names_an_imported_role,
        "sns",
        said="ImportedRole",
        props=imported("arn:aws:iam::111111111111:role/by-name"),
    ),
    "role_of_another_account": Row(
        allowing("sts:AssumeRole", "arn:aws:iam::222222222222:role/x"), "sts", said="AssumedRole"
    ),
    "queue_of_another_region": Row(
        allowing("sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:far"),
        said="OtherRegion",
        text="it is in us-east-1, and allow_aws admits the endpoints of the function's own region: list sqs.us-east-1.",
    ),
    "queue_of_any_region": Row(allowing("sqs:SendMessage", "arn:aws:sqs:*:111111111111:q"), "sqs"),
    "queue_of_another_account": Row(allowing("sqs:SendMessage", "arn:aws:sqs:eu-west-1:222222222222:q"), "sqs"),
    "role_without_a_region": Row(allowing("iam:GetRole", "arn:aws:iam::111111111111:role/r"), "iam"),
    "service_that_is_unknown": Row(allowing("nothing:Here"), said="UnknownService"),
    "hosts_of_the_region": Row(allowing("ssmmessages:OpenDataChannel"), hosts="ssmmessages.{region}.{suffix}:443"),
    "actions_that_are_tokens": Row(
        lambda s, f: allow(f, f"{cdk.Fn.join(':', ['sqs', 'SendMessage'])} {cdk.Token.as_string('sns:Publish')}"),
        "sns sqs",
    ),
    "all_but_denied": Row(all_but_denied, "sqs"),
}

# Those of data planes, whose hosts "*" does not tell, and what is said to write for them.
PLANES: Final = {
    "aoss:APIAccessAll": "",
    "appsync:GraphQL": "",
    "dax:GetItem": ":8111",
    "dsql:DbConnect": "",
    "elasticache:Connect": "",
    "es:*": ".es.amazonaws.com:443",
    "es:ESHttpGet": ".es.amazonaws.com:443",
    "execute-api:Invoke": ".execute-api.",
    "iot:Connect": "describe-endpoint",
    "kafka-cluster:Connect": "get-bootstrap-brokers",
    "lambda:InvokeFunctionUrl": ".lambda-url.",
    "neptune-db:ReadDataViaQuery": ".neptune.amazonaws.com:8182",
    "rds-db:connect": ".rds.amazonaws.com:5432",
}
ROWS.update(
    {
        action: Row(allowing(action), "es" if action == "es:*" else "", said="DataPlane", text=text)
        for action, text in PLANES.items()
    }
)

PROBLEMS: Final = {
    str(number): Row(by_hand(**statement), services, said=said, text="/Raw, statement Wide: ", stops=True)
    for number, (statement, said, services) in enumerate(
        (
            ({"Action": "*"}, "Everything", ""),
            ({"Action": "*:*"}, "Everything", ""),
            ({"Action": ["sqs:SendMessage", "*"]}, "Everything", "sqs"),
            ({"Action": "s*:Get*"}, "Everything", ""),
            ({"NotAction": "iam:*"}, "Everything", ""),
            ({"Action": "GetObject"}, "UnknownAction", ""),
            ({"Action": {"Ref": "SomeParameter"}}, "UnknownAction", ""),
        )
    )
}


def test_what_stops_the_synthesis(tmp_path: Path) -> None:
    built = build(tmp_path, PROBLEMS)
    for name in PROBLEMS:
        check_row(built, name)


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
    "bucket_of_another_region": {"shop-far"},
}


def test_templates_tell_the_same(built: Built) -> None:
    more = check_templates(built)
    (export,) = more.pop("access_point_of_another_region")
    assert "ExportsReader" in export
    assert more == ONLY_FROM_CONSTRUCTS
