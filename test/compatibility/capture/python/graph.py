"""The conversation by a LangGraph agent, then a streamed question to the model alone."""

from langchain.agents import create_agent
from langchain_core.tools import tool

import rig


@tool
def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


def run(model):
    agent = create_agent(
        model=model, tools=[get_weather], system_prompt=rig.SYSTEM, name="weather-agent"
    )
    config = {"configurable": {"thread_id": "session-1"}, "metadata": {"thread_id": "session-1"}}
    agent.invoke({"messages": [{"role": "user", "content": rig.QUESTION}]}, config)
    for _chunk in model.stream([("system", rig.SYSTEM), ("user", rig.QUESTION)]):
        pass


def openai():
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="gpt-5-mini", base_url=rig.OPENAI_BASE, stream_usage=True)


def anthropic():
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model="claude-sonnet-4-5", base_url=rig.LLM, max_tokens=500)
