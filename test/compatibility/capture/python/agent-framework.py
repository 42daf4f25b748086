import asyncio

from agent_framework import Agent, tool
from agent_framework.openai import OpenAIChatCompletionClient

import rig


@tool(approval_mode="never_require")
def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


async def work():
    client = OpenAIChatCompletionClient(
        model="gpt-5-mini", base_url=rig.OPENAI_BASE, api_key="none"
    )
    agent = Agent(client, name="weather-agent", instructions=rig.SYSTEM, tools=[get_weather])
    await agent.run(rig.QUESTION)


providers = rig.start()
rig.request(providers, lambda: asyncio.run(work()))
