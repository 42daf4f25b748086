import { type Api, apiOf, type Command, usage } from './command.ts';

/** `plumbline why <task>`: asks a running Plumbline to explain a task, and prints what it says. */
export const why: Command = {
  usage: usage('plumbline why <task>', 'explain a task of a running Plumbline'),
  async run([command, task, ...rest], { config, out, err }) {
    if (command !== 'why' || task === undefined || rest.length > 0) return undefined;
    const answer = await explanationOf(apiOf(config()), task);
    (answer.ok ? out : err)(answer.text);
    return answer.ok ? 0 : 1;
  },
};

async function explanationOf(
  { url: api, key }: Api,
  task: string,
): Promise<{ text: string; ok: boolean }> {
  const url = `${api}/api/v1/tasks/${encodeURIComponent(task)}/decisions`;
  const headers: Record<string, string> = { accept: 'text/plain' };
  if (key !== undefined) headers['authorization'] = `Bearer ${key}`;
  let response: Response;
  try {
    response = await fetch(url, { headers });
  } catch {
    const text = `No Plumbline answers at ${api}. Start one with: npm start (or npm run demo)\n`;
    return { ok: false, text };
  }
  const text = await response.text();
  return response.ok ? { ok: true, text } : { ok: false, text: `${detailOf(text)}\n` };
}

function detailOf(body: string): string {
  try {
    const { title, detail } = JSON.parse(body) as { title?: string; detail?: string };
    return detail ?? title ?? body;
  } catch {
    return body;
  }
}
