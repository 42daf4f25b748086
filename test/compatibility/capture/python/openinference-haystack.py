"""A Haystack pipeline of one generator; of Haystack's agents the instrumentation sees only that they run."""

from openinference.instrumentation.haystack import HaystackInstrumentor

import rig

providers = rig.start()
HaystackInstrumentor().instrument()

from haystack import Pipeline  # noqa: E402
from haystack.components.generators.chat import OpenAIChatGenerator  # noqa: E402
from haystack.dataclasses import ChatMessage  # noqa: E402
from haystack.utils import Secret  # noqa: E402


def work():
    generator = OpenAIChatGenerator(
        model="gpt-5-mini", api_base_url=rig.OPENAI_BASE, api_key=Secret.from_token("none")
    )
    pipeline = Pipeline()
    pipeline.add_component("llm", generator)
    messages = [ChatMessage.from_system(rig.SYSTEM), ChatMessage.from_user(rig.QUESTION)]
    pipeline.run({"llm": {"messages": messages}})


rig.request(providers, work)
