/** Token counts by the OTel definition: input includes the cache, output includes reasoning. */
export interface ScriptedUsage {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly cacheWrite1h: number;
  readonly output: number;
  readonly reasoning: number;
}

/** The tool the fake model wants called. */
export interface ScriptedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Record<string, string>;
}

/** One answer of the fake model: a tool call, else its text. */
export interface Turn {
  readonly usage: ScriptedUsage;
  readonly call: ScriptedCall | null;
  readonly text: string;
}

/** What the fake model says once no tool is left to call. */
export const finalText = 'It is sunny in Paris, 21 degrees.';

const counts = (
  input: number,
  cacheRead: number,
  cacheWrite: number,
  cacheWrite1h: number,
  output: number,
  reasoning: number,
): ScriptedUsage => ({ input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning });

/** Usage by the number of tool results in the request; a request without tools has the last one. */
const usages = [
  counts(1000, 400, 300, 100, 80, 30),
  counts(1200, 900, 100, 0, 50, 10),
  counts(1300, 1000, 200, 0, 60, 20),
];
const plain = counts(500, 100, 150, 0, 40, 15);

/** Tools the model calls, in this order, each once, where the request offers them. */
const wanted: readonly { readonly match: RegExp; readonly arguments: Record<string, string> }[] = [
  { match: /transfer_to_/, arguments: {} },
  { match: /weather/, arguments: { city: 'Paris' } },
];

/** The answer to a request of any provider's shape. */
export function turnOf(body: Readonly<Record<string, unknown>>): Turn {
  const names = toolNames(body['tools']);
  const talk = JSON.stringify([body['messages'], body['input'], body['contents']]);
  const called = names.filter((name) => isCalled(talk, name));
  const next = wanted.flatMap(({ match, arguments: args }) => {
    const name = names.find((one) => match.test(one) && !called.includes(one));
    return name === undefined ? [] : [{ name, arguments: args }];
  })[0];
  const results = talk.match(
    /"role":"tool"|"tool_result"|"function_call_output"|"functionResponse"/g,
  );
  const turn = Math.min(results?.length ?? 0, usages.length - 1);
  const usage = names.length === 0 && turn === 0 ? plain : (usages[turn] ?? plain);
  const call = next === undefined ? null : { id: `call_${next.name}_${turn}`, ...next };
  return { usage, call, text: finalText };
}

function isCalled(talk: string, name: string): boolean {
  return talk.includes(`"name":${JSON.stringify(name)}`);
}

function toolNames(tools: unknown): string[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: Record<string, unknown>) => {
    const declarations = tool['functionDeclarations'];
    if (Array.isArray(declarations)) return toolNames(declarations);
    const inner = tool['function'] as Record<string, unknown> | undefined;
    const name = tool['name'] ?? inner?.['name'];
    return typeof name === 'string' ? [name] : [];
  });
}
