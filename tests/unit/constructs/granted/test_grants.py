"""Grants as people write them, one a row: what each opens, no more and no less, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_efs as efs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_rds as rds
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3express as s3express
from aws_cdk import aws_secretsmanager as sm
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from shielded_function import Shield, ShieldPolicy
from shielded_function.checks import read_assembly
from shielded_function.granted import Grants, read_grants
from shielded_function.granted.template_reader import TemplateGrants

pytestmark = pytest.mark.xdist_group("grants")  # one app for all rows

HOME: Final = cdk.Environment(region="eu-west-1", account="111111111111")
SCHEMA: Final = str(Path(__file__).parents[1] / "hosts" / "schema.graphql")
DECRYPT: Final = "kms:Decrypt"

Grant = Callable[[Any, Any], object]
"""Grants something to a function; what it makes goes into the scope."""


@dataclass(frozen=True)
class Row:
    """A grant.

    Attributes:
        grant: makes it.
        services: what `allow_aws` gets, between blanks.
        buckets: what `allow_buckets` gets: names, or constructs by their ids.
        hosts: what `allow_outbound` gets, with `*` for tokens.
        said: the ids of warnings, without their common beginning.
        props: of the function.
    """

    grant: Grant
    services: str = ""
    buckets: str = ""
    hosts: str = ""
    said: str = ""
    props: Callable[[Any], dict[str, Any]] = lambda _: {}


ROWS: dict[str, Row] = {}


def row(services: str = "", **expected: Any) -> Callable[[Grant], Grant]:
    def add(grant: Grant) -> Grant:
        ROWS[grant.__name__] = Row(grant, services, **expected)
        return grant

    return add


def allow(function: Any, actions: str, *resources: str, **more: Any) -> None:
    function.add_to_role_policy(
        iam.PolicyStatement(actions=actions.split(), resources=list(resources) or ["*"], **more)
    )


def key(scope: Any) -> Any:
    return kms.Key(scope, "Key")


def vpc(scope: Any) -> Any:
    """One for all of a stack."""
    stack = cdk.Stack.of(scope)
    return stack.node.try_find_child("Vpc") or ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0)


ISOLATED: Final = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
ID: Final = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
POSTGRES: Final = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_16_6)


def table(scope: Any, **props: Any) -> Any:
    return dynamodb.Table(scope, "Table", partition_key=ID, **props)


def cluster(scope: Any, **props: Any) -> Any:
    writer: Any = rds.ClusterInstance.serverless_v2("Writer")
    return rds.DatabaseCluster(
        scope, "Cluster", engine=POSTGRES, writer=writer, vpc=vpc(scope), vpc_subnets=ISOLATED, **props
    )


def instance(scope: Any, **props: Any) -> Any:
    engine: Any = rds.DatabaseInstanceEngine.POSTGRES
    return rds.DatabaseInstance(scope, "Db", engine=engine, vpc=vpc(scope), vpc_subnets=ISOLATED, **props)


def another(scope: Any, name: str = "Another", **props: Any) -> Any:
    return lambda_.Function(
        scope,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=lambda_.Code.from_inline("def handler(event, context): pass"),
        **props,
    )


# DynamoDB


@row("dynamodb")
def table_read(s: Any, f: Any) -> None:
    table(s).grant_read_data(f)


@row("dynamodb")
def table_write(s: Any, f: Any) -> None:
    table(s).grant_write_data(f)


@row("dynamodb")
def table_full_access(s: Any, f: Any) -> None:
    table(s).grant_full_access(f)


@row("dynamodb")
def table_with_an_index(s: Any, f: Any) -> None:
    made = table(s)
    made.add_global_secondary_index(index_name="by-name", partition_key=ID)
    made.grant_read_data(f)


@row("dynamodbstreams")
def table_stream(s: Any, f: Any) -> None:
    table(s, stream=dynamodb.StreamViewType.NEW_IMAGE).grant_stream_read(f)


@row()
def table_stream_that_lambda_polls(s: Any, f: Any) -> None:
    streamed = table(s, stream=dynamodb.StreamViewType.NEW_IMAGE)
    f.add_event_source(sources.DynamoEventSource(streamed, starting_position=lambda_.StartingPosition.LATEST))


@row("dynamodb")
def table_with_a_key(s: Any, f: Any) -> None:
    table(s, encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED, encryption_key=key(s)).grant_read_write_data(f)


@row("dynamodb")
def table_v2(s: Any, f: Any) -> None:
    dynamodb.TableV2(s, "Table", partition_key=ID).grant_read_write_data(f)


@row("dynamodb")
def table_v2_with_a_key(s: Any, f: Any) -> None:
    encryption = dynamodb.TableEncryptionV2.customer_managed_key(key(s))
    dynamodb.TableV2(s, "Table", partition_key=ID, encryption=encryption).grant_read_write_data(f)


@row("dynamodb")
def table_imported_with_a_key(s: Any, f: Any) -> None:
    dynamodb.Table.from_table_attributes(s, "Table", table_name="orders", encryption_key=key(s)).grant_read_data(f)


@row("dynamodb", said="OtherAccount")
def table_of_another_account(s: Any, f: Any) -> None:
    allow(f, "dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:222222222222:table/orders")


# S3


@row(buckets="Bucket")
def bucket_read(s: Any, f: Any) -> None:
    s3.Bucket(s, "Bucket").grant_read(f)


@row(buckets="Bucket")
def bucket_put(s: Any, f: Any) -> None:
    s3.Bucket(s, "Bucket").grant_put(f)


@row(buckets="Bucket")
def bucket_delete_of_a_prefix(s: Any, f: Any) -> None:
    s3.Bucket(s, "Bucket").grant_delete(f, "incoming/*")


@row(buckets="Bucket")
def bucket_read_of_a_prefix(s: Any, f: Any) -> None:
    s3.Bucket(s, "Bucket").grant_read(f, "2026/*")


@row(buckets="Bucket")
def bucket_with_a_key(s: Any, f: Any) -> None:
    s3.Bucket(s, "Bucket", encryption_key=key(s)).grant_read_write(f)


@row(buckets="Bucket")
def bucket_that_empties_itself(s: Any, f: Any) -> None:
    s3.Bucket(s, "Bucket", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY).grant_read(f)


@row(buckets="shop-named")
def bucket_with_a_name(s: Any, f: Any) -> None:
    s3.Bucket(s, "Bucket", bucket_name="shop-named").grant_read(f)


@row(buckets="shop-imported")
def bucket_imported(s: Any, f: Any) -> None:
    s3.Bucket.from_bucket_name(s, "Bucket", "shop-imported").grant_read_write(f)


@row(buckets="shop-sealed")
def bucket_imported_with_a_key(s: Any, f: Any) -> None:
    s3.Bucket.from_bucket_attributes(s, "Bucket", bucket_name="shop-sealed", encryption_key=key(s)).grant_put(f)


@row(said="BucketName")
def bucket_with_dots(s: Any, f: Any) -> None:
    s3.Bucket.from_bucket_name(s, "Bucket", "www.example.com").grant_read(f)


@row(said="OtherRegion")
def bucket_of_another_region(s: Any, f: Any) -> None:
    far = cdk.Stack(s, "Far", env=cdk.Environment(region="us-east-1", account=HOME.account))
    s3.Bucket(far, "Bucket", bucket_name="shop-far").grant_read(f)


@row(buckets="{{resolve:ssm:/shop/bucket}}")
def bucket_in_a_parameter(s: Any, f: Any) -> None:
    allow(f, "s3:GetObject", "arn:aws:s3:::{{resolve:ssm:/shop/bucket}}/*")


@row("s3", said="AllBuckets")
def buckets_all(s: Any, f: Any) -> None:
    allow(f, "s3:GetObject s3:ListBucket")


@row("s3control")
def batch_operations(s: Any, f: Any) -> None:
    allow(f, "s3:CreateJob", "arn:aws:s3:eu-west-1:111111111111:job/*")


@row(buckets="Point_(bucket)", hosts="Point_(host)")
def access_point(s: Any, f: Any) -> None:
    point = s3.CfnAccessPoint(s, "Point", bucket="shop-orders")
    allow(f, "s3:GetObject", f"{point.attr_arn}/object/*")


@row(buckets="Fast")
def directory_bucket(s: Any, f: Any) -> None:
    made = s3express.CfnDirectoryBucket(s, "Fast", data_redundancy="SingleAvailabilityZone", location_name="euw1-az1")
    allow(f, "s3express:CreateSession", made.attr_arn)


@row("sts", buckets="Bucket")
def bucket_by_an_assumed_role(s: Any, f: Any) -> None:
    role: Any = iam.Role(s, "Role", assumed_by=iam.ArnPrincipal(f.role.role_arn))  # type: ignore[arg-type]
    s3.Bucket(s, "Bucket").grant_read(role)
    role.grant_assume_role(f)


# Messages


@row("sqs")
def queue_send(s: Any, f: Any) -> None:
    sqs.Queue(s, "Queue").grant_send_messages(f)


@row("sqs")
def queue_consume(s: Any, f: Any) -> None:
    sqs.Queue(s, "Queue").grant_consume_messages(f)


@row("sqs")
def queue_with_a_key(s: Any, f: Any) -> None:
    sqs.Queue(s, "Queue", encryption_master_key=key(s)).grant_send_messages(f)


@row()
def queue_that_lambda_polls(s: Any, f: Any) -> None:
    f.add_event_source(sources.SqsEventSource(sqs.Queue(s, "Queue", encryption=sqs.QueueEncryption.KMS)))


@row("sqs")
def queue_that_lambda_polls_and_code_sends_to(s: Any, f: Any) -> None:
    made = sqs.Queue(s, "Queue")
    f.add_event_source(sources.SqsEventSource(made))
    made.grant_send_messages(f)


@row(
    props=lambda s: {"dead_letter_queue_enabled": True, "on_success": destinations.SqsDestination(sqs.Queue(s, "Done"))}
)
def queues_that_lambda_sends_to(s: Any, f: Any) -> None:
    """Dead letters and a destination."""


@row("sns")
def topic_publish(s: Any, f: Any) -> None:
    sns.Topic(s, "Topic").grant_publish(f)


@row("sns")
def topic_with_a_key(s: Any, f: Any) -> None:
    sns.Topic(s, "Topic", master_key=key(s)).grant_publish(f)


@row("eventbridgev2 events")
def bus_put(s: Any, f: Any) -> None:
    events.EventBus(s, "Bus").grant_put_events_to(f)


@row("kinesis")
def stream_write(s: Any, f: Any) -> None:
    kinesis.Stream(s, "Stream", encryption=kinesis.StreamEncryption.KMS).grant_write(f)


@row("kinesis")
def stream_read(s: Any, f: Any) -> None:
    kinesis.Stream(s, "Stream").grant_read(f)


@row()
def stream_that_lambda_polls(s: Any, f: Any) -> None:
    stream = kinesis.Stream(s, "Stream")
    f.add_event_source(sources.KinesisEventSource(stream, starting_position=lambda_.StartingPosition.LATEST))


@row()
def stream_consumer_that_lambda_polls(s: Any, f: Any) -> None:
    consumer = kinesis.StreamConsumer(s, "Consumer", stream=kinesis.Stream(s, "Stream"), stream_consumer_name="fan")
    f.add_event_source(sources.KinesisConsumerEventSource(consumer, starting_position=lambda_.StartingPosition.LATEST))


@row()
def broker_and_cluster_that_lambda_polls(s: Any, f: Any) -> None:
    """From their VPC, which the function is not in."""
    for kind, arn in ("mq", "mq:eu-west-1:111111111111:broker:b:1"), ("rds", "rds:eu-west-1:111111111111:cluster:docs"):
        lambda_.CfnEventSourceMapping(s, kind, function_name=f.function_name, event_source_arn=f"arn:aws:{arn}")
    actions = [
        "mq:DescribeBroker",
        "rds:DescribeDBClusters",
        "rds:DescribeDBSubnetGroups",
        "ec2:CreateNetworkInterface",
    ]
    f.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=["*"]))


@row("firehose")
def delivery_stream_put(s: Any, f: Any) -> None:
    to: Any = firehose.S3Bucket(s3.Bucket(s, "Bucket"))
    firehose.DeliveryStream(s, "Stream", destination=to).grant_put_records(f)


@row("ses")
def identity_send(s: Any, f: Any) -> None:
    ses.EmailIdentity(s, "Identity", identity=ses.Identity.domain("example.com")).grant_send_email(f)


# Secrets, parameters, keys


@row("secretsmanager")
def secret_read(s: Any, f: Any) -> None:
    sm.Secret(s, "Secret").grant_read(f)


@row("secretsmanager")
def secret_with_a_key(s: Any, f: Any) -> None:
    sm.Secret(s, "Secret", encryption_key=key(s)).grant_write(f)


@row("secretsmanager")
def secret_that_rotates(s: Any, f: Any) -> None:
    secret = sm.Secret(s, "Secret")
    secret.add_rotation_schedule("Schedule", hosted_rotation=sm.HostedRotation.mysql_single_user())
    secret.grant_read(f)


@row("secretsmanager")
def secret_by_its_policy(s: Any, f: Any) -> None:
    who: Any = iam.ArnPrincipal(f.role.role_arn)
    sm.Secret(s, "Secret").add_to_resource_policy(
        iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=["*"], principals=[who])
    )


@row("secretsmanager")
def secret_of_a_database_that_rotates(s: Any, f: Any) -> None:
    database = instance(s)
    database.add_rotation_single_user()
    database.secret.grant_read(f)


@row("ssm")
def parameter_read(s: Any, f: Any) -> None:
    ssm.StringParameter(s, "Parameter", string_value="x").grant_read(f)


@row("ssm")
def parameter_that_is_secure(s: Any, f: Any) -> None:
    ssm.StringParameter.from_secure_string_parameter_attributes(
        s, "Parameter", parameter_name="/shop/token", encryption_key=key(s)
    ).grant_read(f)


@row("kms")
def key_decrypt(s: Any, f: Any) -> None:
    key(s).grant_decrypt(f)


@row("kms")
def key_sign(s: Any, f: Any) -> None:
    key(s).grant(f, "kms:Sign")


@row("kms")
def key_mac(s: Any, f: Any) -> None:
    made = kms.Key(s, "Key", key_spec=kms.KeySpec.HMAC_256, key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC)
    made.grant_generate_mac(f)


@row(props=lambda s: {"environment": {"A": "b"}, "environment_encryption": key(s)})
def key_of_the_environment(s: Any, f: Any) -> None:
    f.node.scope.node.find_child("Key").grant_decrypt(f)


# Calls


@row("stepfunctions")
def state_machine_start(s: Any, f: Any) -> None:
    body = sfn.DefinitionBody.from_chainable(sfn.Pass(s, "Pass"))
    sfn.StateMachine(s, "Machine", definition_body=body).grant_start_execution(f)


@row("stepfunctions")
def state_machine_start_and_wait(s: Any, f: Any) -> None:
    """It is called at a host of its own, `sync-states`, which is the service's."""
    body = sfn.DefinitionBody.from_chainable(sfn.Pass(s, "Pass"))
    machine = sfn.StateMachine(s, "Machine", definition_body=body, state_machine_type=sfn.StateMachineType.EXPRESS)
    machine.grant_start_sync_execution(f)


@row("stepfunctions")
def state_machine_task_response(s: Any, f: Any) -> None:
    body = sfn.DefinitionBody.from_chainable(sfn.Pass(s, "Pass"))
    sfn.StateMachine(s, "Machine", definition_body=body).grant_task_response(f)


@row("lambda")
def function_invoke(s: Any, f: Any) -> None:
    another(s).grant_invoke(f)


@row("lambda")
def alias_invoke(s: Any, f: Any) -> None:
    lambda_.Alias(s, "Alias", alias_name="live", version=another(s).current_version).grant_invoke(f)


@row(hosts="Another:_*:443")
def function_url(s: Any, f: Any) -> None:
    another(s).add_function_url().grant_invoke_url(f)


@row(hosts="Api:_*.execute-api.eu-west-1.*:443")
def rest_api(s: Any, f: Any) -> None:
    api = apigateway.RestApi(s, "Api", deploy=False)
    api.root.add_method("GET")
    allow(f, "execute-api:Invoke", api.arn_for_execute_api())


@row(hosts="Api:_*:443")
def web_socket_api(s: Any, f: Any) -> None:
    apigatewayv2.WebSocketApi(s, "Api").grant_manage_connections(f)


@row(hosts="Api:_*:443")
def http_api_route(s: Any, f: Any) -> None:
    api: Any = apigatewayv2.HttpApi(s, "Api")
    integration: Any = integrations.HttpUrlIntegration("Integration", "https://example.com")
    authorizer: Any = authorizers.HttpIamAuthorizer()
    (route,) = api.add_routes(path="/orders", integration=integration, authorizer=authorizer)
    route.grant_invoke(f)


@row(hosts="Api:_*:443 Api:_*:443_(2)")
def graphql_api(s: Any, f: Any) -> None:
    definition = appsync.Definition.from_file(SCHEMA)
    appsync.GraphqlApi(s, "Api", name="api", definition=definition).grant_query(f)


@row(hosts="Api:_*:443 Api:_*:443_(2)")
def event_api(s: Any, f: Any) -> None:
    iam_only: Any = appsync.EventApiAuthConfig(
        auth_providers=[appsync.AppSyncAuthProvider(authorization_type=appsync.AppSyncAuthorizationType.IAM)]
    )
    appsync.EventApi(s, "Api", api_name="api", authorization_config=iam_only).grant_publish(f)


@row(hosts="Domain:_*:443")
def search_domain_read(s: Any, f: Any) -> None:
    opensearch.Domain(s, "Domain", version=opensearch.EngineVersion.OPENSEARCH_2_19).grant_read(f)


@row(hosts="Domain:_*:443")
def search_domain_index_write(s: Any, f: Any) -> None:
    opensearch.Domain(s, "Domain", version=opensearch.EngineVersion.OPENSEARCH_2_19).grant_index_write("orders", f)


@row(hosts="Db:_*:*")
def database_connect(s: Any, f: Any) -> None:
    instance(s, iam_authentication=True).grant_connect(f, "app")


@row(hosts="Cluster:_*:* Cluster:_*:*_(2)")
def database_cluster_connect(s: Any, f: Any) -> None:
    cluster(s, iam_authentication=True).grant_connect(f, "app")


@row(hosts="Db/Proxy:_*:5432")
def database_proxy_connect(s: Any, f: Any) -> None:
    database = instance(s)
    proxy = database.add_proxy("Proxy", secrets=[database.secret], vpc=vpc(s), vpc_subnets=ISOLATED, iam_auth=True)
    proxy.grant_connect(f, "app")


@row("rds-data secretsmanager")
def database_data_api(s: Any, f: Any) -> None:
    cluster(s, enable_data_api=True).grant_data_api_access(f)


# Others


@row("cognito-idp")
def user_pool(s: Any, f: Any) -> None:
    cognito.UserPool(s, "Pool").grant(f, "cognito-idp:AdminGetUser")


@row("codedeploy")
def deployment_hook(s: Any, f: Any) -> None:
    alias: Any = lambda_.Alias(s, "Alias", alias_name="live", version=another(s).current_version)
    codedeploy.LambdaDeploymentGroup(s, "Group", alias=alias).add_pre_hook(f)


@row("cloudwatch")
def metrics_put(s: Any, f: Any) -> None:
    cloudwatch.Metric.grant_put_metric_data(f)


@row("logs")
def log_group_write(s: Any, f: Any) -> None:
    logs.LogGroup(s, "Log").grant_write(f)


@row("logs")
def log_group_read(s: Any, f: Any) -> None:
    logs.LogGroup(s, "Log").grant_read(f)


@row(props=lambda s: {"log_group": logs.LogGroup(s, "Log")})
def log_group_of_its_own(s: Any, f: Any) -> None:
    f.log_group.grant_write(f)


@row(
    props=lambda s: {
        "tracing": lambda_.Tracing.ACTIVE,
        "insights_version": lambda_.LambdaInsightsVersion.VERSION_1_0_333_0,
    }
)
def traces_and_insights(s: Any, f: Any) -> None:
    """A daemon and an extension send them."""


@row(
    props=lambda s: {
        "vpc": vpc(s),
        "vpc_subnets": ISOLATED,
        "filesystem": lambda_.FileSystem.from_efs_access_point(
            efs.FileSystem(s, "Files", vpc=vpc(s), vpc_subnets=ISOLATED).add_access_point("Point"), "/mnt/files"
        ),
    }
)
def vpc_and_file_system(s: Any, f: Any) -> None:
    """Lambda makes the interfaces, and mounts."""


@row("ecr")
def images_pull(s: Any, f: Any) -> None:
    ecr.Repository(s, "Repository").grant_pull(f)


@row("ecs")
def task_run(s: Any, f: Any) -> None:
    task = ecs.FargateTaskDefinition(s, "Task")
    task.add_container("Container", image=ecs.ContainerImage.from_registry("example.com/image"))
    task.grant_run(f)


@row(hosts="git-codecommit.{region}.{suffix}:443")
def repository_pull(s: Any, f: Any) -> None:
    codecommit.Repository(s, "Repository", repository_name="orders").grant_pull(f)


@row("codebuild")
def project_start(s: Any, f: Any) -> None:
    spec = codebuild.BuildSpec.from_object({"version": "0.2"})
    allow(f, "codebuild:StartBuild", codebuild.Project(s, "Project", build_spec=spec).project_arn)


@row("cloudfront")
def distribution_invalidate(s: Any, f: Any) -> None:
    behavior = cloudfront.BehaviorOptions(origin=origins.HttpOrigin("example.com"))
    cloudfront.Distribution(s, "Distribution", default_behavior=behavior).grant_create_invalidation(f)


@row("route53")
def hosted_zone(s: Any, f: Any) -> None:
    route53.PublicHostedZone(s, "Zone", zone_name="example.com").grant_delegation(f)


@row()
def role_pass(s: Any, f: Any) -> None:
    principal: Any = iam.ServicePrincipal("ecs.amazonaws.com")
    iam.Role(s, "Role", assumed_by=principal).grant_pass_role(f)


@row("ses")
def managed_policy_of_the_app(s: Any, f: Any) -> None:
    statement = iam.PolicyStatement(actions=["ses:SendEmail"], resources=["*"])
    f.role.add_managed_policy(iam.ManagedPolicy(s, "Managed", statements=[statement]))


@row(said="ManagedPolicy")
def managed_policy_of_awss(s: Any, f: Any) -> None:
    f.role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSQSFullAccess"))


@row(
    "sqs",
    said="ImportedRole",
    props=lambda s: {"role": iam.Role.from_role_arn(s, "Role", "arn:aws:iam::111111111111:role/checkout")},
)
def imported_role(s: Any, f: Any) -> None:
    sqs.Queue(s, "Queue").grant_send_messages(f)


@row("sts", said="AssumedRole")
def role_of_another_account(s: Any, f: Any) -> None:
    allow(f, "sts:AssumeRole", "arn:aws:iam::222222222222:role/x")


@row("sns")
def plain_policy(s: Any, f: Any) -> None:
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    properties: Any = {"Roles": [f.role.role_name], "PolicyDocument": {"Statement": [statement]}}
    cdk.CfnResource(s, "Policy", type="AWS::IAM::Policy", properties=properties)


@row(said="OtherRegion")
def queue_of_another_region(s: Any, f: Any) -> None:
    allow(f, "sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:far")


# By the action alone, on "*": what is called at an endpoint of its service.
ACTIONS: Final = {
    "acm:DescribeCertificate": "acm",
    "apigateway:GET": "apigateway",
    "appconfig:GetLatestConfiguration": "appconfigdata",
    "application-autoscaling:RegisterScalableTarget": "application-autoscaling",
    "athena:StartQueryExecution": "athena",
    "autoscaling:CompleteLifecycleAction": "autoscaling",
    "backup:StartBackupJob": "backup",
    "batch:SubmitJob": "batch",
    "bedrock:InvokeModel": "bedrock-runtime",
    "bedrock:Retrieve": "bedrock-agent-runtime",
    "ce:GetCostAndUsage": "ce",
    "cloudformation:DescribeStacks": "cloudformation",
    "cloudfront:CreateInvalidation": "cloudfront",
    "cloudtrail:LookupEvents": "cloudtrail",
    "cloudwatch:PutMetricData": "cloudwatch",
    "codebuild:StartBuild": "codebuild",
    "codepipeline:PutJobSuccessResult": "codepipeline",
    "cognito-identity:GetId": "cognito-identity",
    "cognito-idp:AdminGetUser": "cognito-idp",
    "comprehend:DetectSentiment": "comprehend",
    "config:PutEvaluations": "config",
    "connect:StartOutboundVoiceContact": "connect",
    "dms:StartReplicationTask": "dms",
    "dynamodb:Query": "dynamodb",
    "ec2:DescribeInstances": "ec2",
    "ecr:GetAuthorizationToken": "ecr",
    "ecs:RunTask": "ecs",
    "eks:DescribeCluster": "eks",
    "elasticfilesystem:DescribeFileSystems": "efs",
    "elasticloadbalancing:DescribeLoadBalancers": "elb",
    "elasticmapreduce:RunJobFlow": "emr",
    "events:PutEvents": "eventbridgev2 events",  # an operation of both
    "firehose:PutRecord": "firehose",
    "glue:StartJobRun": "glue",
    "guardduty:ListFindings": "guardduty",
    "iam:GetRole": "iam",
    "iot:Publish": "iot-data",
    "kinesis:PutRecord": "kinesis",
    "kms:Encrypt": "kms",
    "lambda:InvokeFunction": "lambda",
    "lex:RecognizeText": "lexv2-runtime",
    "logs:GetLogEvents": "logs",
    "mediaconvert:CreateJob": "mediaconvert",
    "mobiletargeting:SendMessages": "pinpoint",
    "organizations:ListAccounts": "organizations",
    "personalize:GetRecommendations": "personalize-runtime",
    "polly:SynthesizeSpeech": "polly",
    "rds:DescribeDBClusters": "rds",
    "rds-data:ExecuteStatement": "rds-data",
    "redshift-data:ExecuteStatement": "redshift-data",
    "rekognition:DetectFaces": "rekognition",
    "route53:ChangeResourceRecordSets": "route53",
    "sagemaker:InvokeEndpoint": "sagemaker-runtime",
    "scheduler:CreateSchedule": "scheduler",
    "secretsmanager:GetSecretValue": "secretsmanager",
    "securityhub:BatchImportFindings": "securityhub",
    "servicediscovery:DiscoverInstances": "servicediscovery",
    "ses:SendRawEmail": "ses",
    "sns:Publish": "sns",
    "sqs:SendMessage": "sqs",
    "ssm:GetParametersByPath": "ssm",
    "states:StartExecution": "stepfunctions",
    "sts:GetCallerIdentity": "sts",
    "tag:GetResources": "resourcegroupstaggingapi",
    "textract:AnalyzeDocument": "textract",
    "translate:TranslateText": "translate",
    "wafv2:UpdateIPSet": "wafv2",
    "workmail:ListUsers": "workmail",
    "xray:PutTraceSegments": "xray",
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


def path_of(name: str) -> str:
    """The id of a row's scope."""
    return name.replace(":", "-")


def by_action(text: str) -> Grant:
    return lambda s, f: allow(f, text)


ROWS.update({text: Row(by_action(text), service) for text, service in ACTIONS.items()})
ROWS.update({text: Row(by_action(text), said="DataPlane") for text in PLANES})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[cdk.App, dict[str, Any]]:
    """All rows in one app, some in each stack; the functions by the rows' names."""
    folder = tmp_path_factory.mktemp("grants")
    context = {"aws:cdk:enable-path-metadata": True}
    app = cdk.App(outdir=str(folder / "cdk.out"), analytics_reporting=False, context=context)
    functions: dict[str, Any] = {}
    stack: Any = None
    for number, (name, each) in enumerate(ROWS.items()):
        if number % 20 == 0:
            stack = cdk.Stack(app, f"Grants{number // 20}", env=HOME)
        scope = Construct(stack, path_of(name))
        functions[name] = another(scope, "Function", **each.props(scope))
        each.grant(scope, functions[name])
    return app, functions


@pytest.fixture(scope="module")
def read(built: tuple[cdk.App, dict[str, Any]]) -> dict[str, Grants]:
    app, functions = built
    found = read_grants(app, list(functions.values()))
    return dict(zip(functions, found.values(), strict=True))


def test_there_is_a_row_for_every_kind() -> None:
    assert len(ROWS) - len(ACTIONS) - len(PLANES) >= 75
    assert len(ACTIONS) >= 60


@pytest.mark.parametrize("name", ROWS)
def test_a_grant_opens_what_it_says(read: dict[str, Grants], name: str) -> None:
    expected, grants = ROWS[name], read[name]

    def named(kind: str) -> list[str]:
        here = [entry.name for entry in grants.entries if entry.kind == kind]
        return sorted(each.partition(f"/{name}/")[2] or each for each in here)

    assert named("service") == expected.services.split()
    assert [each.replace(" ", "_") for each in named("bucket")] == expected.buckets.split()
    assert [each.replace(" ", "_") for each in named("host")] == expected.hosts.split()
    assert not grants.problems
    assert [f.id.removeprefix("shielded-function:granted") for f in grants.warnings] == expected.said.split()


def test_the_whole_app_says_no_more(built: tuple[cdk.App, dict[str, Any]], read: dict[str, Grants]) -> None:
    """Shielded and synthesized: each function's warnings are its row's, and its environment has the row's services."""
    app, functions = built
    for function in functions.values():
        Shield(ShieldPolicy(allow_aws="granted")).apply(function)
    names = {path_of(name): name for name in ROWS}
    told = {name: list[str]() for name in ROWS}
    services: dict[str, str] = {}
    for stack in app.synth().stacks:
        for message in stack.messages:
            for said in re.findall(r"\[ack: shielded-function:granted(\w+)\]", str(message.entry.data)):
                told[names[message.id.split("/")[2]]].append(said)
        for resource in stack.template["Resources"].values():
            path = resource.get("Metadata", {}).get("aws:cdk:path", "").split("/")
            if path[2:] == ["Function", "Resource"]:
                services[names[path[1]]] = resource["Properties"]["Environment"]["Variables"]["SHIELD_ALLOW_AWS"]
    assert told == {name: each.said.split() for name, each in ROWS.items()}
    assert services == {name: ",".join(each.services.split()) or "none" for name, each in ROWS.items()}


# What a template does not tell: more is granted than from constructs, never less.
ONLY_FROM_CONSTRUCTS: Final = {
    "bucket_imported_with_a_key": {"kms"},
    "bucket_of_another_region": {"shop-far"},
    "parameter_that_is_secure": {"kms"},
    "table_imported_with_a_key": {"kms"},
}


def test_templates_tell_the_same(built: tuple[cdk.App, dict[str, Any]], read: dict[str, Grants]) -> None:
    """`template_reader` finds in `cdk.out` what is found from the constructs of each row."""
    app, functions = built
    assembly = read_assembly(Path(app.synth().directory))
    reader = TemplateGrants(assembly.templates)
    at = {each.place.path: each for each in assembly.functions}

    def opened(grants: Grants) -> set[tuple[str, str]]:
        # A host from a template is its construct's, without a port.
        return {
            (each.kind, each.name.partition(": ")[0] if each.kind == "host" else each.name) for each in grants.entries
        }

    def said(grants: Grants) -> list[str]:
        return sorted(finding.id for finding in (*grants.problems, *grants.warnings))

    for name, function in functions.items():
        found = reader.grants_of(reader.caller_of(at[function.node.path]))
        more = opened(found) - opened(read[name])
        assert {text for _, text in more} == ONLY_FROM_CONSTRUCTS.get(name, set()), name
        assert not opened(read[name]) - opened(found), name
        assert name in ONLY_FROM_CONSTRUCTS or said(found) == said(read[name]), name
        if name not in ONLY_FROM_CONSTRUCTS:
            assert {each.reason for each in found.left_out} == {each.reason for each in read[name].left_out}, name
