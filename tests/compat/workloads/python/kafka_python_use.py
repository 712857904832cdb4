# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportCallIssue=false
"""Connects to Kafka, where nobody listens."""

from kafka import KafkaProducer
from outcome import told


def use():
    return str(KafkaProducer(bootstrap_servers="closed.example:9092", max_block_ms=2000, bootstrap_timeout_ms=2000))


handler = told(use)
