"""The conversation by LiteLLM's SDK."""

import litellm

import rig


def run(parent=None):
    """With a parent span even streams stay in its trace."""
    common = {
        "metadata": {"litellm_parent_otel_span": parent} if parent else {},
        "model": "openai/gpt-5-mini",
        "api_base": rig.OPENAI_BASE,
        "api_key": "none",
    }
    messages = [{"role": "system", "content": rig.SYSTEM}, {"role": "user", "content": rig.QUESTION}]
    first = litellm.completion(**common, messages=messages, tools=[rig.CHAT_TOOL])
    said = first.choices[0].message
    told = [
        *messages,
        said.model_dump(),
        {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": rig.weather("Paris")},
    ]
    litellm.completion(**common, messages=told, tools=[rig.CHAT_TOOL])
    stream = litellm.completion(
        **common, messages=messages, stream=True, stream_options={"include_usage": True}
    )
    for _chunk in stream:
        pass
