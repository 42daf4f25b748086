/** `plumbline why <task>`: asks a running Plumbline to explain a task, and prints what it says. */
export async function why(api: string, task: string): Promise<{ text: string; ok: boolean }> {
  const url = `${api}/api/v1/tasks/${encodeURIComponent(task)}/decisions`;
  let response: Response;
  try {
    response = await fetch(url, { headers: { accept: 'text/plain' } });
  } catch {
    return {
      ok: false,
      text: `No Plumbline answers at ${api}. Start one with: npm start (or npm run demo)\n`,
    };
  }
  const text = await response.text();
  if (response.ok) return { ok: true, text };
  return { ok: false, text: `${detailOf(text)}\n` };
}

function detailOf(body: string): string {
  try {
    const { title, detail } = JSON.parse(body) as { title?: string; detail?: string };
    return detail ?? title ?? body;
  } catch {
    return body;
  }
}
