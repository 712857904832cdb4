"""Every method of the CDK's that grants: what it opens to a function. A method that is in no table fails a test."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import custom_resources as cr
from constructs import Construct

from shielded_function.granted import Grants, read_grants
from unit.constructs.granted.test_grants import (
    DECRYPT,
    HOME,
    ID,
    ISOLATED,
    SCHEMA,
    another,
    cluster,
    instance,
    key,
    table,
    vpc,
)


def _module(name: str) -> Any:
    """A module of the CDK without its types: a checker that reads all of them needs gigabytes."""
    return importlib.import_module(f"aws_cdk.{name}")


apigatewayv2 = _module("aws_apigatewayv2")
appmesh = _module("aws_appmesh")
appsync = _module("aws_appsync")
backup = _module("aws_backup")
batch = _module("aws_batch")
agentcore = _module("aws_bedrockagentcore")
cloudwatch = _module("aws_cloudwatch")
codebuild = _module("aws_codebuild")
codecommit = _module("aws_codecommit")
codeguruprofiler = _module("aws_codeguruprofiler")
cognito = _module("aws_cognito")
ecr = _module("aws_ecr")
ecs = _module("aws_ecs")
efs = _module("aws_efs")
events = _module("aws_events")
kinesis = _module("aws_kinesis")
firehose = _module("aws_kinesisfirehose")
logs = _module("aws_logs")
route53 = _module("aws_route53")
s3 = _module("aws_s3")
s3_assets = _module("aws_s3_assets")
scheduler = _module("aws_scheduler")
sm = _module("aws_secretsmanager")
ses = _module("aws_ses")
sns = _module("aws_sns")
sqs = _module("aws_sqs")
ssm = _module("aws_ssm")
sfn = _module("aws_stepfunctions")
apigateway = _module("aws_apigateway")
authorizers = _module("aws_apigatewayv2_authorizers")
integrations = _module("aws_apigatewayv2_integrations")
appconfig = _module("aws_appconfig")
cloudfront = _module("aws_cloudfront")
origins = _module("aws_cloudfront_origins")
codedeploy = _module("aws_codedeploy")
dynamodb = _module("aws_dynamodb")
ec2 = _module("aws_ec2")
elasticsearch = _module("aws_elasticsearch")
glue = _module("aws_glue")
iam = _module("aws_iam")
kms = _module("aws_kms")
lambda_ = _module("aws_lambda")
opensearch = _module("aws_opensearchservice")
rds = _module("aws_rds")


@dataclass(frozen=True)
class Opens:
    """What some methods of a class open.

    Attributes:
        methods: their names; in front of those of its `grants`, that word.
        services, buckets, hosts, said: as in a row of test_grants.
        before: what stands before the grantee.
        after: what stands behind it.
    """

    methods: str
    services: str = ""
    buckets: str = ""
    hosts: str = ""
    said: str = ""
    before: tuple[Any, ...] = ()
    after: tuple[Any, ...] | Callable[[Any], tuple[Any, ...]] = ()


Make = Callable[[Any], Any]


def agent(name: str) -> str:
    """An ARN of AgentCore's."""
    return f"arn:aws:bedrock-agentcore:{HOME.region}:{HOME.account}:{name}"


def imported(cls: str, **attributes: Any) -> Make:
    """A resource of AgentCore that is imported by its attributes, or made in a scope."""
    made: Any = getattr(agentcore, cls)
    method = next(n for n in dir(made) if n.startswith("from_") and n.endswith("_attributes"))
    return lambda s: getattr(made, method)(s, cls, **attributes)


def rest_method(s: Any) -> Any:
    return apigateway.RestApi(s, "Api", deploy=False).root.add_method("GET")


def http_route(s: Any) -> Any:
    api: Any = apigatewayv2.HttpApi(s, "Api")
    integration: Any = integrations.HttpUrlIntegration("Integration", "https://example.com")
    authorizer: Any = authorizers.HttpIamAuthorizer()
    return api.add_routes(path="/orders", integration=integration, authorizer=authorizer)[0]


def web_socket_stage(s: Any) -> Any:
    api = apigatewayv2.WebSocketApi(s, "Api")
    return apigatewayv2.WebSocketStage(s, "Live", web_socket_api=api, stage_name="live")


def configuration(s: Any) -> Any:
    return appconfig.Environment(s, "Environment", application=appconfig.Application(s, "Application"))


def event_api(s: Any) -> Any:
    iam_only: Any = appsync.EventApiAuthConfig(
        auth_providers=[appsync.AppSyncAuthProvider(authorization_type=appsync.AppSyncAuthorizationType.IAM)]
    )
    return appsync.EventApi(s, "Api", api_name="api", authorization_config=iam_only)


def job(s: Any) -> Any:
    image = ecs.ContainerImage.from_registry("example.com/image")
    size = cdk.Size.gibibytes(2)
    container: Any = batch.EcsFargateContainerDefinition(s, "Container", cpu=1, memory=size, image=image)
    return batch.EcsJobDefinition(s, "Job", container=container)


def gateway_target(s: Any) -> Any:
    return agentcore.Gateway(s, "Gateway").add_mcp_server_target(
        "Target", endpoint="https://mcp.example", credential_provider_configurations=[]
    )


def distribution(s: Any) -> Any:
    behavior = cloudfront.BehaviorOptions(origin=origins.HttpOrigin("example.com"))
    return cloudfront.Distribution(s, "Distribution", default_behavior=behavior)


def old_distribution(s: Any) -> Any:
    origin = cloudfront.CustomOriginConfig(domain_name="example.com")
    source = cloudfront.SourceConfiguration(
        custom_origin_source=origin, behaviors=[cloudfront.Behavior(is_default_behavior=True)]
    )
    return cloudfront.CloudFrontWebDistribution(s, "Distribution", origin_configs=[source])


def deployment_group(s: Any) -> Any:
    alias: Any = lambda_.Alias(s, "Alias", alias_name="live", version=another(s).current_version)
    return codedeploy.LambdaDeploymentGroup(s, "Group", alias=alias)


def streamed(s: Any) -> Any:
    stream, encryption = dynamodb.StreamViewType.NEW_IMAGE, dynamodb.TableEncryption.CUSTOMER_MANAGED
    return table(s, stream=stream, encryption=encryption, encryption_key=key(s))


def streamed_v2(s: Any) -> Any:
    stream, encryption = dynamodb.StreamViewType.NEW_IMAGE, dynamodb.TableEncryptionV2.customer_managed_key(key(s))
    return dynamodb.TableV2(s, "Table", partition_key=ID, dynamo_stream=stream, encryption=encryption)


def stream_grants(s: Any) -> Any:
    made = streamed(s)
    return dynamodb.StreamGrants(table=made, table_stream_arn=made.table_stream_arn)


def volume(s: Any) -> Any:
    return ec2.Volume(s, "Volume", availability_zone=f"{HOME.region}a", size=cdk.Size.gibibytes(1))


def task(s: Any) -> Any:
    made = ecs.FargateTaskDefinition(s, "Task")
    made.add_container("Container", image=ecs.ContainerImage.from_registry("example.com/image"))
    return made


def catalogue(s: Any, cls: Any, **props: Any) -> Any:
    column = glue.Column(name="id", type=glue.Schema.STRING)
    database = glue.Database(s, "Database")
    return cls(s, "Table", database=database, columns=[column], data_format=glue.DataFormat.JSON, **props)


def external_table(s: Any) -> Any:
    kind = glue.ConnectionType.JDBC
    connection = glue.Connection(s, "Connection", type=kind, properties={})
    return catalogue(s, glue.ExternalTable, connection=connection, external_data_location="db.public.orders")


def role(s: Any) -> Any:
    principal: Any = iam.ServicePrincipal("ecs.amazonaws.com")
    return iam.Role(s, "Role", assumed_by=principal)


def lazy_role(s: Any) -> Any:
    principal: Any = iam.ServicePrincipal("ecs.amazonaws.com")
    return iam.LazyRole(s, "Role", assumed_by=principal)


def consumer(s: Any) -> Any:
    return kinesis.StreamConsumer(s, "Consumer", stream=kinesis.Stream(s, "Stream"), stream_consumer_name="fan")


def delivery_stream(s: Any) -> Any:
    to: Any = firehose.S3Bucket(s3.Bucket(s, "Bucket"))
    return firehose.DeliveryStream(s, "Stream", destination=to)


def alias_of_key(s: Any) -> Any:
    return kms.Alias(s, "Alias", alias_name="alias/orders", target_key=key(s))


def proxy(s: Any) -> Any:
    database = instance(s)
    login: Any = database.secret
    return database.add_proxy("Proxy", secrets=[login], vpc=vpc(s), vpc_subnets=ISOLATED, iam_auth=True)


def restored(s: Any, cls: Any, **props: Any) -> Any:
    return cls(s, "Db", snapshot_identifier="orders", vpc=vpc(s), vpc_subnets=ISOLATED, **props)


def imported_database(s: Any) -> Any:
    return rds.DatabaseInstanceBase.from_database_instance_attributes(
        s,
        "Db",
        instance_endpoint_address="db.example.com",
        instance_identifier="orders",
        instance_resource_id="db-1",
        port=5432,
        security_groups=[],
    )


def serverless(s: Any) -> Any:
    engine: Any = rds.DatabaseClusterEngine.AURORA_MYSQL
    return rds.ServerlessCluster(s, "Db", engine=engine, vpc=vpc(s), vpc_subnets=ISOLATED, enable_data_api=True)


def secret_of_a_database(s: Any) -> Any:
    return instance(s).secret


def replicas(s: Any) -> tuple[Any, ...]:
    return ({"destinations": [{"bucket": s3.Bucket(s, "Replica", bucket_name="shop-replica")}]},)


def machine(s: Any) -> Any:
    kind = sfn.StateMachineType.EXPRESS
    body = sfn.DefinitionBody.from_chainable(sfn.Pass(s, "Pass"))
    return sfn.StateMachine(s, "Machine", definition_body=body, state_machine_type=kind)


def waiter(s: Any) -> Any:
    whole: Any = {"interval": cdk.Duration.seconds(5), "max_attempts": 3, "backoff_rate": 1}
    return cr.WaiterStateMachine(
        s, "Waiter", is_complete_handler=another(s), timeout_handler=another(s, "Late"), **whole
    )


def on(domain: Any) -> Make:
    """A domain of OpenSearch, or of what was before it."""
    version = domain.__module__.endswith("elasticsearch")
    newest: Any = elasticsearch.ElasticsearchVersion.V7_10 if version else opensearch.EngineVersion.OPENSEARCH_2_19
    return lambda s: domain(s, "Domain", version=newest)


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
MEMORY = (
    "grant_delete grant_delete_long_term_memory grant_delete_short_term_memory grant_read grant_read_long_term_memory "
    "grant_read_short_term_memory grant_write"
)
ANY = Opens("grant", AGENT, after=("bedrock-agentcore:InvokeGateway",))
CREDENTIALS = (
    Opens("grant_admin grant_read", CONTROL),
    Opens("grant_full_access", BOTH),
    Opens("grant_use", AGENT),
    ANY,
)


def search(*, domain: str = "Domain:_*:443") -> tuple[Opens, ...]:
    return (
        Opens(f"{READ_WRITE}", hosts=domain),
        Opens(IN_INDEX, hosts=domain, before=("orders",)),
        Opens(IN_PATH, hosts=domain, before=("orders/1",)),
        Opens("grants.actions", hosts=domain, after=(["es:ESHttpGet"],)),
    )


def keys(make: Any) -> Make:
    return lambda s: make(s, "ApiKey")


CREDENTIAL = {"credential_provider_arn": agent("token-vault/default/x")}
policy_engine = imported("PolicyEngine", policy_engine_arn=agent("policy-engine/x"))

KINDS: Final[dict[str, tuple[Make, tuple[Opens, ...]]]] = {
    "aws_apigateway.ApiKey": (
        keys(apigateway.ApiKey),
        (Opens(READ_WRITE, "apigateway"), Opens("grants.actions", "apigateway", after=(["apigateway:GET"],))),
    ),
    "aws_apigateway.RateLimitedApiKey": (keys(apigateway.RateLimitedApiKey), (Opens(READ_WRITE, "apigateway"),)),
    "aws_apigateway.Method": (rest_method, (Opens("grant_execute", hosts="Api:_*.execute-api.eu-west-1.*:443"),)),
    "aws_apigatewayv2.ApiKey": (keys(apigatewayv2.ApiKey), (Opens(READ_WRITE, "apigateway"),)),
    "aws_apigatewayv2.RateLimitedApiKey": (keys(apigatewayv2.RateLimitedApiKey), (Opens(READ_WRITE, "apigateway"),)),
    "aws_apigatewayv2.HttpRoute": (http_route, (Opens("grant_invoke", hosts="Api:_*:443"),)),
    "aws_apigatewayv2.WebSocketApi": (
        lambda s: apigatewayv2.WebSocketApi(s, "Api"),
        (Opens("grant_manage_connections", hosts="Api:_*:443"),),
    ),
    "aws_apigatewayv2.WebSocketStage": (
        web_socket_stage,
        (Opens("grant_management_api_access", hosts="Api:_*:443"),),
    ),
    "aws_appconfig.Environment": (
        configuration,
        (
            Opens("grant_read_config", "appconfigdata"),
            Opens("grant", "appconfigdata", after=("appconfig:StartConfigurationSession",)),
        ),
    ),
    "aws_appmesh.VirtualGateway": (
        lambda s: appmesh.VirtualGateway(s, "Gateway", mesh=appmesh.Mesh(s, "Mesh")),
        (
            Opens("grant_stream_aggregated_resources", "appmesh"),
            Opens("grants.actions", "appmesh", after=(["appmesh:DescribeVirtualGateway"],)),
        ),
    ),
    "aws_appmesh.VirtualNode": (
        lambda s: appmesh.VirtualNode(s, "Node", mesh=appmesh.Mesh(s, "Mesh")),
        (
            Opens("grant_stream_aggregated_resources", "appmesh"),
            Opens("grants.actions", "appmesh", after=(["appmesh:DescribeVirtualNode"],)),
        ),
    ),
    "aws_appsync.EventApiBase": (
        event_api,
        (
            Opens(f"grant_connect {EVENTS}", hosts=API),
            Opens(
                "grant", hosts=API, after=(appsync.AppSyncEventResource.all_channel_namespaces, "appsync:EventPublish")
            ),
        ),
    ),
    "aws_appsync.ChannelNamespace": (
        lambda s: appsync.ChannelNamespace(s, "Namespace", api=event_api(s)),
        (Opens(EVENTS, hosts=API),),
    ),
    "aws_appsync.GraphqlApiBase": (
        lambda s: appsync.GraphqlApi(s, "Api", name="api", definition=appsync.Definition.from_file(SCHEMA)),
        (
            Opens("grant_mutation grant_query grant_subscription", hosts=API),
            Opens("grant", hosts=API, after=(appsync.IamResource.all, "appsync:GraphQL")),
        ),
    ),
    "aws_backup.BackupVault": (
        lambda s: backup.BackupVault(s, "Vault"),
        (Opens("grant", "backup", after=("backup:StartBackupJob",)),),
    ),
    "aws_batch.ConsumableResource": (
        lambda s: batch.ConsumableResource(s, "Resource", total_quantity=1),
        (
            Opens("grants.read grants.update", "batch"),
            Opens("grants.actions", "batch", after=(["batch:DescribeConsumableResource"],)),
        ),
    ),
    "aws_batch.EcsJobDefinition": (
        job,
        (Opens("grant_submit_job", "batch", after=lambda s: (batch.JobQueue(s, "Queue"),)),),
    ),
    "aws_bedrockagentcore.ApiKeyCredentialProvider": (imported("ApiKeyCredentialProvider", **CREDENTIAL), CREDENTIALS),
    "aws_bedrockagentcore.OAuth2CredentialProvider": (
        imported("OAuth2CredentialProvider", credential_provider_vendor="GithubOauth2", **CREDENTIAL),
        CREDENTIALS,
    ),
    "aws_bedrockagentcore.WorkloadIdentity": (
        imported("WorkloadIdentity", workload_identity_arn=agent("directory/x"), workload_identity_name="x"),
        CREDENTIALS,
    ),
    "aws_bedrockagentcore.BrowserCustomBase": (
        imported("BrowserCustom", browser_arn=agent("browser/x"), role_arn=ROLE),
        (Opens("grant_read", BOTH), Opens("grant_use", AGENT), ANY),
    ),
    "aws_bedrockagentcore.CodeInterpreterCustomBase": (
        imported("CodeInterpreterCustom", code_interpreter_arn=agent("code-interpreter/x"), role_arn=ROLE),
        (Opens("grant_read", BOTH), Opens("grant_invoke grant_use", AGENT), ANY),
    ),
    "aws_bedrockagentcore.EvaluatorBase": (
        imported("Evaluator", evaluator_arn=agent("evaluator/x"), evaluator_id="x"),
        (ANY,),
    ),
    "aws_bedrockagentcore.GatewayBase": (
        lambda s: agentcore.Gateway(s, "Gateway"),
        (Opens("grant_invoke", AGENT), Opens("grant_manage grant_read", CONTROL), ANY),
    ),
    "aws_bedrockagentcore.GatewayTarget": (gateway_target, (Opens("grant_sync", CONTROL),)),
    "aws_bedrockagentcore.GatewayTargetBase": (gateway_target, (Opens("grant_manage grant_read", CONTROL), ANY)),
    "aws_bedrockagentcore.MemoryBase": (
        imported("Memory", memory_arn=agent("memory/x"), role_arn=ROLE),
        (Opens(MEMORY, AGENT), Opens("grant_admin", CONTROL), Opens("grant_full_access", BOTH), ANY),
    ),
    "aws_bedrockagentcore.OnlineEvaluationBase": (
        imported(
            "OnlineEvaluationConfig",
            online_evaluation_config_arn=agent("online-evaluation-config/x"),
            online_evaluation_config_id="x",
            online_evaluation_config_name="x",
        ),
        (ANY,),
    ),
    "aws_bedrockagentcore.PolicyEngineBase": (
        policy_engine,
        (
            Opens("grant_evaluate", BOTH),
            Opens("grant_evaluate_for_gateway", BOTH, after=lambda s: (agentcore.Gateway(s, "Gateway"),)),
            Opens("grant_read", CONTROL),
            ANY,
        ),
    ),
    "aws_bedrockagentcore.PolicyBase": (
        lambda s: imported("Policy", policy_arn=agent("policy-engine/x/policy/y"), policy_engine=policy_engine(s))(s),
        (Opens("grant_read", CONTROL), ANY),
    ),
    "aws_bedrockagentcore.RuntimeBase": (
        imported(
            "Runtime",
            agent_runtime_arn=agent("runtime/x"),
            agent_runtime_id="x",
            agent_runtime_name="x",
            role_arn=ROLE,
        ),
        (Opens("grant_invoke grant_invoke_runtime grant_invoke_runtime_for_user", AGENT),),
    ),
    "aws_cloudfront.Distribution": (
        distribution,
        (
            Opens("grant_create_invalidation", "cloudfront"),
            Opens("grant", "cloudfront", after=("cloudfront:GetInvalidation",)),
        ),
    ),
    "aws_cloudfront.CloudFrontWebDistribution": (
        old_distribution,
        (
            Opens("grant_create_invalidation", "cloudfront"),
            Opens("grant", "cloudfront", after=("cloudfront:GetInvalidation",)),
        ),
    ),
    "aws_cloudwatch.Metric": (lambda _: cloudwatch.Metric, (Opens("grant_put_metric_data", "cloudwatch"),)),
    "aws_codebuild.ReportGroup": (lambda s: codebuild.ReportGroup(s, "Group"), (Opens("grant_write", "codebuild"),)),
    "aws_codecommit.Repository": (
        lambda s: codecommit.Repository(s, "Repository", repository_name="orders"),
        (
            Opens("grant_pull grant_pull_push", hosts="git-codecommit.{region}.{suffix}:443"),
            Opens("grant_read", "codecommit", hosts="git-codecommit.{region}.{suffix}:443"),
            Opens("grant", "codecommit", after=("codecommit:GetBranch",)),
        ),
    ),
    "aws_codedeploy.LambdaDeploymentGroup": (
        deployment_group,
        (Opens("grant_put_lifecycle_event_hook_execution_status", "codedeploy"),),
    ),
    "aws_codeguruprofiler.ProfilingGroup": (
        lambda s: codeguruprofiler.ProfilingGroup(s, "Group"),
        (
            Opens("grant_publish grant_read", "codeguruprofiler"),
            Opens("grants.actions", "codeguruprofiler", after=(["codeguru-profiler:GetProfile"],)),
        ),
    ),
    "aws_cognito.UserPool": (
        lambda s: cognito.UserPool(s, "Pool"),
        (Opens("grant", "cognito-idp", after=("cognito-idp:AdminGetUser",)),),
    ),
    "aws_dynamodb.TableBase": (
        streamed,
        (
            Opens(DATA, "dynamodb"),
            Opens("grant", "dynamodb", after=("dynamodb:Scan",)),
            Opens("grant_stream_read grant_table_list_streams", "dynamodbstreams"),
            Opens("grant_stream", "dynamodbstreams", after=("dynamodb:GetRecords",)),
            Opens("grant_on_key", "kms", after=(DECRYPT,)),
        ),
    ),
    "aws_dynamodb.TableBaseV2": (
        streamed_v2,
        (
            Opens(DATA, "dynamodb"),
            Opens("grant", "dynamodb", after=("dynamodb:Scan",)),
            Opens("grant_stream_read grant_table_list_streams", "dynamodbstreams"),
            Opens("grant_stream", "dynamodbstreams", after=("dynamodb:GetRecords",)),
            Opens("grant_on_key", "kms", after=(DECRYPT,)),
        ),
    ),
    "aws_dynamodb.StreamGrants": (
        stream_grants,
        (Opens("list read", "dynamodbstreams"), Opens("actions", "dynamodbstreams", after=("dynamodb:GetRecords",))),
    ),
    "aws_ec2.Volume": (
        volume,
        (
            Opens("grant_attach_volume grant_detach_volume", "ec2"),
            Opens(
                "grant_attach_volume_by_resource_tag grant_detach_volume_by_resource_tag",
                "ec2",
                after=lambda s: ([Construct(s, "Tagged")],),
            ),
        ),
    ),
    "aws_ecr.AuthorizationToken": (lambda _: ecr.AuthorizationToken, (Opens("grant_read", "ecr"),)),
    "aws_ecr.PublicGalleryAuthorizationToken": (
        lambda _: ecr.PublicGalleryAuthorizationToken,
        (Opens("grant_read", "ecr-public sts"),),
    ),
    "aws_ecr.RepositoryBase": (
        lambda s: ecr.Repository(s, "Repository"),
        (
            Opens("grant_pull grant_pull_push grant_push grant_read", "ecr"),
            Opens("grant", "ecr", after=("ecr:DescribeImages",)),
        ),
    ),
    "aws_ecs.Cluster": (lambda s: ecs.Cluster(s, "Cluster", vpc=vpc(s)), (Opens("grant_task_protection", "ecs"),)),
    "aws_ecs.TaskDefinition": (task, (Opens("grant_run", "ecs"),)),
    "aws_efs.FileSystem": (
        lambda s: efs.FileSystem(s, "Files", vpc=vpc(s), vpc_subnets=ISOLATED),
        (
            Opens("grant_read grant_read_write grant_root_access"),  # Lambda mounts it
            Opens("grant", "efs", after=("elasticfilesystem:DescribeMountTargets",)),
        ),
    ),
    "aws_elasticsearch.Domain": (on(elasticsearch.Domain), search()),
    "aws_events.EventBus": (
        lambda s: events.EventBus(s, "Bus"),
        (
            Opens("grant_all_put_events grant_put_events_to", "eventbridgev2 events"),
            Opens("grants.actions", "eventbridgev2 events", after=(["events:DescribeEventBus"],)),
        ),
    ),
    "aws_glue.ExternalTable": (external_table, (Opens(READ_WRITE, "glue"),)),
    "aws_glue.S3Table": (lambda s: catalogue(s, glue.S3Table), (Opens(READ_WRITE, "glue", buckets="Table/Bucket"),)),
    "aws_glue.TableBase": (
        lambda s: catalogue(s, glue.S3Table),
        (Opens("grant grant_to_underlying_resources", "glue", after=(["glue:GetTable"],)),),
    ),
    "aws_iam.Role": (
        role,
        (
            Opens("grant_assume_role", "sts"),
            Opens("grant_pass_role"),
            Opens("grant", "iam", after=("iam:GetRole",)),
        ),
    ),
    "aws_iam.LazyRole": (
        lazy_role,
        (
            Opens("grant_assume_role", "sts"),
            Opens("grant_pass_role"),
            Opens("grant", "iam", after=("iam:GetRole",)),
        ),
    ),
    "aws_kinesis.Stream": (
        lambda s: kinesis.Stream(s, "Stream"),
        (Opens(READ_WRITE, "kinesis"), Opens("grant", "kinesis", after=("kinesis:DescribeStream",))),
    ),
    "aws_kinesis.StreamConsumer": (
        consumer,
        (Opens("grant_read", "kinesis"), Opens("grant", "kinesis", after=("kinesis:DescribeStreamConsumer",))),
    ),
    "aws_kinesisfirehose.DeliveryStream": (
        delivery_stream,
        (Opens("grant_put_records", "firehose"), Opens("grant", "firehose", after=("firehose:PutRecord",))),
    ),
    "aws_kinesisfirehose.KinesisStreamSource": (
        lambda s: firehose.KinesisStreamSource(kinesis.Stream(s, "Stream")),
        (Opens("grant_read", "kinesis"),),
    ),
    "aws_kms.Alias": (
        alias_of_key,
        (Opens(f"{CRYPT} {SIGN}", "kms"), Opens("grant", "kms", after=("kms:DescribeKey",))),
    ),
    "aws_kms.Key": (
        key,
        (Opens(f"grant_admin {CRYPT} {SIGN}", "kms"), Opens("grant", "kms", after=("kms:DescribeKey",))),
    ),
    "aws_lambda.FunctionBase": (
        another,
        (
            Opens("grant_invoke grant_invoke_latest_version", "lambda"),
            Opens("grant_invoke_version", "lambda", after=lambda s: (s.node.find_child("Another").current_version,)),
            Opens("grant_invoke_url", said="DataPlane"),  # it has no URL in the app
        ),
    ),
    "aws_lambda.FunctionUrl": (
        lambda s: another(s).add_function_url(),
        (Opens("grant_invoke_url", hosts="Another:_*:443"),),
    ),
    "aws_logs.LogGroup": (
        lambda s: logs.LogGroup(s, "Log"),
        (Opens("grant_read grant_write", "logs"), Opens("grant", "logs", after=("logs:StartQuery",))),
    ),
    "aws_opensearchservice.Domain": (on(opensearch.Domain), search()),
    "aws_rds.DatabaseClusterBase": (
        lambda s: cluster(s, iam_authentication=True, enable_data_api=True),
        (
            Opens("grant_connect", hosts="Cluster:_*:* Cluster:_*:*_(2)", after=("app",)),
            Opens("grant_data_api_access", "rds-data secretsmanager"),
        ),
    ),
    "aws_rds.DatabaseInstance": (
        lambda s: instance(s, iam_authentication=True),
        (Opens("grant_connect", hosts="Db:_*:*", after=("app",)),),
    ),
    "aws_rds.DatabaseInstanceBase": (imported_database, (Opens("grant_connect", said="DataPlane", after=("app",)),)),
    "aws_rds.DatabaseInstanceFromSnapshot": (
        lambda s: restored(s, rds.DatabaseInstanceFromSnapshot, engine=rds.DatabaseInstanceEngine.POSTGRES),
        (Opens("grant_connect", hosts="Db:_*:*", after=("app",)),),
    ),
    "aws_rds.DatabaseProxy": (proxy, (Opens("grant_connect", hosts="Db/Proxy:_*:5432", after=("app",)),)),
    "aws_rds.ServerlessCluster": (serverless, (Opens("grant_data_api_access", "rds-data secretsmanager"),)),
    "aws_rds.ServerlessClusterFromSnapshot": (
        lambda s: restored(
            s, rds.ServerlessClusterFromSnapshot, engine=rds.DatabaseClusterEngine.AURORA_MYSQL, enable_data_api=True
        ),
        (Opens("grant_data_api_access", "rds-data"),),
    ),
    "aws_route53.HostedZone": (
        lambda s: route53.PublicHostedZone(s, "Zone", zone_name="example.com"),
        (Opens("grant_delegation", "route53"),),
    ),
    "aws_s3.BucketBase": (
        lambda s: s3.Bucket(s, "Bucket", encryption_key=key(s)),
        (
            Opens(f"{READ_WRITE} grant_delete grant_put grant_put_acl", buckets="Bucket"),
            Opens("grant_on_key", "kms", after=(DECRYPT,)),
            Opens("grant_replication_permission", buckets="Bucket shop-replica", after=replicas),
            Opens(
                "grants.actions_on_object_keys grants.actions_on_bucket_and_object_keys",
                buckets="Bucket",
                after=("*", "s3:GetObject"),
            ),
        ),
    ),
    "aws_s3_assets.Asset": (
        lambda s: s3_assets.Asset(s, "Asset", path=SCHEMA),
        (Opens("grant_read", buckets="cdk-hnb659fds-assets-111111111111-eu-west-1"),),
    ),
    "aws_scheduler.ScheduleGroup": (
        lambda s: scheduler.ScheduleGroup(s, "Group"),
        (
            Opens("grant_delete_schedules grant_read_schedules grant_write_schedules", "scheduler"),
            Opens("grant", "scheduler", after=("scheduler:GetSchedule",)),
        ),
    ),
    "aws_secretsmanager.Secret": (
        lambda s: sm.Secret(s, "Secret"),
        (Opens("grant_read grant_write", "secretsmanager"),),
    ),
    "aws_secretsmanager.SecretTargetAttachment": (
        secret_of_a_database,
        (Opens("grant_read grant_write", "secretsmanager"),),
    ),
    "aws_ses.EmailIdentity": (
        lambda s: ses.EmailIdentity(s, "Identity", identity=ses.Identity.domain("example.com")),
        (Opens("grant_send_email", "ses"), Opens("grant", "ses", after=("ses:SendTemplatedEmail",))),
    ),
    "aws_sns.TopicBase": (
        lambda s: sns.Topic(s, "Topic", master_key=key(s)),
        (
            Opens("grant_publish grant_subscribe", "sns"),
            Opens("grants.actions", "sns", after=(["sns:GetTopicAttributes"],)),
            Opens("grant_on_key", "kms", after=(DECRYPT,)),
        ),
    ),
    "aws_sqs.QueueBase": (
        lambda s: sqs.Queue(s, "Queue", encryption_master_key=key(s)),
        (
            Opens("grant_consume_messages grant_purge grant_send_messages", "sqs"),
            Opens("grant", "sqs", after=("sqs:GetQueueUrl",)),
            Opens("grant_on_key", "kms", after=(DECRYPT,)),
        ),
    ),
    "aws_ssm.StringParameter": (
        lambda s: ssm.StringParameter(s, "Parameter", string_value="x"),
        (Opens("grant_read grant_write", "ssm"), Opens("grant_on_key", after=(DECRYPT,))),  # it has no key
    ),
    "aws_ssm.StringListParameter": (
        lambda s: ssm.StringListParameter(s, "Parameter", string_list_value=["x"]),
        (Opens("grant_read grant_write", "ssm"), Opens("grant_on_key", after=(DECRYPT,))),  # it has no key
    ),
    "aws_stepfunctions.Activity": (
        lambda s: sfn.Activity(s, "Activity"),
        (Opens("grant", "stepfunctions", after=("states:GetActivityTask",)),),
    ),
    "aws_stepfunctions.StateMachine": (
        machine,
        (
            Opens(f"{START} grant_read grant_redrive_execution", "stepfunctions"),
            Opens("grant_execution", "stepfunctions", after=("states:DescribeExecution",)),
            Opens("grant", "stepfunctions", after=("states:ListExecutions",)),
        ),
    ),
    "custom_resources.WaiterStateMachine": (waiter, (Opens("grant_start_execution", "stepfunctions"),)),
}

NOT_A_FUNCTIONS: Final[Mapping[str, str]] = {
    "aws_apigateway.RestApiBase.grant_invoke_from_vpc_endpoints_only": "has no grantee: it is the API's policy",
    r"aws_bedrockagentcore\.(ICredential\w+|\w+(Api|Tool)Schema)\.\w+": "of a gateway's role, for its targets",
    "aws_bedrockagentcore.RuntimeBase.grant": "has no grantee: it is of the runtime's role",
    r"aws_bedrockagentcore\.\w+MemoryStrategy\.grant": "of the memory's role, for the strategy's models and topics",
    r"aws_codepipeline_actions\.ManualApprovalAction\.\w+": "of an action that is in a pipeline",
    r"aws_dynamodb\.TableGrants\.multi_account_\w+": "has no grantee: it is the table's policy",
    r"aws_eks(_v2)?\.Cluster\.\w+": "in Kubernetes, to an ARN: no statement of a role",
    r"aws_lambda\.FunctionBase\.grant_invoke_composite_principal": "to several principals at once: no function is that",
    r"aws_sagemaker\.I(Endpoint|Pipeline)\.\w+": "of an interface that no class of the CDK has",
    r"aws_s3\.(BucketBase\.grant_public_access|BucketGrants\.public_access)": "to everybody: it is the bucket's policy",
    r"aws_iam\.IEncryptedResource\.grant_on_key": "of an interface: the classes have rows",
    r"experimental\.EdgeFunction\.\w+": "at Lambda@Edge, where no function has a shield",
}
"""Patterns of methods without a row, each with the reason."""


_MEMBER: Final = re.compile(
    r"^class (?P<cls>\w+)|^(?P<property>    @builtins\.property\n)?"
    r'    @jsii\.member\(jsii_name="\w+"\)\n(?:    @builtins\.classmethod\n)?    def (?P<name>\w+)\(',
    re.MULTILINE,
)


def find_methods() -> set[str]:
    """The methods of the CDK that grant, as `module.Class.method`: of classes that define them, not of interfaces.

    Methods of a `...Grants` class are left out where the resource has them as `grant_...` too.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for file in Path(str(cdk.__file__)).parent.rglob("__init__.py"):
        text = file.read_text(encoding="utf-8")
        cls = ""
        for match in _MEMBER.finditer(text) if "def grant" in text or "Grants:" in text else ():
            cls, name = match["cls"] or cls, match["name"] or ""
            grants = name.startswith("grant") or (cls.endswith("Grants") and name and not name.startswith("from_"))
            if grants and not match["property"] and not cls.startswith("_"):
                found.setdefault((file.parent.name, name), set()).add(cls)
    methods: set[str] = set()
    for (module, name), classes in found.items():
        shorter = "grant" if name == "actions" else f"grant_{name}"
        if (module, shorter) in found:
            classes = {cls for cls in classes if not cls.endswith("Grants") or cls == "StreamGrants"}
        real = {cls for cls in classes if not re.match("I[A-Z]", cls)} or classes
        methods |= {f"{module}.{cls}.{name}" for cls in real}
    return methods


def rows() -> Iterator[tuple[str, Make, str, Opens]]:
    """The name of each method as the CDK has it, its resource, how it is called, and what it opens."""
    for name, (make, opened) in KINDS.items():
        for opens in opened:
            for method in opens.methods.split():
                owner, _, short = method.rpartition(".")
                cls = f"{name.removesuffix('Base')}Grants" if owner else name
                yield f"{cls}.{short}", make, method, opens


ROWS: Final = {name: (make, method, opens) for name, make, method, opens in rows()}


def test_every_method_has_a_row_or_a_reason() -> None:
    found = find_methods()
    excluded = {name for name in found if any(re.fullmatch(pattern, name) for pattern in NOT_A_FUNCTIONS)}
    assert sorted(found - ROWS.keys() - excluded) == []
    assert sorted(ROWS.keys() - found) == []
    assert [p for p in NOT_A_FUNCTIONS if not any(re.fullmatch(p, name) for name in excluded)] == []
    assert excluded & ROWS.keys() == set()


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grants]:
    """What is read for a function of each row."""
    folder = tmp_path_factory.mktemp("methods")
    app = cdk.App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    functions: dict[str, Any] = {}
    stack: Any = None
    for number, (name, (make, method, opens)) in enumerate(ROWS.items()):
        if number % 20 == 0:
            stack = cdk.Stack(app, f"Grants{number // 20}", env=HOME)
        scope = Construct(stack, name)
        functions[name] = another(scope, "Function")
        resource = make(scope)
        after = opens.after(scope) if callable(opens.after) else opens.after
        words: dict[str, Any] = after[-1] if after and isinstance(after[-1], dict) else {}
        given = [each() if callable(each) else each for each in after if each is not words]
        for part in method.split("."):
            resource = getattr(resource, part)
        resource(*opens.before, functions[name], *given, **words)
    return dict(zip(functions, read_grants(app, list(functions.values())).values(), strict=True))


@pytest.mark.parametrize("name", ROWS)
def test_a_method_opens_what_it_says(read: dict[str, Grants], name: str) -> None:
    expected, grants = ROWS[name][2], read[name]

    def named(kind: str) -> str:
        here = [entry.name for entry in grants.entries if entry.kind == kind]
        return " ".join(sorted((each.partition(f"/{name}/")[2] or each).replace(" ", "_") for each in here))

    said = " ".join(f.id.removeprefix("shielded-function:granted") for f in (*grants.problems, *grants.warnings))
    assert (named("service"), named("bucket"), named("host"), said) == (
        expected.services,
        expected.buckets,
        expected.hosts,
        expected.said,
    )
