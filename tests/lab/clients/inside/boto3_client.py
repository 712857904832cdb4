"""boto3: one use of the service that the second argument names, at its own host name, without retries."""

import sys
from typing import Any

import boto3
from attempt import attempt
from botocore.config import Config

TABLE, BUCKET, QUEUE = "orders", "my-bucket", "jobs"


def s3(client: Any) -> object:
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="key", Body=b"body")
    return client.get_object(Bucket=BUCKET, Key="key")["Body"].read().decode()


def dynamodb(client: Any) -> object:
    client.put_item(TableName=TABLE, Item={"id": {"S": "1"}})
    return client.get_item(TableName=TABLE, Key={"id": {"S": "1"}})["Item"]["id"]["S"]


def sqs(client: Any) -> object:
    url = client.create_queue(QueueName=QUEUE)["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="message")
    (received,) = client.receive_message(QueueUrl=url)["Messages"]
    client.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    return received["Body"]


USES = {"s3": s3, "dynamodb": dynamodb, "sqs": sqs}


def talk(host: str, _port: int) -> object:
    """The host is the SDK's own choice: what the test expects is checked against what it comes to."""
    service, _, region = sys.argv[2].partition("@")
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=10)
    return USES[service](boto3.client(service, region_name=region or None, config=config))


attempt(talk)
