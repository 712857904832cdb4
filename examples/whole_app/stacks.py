"""The shop: where orders are kept, the functions that take and fulfil them, and a daily report."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import custom_resources as cr
from constructs import Construct

FUNCTIONS = Path(__file__).parent / "functions"


class Shop(cdk.Stage):
    """Everything, once for each environment."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.data = Data(self, "Data")
        self.orders = Orders(self, "Orders", self.data)


class Data(cdk.Stack):
    """What is kept: the table of orders, the database of stock, the bucket of reports."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.orders = dynamodb.Table(
            self,
            "Orders",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.reports = s3.Bucket(
            self, "Reports", auto_delete_objects=True, enforce_ssl=True, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.queue = sqs.Queue(self, "Paid", enforce_ssl=True)
        self.news = sns.Topic(self, "News", enforce_ssl=True)
        self.alarms: Any = sns.Topic(self, "Alarms", enforce_ssl=True)
        cloudwatch: Any = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        self.alarms.grant_publish(cloudwatch)  # a topic with a policy of its own lets nobody publish who is not named
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Private", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
            ],
        )
        # Without a route to the internet, the functions in the VPC reach AWS through these.
        self.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
        self.vpc.add_interface_endpoint("SecretsManager", service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER)
        self.database = rds.DatabaseInstance(
            self,
            "Stock",
            engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17_6),
            vpc=self.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            storage_encrypted=True,
            credentials=rds.Credentials.from_generated_secret("shop"),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )


class Orders(cdk.Stack):
    """The functions that take and fulfil orders."""

    def __init__(self, scope: Construct, id: str, data: Data) -> None:
        super().__init__(scope, id)
        self._place_order(data)
        self._fulfil_order(data)
        self._seed_orders(data)
        self._announce(data)
        self._exchange_rates()
        Reports(self, "Reports", data)

    def _place_order(self, data: Data) -> None:
        variables = {"ORDERS_TABLE": data.orders.table_name, "QUEUE_URL": data.queue.queue_url}
        place_order = lambda_.Function(self, "PlaceOrder", environment=variables, **python_code("place_order"))
        data.orders.grant_write_data(place_order)
        data.queue.grant_send_messages(place_order)

    def _fulfil_order(self, data: Data) -> None:
        """In the VPC, beside the database."""
        secret = data.database.secret
        assert secret is not None, "the credentials are generated"
        fulfil_order = lambda_.Function(
            self,
            "FulfilOrder",
            vpc=data.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            environment={
                "ORDERS_TABLE": data.orders.table_name,
                "DATABASE_HOST": data.database.db_instance_endpoint_address,
                "DATABASE_PORT": data.database.db_instance_endpoint_port,
                "DATABASE_SECRET": secret.secret_arn,
            },
            **python_code("fulfil_order"),
        )
        fulfil_order.add_event_source(event_sources.SqsEventSource(data.queue, batch_size=1))
        data.orders.grant_read_write_data(fulfil_order)
        secret.grant_read(fulfil_order)
        fulfil_order.connections.allow_to_default_port(data.database)

    def _seed_orders(self, data: Data) -> None:
        """A custom resource of ours, behind the CDK's provider framework, and one of the CDK's own."""
        variables = {"ORDERS_TABLE": data.orders.table_name}
        seed: Any = lambda_.Function(self, "SeedOrders", environment=variables, **python_code("seed_orders"))
        data.orders.grant_write_data(seed)
        provider = cr.Provider(self, "Seeding", on_event_handler=seed)
        cdk.CustomResource(self, "Seed", service_token=provider.service_token, properties={"Count": "4"})
        s3_deployment.BucketDeployment(
            self,
            "Templates",
            destination_bucket=data.reports,
            sources=[s3_deployment.Source.data("templates/report.csv", "order,amount\n")],
        )

    def _announce(self, data: Data) -> None:
        """One function for the whole stack, however often it is asked for."""
        announce = lambda_.SingletonFunction(
            self,
            "Announce",
            uuid="0f7ce8f0-6a39-4f0d-8cf3-3f5b3ad0c6a1",
            environment={"TOPIC": data.news.topic_arn},
            **python_code("announce"),
        )
        data.news.grant_publish(announce)

    def _exchange_rates(self) -> None:
        """A program of its own, on an OS-only runtime."""
        lambda_.Function(
            self,
            "ExchangeRates",
            runtime=lambda_.Runtime.PROVIDED_AL2023,
            handler="bootstrap",
            code=lambda_.Code.from_asset(str(FUNCTIONS / "exchange_rates")),
        )


class Reports(cdk.NestedStack):
    """The report of each day, written into the bucket."""

    def __init__(self, scope: Construct, id: str, data: Data) -> None:
        super().__init__(scope, id)
        variables = {"ORDERS_TABLE": data.orders.table_name, "BUCKET": data.reports.bucket_name}
        report: Any = lambda_.Function(self, "DailyReport", environment=variables, **python_code("daily_report"))
        data.orders.grant_read_data(report)
        data.reports.grant_put(report)
        every_day = events.Schedule.cron(hour="3", minute="0")
        target: Any = targets.LambdaFunction(report)
        events.Rule(self, "EveryDay", schedule=every_day, targets=[target])


class PythonCode(TypedDict):
    """What the functions have in common."""

    runtime: lambda_.Runtime
    handler: str
    code: lambda_.Code
    timeout: cdk.Duration
    memory_size: int
    runtime_management_mode: lambda_.RuntimeManagementMode


def python_code(folder: str) -> PythonCode:
    """A function of ours, by its folder."""
    return PythonCode(
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_asset(str(FUNCTIONS / folder), exclude=["__pycache__"]),
        timeout=cdk.Duration.seconds(30),
        memory_size=256,
        # A new libc or interpreter comes with a deployment, and not by itself.
        runtime_management_mode=lambda_.RuntimeManagementMode.FUNCTION_UPDATE,
    )
