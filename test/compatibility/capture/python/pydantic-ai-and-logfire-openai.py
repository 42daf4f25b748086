import logfire

import pydantic_agent

logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_pydantic_ai()
logfire.instrument_openai()
with logfire.span("POST /chat"):
    pydantic_agent.run()
logfire.shutdown()
