import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApplicationId, parseId, type RequestId } from '../../shared/domain/ids.ts';
import { verifyBundleFile, writeBundleFile } from '../../shared/evidence/bundle-file.ts';
import { finishJob } from '../../shared/jobs/finish.ts';
import { releaseJob } from '../../shared/jobs/release.ts';
import { superviseRequest } from '../../shared/line/begin.ts';
import { cancelRequest } from '../../shared/line/cancel.ts';
import { claiming, deliver, HEAD, receiptOf, sealAll, workToValidation } from './line-work.ts';
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

/** The request's bundle as a file, verified with nothing but the keys. */
async function verified(request: RequestId) {
  const bundles = await plane.bundles(request);
  const [evidence] = bundles.filter((bundle) => bundle.kind === 'evidence_bundle');
  const change = bundles.find((bundle) => bundle.kind === 'change_evidence');
  const file = writeBundleFile({
    evidence: await plane.artifacts.bytes(evidence!.digest),
    changeEvidence: change === undefined ? null : await plane.artifacts.bytes(change.digest),
    keys: plane.trust,
    artifacts: [],
  });
  const verdict = verifyBundleFile(file, { keys: plane.trust });
  expect(verdict.faults).toEqual([]);
  expect(verdict.ok).toBe(true);
  if (verdict.facts?.kind !== 'evidence_bundle') throw new Error('it is no evidence bundle');
  const row = await plane.request(request);
  expect(row).toMatchObject({
    state: 'terminal',
    terminal_state: verdict.facts.facts.state,
    evidence_digest: evidence!.digest,
    next_wake_at: null,
  });
  expect(bundles.filter((bundle) => bundle.kind === 'evidence_bundle')).toHaveLength(1);
  return verdict.facts.facts;
}

describe('PR_READY', () => {
  it('rests on change evidence that was sealed before the effect, and on effects that were seen', async () => {
    const request = await plane.submit(application);
    await workToValidation(plane);
    await sealAll(plane);
    await plane.decide({ request }, plane.approver, 'approve');
    await deliver(plane, request);
    // Its orchestrator has met every nudge so far, so the end is told with another one.
    await plane.run('supervise', (context) => superviseRequest(context, request, 1));
    await sealAll(plane);
    const facts = await verified(request);
    expect(facts).toMatchObject({
      state: 'PR_READY',
      reproduction: { kind: 'failed_before', command: ['node', '--test'] },
      risk: { tier: 'medium' },
      sandbox: { kind: 'bubblewrap', version: '0.8.0' },
    });
    expect(facts.jobs.map((job) => job.node)).toEqual([
      'fetch',
      'baseline',
      'plan',
      'implement',
      'validate',
      'deliver',
    ]);
    expect(facts.approvals).toMatchObject([{ state: 'approved', decisions: [{ by: plane.approver.principal }] }]);
    // Oldest first: what let it in begins the list.
    expect(facts.policyDecisions[0]).toMatchObject({
      action: 'submitRequest',
      principal: facts.request.requestedBy,
      allowed: true,
    });
    expect(plane.told.map((entry) => entry.body)).toMatchObject([
      { kind: 'nudge', orchestrator: 'request', id: request },
    ]);
  });

  it('is not reached when the change evidence lacks a fact: the request asks, and names it', async () => {
    const request = await plane.submit(application);
    await workToValidation(plane, { facts: { paths: [], manifests: [], testPaths: [], headTree: HEAD.tree } });
    await sealAll(plane);
    expect(JSON.parse((await plane.request(request)).conclusion ?? '')).toMatchObject({
      state: 'ESCALATE',
      code: 'evidence_incomplete',
      node: 'change_evidence',
    });
    await sealAll(plane);
    const facts = await verified(request);
    expect(facts).toMatchObject({ state: 'ESCALATE', code: 'evidence_incomplete', changeEvidence: null });
    expect(facts.state === 'ESCALATE' && facts.question).toContain('/change/linesAdded');
  });

  it('is not reached with a receipt that contradicts its own verdict', async () => {
    const request = await plane.submit(application);
    await workToValidation(plane, {
      receipt: (receipt) => ({
        ...receipt,
        claims: { ...receipt.claims, checks: receipt.claims.checks.map((check) => ({ ...check, passed: false })) },
      }),
    });
    await sealAll(plane);
    await sealAll(plane);
    const facts = await verified(request);
    expect(facts).toMatchObject({ state: 'ESCALATE', code: 'evidence_incomplete' });
    expect(facts.state === 'ESCALATE' && facts.question).toContain('unit failed on a tree that is called valid');
  });

  it('is not reached when the deliverer performed nothing', async () => {
    const request = await plane.submit(application);
    await workToValidation(plane);
    await sealAll(plane);
    await plane.decide({ request }, plane.approver, 'approve');
    await plane.complete('effect', await plane.claim('effect'), { verdict: 'delivered' });
    await sealAll(plane);
    const facts = await verified(request);
    expect(facts).toMatchObject({ state: 'ESCALATE', code: 'evidence_incomplete', node: 'request' });
    expect(facts.state === 'ESCALATE' && facts.question).toContain('no effect was performed');
    expect(JSON.parse((await plane.request(request)).conclusion ?? '')).toMatchObject({ state: 'ESCALATE' });
  });
});

describe('the other ends', () => {
  it('NO_OP is proven by the baseline receipt', async () => {
    const request = await plane.submit(application);
    await plane.complete('fetch', await plane.claim('fetch'), { verdict: 'fetched' }, [
      { name: 'source', kind: 'source_bundle', content: 'source' },
    ]);
    const claim = await plane.claim('verify');
    const found = receiptOf(claim, 'baseline', 'already_true');
    const outcome = { verdict: 'already_true', summary: 'the patch is in', facts: claiming(found) };
    const [receipt] = await plane.complete('verify', claim, outcome, [
      { name: 'receipt', kind: 'receipt', content: found },
    ]);
    await sealAll(plane);
    expect(await verified(request)).toMatchObject({
      state: 'NO_OP',
      code: 'already_true',
      proof: receipt!.digest,
      explanation: 'the patch is in',
      node: 'baseline',
    });
  });

  it('a NO_OP without a receipt becomes a question', async () => {
    const request = await plane.submit(application);
    await plane.complete('fetch', await plane.claim('fetch'), { verdict: 'fetched' }, [
      { name: 'source', kind: 'source_bundle', content: 'source' },
    ]);
    await plane.complete('verify', await plane.claim('verify'), { verdict: 'already_true' });
    await sealAll(plane);
    expect(await verified(request)).toMatchObject({ state: 'ESCALATE', code: 'evidence_incomplete', node: 'baseline' });
  });

  it('ESCALATE has the question, who may answer, until when, and what was tried', async () => {
    const request = await plane.submit(application);
    const claim = await plane.claim('fetch');
    const failure = { kind: 'needs_human' as const, code: 'WHICH', question: 'Which branch?', tried: ['main'] };
    await plane.run('fail', (context) =>
      finishJob(context, plane.workers.fetch, parseId('job', claim.job)!, claim.leaseToken, {
        fail: { failure, outputs: [] },
      }),
    );
    await sealAll(plane);
    const facts = await verified(request);
    expect(facts).toMatchObject({
      state: 'ESCALATE',
      question: 'Which branch?',
      tried: ['main'],
      deadline: new Date(plane.now() + 7 * 24 * 3_600_000).toISOString(),
    });
    expect(facts.state === 'ESCALATE' && facts.owner).toContain(plane.requester.principal);
    expect(facts.jobs).toMatchObject([{ node: 'fetch', state: 'cancelled', principal: plane.workers.fetch.principal }]);
  });

  it('RETRYABLE_FAILURE has its class, signature and attempts', async () => {
    const request = await plane.submit(application);
    const given = await plane.claim('fetch');
    await plane.run('release', (context) =>
      releaseJob(context, plane.workers.fetch, parseId('job', given.job)!, given.leaseToken),
    );
    const claim = await plane.claim('fetch');
    const failure = { kind: 'retryable' as const, class: 'budget_exhausted' as const, code: 'SPENT', message: '' };
    await plane.run('fail', (context) =>
      finishJob(context, plane.workers.fetch, parseId('job', claim.job)!, claim.leaseToken, {
        fail: { failure, outputs: [] },
      }),
    );
    await sealAll(plane);
    const facts = await verified(request);
    expect(facts).toMatchObject({
      state: 'RETRYABLE_FAILURE',
      class: 'budget_exhausted',
      code: 'SPENT',
      attempts: 1,
      signature: expect.stringContaining('fetch/budget_exhausted'),
    });
    // Whoever held the job is told, the one who gave it back as well.
    const { principal } = plane.workers.fetch;
    expect(facts.jobs[0]?.attempts).toMatchObject([
      { epoch: 1, attempt: 1, principal, endedAs: 'released', signature: null },
      { epoch: 2, attempt: 1, principal, endedAs: 'failed', signature: expect.stringContaining('fetch/') },
    ]);
  });

  it('CANCELLED says who and why', async () => {
    const request = await plane.submit(application);
    await plane.run('cancel', (context) => cancelRequest(context, plane.requester, request, 'not needed any more'));
    await sealAll(plane);
    expect(await verified(request)).toMatchObject({
      state: 'CANCELLED',
      by: plane.requester.principal,
      reason: 'not needed any more',
      effects: [],
    });
  });

  it('REJECTED names the approval that was refused, and the change evidence it was about', async () => {
    const request = await plane.submit(application);
    await workToValidation(plane);
    await sealAll(plane);
    const { approval } = await plane.decide({ request }, plane.approver, 'reject', 'too wide');
    await sealAll(plane);
    expect(await verified(request)).toMatchObject({
      state: 'REJECTED',
      by: plane.approver.principal,
      reason: 'too wide',
      approval,
      changeEvidence: expect.stringMatching(/^sha256:/),
    });
  });

  it('a measuring line ends as NO_OP, proven by what its verifying job reported', async () => {
    const request = await plane.submit(application, {
      line: { name: 'bench' },
      reproduction: undefined,
      output: { format: 'note' },
    });
    await plane.complete('plan', await plane.claim('plan'), { verdict: 'ok' });
    await plane.decide({ request }, plane.approver, 'approve');
    await plane.complete('build', await plane.claim('build'), { verdict: 'ok' });
    await plane.complete('verify', await plane.claim('verify'), { verdict: 'ok' });
    await sealAll(plane);
    const facts = await verified(request);
    expect(facts).toMatchObject({ state: 'NO_OP', code: 'not_applicable', node: 'verify' });
    expect(facts.state === 'NO_OP' && facts.proof).toBe(facts.jobs.at(-1)!.result);
  });
});

describe('sealing again', () => {
  it('after a death between the artifact and the record there is one evidence, and a second seal changes nothing', async () => {
    const request = await plane.submit(application);
    await workToValidation(plane);
    const [body] = plane.takeSeals();
    // What a process leaves that died after it kept its signed artifact: the artifact, and no row that names it.
    await plane.artifacts.put(Buffer.from('evidence of a dead process'), {
      kind: 'change_evidence',
      mediaType: 'application/json',
      owner: { type: 'request', id: request, name: 'change_evidence.1' },
    });
    await Promise.all([plane.sealer.seal(body!), plane.sealer.seal(body!)]);
    await plane.sealer.seal(body!);
    expect(await plane.bundles(request)).toHaveLength(1);
    await plane.decide({ request }, plane.approver, 'approve');
    await deliver(plane, request);
    const [last] = plane.takeSeals();
    await Promise.all([plane.sealer.seal(last!), plane.sealer.seal(last!)]);
    await plane.sealer.seal(last!);
    expect(await verified(request)).toMatchObject({ state: 'PR_READY' });
  });

  it('is refused for what is no request', async () => {
    await expect(
      plane.sealer.seal({ kind: 'seal', subject: 'evidence_bundle', request: 'req_1', node: null, round: 1 }),
    ).rejects.toMatchObject({ code: 'FACTORY-SEAL-UNKNOWN' });
  });
});
