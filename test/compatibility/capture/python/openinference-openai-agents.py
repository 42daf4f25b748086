from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

import rig
import team

providers = rig.start()
OpenAIAgentsInstrumentor().instrument()
rig.request(providers, team.run)
