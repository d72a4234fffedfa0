import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeExampleRepository } from '../../examples/make-repository.ts';
import { readManagement } from '../../local/functions-host/admin/management-file.ts';
import { alive, factory, temporary, type Up, up } from './factory-process.ts';

/** A whole plane as people run it: copied, worked on, set back, and taken on again. */
const data = temporary();
const place = temporary();
const copy = path.join(place, 'copy');
let repository: string;
let application: string;
let request: string;
let later: string;
let delivered: string;
let plane: Up;

const on = (...args: readonly string[]) => factory(['--data', data, ...args]);
const packet = (name: string): string => `examples/parcel-rates/packets/${name}.yaml`;
const remote = (): string =>
  execFileSync('git', ['--git-dir', repository, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads'], {
    encoding: 'utf8',
  }) + readdirSync(path.join(repository, 'factory-pull-requests')).sort().join(' ');

/** Runs the timer that seals the audit heads, without waiting for its turn. */
async function anchor(): Promise<void> {
  const before = readdirSync(path.join(data, 'plane/anchors')).length;
  const { url, key } = readManagement(path.join(data, 'hosts/control'));
  const answer = await fetch(`${url}/admin/functions/anchor`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-functions-key': key },
    body: '{}',
  });
  expect(answer.status).toBe(202);
  for (let tries = 0; readdirSync(path.join(data, 'plane/anchors')).length === before; tries++) {
    expect(tries).toBeLessThan(200);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function approveAndWatch(id: string): Promise<number | null> {
  const approvals = JSON.parse((await on('--json', '--as', 'approver', 'approvals')).out) as {
    id: string;
    request: string;
  }[];
  const { id: approval } = approvals.find((each) => each.request === id)!;
  expect((await on('--as', 'approver', 'approve', approval, '--yes')).code).toBe(0);
  return (await on('watch', id, '--limit', '600')).code;
}

const submit = async (): Promise<string> =>
  (await on('submit', packet('fix-rounding'), '--application', application)).out.trim();

async function submitToGate(): Promise<string> {
  const id = await submit();
  expect((await on('watch', id, '--until', 'gate', '--limit', '600')).code).toBe(50);
  return id;
}

beforeAll(async () => {
  const made = (await makeExampleRepository(place)).path;
  repository = path.join(place, 'remote.git');
  execFileSync('git', ['clone', '--quiet', '--bare', made, repository]);
  const declaration = path.join(place, 'application.yaml');
  writeFileSync(
    declaration,
    `${readFileSync('examples/parcel-rates/application.yaml', 'utf8')}\nsandbox: { allowProcess: true }\n`,
  );
  plane = await up(data, '--sandbox', 'process');
  application = (await on('register', declaration, '--repository', repository)).out.trim();
  expect((await on('install', 'plan', application, '--yes')).code).toBe(0);
  request = await submitToGate();
  expect((await on('backup', copy)).code).toBe(0);
  // All of this the copy does not know.
  expect(await approveAndWatch(request)).toBe(0);
  later = await submit();
  await anchor();
  delivered = remote();
});
afterAll(async () => {
  if (alive(plane.pid)) await plane.end('SIGTERM');
});

test('set back behind its anchors, the plane answers reads and refuses commands, and says what is missing', async () => {
  await plane.end('SIGTERM');
  const database = path.join(data, 'plane/plane.sqlite');
  for (const suffix of ['', '-wal', '-shm']) rmSync(database + suffix, { force: true });
  copyFileSync(path.join(copy, 'plane/plane.sqlite'), database);
  plane = await up(data, '--sandbox', 'process');
  const listed = await on('requests');
  expect(listed.out).toContain(request);
  expect(listed.out).not.toContain(later);
  const refused = await on('submit', packet('fix-rounding'), '--application', application);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.err).toContain('FACTORY-AUDIT-REWOUND');
  expect(refused.err).toContain('factory restore status');
  const status = await on('restore', 'status');
  expect(status.code).toBe(1);
  expect(status.out).toMatch(new RegExp(`${application}: kept up to event \\d+, events \\d+ to \\d+ are gone`));
  expect((await on('doctor')).out).toContain('factory restore status');
  const unasked = await on('restore', 'accept', '--reason', 'the disk was lost');
  expect(unasked).toMatchObject({ code: 1 });
  expect(unasked.err).toContain('Nothing was accepted');
});

test('accepted, it goes on, and what was delivered already is recognised and not made again', async () => {
  const done = await on('restore', 'accept', '--reason', 'the disk was lost', '--yes');
  expect(done, done.err).toMatchObject({ code: 0 });
  expect((await on('restore', 'status')).code).toBe(0);
  expect((await on('restore', 'accept', '--reason', 'again', '--yes')).err).toContain('there is no restore to accept');
  expect(await approveAndWatch(request)).toBe(0);
  expect(remote()).toBe(delivered);
  expect(await submit()).toMatch(/^req_/);
});

test('the audit verifies with the loss that was declared, and not without its declaration', async () => {
  await anchor();
  const file = path.join(place, 'audit.jsonl');
  const keys = path.join(place, 'keys.json');
  expect((await on('audit', 'export', application, '--out', file)).code).toBe(0);
  expect((await on('audit', 'keys', '--out', keys)).code).toBe(0);
  const anchors = path.join(data, 'plane/anchors');
  const verified = await factory(['audit', 'verify', file, '--keys', keys, '--anchors', anchors]);
  expect(verified.code, verified.out).toBe(0);
  expect(verified.out).toMatch(/anchor \d+: a restore was accepted on \S+ by \S+ \(the disk was lost\)/);
  expect(verified.out).toMatch(/events \d+ to \d+ as they were before were lost to the restore/);
  const declaration = readdirSync(anchors)
    .sort()
    .findIndex((name) => {
      const { anchor: envelope } = JSON.parse(readFileSync(path.join(anchors, name), 'utf8'));
      return Buffer.from(envelope.payload, 'base64').toString().includes('"restore"');
    });
  const lines = readFileSync(file, 'utf8').split('\n');
  const shown = lines.flatMap((line, index) => (line.startsWith('{"type":"anchor"') ? [index] : []));
  writeFileSync(file, lines.filter((_, index) => index !== shown[declaration]).join('\n'));
  const undeclared = await factory(['audit', 'verify', file, '--keys', keys]);
  expect(undeclared.code).toBe(1);
  expect(undeclared.out).toContain('NOT verified');
});
