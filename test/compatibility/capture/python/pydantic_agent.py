"""The conversation by a Pydantic AI agent."""

import asyncio

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import rig


def run():
    model = OpenAIChatModel("gpt-5-mini", provider=OpenAIProvider(base_url=rig.OPENAI_BASE))
    agent = Agent(model, name="weather-agent", instructions=rig.SYSTEM)

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """Weather of a city"""
        return rig.weather(city)

    agent.run_sync(rig.QUESTION)
    plain = Agent(model, name="plain-agent", instructions=rig.SYSTEM)

    async def stream():
        async with plain.run_stream(rig.QUESTION) as result:
            async for _text in result.stream_text():
                pass

    asyncio.run(stream())
