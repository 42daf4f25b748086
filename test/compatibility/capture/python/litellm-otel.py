import time

import litellm
from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig

import completions
import rig

providers = rig.start()
litellm.callbacks = [OpenTelemetry(OpenTelemetryConfig.from_env())]


def work():
    completions.run()
    time.sleep(1)  # callbacks run on a thread of their own


rig.request(providers, work)
