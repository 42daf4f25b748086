from openinference.instrumentation.crewai import CrewAIInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

import rig

providers = rig.start()
CrewAIInstrumentor().instrument(skip_dep_check=True)
# CrewAI calls the OpenAI client itself: its own instrumentation sees agents and tools only.
OpenAIInstrumentor().instrument()

import crew  # noqa: E402

rig.request(providers, crew.run)
