import openlit
from openai import OpenAI
from opentelemetry import trace

import rig

providers = rig.start()
openlit.init(otlp_endpoint=None, disable_metrics=True)
client = OpenAI(base_url=rig.OPENAI_BASE)
rig.request([trace.get_tracer_provider()], lambda: rig.chat(client))
