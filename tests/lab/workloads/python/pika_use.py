# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Connects to RabbitMQ, where nobody listens."""

import pika
from outcome import told


def use():
    return str(pika.BlockingConnection(pika.ConnectionParameters("closed.example", connection_attempts=1)))


handler = told(use)
