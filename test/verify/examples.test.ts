import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExampleRepository, makeExampleRepository } from '../../examples/make-repository.ts';
import { readExampleApplication, readExamplePacket } from '../../examples/read-example.ts';
import { servePackages } from '../../examples/serve-packages.ts';
import type { ApplicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { parsePacket } from '../../shared/intake/packet.ts';
import { planSchema } from '../../shared/stations/plan.ts';
import { claimsDigest, receiptSchema } from '../../shared/verify/receipt.ts';
import { type Jobs, openJobs } from '../stations/job.ts';
import { baseline, bundleSource, fetchPackages, implement, type Line, plan, validate } from '../stations/line.ts';
import { driver, noSandbox } from '../stations/sandbox.ts';

let jobs: Jobs;
let repository: ExampleRepository;
let declaration: ApplicationDeclaration;
let source: string;

beforeAll(async () => {
  jobs = openJobs();
  repository = await makeExampleRepository(jobs.directory);
  declaration = await readExampleApplication(repository.path);
  source = await bundleSource(jobs, repository.path, repository.commits.at(-1)!);
});
afterAll(() => jobs.remove());

const line = async (name: string): Promise<Line> => ({
  jobs,
  driver,
  declaration,
  source,
  packet: await readExamplePacket(name),
});
const packets = ['fix-rounding', 'already-fixed', 'rename-api', 'missing-decision', 'hanging-test', 'edits-a-test'];

test('the example repository has the same commits on every machine', () => {
  expect(repository.commits.at(-1)).toBe('0e2e20ea25d64615ecc387a86d4bf17a4931e8da');
  expect(repository.commits).toHaveLength(4);
});

test('the second example repository has the same commit, and its packages the same bytes, on every machine', async () => {
  const labels = await makeExampleRepository(jobs.directory, 'address-labels');
  expect(labels.commits).toEqual(['1190443b5b2509b91d7b50a787ee3fc5645cf92a']);
  const served = await servePackages('address-labels');
  try {
    const packument = await (await fetch(`${served.url}@address-labels%2fcapitals`)).json();
    expect(packument).toMatchObject({
      versions: {
        '1.0.0': { dist: { integrity: expect.stringContaining('sha512-FlanNhh8K+5Cg2+7') } },
        '1.0.1': { dist: { integrity: expect.stringContaining('sha512-mi4wOKPhvh0c26Zi') } },
      },
    });
  } finally {
    await served.close();
  }
});

test.each(packets)('intake takes the packet %s', async (name) => {
  const bytes = await readFile(new URL(`../../examples/parcel-rates/packets/${name}.yaml`, import.meta.url));
  expect(parsePacket(bytes, 'application/yaml').packet).toEqual(await readExamplePacket(name));
});

test('intake refuses the malformed packet, naming each fault', async () => {
  const bytes = await readFile(new URL('../../examples/parcel-rates/packets/malformed.yaml', import.meta.url));
  expect(() => parsePacket(bytes, 'application/yaml')).toThrow(
    expect.objectContaining({ status: 422, code: 'FACTORY-PACKET-INVALID' }),
  );
});

describe.skipIf(noSandbox)('example packets, from baseline to validation', () => {
  test('fix-rounding is reproduced, planned, applied and valid', async () => {
    const work = await line('fix-rounding');
    const before = await baseline(work);
    expect(before.outcome).toMatchObject({
      verdict: 'reproduced',
      facts: { count: 12, sandbox: 'bubblewrap', baseCommit: repository.commits.at(-1) },
    });

    const planned = await plan(work, before);
    expect(planned.outcome).toMatchObject({
      verdict: 'ok',
      facts: { paths: ['src/money.js', 'test/rounding.test.js'], importers: 8 },
    });
    const read = planSchema.parse(planned.json('plan'));
    expect(read.tests.mapping).toEqual([
      { path: 'src/money.js', tests: ['test/money.test.js', 'test/quote.test.js', 'test/server.test.js'] },
    ]);
    expect(read.tests.moveFirst).toEqual(['test/rounding.test.js']);

    const change = await implement(work, planned);
    expect(change.outcome).toMatchObject({
      verdict: 'changed',
      facts: { pathCount: 2, linesAdded: 13, linesRemoved: 1 },
    });

    const judged = await validate(work, before, change);
    expect(judged.outcome).toMatchObject({
      verdict: 'valid',
      facts: { count: 14, headTree: change.outcome!.facts.headTree },
    });
    expect(judged.text('diff')).toBe(change.text('diff'));
    const receipt = receiptSchema.parse(judged.json('receipt'));
    expect(receipt.claims.reproduction).toMatchObject({
      before: { passed: false, exitCode: 1 },
      after: { passed: true, exitCode: 0 },
    });
    expect(receipt.claims).toMatchObject({ scenarios: [], holdouts: 'passed' });
    expect(judged.json('holdout_report')).toMatchObject({
      results: [{ name: 'quotes-over-the-socket', changed: true, base: null }],
    });
    expect(receipt.claims.tests.fromChange).toEqual(['test/rounding.test.js']);
    expect(receipt.claims.checks[0]).toMatchObject({
      passed: true,
      counts: { tests: 14, passed: 14, failed: 0, skipped: 0 },
    });

    // Claims are bound by approvals: the same tree judged again has the same ones, at other times.
    const again = receiptSchema.parse((await validate(work, before, change)).json('receipt'));
    expect(claimsDigest(again)).toBe(claimsDigest(receipt));
    expect(again.observations.startedAt).not.toBe(receipt.observations.startedAt);
  });

  test('already-fixed needs nothing done', async () => {
    const done = await baseline(await line('already-fixed'));
    expect(done.outcome).toMatchObject({ verdict: 'already_true' });
    expect(receiptSchema.parse(done.json('receipt')).claims.line).toEqual({ line: 'patch', patchAlreadyIn: true });
  });

  test('missing-decision asks a person', async () => {
    const { outcome } = await baseline(await line('missing-decision'));
    expect(outcome).toMatchObject({
      verdict: 'needs_human',
      question: expect.stringContaining('docs/decisions/rounding.md'),
    });
  });

  test('hanging-test is ended at its limit and may be tried again', async () => {
    const work = await line('hanging-test');
    const checks = declaration.checks.map((check) => ({ ...check, timeoutSeconds: 3 }));
    const { failure, outputs } = await baseline({ ...work, declaration: { ...declaration, checks } });
    // On a machine with no processor to spare it is told apart, and may be tried again all the same.
    const code = expect.stringMatching(/^CHECK-(?:TIMED-OUT|STARVED)$/);
    expect(failure).toMatchObject({ kind: 'retryable', code });
    expect(Object.keys(outputs)).toEqual(['log']);
  });

  test('edits-a-test is refused before anything of it runs', async () => {
    const work = await line('edits-a-test');
    const before = await baseline(work);
    const planned = await plan(work, before);
    expect(planSchema.parse(planned.json('plan')).decisions).toEqual([expect.stringContaining('test/quote.test.js')]);
    const judged = await validate(work, before, await implement(work, planned));
    expect(judged.outcome).toMatchObject({
      verdict: 'tests_touched',
      question: expect.stringContaining('test/quote.test.js'),
    });
    expect(receiptSchema.parse(judged.json('receipt')).observations.runs).toEqual([]);
  });

  test('update-capitals moves one package, from the registry the example brings', async () => {
    const labels = await makeExampleRepository(join(jobs.directory, 'labels'), 'address-labels');
    const served = await servePackages('address-labels');
    try {
      const work: Line = {
        jobs,
        driver,
        registry: served.url,
        declaration: await readExampleApplication(labels.path, 'address-labels'),
        source: await bundleSource(jobs, labels.path, labels.commits.at(-1)!),
        packet: await readExamplePacket('update-capitals', 'address-labels'),
      };
      const fetched = await fetchPackages(work);
      expect(fetched.outcome).toMatchObject({ verdict: 'ok' });
      const before = await baseline(work, fetched);
      const change = await implement(work, await plan(work, before, fetched), fetched);
      expect(change.outcome).toMatchObject({ facts: { paths: ['package-lock.json', 'package.json'] } });
      expect(change.text('diff')).not.toContain('resolved');
      expect((await validate(work, before, change, fetched)).outcome).toMatchObject({
        verdict: 'valid',
        facts: { count: 1 },
      });
    } finally {
      await served.close();
    }
  });

  test('rename-api migrates every call and no other', async () => {
    const work = await line('rename-api');
    const before = await baseline(work);
    expect(before.outcome).toMatchObject({ verdict: 'not_required' });
    const planned = await plan(work, before);
    expect(planSchema.parse(planned.json('plan')).changes).toEqual([
      { path: 'src/invoice.js', why: '4 matches of rule call, 1 match of rule import' },
      { path: 'src/label.js', why: '1 match of rule call, 1 match of rule import' },
    ]);
    const change = await implement(work, planned);
    expect(change.text('diff')).toContain("{formatAmount(quoted.carriage, 'EUR')}");
    const judged = await validate(work, before, change);
    expect(judged.outcome).toMatchObject({ verdict: 'valid' });
    expect(receiptSchema.parse(judged.json('receipt')).claims.line).toEqual({
      line: 'api-migration',
      matches: [
        { rule: 'call', before: 5, after: 0 },
        { rule: 'import', before: 2, after: 0 },
      ],
    });
  });
});
