import asyncio

from fastmcp import Client, FastMCP

import rig

server = FastMCP("weather")


@server.tool
def get_weather(city: str) -> str:
    """Weather of a city"""
    return rig.weather(city)


async def work():
    async with Client(server) as client:
        await client.call_tool("get_weather", {"city": "Paris"})


providers = rig.start()
rig.request(providers, lambda: asyncio.run(work()))
