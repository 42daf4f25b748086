"""Langfuse's drop-in OpenAI client and its own observations, sent to any OTLP endpoint."""

import json

import rig

providers = rig.start()

from langfuse import Langfuse  # noqa: E402
from opentelemetry import trace  # noqa: E402

langfuse = Langfuse(
    public_key="pk-none",
    secret_key="sk-none",
    base_url="http://127.0.0.1:9",
    tracer_provider=trace.get_tracer_provider(),
)

from langfuse.openai import OpenAI  # noqa: E402

rig.request(providers, lambda: rig.chat(OpenAI(base_url=rig.OPENAI_BASE)))
