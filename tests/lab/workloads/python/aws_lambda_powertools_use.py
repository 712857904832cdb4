# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Logs, counts, traces and validates an event."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from outcome import told

logger, metrics, tracer = Logger(service="s"), Metrics(namespace="n", service="s"), Tracer(service="s")


@tracer.capture_method
def work():
    logger.info("working")
    return 42


def use():
    metrics.add_metric(name="done", unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()
    return work()


handler = told(use)
