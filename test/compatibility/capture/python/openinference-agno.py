from openinference.instrumentation.agno import AgnoInstrumentor

import rig

providers = rig.start()
AgnoInstrumentor().instrument()

from agno.agent import Agent  # noqa: E402
from agno.models.openai import OpenAIChat  # noqa: E402


def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


def work():
    agent = Agent(
        name="weather-agent",
        model=OpenAIChat(id="gpt-5-mini", base_url=rig.OPENAI_BASE, api_key="none"),
        instructions=rig.SYSTEM,
        tools=[get_weather],
        telemetry=False,
    )
    agent.run(rig.QUESTION, session_id="session-1", user_id="user-1")


rig.request(providers, work)
