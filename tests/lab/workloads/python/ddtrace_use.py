# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Traces a span; the agent that it would go to is not there."""

import ddtrace.auto  # noqa: F401
from ddtrace.trace import tracer
from outcome import told


def use():
    with tracer.trace("work", service="workload") as span:
        span.set_tag("a", "b")
    return span.name


handler = told(use)
