"""A triage agent that hands over to a weather agent, by the OpenAI Agents SDK."""

from agents import Agent, Runner, function_tool, set_default_openai_api, set_default_openai_client
from openai import AsyncOpenAI

import rig


@function_tool
def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


def run():
    set_default_openai_client(AsyncOpenAI(base_url=rig.OPENAI_BASE), use_for_tracing=False)
    set_default_openai_api("responses")
    weather = Agent(
        name="weather-agent", instructions=rig.SYSTEM, model="gpt-5-mini", tools=[get_weather]
    )
    triage = Agent(
        name="triage-agent", instructions="Hand over.", model="gpt-5-mini", handoffs=[weather]
    )
    Runner.run_sync(triage, rig.QUESTION)
