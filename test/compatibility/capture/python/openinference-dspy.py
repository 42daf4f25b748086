"""A DSPy module that asks a model and a tool."""

import dspy
from openinference.instrumentation.dspy import DSPyInstrumentor

import rig

providers = rig.start()
DSPyInstrumentor().instrument()


class Weather(dspy.Module):
    def __init__(self):
        super().__init__()
        self.lm = dspy.LM(
            "openai/gpt-5-mini",
            api_base=rig.OPENAI_BASE,
            api_key="none",
            cache=False,
            temperature=1.0,
            max_tokens=16000,
        )

    def forward(self, question):
        messages = [{"role": "system", "content": rig.SYSTEM}, {"role": "user", "content": question}]
        return self.lm(messages=messages)


rig.request(providers, lambda: Weather()(question=rig.QUESTION))
