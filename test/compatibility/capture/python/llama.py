"""The conversation by a LlamaIndex function agent."""

import asyncio

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.llms.openai import OpenAI

import rig


def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


def run():
    llm = OpenAI(model="gpt-5-mini", api_base=rig.OPENAI_BASE, api_key="none")
    agent = FunctionAgent(
        name="weather-agent",
        llm=llm,
        tools=[get_weather],
        system_prompt=rig.SYSTEM,
        streaming=False,
    )

    async def work():
        await agent.run(rig.QUESTION)

    asyncio.run(work())
    llm.chat([ChatMessage(role="system", content=rig.SYSTEM), ChatMessage(role="user", content=rig.QUESTION)])
