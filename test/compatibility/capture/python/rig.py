"""What every Python rig shares: an OTel SDK that exports to the recorder, the question and the tool."""

import json
import os

from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

LLM = os.environ["FAKE_LLM"]
OPENAI_BASE = LLM + "/v1"
SYSTEM = "You are a weather agent."
QUESTION = "What is the weather in Paris?"
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "A city"}},
    "required": ["city"],
    "additionalProperties": False,
}
CHAT_TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Weather of a city", "parameters": PARAMETERS},
}


def weather(city: str) -> str:
    return f"sunny in {city}, 21 degrees"


def start():
    """Global providers whose exporters are set by the environment."""
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
    loggers = LoggerProvider()
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    _logs.set_logger_provider(loggers)
    return tracers, loggers


def request(providers, work):
    """Runs `work` under a span like an application's request and sends everything."""
    with trace.get_tracer("shop").start_as_current_span("POST /chat"):
        work()
    finish(providers)


def finish(providers):
    for provider in providers:
        provider.shutdown()


def chat(client, model="gpt-5-mini"):
    """The conversation by OpenAI chat completions: tool call, result, answer, then a streamed question."""
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    first = client.chat.completions.create(model=model, messages=messages, tools=[CHAT_TOOL])
    said = first.choices[0].message
    call = said.tool_calls[0]
    told = [
        *messages,
        {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
        {
            "role": "tool",
            "tool_call_id": call.id,
            "content": weather(json.loads(call.function.arguments)["city"]),
        },
    ]
    client.chat.completions.create(model=model, messages=told, tools=[CHAT_TOOL])
    stream = client.chat.completions.create(
        model=model, messages=messages, stream=True, stream_options={"include_usage": True}
    )
    for _chunk in stream:
        pass


def responses(client, model="gpt-5-mini"):
    """The same by the responses API."""
    user = [{"role": "user", "content": QUESTION}]
    tools = [{"type": "function", "strict": True, **CHAT_TOOL["function"]}]
    first = client.responses.create(model=model, instructions=SYSTEM, input=user, tools=tools)
    call = first.output[0]
    told = [
        *user,
        call.model_dump(exclude_none=True),
        {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": weather(json.loads(call.arguments)["city"]),
        },
    ]
    client.responses.create(model=model, instructions=SYSTEM, input=told, tools=tools)
    for _event in client.responses.create(model=model, instructions=SYSTEM, input=user, stream=True):
        pass


def messages(client, model="claude-sonnet-4-5"):
    """The same by Anthropic's messages."""
    user = [{"role": "user", "content": QUESTION}]
    tools = [{"name": "get_weather", "description": "Weather of a city", "input_schema": PARAMETERS}]
    base = {"model": model, "max_tokens": 500, "system": SYSTEM}
    first = client.messages.create(**base, messages=user, tools=tools)
    call = first.content[0]
    told = [
        *user,
        {"role": "assistant", "content": [call.model_dump(exclude_none=True)]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": call.id, "content": weather(call.input["city"])}
            ],
        },
    ]
    client.messages.create(**base, messages=told, tools=tools)
    with client.messages.stream(**base, messages=user) as stream:
        stream.get_final_message()
