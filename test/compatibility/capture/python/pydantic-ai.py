from pydantic_ai import Agent

import pydantic_agent
import rig

providers = rig.start()
Agent.instrument_all()
rig.request(providers, pydantic_agent.run)
