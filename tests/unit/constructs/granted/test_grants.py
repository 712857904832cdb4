"""Grants as people write them, and each method of the CDK's that grants: what it opens, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest
from constructs import Construct

from shielded_function import Shield, ShieldPolicy
from shielded_function.checks import read_assembly
from shielded_function.granted import Grants, read_grants
from shielded_function.granted.template_reader import TemplateGrants
from unit.constructs.aws import aws
from unit.constructs.granted.kinds import HOME, ID, ISOLATED, another, call, instance, key, list_methods, table, vpc

pytestmark = pytest.mark.xdist_group("grants")  # one app for all rows

Grant = Callable[[Any, Any], object]
"""Grants something to a function; what it makes goes into the scope."""


@dataclass(frozen=True)
class Row:
    """A grant.

    Attributes:
        grant: makes it.
        services, buckets, hosts, said: as of a method in `kinds`.
        left: why grants are left out, with constructs by their ids; the log of every function is not told.
        props: of the function.
    """

    grant: Grant
    services: str = ""
    buckets: str = ""
    hosts: str = ""
    said: str = ""
    left: tuple[str, ...] | None = None
    props: Callable[[Any], dict[str, Any]] = lambda _: {}


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


def path_of(name: str) -> str:
    """The id of a row's scope."""
    return name.replace(":", "-")


def by_method(make: Any, method: str, opens: Any) -> Row:
    return Row(lambda s, f: call(s, make, method, opens, f), opens.services, opens.buckets, opens.hosts, opens.said)


METHODS: Final = {name: by_method(make, method, opens) for name, make, method, opens in list_methods()}
ROWS.update({text: Row(allowing(text), said="DataPlane") for text in PLANES})
ROWS.update(METHODS)
# Of a class's methods, the whole app has the first one: shielding all of them takes long.
FIRST: Final = {name.rpartition(".")[0]: name for name in reversed(METHODS)}
SHIELDED: Final = {*ROWS.keys() - METHODS.keys(), *FIRST.values()}


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
    if expected.left is not None:
        reasons = {re.sub(rf"Grants\d+/{name}/", "", each.reason) for each in grants.left_out}
        assert reasons == {*expected.left, "Lambda writes the log"}


def test_the_whole_app_says_no_more(built: tuple[cdk.App, dict[str, Any]], read: dict[str, Grants]) -> None:
    """Shielded and synthesized: each function's warnings are its row's, and its environment has the row's services."""
    app, functions = built
    for name in SHIELDED:
        Shield(ShieldPolicy(allow_aws="granted")).apply(functions[name])
    names = {path_of(name): name for name in ROWS}
    told = {name: list[str]() for name in SHIELDED}
    services: dict[str, list[str]] = {}
    for stack in app.synth().stacks:
        for message in stack.messages:
            for said in re.findall(r"\[ack: shielded-function:granted(\w+)\]", str(message.entry.data)):
                told[names[message.id.split("/")[2]]].append(said)
        for resource in stack.template["Resources"].values():
            path = resource.get("Metadata", {}).get("aws:cdk:path", "").split("/")
            if path[2:] == ["Function", "Resource"]:
                variables = resource["Properties"].get("Environment", {}).get("Variables", {})
                services[names[path[1]]] = sorted(variables.get("SHIELD_ALLOW_AWS", "").split(","))
    assert told == {name: ROWS[name].said.split() for name in SHIELDED}
    assert {name: services[name] for name in SHIELDED} == {n: ROWS[n].services.split() or ["none"] for n in SHIELDED}


# What a template does not tell: more is granted than from constructs, never less.
ONLY_FROM_CONSTRUCTS: Final = {
    "aws_lambda.FunctionBase.grant_invoke_url": {"Another"},  # which has no URL
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

    more: dict[str, set[str]] = {}
    for name, function in functions.items():
        found = reader.grants_of(reader.caller_of(at[function.node.path]))
        more[name] = {text.partition(f"/{name}/")[2] or text for _, text in opened(found) - opened(read[name])}
        assert not opened(read[name]) - opened(found), name
        assert more[name] or said(found) == said(read[name]), name
        assert more[name] or {each.reason for each in found.left_out} == {
            each.reason for each in read[name].left_out
        }, name
    assert {name: texts for name, texts in more.items() if texts} == ONLY_FROM_CONSTRUCTS


def test_every_method_has_a_row_or_a_reason() -> None:
    found = find_methods()
    excluded = {name for name in found if any(re.fullmatch(pattern, name) for pattern in NOT_A_FUNCTIONS)}
    assert sorted(found - METHODS.keys() - excluded) == []
    assert sorted(METHODS.keys() - found) == []
    assert [p for p in NOT_A_FUNCTIONS if not any(re.fullmatch(p, name) for name in excluded)] == []
    assert excluded & METHODS.keys() == set()
