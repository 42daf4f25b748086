from opentelemetry.instrumentation.langchain import LangchainInstrumentor

import graph
import rig

providers = rig.start()
LangchainInstrumentor().instrument()
rig.request(providers, lambda: graph.run(graph.openai()))
