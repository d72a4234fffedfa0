import { parsePriceTable } from '../../shared/domain/cost/price-table.ts';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import type { EffectId, JobId, RequestId } from '../../shared/domain/ids.ts';
import { Refusal } from '../../shared/domain/refusal.ts';
import { intendEffect } from '../../shared/effects/ledger/intend.ts';
import { recordEffect } from '../../shared/effects/ledger/record.ts';
import { decideApproval } from '../../shared/gates/decide-approval.ts';
import { revokeApproval } from '../../shared/gates/revoke-approval.ts';
import type { ClaimAnswer } from '../../shared/jobs/protocol.ts';
import { releaseJob } from '../../shared/jobs/release.ts';
import { renewLease } from '../../shared/jobs/renew.ts';
import { advanceRequest, rerunRequest, superviseRequest } from '../../shared/line/begin.ts';
import { cancelRequest, endOverdueLook } from '../../shared/line/cancel.ts';
import type { Actor } from '../../shared/line/context.ts';
import { listOpenApprovals } from '../../shared/store/approvals/read.ts';
import { rows } from '../../shared/store/command.ts';
import { openTestPlane, type TestLine } from '../line/plane.ts';
import { openInvariants } from './invariants.ts';
import { PRICES } from './prices.ts';
import { seeded } from './random.ts';

const TREE = digestOfBytes('the tested bytes');

/** One blueprint with every kind of node: conditions, a join, a fan-out, rework, a gate and an effect. */
const LINE: TestLine = {
  line: 'all',
  nodes: [
    {
      id: 'fetch',
      kind: 'job',
      pool: 'fetch',
      task: 't',
      retry: { attempts: 3, on: ['transient_infra', 'environment'], backoffMs: 500 },
    },
    { id: 'left', kind: 'job', needs: ['fetch'], pool: 'build', task: 't' },
    {
      id: 'right',
      kind: 'job',
      needs: ['fetch'],
      when: [{ node: 'fetch', verdict: ['ok'] }],
      pool: 'build',
      task: 't',
    },
    { id: 'many', kind: 'fan_out', needs: ['left', 'right'], count: 3, pool: 'build', task: 't' },
    {
      id: 'validate',
      kind: 'job',
      needs: ['many'],
      pool: 'verify',
      task: 't',
      rework: { verdict: ['again'], to: 'many', rounds: 3 },
    },
    {
      id: 'judge',
      kind: 'decide',
      needs: ['validate', 'notes'],
      cases: [
        {
          when: [{ node: 'validate', verdict: ['again', 'stop'] }],
          conclude: { state: 'ESCALATE', code: 'invalid', question: 'What now?' },
        },
      ],
    },
    { id: 'effect_gate', kind: 'gate', needs: ['judge'], subject: 'effect', riskFrom: 'validate', expiryMs: 40_000 },
    { id: 'deliver', kind: 'job', needs: ['effect_gate'], pool: 'effect', task: 'deliver' },
    {
      id: 'done',
      kind: 'decide',
      needs: ['deliver'],
      cases: [
        { when: [{ node: 'deliver', verdict: ['delivered', 'ok'] }], conclude: { state: 'PR_READY' } },
        { when: [{ node: 'deliver', verdict: ['again', 'stop'] }], conclude: { state: 'ESCALATE', code: 'refuted' } },
      ],
    },
  ],
};

const NO_BUDGET = Number.MAX_SAFE_INTEGER;

export type Simulation = {
  readonly seed: number;
  readonly steps: number;
  readonly faults: readonly string[];
  readonly refusals: Readonly<Record<string, number>>;
  readonly ended: number;
  readonly operations: Readonly<Record<string, number>>;
};

/**
 * Drives the plane's commands over a real store with a virtual clock: random people, workers, zombies, lost answers, expiries,
 * cancellations and supervisors in a random order, with the invariants checked after each step. Ends at the first fault.
 */
export async function simulate(seed: number, steps: number): Promise<Simulation> {
  const random = seeded(seed);
  const prices = parsePriceTable(PRICES);
  if (typeof prices === 'string') throw new Error(prices);
  const plane = await openTestPlane({ lines: [LINE], prices });
  const invariants = openInvariants(plane.file);
  const approvers = [
    await plane.actor('one', 'approver'),
    await plane.actor('two', 'approver', 'security_approver'),
    await plane.actor('three', 'approver', 'security_approver'),
  ];
  const people = [...approvers, plane.requester];
  const requests: RequestId[] = [];
  /** Every claim ever answered, so that old ones come back as zombies. */
  const claims: { readonly claim: ClaimAnswer; readonly as: Actor; effect?: string }[] = [];
  const refusals: Record<string, number> = {};
  const operations: Record<string, number> = {};
  let budget = NO_BUDGET;
  const workerOf = (pool: ClaimAnswer['pool']): Actor =>
    pool === 'verify' ? plane.verifier : pool === 'fetch' || pool === 'effect' ? plane.effector : plane.station;
  const facts = () => ({
    paths: [random.pick(['src/a.js', 'docs/a.md', '.github/workflows/ci.yml'])],
    pathCount: 1,
    linesAdded: 1,
    linesRemoved: 0,
    manifests: [],
    testPaths: [],
    headTree: TREE,
    baseTree: digestOfBytes('base'),
  });

  /** Mostly a worker that may still hold its lease, sometimes one that came back from the dead. */
  const recent = () => random.pick(random.chance(0.8) ? claims.slice(-5) : claims);
  const moves: Readonly<Record<string, () => Promise<unknown>>> = {
    submit: async () => {
      if (requests.length >= 12) return;
      const options = random.chance(0.1) ? { key: 'same-key' } : {};
      const { id } = await plane.submit('all', { ...options, deadlineAt: plane.now() + 600_000 });
      if (!requests.includes(id)) requests.push(id);
    },
    claim: async () => {
      const pool = random.pick(['fetch', 'build', 'verify', 'effect'] as const);
      const as = workerOf(pool);
      const id = `claim-${random.below(1_000_000)}-id`;
      const spent = plane.spent();
      const claim = await plane.claim(as, pool, id);
      if (claim === undefined) return;
      if (spent >= budget && claim.parameters['lookOnly'] !== true)
        throw new Error(`I26 an attempt began with ${spent} of ${budget} spent`);
      claims.push({ claim, as });
      // Its answer was lost, and it asks again.
      if (random.chance(0.2)) {
        const again = await plane.claim(as, pool, id);
        if (again?.job !== claim.job || again.leaseToken !== claim.leaseToken)
          throw new Error(`I22 a repeated claim got ${again?.job ?? 'nothing'} in place of ${claim.job}`);
      }
    },
    renew: async () => {
      if (claims.length === 0) return;
      const { claim, as } = random.pick(claims);
      await plane.run('renew', (context) => renewLease(context, as, claim.job as JobId, claim.leaseToken));
    },
    complete: async () => {
      if (claims.length === 0) return;
      const { claim, as } = recent();
      const verdict =
        claim.pool === 'effect'
          ? 'delivered'
          : claim.pool === 'verify'
            ? random.pick(['ok', 'ok', 'ok', 'again', 'stop'])
            : random.pick(['ok', 'ok', 'ok', 'other']);
      const outputs =
        claim.pool === 'verify'
          ? [{ name: 'receipt', kind: 'receipt' as const, text: `receipt ${claim.job} ${claim.epoch}` }]
          : [];
      await plane.complete(as, claim, { verdict, facts: facts() }, outputs);
      if (random.chance(0.2)) await plane.complete(as, claim, { verdict: 'other', facts: facts() }, outputs);
    },
    fail: async () => {
      if (claims.length === 0) return;
      const { claim, as } = recent();
      const message = random.pick(['the net is away', 'no space', 'a new fault']);
      if (claim.pool === 'effect' && random.chance(0.5))
        await plane.fail(as, claim, {
          kind: 'retryable',
          class: 'approval_stale',
          code: 'APPROVAL-STALE',
          message: 'stale',
        });
      else if (random.chance(0.1))
        await plane.fail(as, claim, { kind: 'needs_human', code: 'ASK', question: 'Which?' });
      else
        await plane.fail(as, claim, {
          kind: 'retryable',
          class: random.pick(['transient_infra', 'environment']),
          code: 'FAULT',
          message,
        });
    },
    release: async () => {
      if (claims.length === 0) return;
      const { claim, as } = random.pick(claims);
      await plane.run('release', (context) => releaseJob(context, as, claim.job as JobId, claim.leaseToken));
    },
    intend: async () => {
      const held = claims.filter((item) => item.claim.pool === 'effect');
      if (held.length === 0) return;
      const item = random.pick(random.chance(0.8) ? held.slice(-3) : held);
      const tree = random.chance(0.7) ? TREE : digestOfBytes('cheat');
      const target = `shop:refs/heads/factory/${item.claim.request}`;
      const effect = await plane.run('intend', (context) =>
        intendEffect(context, item.as, item.claim.job as JobId, item.claim.leaseToken, {
          kind: 'git_push',
          ordinal: 0,
          target,
          tree,
          expectedBefore: '',
          rollback: 'undo',
        }),
      );
      if (tree !== TREE) throw new Error('I13 an effect was intended for a tree that nobody tested');
      item.effect = effect.id;
    },
    record: async () => {
      const held = claims.filter((item) => item.effect !== undefined);
      if (held.length === 0) return;
      const item = random.pick(held);
      const event = random.pick(['started', 'completed', 'verified', 'uncertain', 'look_again', 'failed'] as const);
      await plane.run('record', (context) =>
        recordEffect(context, item.as, item.claim.job as JobId, item.claim.leaseToken, {
          effect: item.effect as EffectId,
          event,
          observed: 'seen',
        }),
      );
    },
    decide: async () => {
      const open = await plane.store.read('open', () =>
        rows(listOpenApprovals({ tenant: plane.tenant, after: null, limit: 50 })),
      );
      if (open.length === 0) return;
      const approval = random.pick(open);
      const decision = random.chance(0.85) ? 'approve' : 'reject';
      await plane.run('decide', (context) =>
        decideApproval(context, random.pick(people), {
          approval: approval.id,
          subject: approval.subject_digest,
          decision,
          reason: 'chance',
        }),
      );
    },
    revoke: async () => {
      const open = await plane.store.read('open', () =>
        rows(listOpenApprovals({ tenant: plane.tenant, after: null, limit: 50 })),
      );
      if (open.length === 0 || random.chance(0.7)) return;
      await plane.run('revoke', (context) =>
        revokeApproval(context, random.pick(approvers), random.pick(open).id, 'chance'),
      );
    },
    cancel: async () => {
      if (requests.length === 0 || random.chance(0.8)) return;
      await plane.run('cancel', (context) => cancelRequest(context, plane.requester, random.pick(requests), 'chance'));
    },
    supervise: async () => {
      if (requests.length === 0) return;
      await plane.run('supervise', (context) => superviseRequest(context, random.pick(requests), 1 + random.below(2)));
    },
    sweep: async () => {
      for (const id of requests) {
        await plane.run('advance', (context) => advanceRequest(context, id));
        await plane.run('look', (context) => endOverdueLook(context, id));
      }
    },
    rerun: async () => {
      if (requests.length === 0 || random.chance(0.8)) return;
      await plane.run('rerun', (context) => rerunRequest(context, random.pick(requests), 1));
    },
    budget: async () => {
      // Budgets end requests early: every other seed goes the whole way without.
      if (seed % 2 === 0 || random.chance(0.5)) return;
      // None, more than is ever spent, or less than is spent by then.
      budget = random.pick([NO_BUDGET, NO_BUDGET, 1_000_000_000, Math.floor(plane.spent() / 2)]);
      await plane.setBudget(budget === NO_BUDGET ? undefined : budget);
    },
    time: async () => {
      plane.pass(random.pick([10, 500, 5_000, 31_000, 45_000]));
    },
  };
  const weighted = [
    'submit',
    'claim',
    'claim',
    'claim',
    'claim',
    'renew',
    'complete',
    'complete',
    'complete',
    'complete',
    'fail',
    'release',
    'intend',
    'intend',
    'record',
    'record',
    'decide',
    'decide',
    'revoke',
    'cancel',
    'supervise',
    'sweep',
    'rerun',
    'budget',
    'time',
  ];

  const faults: string[] = [];
  let done = 0;
  for (; done < steps && faults.length === 0; done += 1) {
    const move = random.pick(weighted);
    operations[move] = (operations[move] ?? 0) + 1;
    try {
      await moves[move]?.();
    } catch (error) {
      if (!(error instanceof Refusal))
        faults.push(`${move}: ${error instanceof Error ? error.message : String(error)}`);
      else refusals[error.code] = (refusals[error.code] ?? 0) + 1;
    }
    faults.push(...invariants.check().map((fault) => `after ${move} (step ${done}): ${fault}`));
  }
  let ended = 0;
  for (const id of requests) if ((await plane.request(id))?.state === 'concluding') ended += 1;
  invariants.close();
  await plane.close();
  return { seed, steps: done, faults, refusals, ended, operations };
}
