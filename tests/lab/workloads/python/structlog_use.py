# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Logs as JSON."""

import structlog
from outcome import told

structlog.configure(processors=[structlog.processors.TimeStamper(), structlog.processors.JSONRenderer()])


def use():
    structlog.get_logger().info("event", number=1)
    return "logged"


handler = told(use)
