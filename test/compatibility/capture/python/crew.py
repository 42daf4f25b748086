"""The conversation by a CrewAI crew of one."""

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

import rig


@tool("get_weather")
def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


def run():
    llm = LLM(model="openai/gpt-5-mini", base_url=rig.OPENAI_BASE, api_key="none")
    agent = Agent(
        role="weather-agent", goal="Tell the weather", backstory=rig.SYSTEM, llm=llm, tools=[get_weather]
    )
    task = Task(description=rig.QUESTION, expected_output="The weather", agent=agent)
    Crew(name="weather-crew", agents=[agent], tasks=[task]).kickoff()
