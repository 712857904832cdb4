# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Records a span, and exports it over HTTP to a host that nobody allowed, by its own thread."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from outcome import told

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter("https://api.example/v1/traces", timeout=2)))
tracer = trace.get_tracer("workloads", tracer_provider=provider)


def use():
    with tracer.start_as_current_span("work"):
        pass
    provider.force_flush(4000)
    return "recorded"


handler = told(use)
