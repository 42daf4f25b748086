import type { Attribute } from '../otlp/model.ts';
import type { Mapping } from './mapping.ts';
import { boolean, double, microToSeconds, unsigned } from './numbers.ts';
import { asText, attribute, isArray, isObject, type Json, jsonOf, member } from './values.ts';

/** What a transform may look at besides the value itself. Times are nanoseconds since 1970. */
export interface TransformContext {
  readonly start: bigint;
  readonly end: bigint;
  readonly eventTime: bigint;
  readonly scope: string;
  readonly attributes: readonly Attribute[];
  /** `JSON.parse` that remembers the last text: one attribute often feeds several fields. */
  readonly parse: (text: string) => Json | undefined;
}

/** Turns a reported value into the canonical one; undefined means this source says nothing. */
export type Transform = (value: Json, context: TransformContext) => Json | undefined;

type Step = (argument: string, mapping: Mapping) => Transform;

const parsed = (value: Json, context: TransformContext): Json | undefined =>
  typeof value === 'string' ? context.parse(value) : value;

const textual =
  (change: (text: string) => Json | undefined): Transform =>
  (value) => {
    const text = asText(value);
    return text === undefined ? undefined : change(text);
  };

const lookup = (table: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

/** A path such as `a.b[0].c` or `choices[*].reason`; `whole` is the value itself. */
function follow(value: Json | undefined, path: string): Json | undefined {
  if (path === 'whole') return value;
  let at = value;
  for (const segment of path.replaceAll('[', '.[').split('.')) {
    if (segment === '') continue;
    if (!segment.startsWith('[')) at = member(at, segment);
    else if (!isArray(at)) return undefined;
    else at = at[segment === '[*]' ? 0 : Number(segment.slice(1, -1))];
  }
  return at ?? undefined;
}

const jsonPath: Step = (argument) => {
  const paths = argument.split('|');
  return (value, context) => {
    const data = parsed(value, context);
    for (const path of paths) {
      const found = follow(data, path);
      if (found !== undefined) return found;
    }
    return undefined;
  };
};

/** `a->b, c|d->e`; values outside the table say nothing. */
const mapValues: Step = (argument) => {
  const table: Record<string, string> = Object.create(null);
  for (const rule of argument.split(',')) {
    const [from = '', to = ''] = rule.split('->');
    for (const value of from.split('|')) table[value.trim()] = to.trim();
  }
  return textual((text) => table[text]);
};

/** Canonical provider, undefined for a framework's name: it prices nothing. */
const providerAlias: Step = (_argument, mapping) => {
  const frameworks = new Set([...mapping.framework_systems, ...mapping.not_a_provider]);
  return textual((text) => {
    const name = text.trim().toLowerCase();
    return frameworks.has(name) ? undefined : (lookup(mapping.provider_aliases, name) ?? name);
  });
};

/** `openai.responses` is OpenAI, while `google.vertex` is an alias of its own. */
const cutKnown: Step = (_argument, mapping) =>
  textual((text) =>
    lookup(mapping.provider_aliases, text.toLowerCase()) === undefined ? text.split('.')[0] : text,
  );

const finishAlias: Step = (_argument, mapping) => (value) => {
  const first = asText(isArray(value) ? value[0] : value)?.trim();
  if (first === undefined || first === '') return undefined;
  return lookup(mapping.finish_reasons, first.toLowerCase()) ?? first.toLowerCase();
};

/** Adds up buckets: every key that starts with the first name, else the first named key alone. */
const sumBuckets: Step = (argument) => {
  const [prefix = '', ...others] = argument.split('|');
  return (value) => {
    if (!isObject(value)) return undefined;
    let sum: bigint | undefined;
    for (const key of Object.keys(value)) {
      const count = key.startsWith(prefix) ? unsigned(value[key] ?? null) : undefined;
      if (count !== undefined) sum = (sum ?? 0n) + count;
    }
    return (
      sum ?? others.map((key) => unsigned(member(value, key) ?? null)).find((n) => n !== undefined)
    );
  };
};

const totalOrSum: Step = () => (value) => {
  if (!isObject(value)) return undefined;
  const total = double(member(value, 'total') ?? null);
  if (total !== undefined) return total;
  const parts = Object.keys(value).map((key) => double(value[key] ?? null) ?? 0);
  return parts.length === 0 ? undefined : parts.reduce((a, b) => a + b, 0);
};

const toArray: Step = () => (value, context) => {
  if (typeof value !== 'string') return isArray(value) ? value : [value];
  const list = value.startsWith('[') ? context.parse(value) : undefined;
  return isArray(list) ? list : value.split(',').map((part) => part.trim());
};

/** Seconds from the span's start; a moment outside the span says nothing. */
function secondsSinceStart(nanos: bigint, context: TransformContext): number | undefined {
  const seconds = microToSeconds((nanos - context.start) / 1000n);
  const duration = microToSeconds((context.end - context.start) / 1000n);
  return seconds < 0 || (context.end > 0n && seconds > duration + 1) ? undefined : seconds;
}

const isoMinusStart: Step = () => (value, context) => {
  const text = asText(value)?.replace(/^"|"$/g, '');
  const millis = text === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(millis)) return undefined;
  return secondsSinceStart(BigInt(Math.round(millis * 1000)) * 1000n, context);
};

const rejectIfScope: Step = (argument) => {
  const pattern = new RegExp(argument);
  return (value, context) => (pattern.test(context.scope) ? undefined : value);
};

const unwrapJsonString: Step = () => (value, context) =>
  typeof value === 'string' && /^["[{]/.test(value) ? (context.parse(value) ?? value) : value;

/** Adds the count in another attribute of the same span. */
const addAttribute: Step = (argument) => (value, context) => {
  const own = unsigned(value);
  const other = unsigned(jsonOf(attribute(context.attributes, argument) ?? null));
  return own === undefined ? other : own + (other ?? 0n);
};

/** A tool's message in one of the forms in which LangChain dumps it: `{type: 'tool', data}`, a constructor, either in `output`. */
function toolMessage(data: Json | undefined, depth = 0): Json | undefined {
  if (!isObject(data) || depth > 2) return undefined;
  const dumped = member(data, 'data') ?? member(data, 'kwargs') ?? data;
  const stated = member(dumped, 'type') === 'tool' || member(data, 'type') === 'constructor';
  if (stated && member(dumped, 'tool_call_id') !== undefined) return dumped;
  return toolMessage(member(data, 'output'), depth + 1);
}

/** A member of the message with which a LangChain tool answered; any other result says nothing here. */
const langchainToolMessage: Step = (argument) => (value, context) => {
  if (typeof value === 'string' && !value.includes('"tool_call_id"')) return undefined;
  return member(toolMessage(parsed(value, context)), argument) ?? undefined;
};

/** The arguments in what LangChain tells of a tool's start, which Traceloop puts where the arguments belong. */
const langchainToolInputs: Step = () => (value, context) => {
  if (typeof value === 'string' && !value.includes('"input_str"')) return undefined;
  const data = parsed(value, context);
  return member(data, 'input_str') === undefined ? undefined : member(data, 'inputs');
};

/** The first group of a pattern, out of text that is no JSON, such as a printed Python object. */
const matchText: Step = (argument) => {
  const pattern = new RegExp(argument);
  return textual((text) => pattern.exec(text)?.[1]);
};

/** The arguments of a Python function, as LlamaIndex and smolagents tell them: of keyword arguments alone, these. */
const keywordArguments: Step = () => (value, context) => {
  if (typeof value === 'string' && !value.includes('"kwargs"')) return undefined;
  const data = parsed(value, context);
  const rest = isObject(data) ? Object.keys(data).filter((key) => key !== 'kwargs') : ['none'];
  const args = member(data, 'args');
  // smolagents adds whether it cleans what goes in and out.
  const known = rest.every((key) => key === 'args' || key === 'sanitize_inputs_outputs');
  const none = known && (args === undefined || isEmptyList(args));
  const named = member(data, 'kwargs');
  return none && isObject(named) ? named : undefined;
};

const isEmptyList = (value: Json) => isArray(value) && value.length === 0;

/** What a tool returned to LlamaIndex, out of the object in which that is kept. */
const llamaToolOutput: Step = () => (value, context) => {
  if (typeof value === 'string' && !value.includes('"raw_output"')) return undefined;
  const data = parsed(value, context);
  return member(data, 'tool_name') === undefined ? undefined : member(data, 'raw_output');
};

const steps: Readonly<Record<string, Step>> = {
  keyword_arguments: keywordArguments,
  match: matchText,
  llama_tool_output: llamaToolOutput,
  langchain_tool_message: langchainToolMessage,
  langchain_tool_inputs: langchainToolInputs,
  int: () => unsigned,
  float: () => double,
  bool: () => boolean,
  not: () => (value) => {
    const flag = boolean(value);
    return flag === undefined ? undefined : !flag;
  },
  ms_to_s: () => (value) => scaled(value, 1000),
  div: (argument) => (value) => scaled(value, Number(argument)),
  lower: () => textual((text) => text.toLowerCase()),
  string: () => textual((text) => text),
  json: () => parsed,
  json_string_unwrap: unwrapJsonString,
  json_path: jsonPath,
  to_array: toArray,
  drop_sentinel: () => (value) => value,
  collect_prefix: () => (value) => value,
  first_word: () => textual((text) => text.split(' ')[0]),
  before_slash: () => textual((text) => (text.includes('/') ? text.split('/')[0] : undefined)),
  strip_prefix_to_slash: () => textual((text) => text.slice(text.indexOf('/') + 1)),
  strip_prefix: (argument) =>
    textual((text) => (text.startsWith(argument) ? text.slice(argument.length) : text)),
  provider_alias: providerAlias,
  cut_at_first_dot_known: cutKnown,
  framework: (_argument, mapping) =>
    textual((text) => {
      const name = text.toLowerCase();
      return mapping.framework_systems.includes(name) ? name : undefined;
    }),
  finish_alias: finishAlias,
  const: (argument) => () => argument,
  map: mapValues,
  eq: (argument) => textual((text) => text === argument),
  sum_buckets: sumBuckets,
  total_or_sum: totalOrSum,
  add: addAttribute,
  iso_minus_span_start: isoMinusStart,
  event_time_minus_span_start: () => (_value, context) =>
    secondsSinceStart(context.eventTime, context),
  reject_if_scope: rejectIfScope,
  http_class: () => (value) => {
    const code = double(value);
    return code === undefined || code < 400 ? undefined : String(code);
  },
  classify: () => textual((text) => /^[\w.]+/.exec(text)?.[0]),
};

function scaled(value: Json, divisor: number): number | undefined {
  const number = double(value);
  return number === undefined ? undefined : number / divisor;
}

/** Splits `a>b(x->y)` at the `>` outside parentheses. */
export function splitSpec(spec: string): readonly string[] {
  return spec.split(/>(?![^(]*\))/);
}

/**
 * Compiles a chain such as `to_array>finish_alias`. Throws an Error naming an unknown transform, so that a mistake in
 * a mapping is found when it is loaded.
 */
export function compileTransform(spec: string, mapping: Mapping): Transform {
  const chain = splitSpec(spec).map((step) => {
    const [, name = '', argument = ''] = /^(\w+)(?:\((.*)\))?$/.exec(step) ?? [];
    const make = Object.hasOwn(steps, name) ? steps[name] : undefined;
    if (make === undefined) {
      const known = Object.keys(steps).join(', ');
      throw new Error(`unknown transform '${step}' in '${spec}'; one of ${known}`);
    }
    return make(argument, mapping);
  });
  const [only] = chain;
  if (chain.length === 1 && only !== undefined) return only;
  return (value, context) => {
    let at: Json | undefined = value;
    for (const step of chain) {
      if (at === undefined) return undefined;
      at = step(at, context);
    }
    return at;
  };
}
