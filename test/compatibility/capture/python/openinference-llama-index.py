from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

import llama
import rig

providers = rig.start()
LlamaIndexInstrumentor().instrument()
rig.request(providers, llama.run)
