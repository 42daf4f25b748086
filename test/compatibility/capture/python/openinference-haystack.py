from openinference.instrumentation.haystack import HaystackInstrumentor

import rig

providers = rig.start()
HaystackInstrumentor().instrument()

from haystack.components.agents import Agent  # noqa: E402
from haystack.components.generators.chat import OpenAIChatGenerator  # noqa: E402
from haystack.dataclasses import ChatMessage  # noqa: E402
from haystack.tools import Tool  # noqa: E402
from haystack.utils import Secret  # noqa: E402


def work():
    generator = OpenAIChatGenerator(
        model="gpt-5-mini", api_base_url=rig.OPENAI_BASE, api_key=Secret.from_token("none")
    )
    tool = Tool(
        name="get_weather",
        description="Weather of a city",
        parameters=rig.PARAMETERS,
        function=rig.weather,
    )
    agent = Agent(chat_generator=generator, tools=[tool], system_prompt=rig.SYSTEM)
    agent.run(messages=[ChatMessage.from_user(rig.QUESTION)])


rig.request(providers, work)
