import rig

providers = rig.start()

import graph  # noqa: E402
from langchain_core.tracers.langchain import wait_for_all_tracers  # noqa: E402


def work():
    graph.run(graph.openai())
    wait_for_all_tracers()


rig.request(providers, work)
