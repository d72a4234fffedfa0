import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeExampleRepository } from '../../examples/make-repository.ts';
import { alive, factory, temporary, type Up, up } from './factory-process.ts';

/** The example runs without isolation here, so that the thread from packet to pull request is walked on any machine. */
const data = temporary();
const place = temporary();
const declaration = path.join(place, 'application.yaml');
let repository: string;
let plane: Up;
let request: string;

beforeAll(async () => {
  repository = (await makeExampleRepository(place)).path;
  writeFileSync(
    declaration,
    `${readFileSync('examples/parcel-rates/application.yaml', 'utf8')}\nsandbox: { allowProcess: true }\n`,
  );
  process.env['FACTORY_PRICES'] = JSON.stringify({ version: 'test-1', currency: 'EUR', perSecond: { build: '1' } });
  plane = await up(data, '--sandbox', 'process');
});
afterAll(async () => {
  if (alive(plane.pid)) await plane.end('SIGTERM');
});

const packet = (name: string): string => `examples/parcel-rates/packets/${name}.yaml`;
const run = (name: string, ...more: readonly string[]) =>
  factory(['--data', data, 'run', packet(name), '--repository', repository, '--declaration', declaration, ...more]);

test('without a yes nothing is installed behind the back of its approver', async () => {
  const { code, out, err } = await run('fix-rounding');
  expect(code).toBe(1);
  expect(out).toContain('--as policy-owner approve');
  expect(err).toContain('approved before');
});

test('a packet is run to PR_READY with a pull request, and its evidence verifies', async () => {
  const { code, out } = await run('fix-rounding', '--yes');
  expect(out).toContain('PR_READY');
  expect(code).toBe(0);
  request = /req_[0-9a-z]+/.exec(out)![0];
  expect(out).toContain('(--yes)');
  const bundle = path.join(place, 'bundle.json');
  const keys = path.join(place, 'keys.json');
  expect((await factory(['--data', data, 'evidence', request, '--out', bundle])).code).toBe(0);
  expect((await factory(['--data', data, 'audit', 'keys', '--out', keys])).code).toBe(0);
  expect((await factory(['verify', bundle, '--keys', keys])).code).toBe(0);
  writeFileSync(
    bundle,
    readFileSync(bundle, 'utf8').replace(
      /"payload\\":\\"(.)/,
      (found, first: string) => found.slice(0, -1) + (first === 'A' ? 'B' : 'A'),
    ),
  );
  expect((await factory(['verify', bundle, '--keys', keys])).code).toBe(1);
});

test('the five answers come from the evidence', async () => {
  const { code, out } = await factory(['--data', data, '--json', 'explain', request]);
  expect(code).toBe(0);
  const answers = JSON.parse(out) as Record<string, string[]>;
  expect(out).not.toContain('not recorded');
  expect(Object.keys(answers)).toEqual(['ran', 'changed', 'approved', 'reproduce', 'recover']);
  expect(answers['ran']!.join()).toContain('process');
  expect(answers['approved']!.join()).toContain('approve by');
});

test('what it cost is told, by request and by month', async () => {
  const { out } = await factory(['--data', data, 'watch', request]);
  const [, cost] = /cost +(\d+\.\d{2,6}) EUR/.exec(out)!;
  const application = (await factory(['--data', data, 'applications'])).out.split(' ')[0]!;
  expect((await factory(['--data', data, 'cost', application])).out).toMatch(
    new RegExp(`^\\d{4}-\\d{2}  ${cost} EUR\n$`),
  );
});

test('a defect found after the delivery is recorded once, and shown with the request', async () => {
  const words = 'Parcels of 2 kg are priced as of 3 kg.';
  const record = (of: string) => factory(['--data', data, 'defect', of, words, '--class', 'regression']);
  const first = await record(request);
  expect(first.out).toMatch(/^def_\w+\n$/);
  expect((await record(request)).out).toBe(first.out);
  const { out } = await factory(['--data', data, 'defects', request]);
  expect(out).toContain(first.out.trim());
  expect(out).toContain(words);
  expect(out.trim().split('\n')).toHaveLength(1);
  expect((await factory(['--data', data, 'watch', request])).out).toMatch(/defects +1: see factory defects/);
  const wrong = await factory(['--data', data, 'defect', request, words, '--class', 'misfortune']);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('regression')]);
});

test('the exit code says how a request ended', async () => {
  expect((await run('already-fixed')).code).toBe(10);
  expect((await run('missing-decision')).code).toBe(20);
  expect((await run('malformed')).code).toBe(1);
});

test('without --declaration what was declared is kept', async () => {
  const declared = async (): Promise<unknown> =>
    JSON.parse((await factory(['--data', data, '--json', 'applications'])).out);
  const before = await declared();
  const again = await factory(['--data', data, '--json', 'run', packet('already-fixed'), '--repository', repository]);
  expect(again.code).toBe(10);
  expect(again.err).toContain('what is declared of it is kept');
  expect(JSON.parse(again.out)).toMatchObject({ terminal: 'NO_OP' });
  expect(await declared()).toEqual(before);
});

test("another's request is not there", async () => {
  const { code, err } = await factory(['--data', data, '--as', 'station', 'watch', request]);
  expect(code).toBe(1);
  expect(err).toMatch(/FACTORY-(NOT-FOUND|FORBIDDEN)/);
});

test('the audit is exported and verified, and a cut record is found', async () => {
  const application = (await factory(['--data', data, 'applications'])).out.split(' ')[0]!;
  const file = path.join(place, 'audit.jsonl');
  expect((await factory(['--data', data, 'audit', 'export', application, '--out', file])).code).toBe(0);
  expect((await factory(['audit', 'verify', file])).code).toBe(0);
  const lines = readFileSync(file, 'utf8').split('\n');
  const events = lines.flatMap((line, index) => (line.includes('"type":"event"') ? [index] : []));
  writeFileSync(file, lines.filter((_, index) => index !== events[3]).join('\n'));
  expect((await factory(['audit', 'verify', file])).code).toBe(1);
});

test('a backup taken while it runs is a plane of its own', async () => {
  const copy = path.join(place, 'copy');
  expect((await factory(['--data', data, 'backup', copy])).code).toBe(0);
  await plane.end('SIGTERM');
  plane = await up(copy, '--sandbox', 'process');
  const { out } = await factory(['--data', copy, 'requests']);
  expect(out).toContain(request);
});
