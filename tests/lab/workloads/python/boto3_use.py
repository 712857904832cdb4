# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Puts an object into a bucket, and reads it."""

import boto3
from outcome import told

client = boto3.client("s3")


def use():
    client.create_bucket(Bucket="workloads")
    client.put_object(Bucket="workloads", Key="key", Body=b"content")
    return client.get_object(Bucket="workloads", Key="key")["Body"].read().decode()


handler = told(use)
