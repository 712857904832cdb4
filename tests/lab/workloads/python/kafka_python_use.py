# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportCallIssue=false
"""Sends to Kafka and reads it, in a group."""

from kafka import KafkaConsumer, KafkaProducer
from outcome import told

BROKER = {"bootstrap_servers": "kafka.example:9092", "bootstrap_timeout_ms": 10000}


def use():
    producer = KafkaProducer(max_block_ms=10000, **BROKER)
    producer.send("topic", b"text").get(10)
    producer.close()
    consumer = KafkaConsumer(
        "topic", group_id="group", auto_offset_reset="earliest", consumer_timeout_ms=10000, **BROKER
    )
    text = next(consumer).value
    consumer.close()
    return text.decode()


handler = told(use)
