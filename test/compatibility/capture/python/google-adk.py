import asyncio
import os

os.environ["GOOGLE_API_KEY"] = "none"
os.environ["GOOGLE_GEMINI_BASE_URL"] = os.environ["FAKE_LLM"]

from google.adk.agents import Agent  # noqa: E402
from google.adk.runners import InMemoryRunner  # noqa: E402
from google.genai import types  # noqa: E402

import rig  # noqa: E402


def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


async def work():
    agent = Agent(
        name="weather_agent", model="gemini-2.5-flash", instruction=rig.SYSTEM, tools=[get_weather]
    )
    runner = InMemoryRunner(agent=agent, app_name="shop")
    await runner.session_service.create_session(
        app_name="shop", user_id="user-1", session_id="session-1"
    )
    message = types.Content(role="user", parts=[types.Part(text=rig.QUESTION)])
    async for _event in runner.run_async(
        user_id="user-1", session_id="session-1", new_message=message
    ):
        pass


providers = rig.start()
rig.request(providers, lambda: asyncio.run(work()))
