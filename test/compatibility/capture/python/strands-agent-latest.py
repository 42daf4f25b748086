from strands import Agent, tool
from strands.models.openai import OpenAIModel

import rig


@tool
def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


def work():
    model = OpenAIModel(
        client_args={"base_url": rig.OPENAI_BASE, "api_key": "none"}, model_id="gpt-5-mini"
    )
    agent = Agent(
        name="weather-agent",
        model=model,
        tools=[get_weather],
        system_prompt=rig.SYSTEM,
        callback_handler=None,
        trace_attributes={"session.id": "session-1"},
    )
    agent(rig.QUESTION)


providers = rig.start()
rig.request(providers, work)
