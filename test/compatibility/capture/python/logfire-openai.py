import logfire
from openai import OpenAI

import rig

logfire.configure(send_to_logfire=False, console=False)
client = OpenAI(base_url=rig.OPENAI_BASE)
logfire.instrument_openai(client)
with logfire.span("POST /chat"):
    rig.chat(client)
logfire.shutdown()
