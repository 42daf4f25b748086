// Whether the fault suite would notice: `node --conditions=app-source --import tsx test/faults/mutants.ts [part of a
// name]`. Breaks the product in a copy of this repository, one rule at a time, and runs the scenario that has to fail.
// Ends with 1 when a mutant got through. Takes about a minute each.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Is there once. */
  readonly find: string;
  readonly replace: string;
  /** The figure of the result that must not be 0; null: the scenario has to fail for another reason. */
  readonly shows: string | null;
  readonly only: string;
  /** Seconds of overload. Default 8. */
  readonly overload?: number;
}

const append = 'const appended = await journal.append(record);';
const busy = "if (appended.kind === 'busy') {";

const mutants: readonly Mutant[] = [
  {
    name: 'acknowledges before the journal has the request',
    file: 'ingest/accept.ts',
    find: append,
    replace: `const late = { ...record, body: record.body.slice() };
        setTimeout(() => void journal.append(late).then((one) => {
          if (one.kind === 'stored') queue.offer({ ...admitted, ...one, project, receivedAt });
        }), 500);
        if (receivedAt > 0) return { kind: 'accepted' };
        ${append}`,
    shows: 'lost',
    only: 'embedded (tokens on)',
  },
  {
    name: 'forgets the request before its tasks are derived',
    file: 'ingest/derivation.ts',
    find: 'inHand = waiting;',
    replace: 'inHand = waiting; journal.checkpoint(inHand.end);',
    shows: 'wrong_tasks missing_tasks ghosts',
    only: 'two over one server (tokens off)',
  },
  {
    name: 'counts every copy of a span',
    file: 'store/derive/read-spans.ts',
    find: 'newest.set(key, i);',
    replace: 'newest.set(String(i), i);',
    shows: 'wrong_tasks',
    only: 'two over one server (tokens on)',
  },
  {
    name: 'begins behind what it had not stored',
    file: 'ingest/journal/journal.ts',
    find: 'const from = crashed ? 0 : checkpoint;',
    replace: 'const from = crashed ? 0 : Math.max(checkpoint, end);',
    shows: 'lost',
    only: 'embedded (tokens off)',
  },
  {
    name: 'gives every insert into a table the same token',
    file: 'store/insert.ts',
    find: `\`\${token}:\${first}-\${last}\``,
    replace: 'table.name',
    shows: 'lost',
    only: 'embedded (tokens on)',
  },
  {
    name: 'remembers a request before the journal has it',
    file: 'ingest/accept.ts',
    find: append,
    replace: `seen.add(key); ${append}`,
    shows: 'lost',
    only: 'disk',
  },
  {
    name: 'takes the version of a row after reading what is in it',
    file: 'store/derive/slice.ts',
    find: 'const rows = new Map<string, TaskRow>();',
    replace: 'ver = await takeVersion(store); const rows = new Map<string, TaskRow>();',
    shows: 'wrong_tasks',
    only: 'paused before it writes',
  },
  {
    name: 'takes the version from the clock alone',
    file: 'store/derive/version.ts',
    find: 'SELECT max(ver) AS ver FROM derivation_versions`,',
    replace: 'SELECT toUnixTimestamp64Micro(now64(6)) AS ver`,',
    shows: 'wrong_tasks',
    only: 'clock back 10 s',
  },
  {
    name: 'takes the version from the clock alone while another is paused',
    file: 'store/derive/version.ts',
    find: 'SELECT max(ver) AS ver FROM derivation_versions`,',
    replace: 'SELECT toUnixTimestamp64Micro(now64(6)) AS ver`,',
    shows: 'wrong_tasks',
    only: 'while the clock goes back',
  },
  {
    name: 'leaves the row of a task where it was when it moves or goes',
    file: 'store/derive/slice.ts',
    find: 'for (const day of stale) output.push(',
    replace: 'for (const day of []) output.push(',
    shows: 'ghosts',
    only: 'clock back 10 s',
  },
  {
    name: 'gives up what the store does not take',
    file: 'ingest/writer.ts',
    find: 'return prepared(token);',
    replace: 'return prepared(token).catch(() => []);',
    shows: 'lost',
    only: 'outage',
  },
  {
    name: 'acknowledges what the full disk did not take',
    file: 'ingest/accept.ts',
    find: busy,
    replace: `if (appended.kind === 'busy' && appended.why === 'disk') return { kind: 'accepted' };
        ${busy}`,
    shows: 'lost',
    only: 'disk',
  },
  {
    name: 'acknowledges beyond the bound of the journal',
    file: 'ingest/accept.ts',
    find: busy,
    replace: `if (appended.kind === 'busy' && appended.why === 'full') return { kind: 'accepted' };
        ${busy}`,
    shows: 'lost',
    only: 'small journal',
  },
  {
    name: 'keeps in memory whatever is accepted',
    file: 'ingest/queue.ts',
    find: '&& memoryBytes + accepted.bytes <= maxBytes)',
    replace: ')',
    shows: 'rss_over_bound_mb',
    only: 'large journal',
    overload: 60,
  },
  {
    name: 'does not say when to come again',
    file: 'ingest/receive/respond.ts',
    find: "'retry-after': String(outcome.retryAfterSeconds),",
    replace: '',
    shows: null,
    only: 'small journal',
  },
];

const root = fileURLToPath(new URL('../../', import.meta.url));
const left = new Set(['node_modules', '.git', '.plumbline', 'dist']);

/** What the suite says of a mutant. */
function verdictOn(mutant: Mutant): string {
  const copy = mkdtempSync(join(tmpdir(), 'plumbline-mutant-'));
  try {
    cpSync(root, copy, { recursive: true, filter: (path) => !left.has(basename(path)) });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const file = join(copy, mutant.file);
    const before = readFileSync(file, 'utf8');
    const parts = before.split(mutant.find);
    if (parts.length !== 2) return `NOT MADE: ${mutant.file} has it ${parts.length - 1} times`;
    // The one rule that is broken by an assignment needs something to assign to.
    const source = parts.join(mutant.replace).replace('const ver = await', 'let ver = await');
    writeFileSync(file, source);
    const overload = String(mutant.overload ?? 8);
    const options = ['--seed', '7', '--rounds', '8', '--outage', '14', '--overload', overload];
    const { stdout, status } = spawnSync(
      process.execPath,
      [
        ...['--conditions=app-source', '--import', 'tsx', 'test/faults/main.ts', '--quiet'],
        ...[...options, '--only', mutant.only],
      ],
      { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 600_000 },
    );
    if (status === 0) return 'GOT THROUGH';
    if (status === null) return 'FAILED OTHERWISE: no end within ten minutes';
    const last = stdout.trim().split('\n').at(-1) ?? '';
    const { results } = JSON.parse(last) as { results: Record<string, Record<string, unknown>> };
    const [result = {}] = Object.values(results);
    const shown = (mutant.shows ?? 'clean').split(' ').map((name) => `${name} ${result[name]}`);
    const isSeen = mutant.shows === null || mutant.shows.split(' ').some((name) => result[name]);
    return `${isSeen && result['failed'] === undefined ? 'found' : 'FAILED OTHERWISE'}: ${shown.join(', ')} ${result['failed'] ?? ''}`;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const [part = ''] = process.argv.slice(2);
let through = 0;
for (const mutant of mutants.filter(({ name }) => name.includes(part))) {
  const verdict = verdictOn(mutant);
  if (!verdict.startsWith('found')) through += 1;
  console.log(`${mutant.name}: ${verdict}`);
}
process.exit(through === 0 ? 0 : 1);
