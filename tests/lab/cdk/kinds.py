"""Every class of the CDK that grants: how it is made, and what each of its methods opens to a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import custom_resources as cr
from constructs import Construct

from unit.constructs import hosts
from unit.constructs.aws import aws, new
from unit.constructs.granted.rows import HOME, ID, ISOLATED, another, instance, key, table, vpc

SCHEMA: Final = str(Path(hosts.__file__).with_name("schema.graphql"))


@dataclass(frozen=True)
class Opens:
    """What some methods of a class open.

    Attributes:
        methods: their names; in front of those of its `grants`, that word. `grant=s3:GetObject` is given that action.
        services: what `allow_aws` gets, between blanks.
        buckets: what `allow_buckets` gets: names, or constructs by their ids.
        hosts: what `allow_outbound` gets, with `*` for tokens.
        said: the ids of findings, without their common beginning.
        before: what stands before the grantee.
        after: what stands behind it: one argument, several, or what makes them in a scope.
    """

    methods: str
    services: str = ""
    buckets: str = ""
    hosts: str = ""
    said: str = ""
    before: Any = ()
    after: Any = ()


POSTGRES: Final = aws.rds.DatabaseClusterEngine.aurora_postgres(version=aws.rds.AuroraPostgresEngineVersion.VER_16_6)


def cluster(scope: Any, **props: Any) -> Any:
    writer: Any = aws.rds.ClusterInstance.serverless_v2("Writer")
    return aws.rds.DatabaseCluster(
        scope, "Cluster", engine=POSTGRES, writer=writer, vpc=vpc(scope), vpc_subnets=ISOLATED, **props
    )


Make = Callable[[Any], Any]


def agent(name: str) -> str:
    """An ARN of AgentCore's."""
    return f"arn:aws:bedrock-agentcore:{HOME.region}:{HOME.account}:{name}"


def imported(cls: str, **attributes: Any) -> Make:
    """A resource of AgentCore that is imported by its attributes, or made in a scope."""
    made: Any = getattr(aws.bedrockagentcore, cls)
    method = next(n for n in dir(made) if n.startswith("from_") and n.endswith("_attributes"))
    return lambda s: getattr(made, method)(s, cls, **attributes)


IMAGE: Final = aws.ecs.ContainerImage.from_registry("example.com/image")
IN_VPC: Final = {"vpc": vpc, "vpc_subnets": ISOLATED}
NEW_IMAGE: Final = aws.dynamodb.StreamViewType.NEW_IMAGE
PAGE: Final = aws.cloudfront_origins.HttpOrigin("example.com")
ECS: Final = aws.iam.ServicePrincipal("ecs.amazonaws.com")
web_socket = new(aws.apigatewayv2.WebSocketApi, "Api")
event_api = new(
    aws.appsync.EventApi,
    "Api",
    api_name="api",
    authorization_config=aws.appsync.EventApiAuthConfig(
        auth_providers=[aws.appsync.AppSyncAuthProvider(authorization_type=aws.appsync.AppSyncAuthorizationType.IAM)]
    ),
)
container = new(aws.batch.EcsFargateContainerDefinition, "Container", cpu=1, memory=cdk.Size.gibibytes(2), image=IMAGE)
old_distribution = new(
    aws.cloudfront.CloudFrontWebDistribution,
    "Distribution",
    origin_configs=[
        aws.cloudfront.SourceConfiguration(
            custom_origin_source=aws.cloudfront.CustomOriginConfig(domain_name="example.com"),
            behaviors=[aws.cloudfront.Behavior(is_default_behavior=True)],
        )
    ],
)
streamed_v2 = new(
    aws.dynamodb.TableV2,
    "Table",
    partition_key=ID,
    dynamo_stream=NEW_IMAGE,
    encryption=lambda s: aws.dynamodb.TableEncryptionV2.customer_managed_key(key(s)),
)
stream = new(aws.kinesis.Stream, "Stream")
consumer = new(aws.kinesis.StreamConsumer, "Consumer", stream=stream, stream_consumer_name="fan")
delivery_stream = new(
    aws.kinesisfirehose.DeliveryStream,
    "Stream",
    destination=lambda s: aws.kinesisfirehose.S3Bucket(aws.s3.Bucket(s, "Bucket")),
)
imported_database = new(
    aws.rds.DatabaseInstanceBase.from_database_instance_attributes,
    "Db",
    instance_endpoint_address="db.example.com",
    instance_identifier="orders",
    instance_resource_id="db-1",
    port=5432,
    security_groups=[],
)
MYSQL: Final = aws.rds.DatabaseClusterEngine.AURORA_MYSQL
serverless = new(aws.rds.ServerlessCluster, "Db", engine=MYSQL, enable_data_api=True, **IN_VPC)
waiter = new(
    cr.WaiterStateMachine,
    "Waiter",
    is_complete_handler=another,
    timeout_handler=lambda s: another(s, "Late"),
    interval=cdk.Duration.seconds(5),
    max_attempts=3,
    backoff_rate=1,
)


def http_route(s: Any) -> Any:
    integration = aws.apigatewayv2_integrations.HttpUrlIntegration("Integration", "https://example.com")
    authorizer = aws.apigatewayv2_authorizers.HttpIamAuthorizer()
    api = aws.apigatewayv2.HttpApi(s, "Api")
    return api.add_routes(path="/orders", integration=integration, authorizer=authorizer)[0]


def gateway_target(s: Any) -> Any:
    return aws.bedrockagentcore.Gateway(s, "Gateway").add_mcp_server_target(
        "Target", endpoint="https://mcp.example", credential_provider_configurations=[]
    )


def deployment_group(s: Any) -> Any:
    alias = aws.lambda_.Alias(s, "Alias", alias_name="live", version=another(s).current_version)
    return aws.codedeploy.LambdaDeploymentGroup(s, "Group", alias=alias)


def streamed(s: Any) -> Any:
    encryption = aws.dynamodb.TableEncryption.CUSTOMER_MANAGED
    return table(s, stream=NEW_IMAGE, encryption=encryption, encryption_key=key(s))


def stream_grants(s: Any) -> Any:
    made = streamed(s)
    return aws.dynamodb.StreamGrants(table=made, table_stream_arn=made.table_stream_arn)


def task(s: Any) -> Any:
    made = aws.ecs.FargateTaskDefinition(s, "Task")
    made.add_container("Container", image=IMAGE)
    return made


def catalogue(s: Any, cls: Any, **props: Any) -> Any:
    column = aws.glue.Column(name="id", type=aws.glue.Schema.STRING)
    database = aws.glue.Database(s, "Database")
    return cls(s, "Table", database=database, columns=[column], data_format=aws.glue.DataFormat.JSON, **props)


def external_table(s: Any) -> Any:
    kind = aws.glue.ConnectionType.JDBC
    connection = aws.glue.Connection(s, "Connection", type=kind, properties={})
    return catalogue(s, aws.glue.ExternalTable, connection=connection, external_data_location="db.public.orders")


def proxy(s: Any) -> Any:
    database = instance(s)
    return database.add_proxy("Proxy", secrets=[database.secret], vpc=vpc(s), vpc_subnets=ISOLATED, iam_auth=True)


def restored(cls: Any, **props: Any) -> Make:
    return new(cls, "Db", snapshot_identifier="orders", **IN_VPC, **props)


def replicas(s: Any) -> dict[str, Any]:
    return {"destinations": [{"bucket": aws.s3.Bucket(s, "Replica", bucket_name="shop-replica")}]}


def machine(s: Any) -> Any:
    kind = aws.stepfunctions.StateMachineType.EXPRESS
    body = aws.stepfunctions.DefinitionBody.from_chainable(aws.stepfunctions.Pass(s, "Pass"))
    return aws.stepfunctions.StateMachine(s, "Machine", definition_body=body, state_machine_type=kind)


READ_WRITE = "grant_read grant_read_write grant_write"
API, EVENTS = "Api:_*:443 Api:_*:443_(2)", "grant_publish grant_publish_and_subscribe grant_subscribe"
DATA = "grant_full_access grant_read_data grant_read_write_data grant_write_data"
CRYPT = "grant_decrypt grant_encrypt grant_encrypt_decrypt grant_generate_mac"
SIGN = "grant_sign grant_sign_verify grant_verify grant_verify_mac"
IN_INDEX = "grant_index_read grant_index_read_write grant_index_write"
IN_PATH = "grant_path_read grant_path_read_write grant_path_write"
START = "grant_start_execution grant_start_sync_execution grant_task_response"
AGENT, CONTROL = "bedrock-agentcore", "bedrock-agentcore-control"
BOTH = f"{AGENT} {CONTROL}"
ROLE = "arn:aws:iam::111111111111:role/agent"
QUEUE = "arn:aws:batch:eu-west-1:111111111111:job-queue/orders"
MEMORY = (
    "grant_delete grant_delete_long_term_memory grant_delete_short_term_memory grant_read grant_read_long_term_memory "
    "grant_read_short_term_memory grant_write"
)
ANY = Opens("grant=bedrock-agentcore:InvokeGateway", AGENT)
CREDENTIALS = (
    Opens("grant_admin grant_read", CONTROL),
    Opens("grant_full_access", BOTH),
    Opens("grant_use", AGENT),
    ANY,
)


def search(*, domain: str = "Domain:_*:443") -> tuple[Opens, ...]:
    return (
        Opens(f"{READ_WRITE}", hosts=domain),
        Opens(IN_INDEX, hosts=domain, before="orders"),
        Opens(IN_PATH, hosts=domain, before="orders/1"),
        Opens("grants.actions=es:ESHttpGet", hosts=domain),
    )


CREDENTIAL = {"credential_provider_arn": agent("token-vault/default/x")}
policy_engine = imported("PolicyEngine", policy_engine_arn=agent("policy-engine/x"))

MADE: Final = "by the class of the name, which needs no more than an id"

KINDS: Final[dict[str, tuple[Any, ...]]] = {
    "aws_apigateway.ApiKey": (MADE, Opens(f"{READ_WRITE} grants.actions=apigateway:GET", "apigateway")),
    "aws_apigateway.RateLimitedApiKey": (MADE, Opens(READ_WRITE, "apigateway")),
    "aws_apigateway.Method": (
        lambda s: aws.apigateway.RestApi(s, "Api", deploy=False).root.add_method("GET"),
        Opens("grant_execute", hosts="Api:_*.execute-api.eu-west-1.*:443"),
    ),
    "aws_apigatewayv2.ApiKey": (MADE, Opens(READ_WRITE, "apigateway")),
    "aws_apigatewayv2.RateLimitedApiKey": (MADE, Opens(READ_WRITE, "apigateway")),
    "aws_apigatewayv2.HttpRoute": (http_route, Opens("grant_invoke", hosts="Api:_*:443")),
    "aws_apigatewayv2.WebSocketApi": (web_socket, Opens("grant_manage_connections", hosts="Api:_*:443")),
    "aws_apigatewayv2.WebSocketStage": (
        new(aws.apigatewayv2.WebSocketStage, "Live", web_socket_api=web_socket, stage_name="live"),
        Opens("grant_management_api_access", hosts="Api:_*:443"),
    ),
    "aws_appconfig.Environment": (
        new(aws.appconfig.Environment, "Environment", application=new(aws.appconfig.Application, "Application")),
        Opens("grant_read_config grant=appconfig:StartConfigurationSession", "appconfigdata"),
    ),
    "aws_appmesh.VirtualGateway": (
        lambda s: aws.appmesh.VirtualGateway(s, "Gateway", mesh=aws.appmesh.Mesh(s, "Mesh")),
        Opens("grant_stream_aggregated_resources grants.actions=appmesh:DescribeVirtualGateway", "appmesh"),
    ),
    "aws_appmesh.VirtualNode": (
        lambda s: aws.appmesh.VirtualNode(s, "Node", mesh=aws.appmesh.Mesh(s, "Mesh")),
        Opens("grant_stream_aggregated_resources grants.actions=appmesh:DescribeVirtualNode", "appmesh"),
    ),
    "aws_appsync.EventApiBase": (
        event_api,
        Opens(f"grant_connect {EVENTS}", hosts=API),
        Opens(
            "grant", hosts=API, after=(aws.appsync.AppSyncEventResource.all_channel_namespaces, "appsync:EventPublish")
        ),
    ),
    "aws_appsync.ChannelNamespace": (
        new(aws.appsync.ChannelNamespace, "Namespace", api=event_api),
        Opens(EVENTS, hosts=API),
    ),
    "aws_appsync.GraphqlApiBase": (
        new(aws.appsync.GraphqlApi, "Api", name="api", definition=aws.appsync.Definition.from_file(SCHEMA)),
        Opens("grant_mutation grant_query grant_subscription", hosts=API),
        Opens("grant", hosts=API, after=(aws.appsync.IamResource.all, "appsync:GraphQL")),
    ),
    "aws_backup.BackupVault": (MADE, Opens("grant=backup:StartBackupJob", "backup")),
    "aws_batch.ConsumableResource": (
        new(aws.batch.ConsumableResource, "Resource", total_quantity=1),
        Opens("grants.read grants.update grants.actions=batch:DescribeConsumableResource", "batch"),
    ),
    "aws_batch.EcsJobDefinition": (
        new(aws.batch.EcsJobDefinition, "Job", container=container),
        Opens("grant_submit_job", "batch", after=lambda s: aws.batch.JobQueue.from_job_queue_arn(s, "Queue", QUEUE)),
    ),
    "aws_bedrockagentcore.ApiKeyCredentialProvider": (imported("ApiKeyCredentialProvider", **CREDENTIAL), *CREDENTIALS),
    "aws_bedrockagentcore.OAuth2CredentialProvider": (
        imported("OAuth2CredentialProvider", credential_provider_vendor="GithubOauth2", **CREDENTIAL),
        *CREDENTIALS,
    ),
    "aws_bedrockagentcore.WorkloadIdentity": (
        imported("WorkloadIdentity", workload_identity_arn=agent("directory/x"), workload_identity_name="x"),
        *CREDENTIALS,
    ),
    "aws_bedrockagentcore.BrowserCustomBase": (
        imported("BrowserCustom", browser_arn=agent("browser/x"), role_arn=ROLE),
        Opens("grant_read", BOTH),
        Opens("grant_use", AGENT),
        ANY,
    ),
    "aws_bedrockagentcore.CodeInterpreterCustomBase": (
        imported("CodeInterpreterCustom", code_interpreter_arn=agent("code-interpreter/x"), role_arn=ROLE),
        Opens("grant_read", BOTH),
        Opens("grant_invoke grant_use", AGENT),
        ANY,
    ),
    "aws_bedrockagentcore.EvaluatorBase": (
        imported("Evaluator", evaluator_arn=agent("evaluator/x"), evaluator_id="x"),
        ANY,
    ),
    "aws_bedrockagentcore.GatewayBase": (
        MADE,
        Opens("grant_invoke", AGENT),
        Opens("grant_manage grant_read", CONTROL),
        ANY,
    ),
    "aws_bedrockagentcore.GatewayTarget": (gateway_target, Opens("grant_sync", CONTROL)),
    "aws_bedrockagentcore.GatewayTargetBase": (gateway_target, Opens("grant_manage grant_read", CONTROL), ANY),
    "aws_bedrockagentcore.MemoryBase": (
        imported("Memory", memory_arn=agent("memory/x"), role_arn=ROLE),
        Opens(MEMORY, AGENT),
        Opens("grant_admin", CONTROL),
        Opens("grant_full_access", BOTH),
        ANY,
    ),
    "aws_bedrockagentcore.OnlineEvaluationBase": (
        imported(
            "OnlineEvaluationConfig",
            online_evaluation_config_arn=agent("online-evaluation-config/x"),
            online_evaluation_config_id="x",
            online_evaluation_config_name="x",
        ),
        ANY,
    ),
    "aws_bedrockagentcore.PolicyEngineBase": (
        policy_engine,
        Opens("grant_evaluate", BOTH),
        Opens("grant_evaluate_for_gateway", BOTH, after=lambda s: aws.bedrockagentcore.Gateway(s, "Gateway")),
        Opens("grant_read", CONTROL),
        ANY,
    ),
    "aws_bedrockagentcore.PolicyBase": (
        lambda s: imported("Policy", policy_arn=agent("policy-engine/x/policy/y"), policy_engine=policy_engine(s))(s),
        Opens("grant_read", CONTROL),
        ANY,
    ),
    "aws_bedrockagentcore.RuntimeBase": (
        imported(
            "Runtime", agent_runtime_arn=agent("runtime/x"), agent_runtime_id="x", agent_runtime_name="x", role_arn=ROLE
        ),
        Opens("grant_invoke grant_invoke_runtime grant_invoke_runtime_for_user", AGENT),
    ),
    "aws_cloudfront.Distribution": (
        new(aws.cloudfront.Distribution, "Distribution", default_behavior=aws.cloudfront.BehaviorOptions(origin=PAGE)),
        Opens("grant_create_invalidation grant=cloudfront:GetInvalidation", "cloudfront"),
    ),
    "aws_cloudfront.CloudFrontWebDistribution": (
        old_distribution,
        Opens("grant_create_invalidation grant=cloudfront:GetInvalidation", "cloudfront"),
    ),
    "aws_cloudwatch.Metric": (lambda _: aws.cloudwatch.Metric, Opens("grant_put_metric_data", "cloudwatch")),
    "aws_codebuild.ReportGroup": (MADE, Opens("grant_write", "codebuild")),
    "aws_codecommit.Repository": (
        new(aws.codecommit.Repository, "Repository", repository_name="orders"),
        Opens("grant_pull grant_pull_push", hosts="git-codecommit.{region}.{suffix}:443"),
        Opens("grant_read", "codecommit", hosts="git-codecommit.{region}.{suffix}:443"),
        Opens("grant=codecommit:GetBranch", "codecommit"),
    ),
    "aws_codedeploy.LambdaDeploymentGroup": (
        deployment_group,
        Opens("grant_put_lifecycle_event_hook_execution_status", "codedeploy"),
    ),
    "aws_codeguruprofiler.ProfilingGroup": (
        MADE,
        Opens("grant_publish grant_read grants.actions=codeguru-profiler:GetProfile", "codeguruprofiler"),
    ),
    "aws_cognito.UserPool": (MADE, Opens("grant=cognito-idp:AdminGetUser", "cognito-idp")),
    "aws_dynamodb.TableBase": (
        streamed,
        Opens(DATA, "dynamodb kms"),
        Opens("grant=dynamodb:Scan", "dynamodb"),
        Opens("grant_stream_read", "dynamodbstreams kms"),
        Opens("grant_table_list_streams grant_stream=dynamodb:GetRecords", "dynamodbstreams"),
        Opens("grant_on_key=kms:Decrypt", "kms"),
    ),
    "aws_dynamodb.TableBaseV2": (
        streamed_v2,
        Opens(DATA, "dynamodb kms"),
        Opens("grant=dynamodb:Scan", "dynamodb"),
        Opens("grant_stream_read", "dynamodbstreams kms"),
        Opens("grant_table_list_streams grant_stream=dynamodb:GetRecords", "dynamodbstreams"),
        Opens("grant_on_key=kms:Decrypt", "kms"),
    ),
    "aws_dynamodb.StreamGrants": (stream_grants, Opens("list read actions=dynamodb:GetRecords", "dynamodbstreams")),
    "aws_ec2.Volume": (
        new(aws.ec2.Volume, "Volume", availability_zone=f"{HOME.region}a", size=cdk.Size.gibibytes(1)),
        Opens("grant_attach_volume grant_detach_volume", "ec2"),
        Opens(
            "grant_attach_volume_by_resource_tag grant_detach_volume_by_resource_tag",
            "ec2",
            after=lambda s: ([Construct(s, "Tagged")]),
        ),
    ),
    "aws_ecr.AuthorizationToken": (lambda _: aws.ecr.AuthorizationToken, Opens("grant_read", "ecr")),
    "aws_ecr.PublicGalleryAuthorizationToken": (
        lambda _: aws.ecr.PublicGalleryAuthorizationToken,
        Opens("grant_read", "ecr-public sts"),
    ),
    "aws_ecr.RepositoryBase": (
        MADE,
        Opens("grant_pull grant_pull_push grant_push grant_read grant=ecr:DescribeImages", "ecr"),
    ),
    "aws_ecs.Cluster": (new(aws.ecs.Cluster, "Cluster", vpc=vpc), Opens("grant_task_protection", "ecs")),
    "aws_ecs.TaskDefinition": (task, Opens("grant_run", "ecs")),
    "aws_efs.FileSystem": (
        new(aws.efs.FileSystem, "Files", vpc=vpc, vpc_subnets=ISOLATED),
        Opens("grant_read grant_read_write grant_root_access"),
        Opens("grant=elasticfilesystem:DescribeMountTargets", "efs"),
    ),  # Lambda mounts it
    "aws_elasticsearch.Domain": (
        new(aws.elasticsearch.Domain, "Domain", version=aws.elasticsearch.ElasticsearchVersion.V7_10),
        *search(),
    ),
    "aws_events.EventBus": (
        MADE,
        Opens(
            "grant_all_put_events grant_put_events_to grants.actions=events:DescribeEventBus", "eventbridgev2 events"
        ),
    ),
    "aws_glue.ExternalTable": (external_table, Opens(READ_WRITE, "glue")),
    "aws_glue.S3Table": (lambda s: catalogue(s, aws.glue.S3Table), Opens(READ_WRITE, "glue", buckets="Table/Bucket")),
    "aws_glue.TableBase": (
        lambda s: catalogue(s, aws.glue.S3Table),
        Opens("grant grant_to_underlying_resources", "glue", after=(["glue:GetTable"])),
    ),
    "aws_iam.Role": (
        new(aws.iam.Role, "Role", assumed_by=ECS),
        Opens("grant_assume_role", "sts"),
        Opens("grant_pass_role"),
        Opens("grant=iam:GetRole", "iam"),
    ),
    "aws_iam.LazyRole": (
        new(aws.iam.LazyRole, "Role", assumed_by=ECS),
        Opens("grant_assume_role", "sts"),
        Opens("grant_pass_role"),
        Opens("grant=iam:GetRole", "iam"),
    ),
    "aws_kinesis.Stream": (stream, Opens(f"{READ_WRITE} grant=kinesis:DescribeStream", "kinesis")),
    "aws_kinesis.StreamConsumer": (consumer, Opens("grant_read grant=kinesis:DescribeStreamConsumer", "kinesis")),
    "aws_kinesisfirehose.DeliveryStream": (
        delivery_stream,
        Opens("grant_put_records grant=firehose:PutRecord", "firehose"),
    ),
    "aws_kinesisfirehose.KinesisStreamSource": (
        lambda s: aws.kinesisfirehose.KinesisStreamSource(aws.kinesis.Stream(s, "Stream")),
        Opens("grant_read", "kinesis"),
    ),
    "aws_kms.Alias": (
        new(aws.kms.Alias, "Alias", alias_name="alias/orders", target_key=key),
        Opens(f"{CRYPT} {SIGN} grant=kms:DescribeKey", "kms"),
    ),
    "aws_kms.Key": (key, Opens(f"grant_admin {CRYPT} {SIGN} grant=kms:DescribeKey", "kms")),
    "aws_lambda.FunctionBase": (
        another,
        Opens("grant_invoke grant_invoke_latest_version", "lambda"),
        Opens("grant_invoke_version", "lambda", after=lambda s: s.node.find_child("Another").current_version),
        Opens("grant_invoke_url", said="DataPlane"),
    ),  # it has no URL in the app
    "aws_lambda.FunctionUrl": (
        lambda s: another(s).add_function_url(),
        Opens("grant_invoke_url", hosts="Another:_*:443"),
    ),
    "aws_logs.LogGroup": (MADE, Opens("grant_read grant_write grant=logs:StartQuery", "logs")),
    "aws_opensearchservice.Domain": (
        new(aws.opensearchservice.Domain, "Domain", version=aws.opensearchservice.EngineVersion.OPENSEARCH_2_19),
        *search(),
    ),
    "aws_rds.DatabaseClusterBase": (
        lambda s: cluster(s, iam_authentication=True, enable_data_api=True),
        Opens("grant_connect", hosts="Cluster:_*:* Cluster:_*:*_(2)", after="app"),
        Opens("grant_data_api_access", "rds-data secretsmanager"),
    ),
    "aws_rds.DatabaseInstance": (
        lambda s: instance(s, iam_authentication=True),
        Opens("grant_connect", hosts="Db:_*:*", after="app"),
    ),
    "aws_rds.DatabaseInstanceBase": (imported_database, Opens("grant_connect", said="DataPlane", after="app")),
    "aws_rds.DatabaseInstanceFromSnapshot": (
        restored(aws.rds.DatabaseInstanceFromSnapshot, engine=aws.rds.DatabaseInstanceEngine.POSTGRES),
        Opens("grant_connect", hosts="Db:_*:*", after="app"),
    ),
    "aws_rds.DatabaseProxy": (proxy, Opens("grant_connect", hosts="Db/Proxy:_*:5432", after="app")),
    "aws_rds.ServerlessCluster": (serverless, Opens("grant_data_api_access", "rds-data secretsmanager")),
    "aws_rds.ServerlessClusterFromSnapshot": (
        restored(aws.rds.ServerlessClusterFromSnapshot, engine=MYSQL, enable_data_api=True),
        Opens("grant_data_api_access", "rds-data"),
    ),
    "aws_route53.HostedZone": (
        new(aws.route53.PublicHostedZone, "Zone", zone_name="example.com"),
        Opens("grant_delegation", "route53"),
    ),
    "aws_s3.BucketBase": (
        new(aws.s3.Bucket, "Bucket", encryption_key=key),
        Opens(f"{READ_WRITE} grant_put", "kms", buckets="Bucket"),
        Opens("grant_delete grant_put_acl", buckets="Bucket"),
        Opens("grant_on_key=kms:Decrypt", "kms"),
        Opens("grant_replication_permission", "kms", buckets="Bucket shop-replica", after=replicas),
        Opens(
            "grants.actions_on_object_keys grants.actions_on_bucket_and_object_keys",
            buckets="Bucket",
            after=("*", "s3:GetObject"),
        ),
    ),
    "aws_s3_assets.Asset": (
        new(aws.s3_assets.Asset, "Asset", path=SCHEMA),
        Opens("grant_read", buckets="cdk-hnb659fds-assets-111111111111-eu-west-1"),
    ),
    "aws_scheduler.ScheduleGroup": (
        MADE,
        Opens(
            "grant_delete_schedules grant_read_schedules grant_write_schedules grant=scheduler:GetSchedule", "scheduler"
        ),
    ),
    "aws_secretsmanager.Secret": (MADE, Opens("grant_read grant_write", "secretsmanager")),
    "aws_secretsmanager.SecretTargetAttachment": (
        lambda s: instance(s).secret,
        Opens("grant_read grant_write", "secretsmanager"),
    ),
    "aws_ses.EmailIdentity": (
        new(aws.ses.EmailIdentity, "Identity", identity=aws.ses.Identity.domain("example.com")),
        Opens("grant_send_email grant=ses:SendTemplatedEmail", "ses"),
    ),
    "aws_sns.TopicBase": (
        new(aws.sns.Topic, "Topic", master_key=key),
        Opens("grant_publish", "kms sns"),
        Opens("grant_subscribe grants.actions=sns:GetTopicAttributes", "sns"),
        Opens("grant_on_key=kms:Decrypt", "kms"),
    ),
    "aws_sqs.QueueBase": (
        new(aws.sqs.Queue, "Queue", encryption_master_key=key),
        Opens("grant_consume_messages grant_send_messages", "kms sqs"),
        Opens("grant_purge grant=sqs:GetQueueUrl", "sqs"),
        Opens("grant_on_key=kms:Decrypt", "kms"),
    ),
    "aws_ssm.StringParameter": (
        new(aws.ssm.StringParameter, "Parameter", string_value="x"),
        Opens("grant_read grant_write", "ssm"),
        Opens("grant_on_key=kms:Decrypt"),
    ),  # it has no key
    "aws_ssm.StringListParameter": (
        new(aws.ssm.StringListParameter, "Parameter", string_list_value=["x"]),
        Opens("grant_read grant_write", "ssm"),
        Opens("grant_on_key=kms:Decrypt"),
    ),  # it has no key
    "aws_stepfunctions.Activity": (MADE, Opens("grant=states:GetActivityTask", "stepfunctions")),
    "aws_stepfunctions.StateMachine": (
        machine,
        Opens(f"{START} grant_read grant_redrive_execution", "stepfunctions"),
        Opens("grant_execution", "stepfunctions", after="states:DescribeExecution"),
        Opens("grant=states:ListExecutions", "stepfunctions"),
    ),
    "custom_resources.WaiterStateMachine": (waiter, Opens("grant_start_execution", "stepfunctions")),
}


def as_tuple(arguments: Any) -> tuple[Any, ...]:
    return arguments if isinstance(arguments, tuple) else (arguments,)


def call(scope: Any, make: Make, method: str, opens: Opens, function: Any) -> None:
    """Grants by a method of what is made in the scope."""
    resource = make(scope)
    name, _, action = method.partition("=")
    after = opens.after(scope) if callable(opens.after) else opens.after
    given: list[Any] = [each() if callable(each) else each for each in as_tuple(after)]
    if action:
        given = [[action] if name == "grants.actions" else action]
    words: dict[str, Any] = given.pop() if given and isinstance(given[-1], dict) else {}
    for part in name.split("."):
        resource = getattr(resource, part)
    resource(*as_tuple(opens.before), function, *given, **words)


def list_methods() -> Iterator[tuple[str, Make, str, Opens]]:
    """The name of each method as the CDK has it, its resource, how it is called, and what it opens."""
    for name, (make, *opened) in KINDS.items():
        if make is MADE:
            module, _, cls = name.removesuffix("Base").partition(".")
            make = new(getattr(getattr(aws, module.removeprefix("aws_")), cls), cls)
        for opens in opened:
            for method in opens.methods.split():
                owner, _, short = method.partition("=")[0].rpartition(".")
                cls = f"{name.removesuffix('Base')}Grants" if owner else name
                yield f"{cls}.{short}", make, method, opens
