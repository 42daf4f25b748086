from openinference.instrumentation.langchain import LangChainInstrumentor

import graph
import rig

providers = rig.start()
LangChainInstrumentor().instrument()
rig.request(providers, lambda: graph.run(graph.anthropic()))
