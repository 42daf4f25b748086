"""A smolagents agent; it calls the OpenAI client, whose calls the same instrumentation sees."""

from openinference.instrumentation.smolagents import SmolagentsInstrumentor

import rig

providers = rig.start()
SmolagentsInstrumentor().instrument()

from smolagents import OpenAIModel, ToolCallingAgent, tool  # noqa: E402


@tool
def get_weather(city: str) -> str:
    """Weather of a city

    Args:
        city: A city
    """
    return rig.weather(city)


def work():
    model = OpenAIModel(model_id="gpt-5-mini", api_base=rig.OPENAI_BASE, api_key="none")
    agent = ToolCallingAgent(
        name="weather_agent", description="Tells the weather", tools=[get_weather], model=model, max_steps=2
    )
    agent.run(rig.QUESTION)


rig.request(providers, work)
