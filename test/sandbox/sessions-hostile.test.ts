import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Mount, SandboxResult } from '../../shared/sandbox/driver.ts';
import { defaultSandboxLimits } from '../../shared/sandbox/limits.ts';
import type { RunState } from '../../shared/sandbox/sessions/protocol.ts';
import { recordHeader, recordsEnd, type TreeRecord } from '../../shared/sandbox/sessions/tree-records.ts';
import { codeOf, scratch } from './repositories.ts';
import { driverOf, startSessionPool } from './session-pool.ts';

/** Sessions whose agent was taken over: what it answers is written here, and no container is started. */
const pool = await startSessionPool();
afterAll(() => pool.close());

const hello = { protocol: 1, agent: '0.1.0', instance: 'a'.repeat(32), used: false };
const ended = {
  exitCode: 0,
  signal: null,
  endedBy: 'itself',
  outputTruncated: false,
  durationMs: 1,
  changes: [],
} as const;
const state = (more: object = {}): RunState =>
  ({ phase: 'ended', stdout: '', stderr: '', made: [], end: ended, fault: null, ...more }) as RunState;

type Script = {
  readonly hello?: unknown;
  readonly states?: readonly unknown[];
  readonly changes?: Buffer;
  readonly accepted?: number;
};

function scripted({ hello: first = hello, states = [state()], changes = Buffer.alloc(0), accepted }: Script): void {
  let asked = 0;
  pool.meddling.before = ({ method, path, query, bytes }) => {
    const json = (value: unknown) => ({
      status: 200,
      body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    });
    const at = Number(query.get('at'));
    if (path === '/v1/session') return json(first);
    if (method === 'PUT') return json({ bytes: accepted ?? at + bytes });
    if (method === 'GET' && path === '/v1/run') return json(states[Math.min(asked++, states.length - 1)]);
    if (method === 'GET' && path.startsWith('/v1/mounts/'))
      return { status: 200, body: changes.subarray(at, at + 1_000) };
    if (path === '/v1/relay' && method === 'GET') return { status: 200, body: Buffer.alloc(0) };
    return json({});
  };
}

const place = (): { readonly outside: string; readonly mount: Mount } => {
  const outside = scratch();
  const source = join(outside, 'mounted');
  mkdirSync(source);
  return { outside, mount: { source, target: '/workspace', mode: 'read-write' } };
};

const run = (mounts: readonly Mount[], limits = {}, times = {}): Promise<SandboxResult> =>
  driverOf(pool, { unreachable: 300, ...times }).run({
    argv: ['/bin/true'],
    workingDirectory: '/',
    mounts,
    environment: {},
    limits: { ...defaultSandboxLimits, ...limits },
  });

test('an agent that answers as agreed is taken at its word', async () => {
  scripted({});
  expect(await run([])).toMatchObject({ exitCode: 0, endedBy: 'itself' });
});

test.each([
  ['no JSON', 'hello'],
  ['of another protocol', { ...hello, protocol: 2 }],
  ['used before', { ...hello, used: true }],
  ['with an instance that is a path', { ...hello, instance: '../../etc' }],
  ['with more than agreed', { ...hello, token: 'please' }],
])('a first answer is refused: %s', async (_, first) => {
  scripted({ hello: first });
  expect(await codeOf(run([]))).toBe('SANDBOX-ANSWER-REFUSED');
});

test.each([
  ['no JSON', '{'],
  ['no phase', { ...state(), phase: 'fine' }],
  ['more than agreed', { ...state(), result: 'passed' }],
  ['an exit code that is none', state({ end: { ...ended, exitCode: 4_711 } })],
  ['an end without a code or a signal', state({ end: { ...ended, exitCode: null } })],
  ['a code of a program that was killed', state({ end: { ...ended, endedBy: 'wall' } })],
  [
    'cancelled, which only the worker says',
    state({ end: { ...ended, exitCode: null, signal: 'SIGKILL', endedBy: 'cancelled' } }),
  ],
  [
    'stopped, which nobody asked for',
    state({ end: { ...ended, exitCode: null, signal: 'SIGKILL', endedBy: 'stopped' } }),
  ],
  ['a signal that is a text', state({ end: { ...ended, exitCode: null, signal: 'SIGKILL; rm -rf' } })],
  ['an end that is none yet', state({ phase: 'running' })],
  ['a time that is none', state({ end: { ...ended, durationMs: -1 } })],
  ['changes of a mount that is not there', state({ end: { ...ended, changes: [{ mount: 7, bytes: 15 }] } })],
  ['changes of what is read-only', state({ end: { ...ended, changes: [{ mount: 1, bytes: 15 }] } })],
  [
    'changes twice',
    state({
      end: {
        ...ended,
        changes: [
          { mount: 0, bytes: 15 },
          { mount: 0, bytes: 15 },
        ],
      },
    }),
  ],
  ['changes without bound', state({ end: { ...ended, changes: [{ mount: 0, bytes: 2 ** 50 }] } })],
  ['a socket by a path', state({ phase: 'running', end: null, made: [{ mount: 0, name: '../up' }] })],
  ['a socket in what is read-only', state({ phase: 'running', end: null, made: [{ mount: 1, name: 'up' }] })],
  ['output that is no base64', state({ stdout: '*' })],
  ['output beyond its limit', state({ stdout: Buffer.alloc(900).toString('base64') })],
  ['output of 30 MB', `{"stdout":"${'A'.repeat(30_000_000)}"}`],
])('a state is refused: %s', async (_, answered) => {
  scripted({ states: [answered] });
  const { outside, mount } = place();
  const given = join(outside, 'given');
  mkdirSync(given);
  const refusal = codeOf(run([mount, { source: given, target: '/given', mode: 'read-only' }], { outputBytes: 800 }));
  expect(await refusal).toBe('SANDBOX-ANSWER-REFUSED');
  expect(readdirSync(outside).sort()).toEqual(['given', 'mounted']);
  expect([readdirSync(mount.source), readdirSync(given)]).toEqual([[], []]);
});

const entry = (path: string, kind: TreeRecord['kind'] = 'file', content = ''): Buffer =>
  Buffer.concat([recordHeader({ kind, path, size: content.length, changedAt: 0 }), Buffer.from(content)]);
/** A record whose path its writer would have refused. */
const forged = (path: string): Buffer => {
  const bytes = entry('x'.repeat(Buffer.byteLength(path)));
  bytes.write(path, 15);
  return bytes;
};
const tree = (...records: readonly Buffer[]): Buffer => Buffer.concat([...records, recordsEnd(records.length)]);

test.each([
  ['a path that climbs', tree(forged('../escaped'))],
  ['a path that climbs in the middle', tree(entry('a', 'directory'), forged('a/../../escaped'))],
  ['an absolute path', tree(forged('/escaped'))],
  ['a path with a NUL', tree(forged('a\0b'))],
  ['a path through a link that was there', tree(entry('out/escaped'))],
  ['a path through a link that came', tree(entry('here', 'link', '.'), entry('here/escaped'))],
  ['a directory that is a link', tree(entry('inside', 'link', 'kept'), entry('inside/x'))],
  ['a link that leads out', tree(entry('link', 'link', '../..'))],
  ['a link to a place of the worker', tree(entry('link', 'link', '/etc/passwd'))],
  ['a link that turns back', tree(entry('link', 'link', 'a/../../x'))],
  ['the repository that is not its own', tree(entry('.git/hooks', 'directory'))],
  ['the repository itself', tree(entry('.git', 'removed'))],
  ['an entry in no directory', tree(entry('absent/file'))],
  ['the same entry twice', tree(entry('a'), entry('a'))],
  ['a record of no kind', Buffer.concat([Buffer.from([9]), Buffer.alloc(14)])],
  ['fewer records than there were', Buffer.concat([entry('a'), recordsEnd(2)])],
  ['something after the end', Buffer.concat([tree(), Buffer.from('more')])],
  ['an end in the middle', entry('a', 'file', 'content').subarray(0, 18)],
  ['no end', entry('a', 'file', 'content')],
  [
    'a directory with contents',
    tree(Buffer.concat([recordHeader({ kind: 'directory', path: 'a', size: 3, changedAt: 0 }), Buffer.from('abc')])),
  ],
  ['more bytes than may be kept', tree(entry('a', 'file', 'x'.repeat(2_000)))],
  ['a size that no disk has', recordHeader({ kind: 'file', path: 'a', size: 2 ** 47, changedAt: 0 })],
])('changes are refused: %s', async (_, changes) => {
  scripted({ changes, states: [state({ end: { ...ended, changes: [{ mount: 0, bytes: changes.length }] } })] });
  const { outside, mount } = place();
  mkdirSync(join(mount.source, '.git'));
  writeFileSync(join(mount.source, '.git', 'config'), 'mine');
  mkdirSync(join(mount.source, 'kept'));
  // Left by an earlier program in the same mount: inside of it, but a link all the same.
  symlinkSync('kept', join(mount.source, 'out'));
  expect(await codeOf(run([mount], { diskBytes: 1_000 }))).toBe('SANDBOX-ANSWER-REFUSED');
  expect(readdirSync(outside)).toEqual(['mounted']);
  expect(readdirSync(join(mount.source, 'kept'))).toEqual([]);
  expect(readFileSync(join(mount.source, '.git', 'config'), 'utf8')).toBe('mine');
});

test('changes that are a tree are taken', async () => {
  const changes = tree(
    entry('old', 'removed'),
    entry('a', 'directory'),
    entry('a/run', 'executable', 'content'),
    entry('link', 'link', 'a/run'),
  );
  scripted({ changes, states: [state({ end: { ...ended, changes: [{ mount: 0, bytes: changes.length }] } })] });
  const { mount } = place();
  mkdirSync(join(mount.source, 'old'));
  writeFileSync(join(mount.source, 'old', 'file'), 'old');
  expect(await run([mount])).toMatchObject({ exitCode: 0 });
  expect(readdirSync(mount.source, { recursive: true }).sort()).toEqual(['a', 'a/run', 'link']);
  expect(readFileSync(join(mount.source, 'link'), 'utf8')).toBe('content');
});

test('a part of changes that is longer or shorter than was said is refused', async () => {
  const changes = tree(entry('a', 'file', 'content'));
  for (const bytes of [changes.length - 1, changes.length + 1]) {
    scripted({ changes, states: [state({ end: { ...ended, changes: [{ mount: 0, bytes }] } })] });
    expect(await codeOf(run([place().mount]))).toBe('SANDBOX-ANSWER-REFUSED');
  }
});

test('an agent that says to have other bytes than it was given is refused', async () => {
  scripted({ accepted: 4_711 });
  expect(await codeOf(run([place().mount]))).toBe('SANDBOX-ANSWER-REFUSED');
});

test('a program that never ends by its agent’s words is ended by the worker’s clock', async () => {
  scripted({ states: [state({ phase: 'running', end: null, stdout: '' })] });
  const late = await run([], { wallMs: 100 }, { around: 200 });
  expect(late).toMatchObject({ endedBy: 'wall', timedOut: true, exitCode: null });
});

test('output that never ends is refused at its limit', async () => {
  scripted({ states: [state({ phase: 'running', end: null, stdout: Buffer.alloc(300, 'x').toString('base64') })] });
  expect(await codeOf(run([], { outputBytes: 1_000 }))).toBe('SANDBOX-ANSWER-REFUSED');
});

test('a socket that is told of takes no name that is there already', async () => {
  const { mount } = place();
  const made = [
    { mount: 0, name: 'taken' },
    { mount: 0, name: 'fresh' },
  ];
  writeFileSync(join(mount.source, 'taken'), 'mine');
  scripted({ states: [state({ phase: 'running', end: null, made }), state({ made })] });
  expect(await run([mount])).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(mount.source, 'taken'), 'utf8')).toBe('mine');
  expect(existsSync(join(mount.source, 'fresh'))).toBe(false);
});

test('every session was ended', () => {
  expect(pool.sessions.size).toBe(0);
});
