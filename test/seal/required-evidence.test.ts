import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApplicationId, RequestId } from '../../shared/domain/ids.ts';
import type { Receipt } from '../../shared/verify/receipt.ts';
import { deliver, sealAll, workToValidation } from './line-work.ts';
import { openPlane, type SealPlane } from './plane.ts';

let plane: SealPlane;
let application: ApplicationId;
beforeEach(async () => {
  plane = await openPlane();
  application = await plane.register();
  await plane.install(application, await plane.publish(plane.bundle));
  plane.told.length = 0;
});
afterEach(() => plane.close());

const conclusionOf = async (request: RequestId): Promise<Record<string, string> | null> =>
  JSON.parse((await plane.request(request)).conclusion ?? 'null');

type Claims = Receipt['claims'];
const claiming = (change: (claims: Claims) => Partial<Claims>) => (receipt: Receipt) => ({
  ...receipt,
  claims: { ...receipt.claims, ...change(receipt.claims) },
});
const withoutCounts = claiming((claims) => ({ checks: claims.checks.map((check) => ({ ...check, counts: null })) }));
const withoutRuns = claiming(() => ({
  checks: [],
  reproduction: { before: null, after: null, reasonForNone: 'none' },
}));
const notAfter = claiming(({ reproduction }) => ({ reproduction: { ...reproduction, after: null } }));

describe('evidence that a packet requires', () => {
  it.each<[kind: string, spoil: ((receipt: Receipt) => unknown) | undefined, told: string]>([
    ['logs', undefined, 'no log'],
    ['test_output', withoutCounts, 'none of the 1 checks reported a test'],
    ['before_after', withoutRuns, 'both on the base and on the change'],
    ['failed_reproduction', notAfter, 'no reproduction failed on the base and passed on the change'],
  ])('%s: not recorded is never delivered, and the question names it', async (kind, receipt, told) => {
    const request = await plane.submit(application, { evidenceRequired: ['diff', kind] });
    await workToValidation(plane, receipt === undefined ? {} : { receipt });
    await sealAll(plane);
    const conclusion = await conclusionOf(request);
    expect(conclusion).toMatchObject({ state: 'ESCALATE', code: 'required_evidence_missing' });
    expect(conclusion?.['question']).toContain(`/evidenceRequired/1: ${kind}: `);
    expect(conclusion?.['question']).toContain(told);
    await expect(plane.claim('effect')).rejects.toThrow('nothing to claim');
    await sealAll(plane);
    expect(await plane.request(request)).toMatchObject({ state: 'terminal', terminal_state: 'ESCALATE' });
  });

  it('that is recorded lets the request end as PR_READY', async () => {
    const evidenceRequired = ['test_output', 'before_after', 'failed_reproduction', 'pull_request', 'diff'];
    const request = await plane.submit(application, { evidenceRequired });
    await workToValidation(plane);
    await sealAll(plane);
    await plane.decide({ request }, plane.approver, 'approve');
    await deliver(plane, request);
    await sealAll(plane);
    expect(await plane.request(request)).toMatchObject({ terminal_state: 'PR_READY' });
  });

  it('as a pull request is one that was seen: another delivery does not stand in for it', async () => {
    // A packet of before such a requirement was refused at submit.
    const request = await plane.submit(application, {
      evidenceRequired: ['pull_request'],
      output: { format: 'patch' },
    });
    await workToValidation(plane);
    await sealAll(plane);
    await plane.decide({ request }, plane.approver, 'approve');
    await plane.complete('effect', await plane.claim('effect'), { verdict: 'delivered' });
    await sealAll(plane);
    const conclusion = await conclusionOf(request);
    expect(conclusion).toMatchObject({ state: 'ESCALATE', code: 'required_evidence_missing' });
    expect(conclusion?.['question']).toContain('no pull request was seen');
  });

  it('of a kind that was taken before and that no task makes keeps no stored packet from going on', async () => {
    const request = await plane.submit(application, { evidenceRequired: ['screenshots', 'traces'] });
    await workToValidation(plane);
    await sealAll(plane);
    expect(await conclusionOf(request)).toBeNull();
  });
});
