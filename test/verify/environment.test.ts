import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import type { CommitId } from '../../shared/sandbox/git/object-id.ts';
import { receiptSchema } from '../../shared/verify/receipt.ts';
import { makeChange } from '../stations/change.ts';
import { type Done, type Jobs, openJobs } from '../stations/job.ts';
import { baseline, bundleSource } from '../stations/line.ts';
import { declarationOf, packetOf } from '../stations/packets.ts';
import { commitFiles } from '../stations/repository.ts';
import { driver, noSandbox } from '../stations/sandbox.ts';

let jobs: Jobs;
let repository: string;
let base: CommitId;
let source: string;

beforeAll(async () => {
  jobs = openJobs();
  repository = join(jobs.directory, 'greet.git');
  base = await commitFiles(repository, {
    Makefile: 'test:\n\ttest "$(PLACE)" = "$$PWD/lib"\n',
    'greet.txt': 'hello\n',
  });
  source = await bundleSource(jobs, repository, base);
});
afterAll(() => jobs.remove());

async function baselineWith(environment: unknown, command = ['make', 'test']): Promise<Done> {
  const { patch } = await makeChange(jobs, repository, base, { 'greet.txt': 'hallo\n' });
  const checks = [{ name: 'unit', kind: 'unit', command }];
  return await baseline({
    jobs,
    driver,
    source,
    declaration: declarationOf({ checks, environment }),
    packet: packetOf({ name: 'patch', patch }),
  });
}

describe.skipIf(noSandbox)("an application's environment", () => {
  test('its toolchains are in the receipt, its variables in every program', async () => {
    const done = await baselineWith({ toolchain: ['make'], variables: { PLACE: '{workspace}/lib' } });
    const { claims } = receiptSchema.parse(done.json('receipt'));
    expect(claims.checks).toMatchObject([{ name: 'unit', passed: true }]);
    expect(claims.sandbox.versions).toMatchObject({ make: expect.stringMatching(/^\d/), node: expect.any(String) });
  });

  test('tests of colours find no word about colours, and the log is without them', async () => {
    const done = await baselineWith({ toolchain: ['node'] }, [
      'sh',
      '-c',
      'printf "\\033[31mred\\033[39m\\n"; test -z "${NO_COLOR+set}${FORCE_COLOR+set}"',
    ]);
    const { claims } = receiptSchema.parse(done.json('receipt'));
    expect(claims.checks).toMatchObject([{ name: 'unit', passed: true }]);
    expect(done.text('log')).toContain('\nred\n');
  });

  test('a toolchain that is missing is a question before anything runs, and says what is there', async () => {
    const done = await baselineWith({ toolchain: [{ name: 'make', version: '99' }, 'node'] });
    expect(done.failure).toMatchObject({
      kind: 'needs_human',
      code: 'TOOLCHAIN-MISSING',
      question: expect.stringMatching(/the toolchain make 99, and this worker's machine has \d/),
    });
    expect(done.outputs).toEqual({});
  });
});

test('a declaration can neither name an unknown toolchain nor set what the sandbox sets', () => {
  const declared = (environment: unknown) =>
    applicationDeclaration.safeParse({ ...declarationOf({}), environment }).success;
  expect(declared({ toolchain: ['python', { name: 'go', version: '1.22' }] })).toBe(true);
  expect(declared(undefined)).toBe(true);
  for (const wrong of [
    { toolchain: [] },
    { toolchain: ['cobol'] },
    { toolchain: [{ name: 'go', version: '>=1' }] },
    { toolchain: ['go'], variables: { PATH: '/tmp' } },
    { toolchain: ['go'], variables: { LD_PRELOAD: '/tmp/x.so' } },
    { toolchain: ['go'], variables: { FACTORY_SOCKET: '/tmp/x' } },
    { toolchain: ['python'], setup: { python: { requirements: ['../requirements.txt'] } } },
    { toolchain: ['python'], setup: { python: { requirements: ['/etc/passwd'] } } },
  ])
    expect(declared(wrong), JSON.stringify(wrong)).toBe(false);
});
