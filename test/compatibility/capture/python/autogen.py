"""AutoGen's own spans."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

import rig

providers = rig.start()


async def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


def work():
    async def run():
        client = OpenAIChatCompletionClient(model="gpt-5-mini", base_url=rig.OPENAI_BASE, api_key="none")
        agent = AssistantAgent(
            "weather_agent",
            model_client=client,
            tools=[get_weather],
            system_message=rig.SYSTEM,
            reflect_on_tool_use=True,
        )
        await agent.run(task=rig.QUESTION)

    asyncio.run(run())


rig.request(providers, work)
