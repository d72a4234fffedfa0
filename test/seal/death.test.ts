import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RequestId, TenantId } from '../../shared/domain/ids.ts';
import { verifyEvidence } from '../../shared/evidence/verify.ts';
import { openPlane } from './plane.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'factory-death-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Runs the process until it kills itself; what it said by then. */
async function died(crashAt: string): Promise<{ tenant: TenantId; request: RequestId }> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'dying-process.ts'), directory], {
    env: { ...process.env, FACTORY_CRASH_AT: crashAt },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const signal = await new Promise((resolve) => child.on('exit', (_code, by) => resolve(by)));
  expect(signal).toBe('SIGKILL');
  expect(said).not.toContain('sealed');
  return JSON.parse(said) as { tenant: TenantId; request: RequestId };
}

/** The writes before the bundle's: baseline and published definitions, declaration, install plan, packet. */
const BUNDLE_WRITE = 6;

it.each([`artifact.write.before#${BUNDLE_WRITE}`, `artifact.write.after#${BUNDLE_WRITE}`])(
  'a request whose sealing died at %s is sealed once by the next process',
  async (crashAt) => {
    const { tenant, request } = await died(crashAt);
    const plane = await openPlane({ directory, tenant });
    try {
      expect(await plane.request(request)).toMatchObject({ state: 'concluding', evidence_digest: null });
      expect(await plane.bundles(request)).toEqual([]);
      const body = { kind: 'seal', subject: 'evidence_bundle', request, node: null, round: 1 } as const;
      await Promise.all([plane.sealer.seal(body), plane.sealer.seal(body)]);
      const bundles = await plane.bundles(request);
      expect(bundles).toHaveLength(1);
      expect(await plane.request(request)).toMatchObject({
        state: 'terminal',
        terminal_state: 'CANCELLED',
        evidence_digest: bundles[0]!.digest,
      });
      expect(
        verifyEvidence((await plane.artifacts.bytes(bundles[0]!.digest)).toString(), { keys: plane.trust }),
      ).toMatchObject({ ok: true, faults: [] });
    } finally {
      await plane.close();
    }
  },
);
