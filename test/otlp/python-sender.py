"""Sends one item of each kind by the Python SDK: python-sender.py http|grpc <http url> <grpc host:port> <service>.

Prints the ids that the SDK gave its span, as JSON.
"""

import json
import logging
import sys

from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

way, http, grpc, service = sys.argv[1:]
if way == "http":
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
else:
    from grpc import Compression
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter


def to(signal):
    if way == "http":
        return dict(endpoint=f"{http}/v1/{signal}", compression=Compression.Gzip)
    return dict(endpoint=grpc, insecure=True, compression=Compression.Gzip)


resource = Resource.create({"service.name": service})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**to("traces"))))
metrics = MeterProvider(
    [PeriodicExportingMetricReader(OTLPMetricExporter(**to("metrics")))], resource
)
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**to("logs"))))
logger = logging.getLogger("agent")
logger.addHandler(LoggingHandler(logger_provider=logs))

attributes = {"answer": 42, "ratio": 0.5, "fine": True, "tags": ["a", "b"]}
tracer = traces.get_tracer("agent", "1.2.3")
with tracer.start_as_current_span("chat", kind=SpanKind.CLIENT, attributes=attributes) as span:
    span.add_event("thought", {"step": 1})
    span.set_status(StatusCode.ERROR, "too long")
    logger.warning("hm")

meter = metrics.get_meter("agent")
meter.create_counter("tokens", "{token}").add(7, {"model": "gpt-4o"})
meter.create_histogram("duration", "s").record(0.5, {"model": "gpt-4o"})
meter.create_observable_gauge("temperature", [lambda _: [Observation(0.25)]])

for provider in (traces, metrics, logs):
    provider.shutdown()
context = span.get_span_context()
print(json.dumps({"trace": f"{context.trace_id:032x}", "span": f"{context.span_id:016x}"}))
