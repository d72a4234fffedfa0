import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { releasedPlane } from '../store/released.ts';
import { claimNext, expectStatus, lease } from './bench-line.ts';
import { type Json, startControl } from './control-process.ts';
import { itemsOf } from './hidden-line.ts';

/** Scenarios are taken out of the declarations of the release before while control starts, and the power goes in the middle of it. */
const WORDS = ['domestic.cents === 774', 'europe.cents', 'FACTORY_SOCKET'];
const MOST_COMMITS = 40;
const OPEN_PLANE = `const { plane } = await import(${JSON.stringify(path.resolve(import.meta.dirname, '../../functions/control/plane.ts'))}); await plane(); process.exit(0);`;

let unpacked: string;
let released: string;
/** Which commit of a start it is that takes the scenarios out. */
let taking: number;

const places: string[] = [];

type Row = Readonly<Record<string, string | number>>;
const recorded = (directory: string, sql: string): Row[] => {
  const database = new DatabaseSync(path.join(directory, 'plane.sqlite'), { readOnly: true });
  const found = database.prepare(sql).all() as Row[];
  database.close();
  return found;
};
const REPLACED = 'select digest, replaced_by from declaration_replacements where replaced_by is not null';
const OLD = `select digest, object_id, wrapped_key from artifacts where digest = (select declaration_digest from requests where state = 'terminal' limit 1)`;

/** Opens the plane of a copy of the released directory with a crash point armed; answers the copy, and what ended the process. */
async function diesAt(point: string): Promise<{ readonly directory: string; readonly signal: unknown }> {
  const place = mkdtempSync(path.join(tmpdir(), 'cut-off-'));
  places.push(place);
  const directory = path.join(place, 'plane');
  cpSync(released, directory, { recursive: true });
  const child = spawn(process.execPath, ['--input-type=module', '--eval', OPEN_PLANE], {
    env: {
      PATH: process.env['PATH'],
      FACTORY_ROLE: 'control',
      FACTORY_DATA: directory,
      FACTORY_IDENTITY: 'local',
      FACTORY_PUBLIC_URL: 'http://127.0.0.1:1',
      FACTORY_SERVICE_BUS:
        'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true',
      FACTORY_CRASH_AT: point,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = (await once(child, 'exit')) as [unknown, unknown];
  return { directory, signal };
}

beforeAll(async () => {
  unpacked = mkdtempSync(path.join(tmpdir(), 'released-'));
  released = releasedPlane(3, unpacked);
  for (taking = 1; taking < MOST_COMMITS; taking += 1) {
    const { directory, signal } = await diesAt(`store.commit.after#${taking}`);
    expect(signal).toBe('SIGKILL');
    if (tables(directory).includes('declaration_replacements') && recorded(directory, REPLACED).length > 0) return;
  }
  throw new Error(`none of the first ${MOST_COMMITS} commits of a start takes scenarios out`);
});
afterAll(() => {
  for (const place of [unpacked, ...places]) rmSync(place, { recursive: true, force: true });
});

const tables = (directory: string): unknown[] =>
  recorded(directory, `select name from sqlite_schema where type = 'table'`).map(({ name }) => name);

test.each<[string, () => string, { readonly done: boolean }]>([
  ['before anything is sealed', () => 'artifact.write.before#1', { done: false }],
  ['between the two that are sealed', () => 'artifact.write.after#1', { done: false }],
  ['when both are sealed', () => 'artifact.write.after#2', { done: false }],
  ['before the commit', () => `store.commit.before#${taking}`, { done: false }],
  ['after the commit, before the old object is deleted', () => `store.commit.after#${taking}`, { done: true }],
])(
  'killed %s, the next start completes it, and the open request goes on',
  async (_when, point, { done }) => {
    const { directory, signal } = await diesAt(point());
    expect(signal).toBe('SIGKILL');
    expect(recorded(directory, REPLACED)).toHaveLength(done ? 1 : 0);
    const [old] = recorded(directory, OLD);
    if (old === undefined) throw new Error('the released directory has no ended request');
    expect(old['wrapped_key'] === '').toBe(done);

    const control = await startControl({}, directory);
    onTestFinished(() => control.stop());
    const replaced = recorded(control.dataDirectory, REPLACED);
    expect(replaced).toMatchObject([{ digest: old['digest'] }]);
    const count = (sql: string): unknown => recorded(control.dataDirectory, sql)[0]?.['n'];
    expect(count(`select count(*) as n from audit_events where command_id like '%:holdouts'`)).toBe(1);
    expect(count('select count(*) as n from holdout_sets')).toBe(1);
    expect(recorded(control.dataDirectory, OLD)).toMatchObject([{ wrapped_key: '' }]);
    const [open] = recorded(
      control.dataDirectory,
      `select id, declaration_digest from requests where state = 'running'`,
    );
    expect(open?.['declaration_digest']).toBe(replaced[0]?.['replaced_by']);

    // Nothing readable is left, whoever asks.
    const closed = await control.call('GET', `/artifacts/${old['digest']}`, { as: 'auditor' });
    expect([closed.status, String(closed.json['code'])]).toEqual([410, 'FACTORY-ARTIFACT-CLOSED']);
    for (const { digest } of recorded(control.dataDirectory, 'select digest from artifacts'))
      for (const as of ['requester', 'operator', 'auditor', 'station', 'verifier', 'effector']) {
        const { text } = await control.call('GET', `/artifacts/${digest}`, { as });
        expect(
          WORDS.filter((word) => text.includes(word)),
          `${as} ${digest}`,
        ).toEqual([]);
      }

    // The open request: approved, and its effector is given the declaration without scenarios.
    const approvals = itemsOf(await control.call('GET', '/approvals', { as: 'approver' }));
    const waiting = approvals.find(
      ({ request, state }) => String(request) === open?.['id'] && String(state) === 'open',
    );
    expectStatus(
      await control.call('POST', `/approvals/${waiting?.['id']}/decisions`, {
        as: 'approver',
        json: { decision: 'approve', subject: waiting?.['subject'], reason: 'seen' },
      }),
      200,
    );
    const claim = await claimNext(control, 'effector', 'effect', 'claim-of-before');
    const declared = (claim['inputs'] as unknown as Json[]).find(({ name }) => String(name) === 'declaration');
    expect(String(declared?.['digest'])).toBe(replaced[0]?.['replaced_by']);
    const read = `/jobs/${claim['job']}/artifacts/${declared?.['digest']}`;
    expect(expectStatus(await control.call('GET', read, { as: 'effector', headers: lease(claim) }), 200)).toMatchObject(
      { holdouts: true, scenarios: [] },
    );
  },
  120_000,
);
