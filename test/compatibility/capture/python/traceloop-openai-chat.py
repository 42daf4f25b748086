from openai import OpenAI
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

import rig

providers = rig.start()
OpenAIInstrumentor().instrument()
client = OpenAI(base_url=rig.OPENAI_BASE)
rig.request(providers, lambda: rig.chat(client))
