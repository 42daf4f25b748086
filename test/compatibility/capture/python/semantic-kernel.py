"""Semantic Kernel's own spans."""

import asyncio
import logging

from openai import AsyncOpenAI

import rig

providers = rig.start()

from opentelemetry.sdk._logs import LoggingHandler  # noqa: E402

# Messages are records of Python's own logger.
logger = logging.getLogger("semantic_kernel.utils.telemetry.model_diagnostics")
handler = LoggingHandler(logger_provider=providers[1])
handler.addFilter(lambda record: setattr(record, "pathname", record.filename) or True)
logger.addHandler(handler)
logger.setLevel(logging.INFO)

from semantic_kernel.agents import ChatCompletionAgent  # noqa: E402
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion  # noqa: E402
from semantic_kernel.functions import kernel_function  # noqa: E402


class Weather:
    @kernel_function(name="get_weather", description="Weather of a city")
    def get_weather(self, city: str) -> str:
        return rig.weather(city)


def work():
    async def run():
        service = OpenAIChatCompletion(
            ai_model_id="gpt-5-mini", async_client=AsyncOpenAI(base_url=rig.OPENAI_BASE)
        )
        agent = ChatCompletionAgent(
            service=service, name="weather-agent", instructions=rig.SYSTEM, plugins=[Weather()]
        )
        await agent.get_response(messages=rig.QUESTION)

    asyncio.run(run())


rig.request(providers, work)
