"""What events start: queues, topics, streams, buckets, buses, brokers."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_config as config
from aws_cdk import aws_events as rules
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as outcomes
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from aws_cdk import aws_ses_actions as ses_actions
from constructs import Construct
from data import BUCKET, Data
from functions import JAVA, NODE, PYTHON, Row, make_functions

LATEST = lambda_.StartingPosition.LATEST
# What Lambda needs, in the function's role, to poll what is in a VPC.
NETWORK = (
    "ec2:CreateNetworkInterface, ec2:DescribeNetworkInterfaces, ec2:DescribeVpcs, ec2:DeleteNetworkInterface, "
    "ec2:DescribeSubnets, ec2:DescribeSecurityGroups"
)
DOCUMENTS = f"rds:DescribeDBClusters, rds:DescribeDBClusterParameters, rds:DescribeDBSubnetGroups, {NETWORK}"

QUEUES = (
    Row("OnRegistered", NODE, "change parcels, send emails, send texts", "registered"),
    Row("OnFailed", PYTHON, "send emails", "failed"),
    Row("OrderPickup", NODE, "read carrier_key", "orders"),
    Row("SendEmail", PYTHON, "ses:SendEmail", "emails"),
    Row("SendText", NODE, "sns:Publish", "texts"),
)
TOPICS = (
    Row("OnDelivered", NODE, "write parcels", "delivered"),
    Row("TellChat", NODE, "", "delivered", arm=True),
)
BUS = (
    Row("OnClaim", NODE, "read customers", "Claim"),
    Row("OnCancelled", PYTHON, "send orders", "Cancelled"),
    Row("OnScanDeleted", NODE, "write parcels", "Object Deleted"),
)
OTHERS = (
    Row("OnMove", PYTHON, "write parcels"),
    Row("AnalyzeMoves", JAVA, "write reports"),
    Row("IndexParcel", PYTHON, "write search"),
    Row("OnKafka", JAVA, "write parcels"),
    Row("OnArrival", PYTHON, "send bus"),
    Row("OnMessage", NODE, f"read broker_login, {NETWORK}"),
    Row("OnDocument", PYTHON, DOCUMENTS),
    Row("ReadScan", PYTHON, "textract:AnalyzeDocument"),
    Row("ReadLog", NODE, "cloudwatch:PutMetricData"),
    Row("SendToKafka", JAVA, vpc=True),
    Row("OnMail", PYTHON, "send failed"),
    Row("OnWeight", NODE, "write moves", arm=True),
    Row("MaskRecord", PYTHON),
    Row("CheckTags", PYTHON, "config:PutEvaluations"),
)


class Events(cdk.Stack):
    """Functions that nobody calls."""

    def __init__(self, scope: Construct, id: str, data: Data) -> None:
        super().__init__(scope, id)
        self.functions = make_functions(self, data, (*QUEUES, *TOPICS, *BUS, *OTHERS))
        for row in QUEUES:
            self.functions[row.name].add_event_source(sources.SqsEventSource(getattr(data, row.on)))
        for row in TOPICS:
            self.functions[row.name].add_event_source(sources.SnsEventSource(getattr(data, row.on)))
        for row in BUS:
            target: Any = targets.LambdaFunction(self.functions[row.name])
            pattern = rules.EventPattern(detail_type=[row.on])
            bus = None if row.on == "Object Deleted" else data.bus  # S3 sends to the account's own
            rules.Rule(self, f"{row.name}Rule", event_bus=bus, event_pattern=pattern, targets=[target])
        self._streams(data)
        self._buckets_and_logs(data)
        self._clusters(data)
        self._services(data)

    def _streams(self, data: Data) -> None:
        moves: Any = sources.KinesisEventSource(data.moves, starting_position=LATEST)
        self.functions["OnMove"].add_event_source(moves)
        consumer: Any = kinesis.StreamConsumer(self, "Analyst", stream_consumer_name="analyst", stream=data.moves)
        analyzed: Any = sources.KinesisConsumerEventSource(consumer, starting_position=LATEST)
        self.functions["AnalyzeMoves"].add_event_source(analyzed)
        failed: Any = sources.SqsDlq(data.failed)
        changes: Any = sources.DynamoEventSource(data.parcels, starting_position=LATEST, on_failure=failed)
        self.functions["IndexParcel"].add_event_source(changes)

    def _buckets_and_logs(self, data: Data) -> None:
        scans = s3.Bucket(self, "Scans", event_bridge_enabled=True, **BUCKET)
        scans.grant_read(self.functions["ReadScan"])
        uploaded = sources.S3EventSource(scans, events=[s3.EventType.OBJECT_CREATED])
        self.functions["ReadScan"].add_event_source(uploaded)
        read: Any = destinations.LambdaDestination(self.functions["ReadLog"])
        errors = logs.FilterPattern.literal("ERROR")
        logs.LogGroup(self, "Log").add_subscription_filter("Errors", destination=read, filter_pattern=errors)

    def _clusters(self, data: Data) -> None:
        on = data.kafka.attr_arn
        moves = sources.ManagedKafkaEventSource(cluster_arn=on, topic="moves", starting_position=LATEST)
        self.functions["OnKafka"].add_event_source(moves)
        arrivals = sources.SelfManagedKafkaEventSource(
            bootstrap_servers=["kafka.partner.example:9096"],
            topic="arrivals",
            secret=data.kafka_login,
            starting_position=LATEST,
        )
        self.functions["OnArrival"].add_event_source(arrivals)
        self._allow("SendToKafka", on, "kafka-cluster:Connect", "kafka-cluster:WriteData")
        # The CDK has no classes for these two.
        self._allow("OnMessage", data.broker.attr_arn, "mq:DescribeBroker")
        self._map("OnMessage", data.broker.attr_arn, data.broker_login, queues=["orders"])
        login: Any = data.documents.secret
        login.grant_read(self.functions["OnDocument"])
        arn = f"arn:{self.partition}:rds:{self.region}:{self.account}:cluster:{data.documents.cluster_identifier}"
        self._map("OnDocument", arn, login, document_db_event_source_config={"databaseName": "parcels"})

    def _services(self, data: Data) -> None:
        """Services that call a function each: mail, things, a delivery stream, AWS Config."""
        mail: Any = ses_actions.Lambda(function=self.functions["OnMail"])
        receipt = ses.ReceiptRuleOptions(recipients=["claims@parcels.example"], actions=[mail])
        ses.ReceiptRuleSet(self, "Mail", rules=[receipt])
        self.functions["OnMail"].configure_async_invoke(on_failure=outcomes.SqsDestination(data.failed))
        weight: Any = {"lambda": {"functionArn": self.functions["OnWeight"].function_arn}}
        scales: Any = {"sql": "SELECT * FROM 'scales/+/weight'", "actions": [weight]}
        rule = iot.CfnTopicRule(self, "Scales", topic_rule_payload=scales)
        iot_service = iam.ServicePrincipal("iot.amazonaws.com")
        self.functions["OnWeight"].add_permission("Scales", principal=iot_service, source_arn=rule.attr_arn)
        masked: Any = firehose.LambdaFunctionProcessor(self.functions["MaskRecord"])
        archive: Any = firehose.S3Bucket(data.reports, processors=[masked])
        firehose.DeliveryStream(self, "Archive", destination=archive)
        tags: Any = self.functions["CheckTags"]
        config.CustomRule(self, "Tags", lambda_function=tags, configuration_changes=True)

    def _allow(self, name: str, arn: str, *actions: str) -> None:
        self.functions[name].add_to_role_policy(iam.PolicyStatement(actions=list(actions), resources=[arn]))

    def _map(self, name: str, arn: str, login: Any, **options: Any) -> None:
        lambda_.CfnEventSourceMapping(
            self,
            f"{name}Mapping",
            function_name=self.functions[name].function_name,
            event_source_arn=arn,
            source_access_configurations=[{"type": "BASIC_AUTH", "uri": login.secret_arn}],
            **options,
        )
