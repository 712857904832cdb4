# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Uploads and downloads a file by the transfer manager, whose threads write below /tmp."""

from pathlib import Path

import boto3
from outcome import told

client = boto3.client("s3")


def use():
    client.create_bucket(Bucket="workloads")
    Path("/tmp/upload.bin").write_bytes(b"content" * 100)
    client.upload_file("/tmp/upload.bin", "workloads", "file")
    client.download_file("workloads", "file", "/tmp/download.bin")
    return len(Path("/tmp/download.bin").read_bytes())


handler = told(use)
