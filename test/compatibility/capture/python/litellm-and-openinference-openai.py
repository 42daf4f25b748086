import time

import litellm
from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig
from opentelemetry import trace
from openinference.instrumentation.openai import OpenAIInstrumentor

import completions
import rig

# LiteLLM calls the OpenAI client: two instrumentations see every call.
providers = rig.start()
OpenAIInstrumentor().instrument()
litellm.callbacks = [OpenTelemetry(OpenTelemetryConfig.from_env())]


def work():
    completions.run(trace.get_current_span())
    time.sleep(1)  # callbacks run on a thread of their own


rig.request(providers, work)
