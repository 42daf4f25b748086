/** One run of a real library whose telemetry is kept. */
export interface Capture {
  /** Name of the fixtures, `npm/x` or `pypi/x`; also of the script, `npm/<environment>/x.mjs` or `python/x.py`. */
  readonly id: string;
  /** The installation it runs in: `npm/<environment>/package.json` or `python/<environment>.txt`. */
  readonly environment: string;
  /** The package that makes the telemetry; its version names the fixtures. */
  readonly package: string;
  readonly env?: Readonly<Record<string, string>>;
}

const npm = (
  environment: string,
  name: string,
  package_: string,
  env: Readonly<Record<string, string>> = {},
): Capture => ({ id: `npm/${name}`, environment, package: package_, env });

const pypi = (
  environment: string,
  name: string,
  package_: string,
  env: Readonly<Record<string, string>> = {},
): Capture => ({ id: `pypi/${name}`, environment, package: package_, env });

const content = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' };
const latest = {
  OTEL_SEMCONV_STABILITY_OPT_IN: 'gen_ai_latest_experimental',
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'SPAN_ONLY',
};

/** Without it LiteLLM writes the calls onto the span around them, each over the one before. */
const requestSpans = { USE_OTEL_LITELLM_REQUEST_SPAN: 'true' };

/** Every capture, lightest first. */
export const captures: readonly Capture[] = [
  npm('otel-openai', 'opentelemetry-openai-chat', '@opentelemetry/instrumentation-openai', content),
  npm(
    'otel-openai',
    'opentelemetry-openai-responses',
    '@opentelemetry/instrumentation-openai',
    content,
  ),
  npm('traceloop', 'traceloop-openai', '@traceloop/instrumentation-openai'),
  npm('traceloop', 'traceloop-mcp', '@traceloop/instrumentation-mcp'),
  npm(
    'openinference',
    'openinference-openai-chat',
    '@arizeai/openinference-instrumentation-openai',
  ),
  npm(
    'openinference',
    'openinference-openai-responses',
    '@arizeai/openinference-instrumentation-openai',
  ),
  npm(
    'openinference',
    'openinference-anthropic-and-native',
    '@arizeai/openinference-instrumentation-anthropic',
    {
      ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE: 'content',
    },
  ),
  npm('anthropic', 'anthropic-sdk-native', '@anthropic-ai/sdk', {
    ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE: 'content',
  }),
  npm('ai5', 'ai-sdk-5', 'ai'),
  npm('ai6', 'ai-sdk-6', 'ai'),
  npm('ai6', 'ai-sdk-6-anthropic', 'ai'),
  npm('ai7', 'ai-sdk-7', '@ai-sdk/otel'),
  npm('langchain', 'openinference-langgraph', '@arizeai/openinference-instrumentation-langchain'),
  npm(
    'openai-agents',
    'openinference-openai-agents',
    '@arizeai/openinference-instrumentation-openai-agents',
  ),
  npm('strands', 'strands', '@strands-agents/sdk'),
  npm('mastra', 'mastra', '@mastra/otel-exporter'),
  npm('genkit', 'genkit', 'genkit'),
  pypi('clients', 'traceloop-openai-chat', 'opentelemetry-instrumentation-openai'),
  pypi('clients', 'traceloop-openai-responses', 'opentelemetry-instrumentation-openai'),
  pypi('clients', 'traceloop-anthropic', 'opentelemetry-instrumentation-anthropic'),
  pypi('clients', 'openinference-openai-chat', 'openinference-instrumentation-openai'),
  pypi('clients', 'openinference-openai-responses', 'openinference-instrumentation-openai'),
  pypi('clients', 'openinference-anthropic', 'openinference-instrumentation-anthropic'),
  pypi(
    'official',
    'opentelemetry-genai-openai',
    'opentelemetry-instrumentation-genai-openai',
    content,
  ),
  pypi(
    'official',
    'opentelemetry-genai-openai-latest',
    'opentelemetry-instrumentation-genai-openai',
    latest,
  ),
  pypi('langchain', 'traceloop-langgraph', 'opentelemetry-instrumentation-langchain'),
  pypi('langchain', 'openinference-langgraph', 'openinference-instrumentation-langchain'),
  pypi('langchain', 'openinference-langgraph-anthropic', 'openinference-instrumentation-langchain'),
  pypi('langchain', 'langsmith-langgraph', 'langsmith', {
    LANGSMITH_TRACING: 'true',
    LANGSMITH_OTEL_ENABLED: 'true',
    LANGSMITH_OTEL_ONLY: 'true',
  }),
  pypi('agents', 'openinference-openai-agents', 'openinference-instrumentation-openai-agents'),
  pypi('agents', 'traceloop-openai-agents', 'opentelemetry-instrumentation-openai-agents'),
  pypi('pydantic', 'pydantic-ai', 'pydantic-ai-slim'),
  pypi('pydantic', 'logfire-openai', 'logfire'),
  pypi('pydantic', 'pydantic-ai-and-logfire-openai', 'pydantic-ai-slim'),
  pypi('crewai', 'openinference-crewai', 'openinference-instrumentation-crewai'),
  pypi('crewai', 'traceloop-crewai', 'opentelemetry-instrumentation-crewai'),
  pypi('llamaindex', 'openinference-llama-index', 'openinference-instrumentation-llama-index'),
  pypi('llamaindex', 'traceloop-llama-index', 'opentelemetry-instrumentation-llamaindex'),
  pypi('adk', 'google-adk', 'google-adk', {
    ...latest,
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'SPAN_AND_EVENT',
  }),
  pypi('strands', 'strands-agent', 'strands-agents'),
  pypi('strands', 'strands-agent-latest', 'strands-agents', {
    OTEL_SEMCONV_STABILITY_OPT_IN: 'gen_ai_latest_experimental,gen_ai_tool_definitions',
  }),
  pypi('agentframework', 'agent-framework', 'agent-framework-core', {
    ENABLE_INSTRUMENTATION: 'true',
    ENABLE_SENSITIVE_DATA: 'true',
  }),
  pypi('litellm', 'litellm-otel', 'litellm', requestSpans),
  pypi('litellm', 'litellm-and-openinference-openai', 'litellm', requestSpans),
  pypi('openlit', 'openlit-openai', 'openlit'),
  pypi('smolagents', 'openinference-smolagents', 'openinference-instrumentation-smolagents'),
  pypi('dspy', 'openinference-dspy', 'openinference-instrumentation-dspy'),
  pypi('agno', 'openinference-agno', 'openinference-instrumentation-agno'),
  pypi('autogen', 'autogen', 'autogen-core'),
  pypi('haystack', 'openinference-haystack', 'openinference-instrumentation-haystack'),
  pypi('langfuse', 'langfuse-openai', 'langfuse'),
  pypi('semantickernel', 'semantic-kernel', 'semantic-kernel', {
    SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE: 'true',
  }),
  pypi('mcp', 'fastmcp-tool', 'fastmcp'),
];
