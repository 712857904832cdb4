"""What is kept, and the network in which it is: tables, databases, caches, search, streams, queues, secrets."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_amazonmq as amazonmq
from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_events as events
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_msk as msk
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

ID = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
BUCKET: dict[str, Any] = {"auto_delete_objects": True, "removal_policy": cdk.RemovalPolicy.DESTROY}


class Data(cdk.Stack):
    """Made first; the other stacks use it."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.vpc = ec2.Vpc(self, "Vpc", max_azs=2, nat_gateways=1)
        self.inside = ec2.SecurityGroup(self, "Inside", vpc=self.vpc)  # of all that is in the VPC
        inside: Any = self.inside
        inside.add_ingress_rule(inside, ec2.Port.all_tcp())
        self.key = kms.Key(self, "Key", enable_key_rotation=True)
        encrypted: Any = {"encryption": dynamodb.TableEncryption.CUSTOMER_MANAGED, "encryption_key": self.key}
        stream = dynamodb.StreamViewType.NEW_IMAGE
        self.parcels = dynamodb.Table(self, "Parcels", partition_key=ID, stream=stream, **encrypted)
        self.customers = dynamodb.TableV2(self, "Customers", partition_key=ID)
        self.sockets = dynamodb.TableV2(self, "Sockets", partition_key=ID)
        self.labels = s3.Bucket(self, "Labels", **BUCKET)
        self.reports = s3.Bucket(self, "Reports", enforce_ssl=True, **BUCKET)
        self._messages()
        self._databases()
        self._clusters()

    def _messages(self) -> None:
        self.failed, self.emails, self.texts, self.letters = (
            sqs.Queue(self, name) for name in ("Failed", "Emails", "Texts", "Letters")
        )
        failed = sqs.DeadLetterQueue(queue=self.failed, max_receive_count=3)
        self.registered = sqs.Queue(self, "Registered", enforce_ssl=True, dead_letter_queue=failed)
        key: Any = self.key
        name = f"{self.stack_name}-Orders.fifo"
        self.orders = sqs.Queue(self, "Orders", queue_name=name, fifo=True, encryption_master_key=key)
        self.delivered = sns.Topic(self, "Delivered", enforce_ssl=True)
        self.moves = kinesis.Stream(self, "Moves")
        self.bus = events.EventBus(self, "Bus")
        secrets: Any = (secretsmanager.Secret(self, name) for name in ("CarrierKey", "PaymentsKey", "KafkaLogin"))
        self.carrier_key, self.payments_key, self.kafka_login = secrets

    def _databases(self) -> None:
        postgres = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_17_6)
        writer = rds.ClusterInstance.serverless_v2("Writer")
        depots = rds.DatabaseCluster(self, "Depots", engine=postgres, vpc=self.vpc, writer=writer)
        depots.add_rotation_single_user()
        login: Any = depots.secret
        name = f"{self.stack_name}-depots"  # the CDK's own would be "Proxy", in both stages
        access: Any = {"vpc": self.vpc, "security_groups": [self.inside], "db_proxy_name": name}
        self.depots = depots.add_proxy("Proxy", secrets=[login], iam_auth=True, **access)
        size, user = ec2.InstanceType("t4g.medium"), docdb.Login(username="documents")
        self.documents = docdb.DatabaseCluster(self, "Documents", vpc=self.vpc, instance_type=size, master_user=user)
        version = opensearch.EngineVersion.OPENSEARCH_2_19
        self.search = opensearch.Domain(self, "Search", version=version, enforce_https=True)

    def _clusters(self) -> None:
        subnets, group = self.vpc.select_subnets().subnet_ids, self.inside.security_group_id
        name = self.stack_name.lower()
        where: Any = {"security_group_ids": [group], "subnet_ids": subnets}
        self.positions = elasticache.CfnServerlessCache(
            self, "Positions", engine="valkey", serverless_cache_name=f"{name}-positions", **where
        )
        kafka: Any = {
            "client_authentication": {"sasl": {"iam": {"enabled": True}}},
            "vpc_configs": [{"subnetIds": subnets, "securityGroups": [group]}],
        }
        self.kafka = msk.CfnServerlessCluster(self, "Kafka", cluster_name=f"{name}-kafka", **kafka)
        self.broker_login = rds.DatabaseSecret(self, "BrokerLogin", username="parcels")  # has a name and a password
        password = self.broker_login.secret_value_from_json("password").unsafe_unwrap()
        broker: Any = {
            "engine_type": "RABBITMQ",
            "engine_version": "3.13",
            "host_instance_type": "mq.m7g.medium",
            "deployment_mode": "SINGLE_INSTANCE",
            "publicly_accessible": False,
            "subnet_ids": subnets[:1],
            "users": [{"username": "parcels", "password": password}],
        }
        self.broker = amazonmq.CfnBroker(self, "Broker", broker_name=f"{name}-broker", **broker)
