from anthropic import Anthropic
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

import rig

providers = rig.start()
AnthropicInstrumentor().instrument()
client = Anthropic(base_url=rig.LLM)
rig.request(providers, lambda: rig.messages(client))
