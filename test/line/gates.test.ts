import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { type EffectId, type JobId, newId, type PrincipalId, type RequestId } from '../../shared/domain/ids.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { intendEffect } from '../../shared/effects/ledger/intend.ts';
import { recordEffect } from '../../shared/effects/ledger/record.ts';
import { decideApproval } from '../../shared/gates/decide-approval.ts';
import type { Role } from '../../shared/gates/policy/actions.ts';
import { revokeApproval } from '../../shared/gates/revoke-approval.ts';
import type { ClaimAnswer } from '../../shared/jobs/protocol.ts';
import { superviseRequest } from '../../shared/line/begin.ts';
import { cancelRequest } from '../../shared/line/cancel.ts';
import type { Actor } from '../../shared/line/context.ts';
import { insertDelegationIfAbsent } from '../../shared/store/access/delegations.ts';
import { assignRole, withdrawRole } from '../../shared/store/access/roles.ts';
import { approvalsOfRequest } from '../../shared/store/approvals/read.ts';
import { eventsOfRequest } from '../../shared/store/audit/read.ts';
import { rows, write } from '../../shared/store/command.ts';
import { effectsOfRequest } from '../../shared/store/effects/read.ts';
import { PRICES } from '../cost/line.ts';
import { openTestPlane, type TestPlane } from './plane.ts';

const LINE = {
  line: 'guarded',
  nodes: [
    { id: 'validate', kind: 'job', pool: 'verify', task: 'x' },
    {
      id: 'effect_gate',
      kind: 'gate',
      needs: ['validate'],
      subject: 'effect',
      riskFrom: 'validate',
      expiryMs: 600_000,
    },
    {
      id: 'deliver',
      kind: 'job',
      needs: ['effect_gate'],
      when: [{ node: 'effect_gate', verdict: ['approved', 'waived'] }],
      pool: 'effect',
      task: 'deliver',
    },
    {
      id: 'done',
      kind: 'decide',
      needs: ['deliver'],
      cases: [{ when: [{ node: 'deliver', verdict: ['delivered'] }], conclude: { state: 'PR_READY' } }],
    },
  ],
};
/** The same with a gate that waits for days, as gates do. */
const PATIENT = {
  line: 'patient',
  nodes: LINE.nodes.map(({ expiryMs: _short, ...node }: (typeof LINE.nodes)[number] & { expiryMs?: number }) => node),
};
const TREE = digestOfBytes('the tested bytes');
const target = (id: RequestId): string => `shop:refs/heads/factory/${id}`;

let plane: TestPlane;
let approver: Actor;
beforeEach(async () => {
  plane = await openTestPlane({ lines: [LINE, PATIENT], prices: PRICES });
  approver = await plane.actor('approver', 'approver');
});
afterEach(async () => {
  await plane.close();
});

const validated = async (paths: string[], line = 'guarded'): Promise<RequestId> => {
  const { id } = await plane.submit(line);
  const claim = await plane.claim(plane.verifier, 'verify');
  const facts = {
    paths,
    pathCount: paths.length,
    linesAdded: 3,
    linesRemoved: 1,
    manifests: [],
    testPaths: [],
    headTree: TREE,
    baseTree: digestOfBytes('base'),
  };
  await plane.complete(plane.verifier, claim!, { verdict: 'valid', facts }, [
    { name: 'receipt', kind: 'receipt', text: `receipt of ${id}` },
  ]);
  return id;
};
const approvals = async (id: RequestId) =>
  await plane.store.read('approvals', () => rows(approvalsOfRequest({ tenant: plane.tenant, request: id })));
const newest = async (id: RequestId) => (await approvals(id)).at(-1)!;
const decide = async (as: Actor, id: RequestId, decision: 'approve' | 'reject' = 'approve') => {
  const approval = await newest(id);
  return await plane.run('decide', (context) =>
    decideApproval(context, as, {
      approval: approval.id,
      subject: approval.subject_digest,
      decision,
      reason: 'looked at it',
    }),
  );
};
const intend = async (id: RequestId, claim: ClaimAnswer, tree = TREE) =>
  await plane.run('intend', (context) =>
    intendEffect(context, plane.effector, claim.job as JobId, claim.leaseToken, {
      kind: 'git_push',
      ordinal: 0,
      target: target(id),
      tree,
      expectedBefore: '',
      rollback: 'delete the branch',
    }),
  );
const record = async (claim: ClaimAnswer, effect: string, event: 'started' | 'completed' | 'verified' | 'uncertain') =>
  await plane.run('record', (context) =>
    recordEffect(context, plane.effector, claim.job as JobId, claim.leaseToken, {
      effect: effect as EffectId,
      event,
      observed: 'seen',
    }),
  );

describe('a gate', () => {
  it('opens an approval of exactly what was tested, and the effect follows the approval', async () => {
    const id = await validated(['src/price.js']);
    const approval = await newest(id);
    expect(approval).toMatchObject({ state: 'open', required: 1, type: 'effect' });
    expect(await plane.claim(plane.effector, 'effect')).toBeUndefined();
    expect(await decide(approver, id)).toMatchObject({ state: 'approved' });
    const claim = await plane.claim(plane.effector, 'effect');
    const effect = await intend(id, claim!);
    expect(effect.state).toBe('intended');
    expect(await intend(id, claim!)).toEqual(effect);
    for (const event of ['started', 'completed', 'verified'] as const) await record(claim!, effect.id, event);
    await plane.complete(plane.effector, claim!, { verdict: 'delivered' });
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toEqual({ state: 'PR_READY' });
  });

  it('lets the policy decision stand in where the risk is low', async () => {
    const id = await validated(['docs/guide.md']);
    expect(await approvals(id)).toEqual([]);
    const claim = await plane.claim(plane.effector, 'effect');
    await expect(intend(id, claim!, digestOfBytes('other bytes'))).rejects.toMatchObject({
      code: 'FACTORY-APPROVAL-STALE',
    });
    expect(await intend(id, claim!)).toMatchObject({ state: 'intended' });
  });

  it('is not decided by the requester, a worker, someone without the role, or on another digest', async () => {
    const id = await validated(['src/price.js']);
    for (const who of [plane.requester, plane.verifier, await plane.actor('auditor', 'auditor')])
      await expect(decide(who, id)).rejects.toMatchObject({ status: 403 });
    const both = await plane.actor('both', 'approver');
    const approval = await newest(id);
    const other = digestOfBytes('something else');
    await expect(
      plane.run('decide', (context) =>
        decideApproval(context, both, { approval: approval.id, subject: other, decision: 'approve', reason: '' }),
      ),
    ).rejects.toMatchObject({ code: 'FACTORY-SUBJECT-CHANGED' });
    expect((await newest(id)).state).toBe('open');
  });

  it('answers the same decision again, and refuses the opposite one', async () => {
    const id = await validated(['src/price.js']);
    await decide(approver, id);
    expect(await decide(approver, id)).toMatchObject({ state: 'approved' });
    await expect(decide(approver, id, 'reject')).rejects.toMatchObject({ code: 'FACTORY-ALREADY-DECIDED' });
  });

  it('ends the request as REJECTED when a person rejects', async () => {
    const id = await validated(['src/price.js']);
    await decide(approver, id, 'reject');
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({
      state: 'REJECTED',
      by: approver.principal,
      reason: 'looked at it',
    });
  });

  it('asks two people with the security role where the risk is high', async () => {
    const id = await validated(['.github/workflows/release.yml']);
    const approval = await newest(id);
    expect(approval).toMatchObject({ required: 2, role: 'security_approver' });
    await expect(decide(approver, id)).rejects.toMatchObject({ status: 403 });
    const one = await plane.actor('one', 'approver', 'security_approver');
    const two = await plane.actor('two', 'approver', 'security_approver');
    expect(await decide(one, id)).toMatchObject({ state: 'open', approvals: 1 });
    expect(await decide(one, id)).toMatchObject({ state: 'open', approvals: 1 });
    expect(await decide(two, id)).toMatchObject({ state: 'approved', approvals: 2 });
  });

  it('opens a new instance when nobody decided in time; the old one can not be decided any more', async () => {
    const id = await validated(['src/price.js']);
    const old = await newest(id);
    plane.pass(600_000);
    await expect(decide(approver, id)).rejects.toMatchObject({ code: 'FACTORY-WRONG-STATE' });
    await plane.run('supervise', (context) => superviseRequest(context, id, 1));
    const fresh = await newest(id);
    expect(fresh.id).not.toBe(old.id);
    expect((await approvals(id)).map((approval) => approval.state)).toEqual(['expired', 'open']);
    expect(await decide(approver, id)).toMatchObject({ state: 'approved' });
  });
});

describe("a request's orchestrator", () => {
  const start = () => plane.told.map((entry) => entry.body).findLast((body) => body.kind === 'start');
  const nudges = () => plane.told.filter((entry) => entry.body.kind === 'nudge').length;
  const supervise = async (id: RequestId) =>
    await plane.run('supervise', (context) => superviseRequest(context, id, 1));

  it('is started for the soonest that a gate can expire, so that a gate that opens needs no nudge', async () => {
    const begun = plane.now();
    const id = await validated(['src/price.js'], 'patient');
    const wakeAt = begun + LIMITS.approval.expiryMs;
    expect(start()).toMatchObject({ id, wakeAt });
    expect((await plane.request(id))?.next_wake_at).toBe(wakeAt);
    expect(nudges()).toBe(0);
    // A wake-up that comes early, as any event may bring, leaves it as it is.
    expect(await supervise(id)).toMatchObject({ over: false, wakeAt });
  });

  it('woken then, waits for the gate that is open, and opens it anew when it has expired', async () => {
    const id = await validated(['src/price.js'], 'patient');
    const opened = await newest(id);
    plane.pass((start() as { wakeAt: number }).wakeAt - plane.now());
    expect(await supervise(id)).toMatchObject({ over: false });
    plane.pass(opened.expires_at - plane.now());
    expect(await supervise(id)).toMatchObject({ over: false });
    expect((await approvals(id)).map((approval) => approval.state)).toEqual(['expired', 'open']);
  });

  it('is nudged for a gate that expires within the hour', async () => {
    const id = await validated(['src/price.js']);
    expect(nudges()).toBe(1);
    expect(await supervise(id)).toMatchObject({ over: false, wakeAt: (await newest(id)).expires_at });
  });
});

describe('an effect', () => {
  it('is refused for another tree, and after the approval was revoked or has expired', async () => {
    const id = await validated(['src/price.js']);
    await decide(approver, id);
    const claim = await plane.claim(plane.effector, 'effect');
    await expect(intend(id, claim!, digestOfBytes('other bytes'))).rejects.toMatchObject({
      code: 'FACTORY-APPROVAL-STALE',
    });
    const approval = await newest(id);
    await plane.run('revoke', (context) => revokeApproval(context, approver, approval.id, 'second thoughts'));
    await expect(intend(id, claim!)).rejects.toMatchObject({ code: 'FACTORY-APPROVAL-STALE' });
    expect(
      await plane.store.read('effects', () => rows(effectsOfRequest({ tenant: plane.tenant, request: id }))),
    ).toEqual([]);
  });

  describe('is refused once who approved it may not any more', () => {
    const withdraw = (who: Actor, role: Role) =>
      plane.store.run('withdraw', () =>
        write(
          withdrawRole({ tenant: plane.tenant, principal: who.principal as PrincipalId, role, application_key: '' }),
        ),
      );
    const delegate = (principal: Actor, to: Actor) =>
      plane.store.run('delegate', () =>
        write(
          insertDelegationIfAbsent({
            tenant_id: plane.tenant,
            principal_id: principal.principal as PrincipalId,
            delegate_id: to.principal as PrincipalId,
            started_at: plane.now(),
            ended_at: null,
            recorded_by: null,
          }),
        ),
      );
    const refused = {
      code: 'FACTORY-APPROVAL-STALE',
      message: expect.stringContaining('0 of 1 approvals stand. approver'),
    };

    it.each([
      ['the role was withdrawn', () => withdraw(approver, 'approver')],
      ['they act for the requester since', () => delegate(plane.requester, approver)],
      ['the requester acts for them since', () => delegate(approver, plane.requester)],
      ['they act for the worker that made it since', () => delegate(plane.verifier, approver)],
      [
        'they hold it for another application only',
        async () => {
          await withdraw(approver, 'approver');
          const elsewhere = newId('application', plane.now());
          await plane.store.run('assign', () =>
            write(
              assignRole({
                tenant_id: plane.tenant,
                principal_id: approver.principal as PrincipalId,
                role: 'approver',
                application_key: elsewhere,
                assigned_at: plane.now(),
                assigned_by: null,
              }),
            ),
          );
        },
      ],
    ])('%s', async (_why, happens) => {
      const id = await validated(['src/price.js']);
      await decide(approver, id);
      const claim = await plane.claim(plane.effector, 'effect');
      await happens();
      await expect(intend(id, claim!)).rejects.toMatchObject(refused);
      const told = await intend(id, claim!).catch((error: Error) => error.message);
      await plane.fail(plane.effector, claim!, {
        kind: 'retryable',
        class: 'approval_stale',
        code: 'FACTORY-APPROVAL-STALE',
        message: String(told),
      });
      expect(await plane.open(id)).toEqual(['effect_gate:active']);
      expect((await approvals(id)).map(({ state }) => state)).toEqual(['superseded', 'open']);
      const events = await plane.store.read('events', () =>
        rows(eventsOfRequest({ tenant: plane.tenant, request: id, after: 0, limit: 100 })),
      );
      const failed = events.map(({ bytes }) => JSON.parse(bytes)).find(({ action }) => action === 'job.failed');
      expect(failed.changes.because).toContain('0 of 1 approvals stand. approver');
      // Another person, who is near to nobody, lets it go on.
      await decide(await plane.actor('second', 'approver'), id);
      expect(await intend(id, (await plane.claim(plane.effector, 'effect'))!)).toMatchObject({ state: 'intended' });
    });

    it('and of two who must agree, one who may not any more is not counted for the second', async () => {
      const id = await validated(['.github/workflows/release.yaml']);
      const [one, two, three] = [
        await plane.actor('one', 'approver', 'security_approver'),
        await plane.actor('two', 'approver', 'security_approver'),
        await plane.actor('three', 'approver', 'security_approver'),
      ];
      expect(await newest(id)).toMatchObject({ required: 2 });
      expect(await decide(one, id)).toMatchObject({ state: 'open', approvals: 1 });
      await withdraw(one, 'security_approver');
      await withdraw(one, 'approver');
      expect(await decide(two, id)).toMatchObject({ state: 'open', approvals: 1 });
      expect(await decide(three, id)).toMatchObject({ state: 'approved', approvals: 2 });
    });
  });

  it('whose approval went stale opens its gate again, in a new round, without counting an attempt', async () => {
    const id = await validated(['src/price.js']);
    await decide(approver, id);
    const claim = await plane.claim(plane.effector, 'effect');
    await plane.fail(plane.effector, claim!, {
      kind: 'retryable',
      class: 'approval_stale',
      code: 'APPROVAL-STALE',
      message: 'the approval is over',
    });
    expect(await plane.open(id)).toEqual(['effect_gate:active']);
    expect((await approvals(id)).map((approval) => approval.state)).toEqual(['superseded', 'open']);
    await decide(approver, id);
    expect(await plane.claim(plane.effector, 'effect')).toMatchObject({ round: 2, attempt: 1 });
  });

  it('that was begun and never seen to end is a question to a person, not a failure to retry', async () => {
    const id = await validated(['src/price.js']);
    await decide(approver, id);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const claim = await plane.claim(plane.effector, 'effect');
      const effect = await intend(id, claim!);
      if (attempt === 1) await record(claim!, effect.id, 'started');
      const message = ['net', 'disk', 'fire'][attempt - 1]!;
      await plane.fail(plane.effector, claim!, { kind: 'retryable', class: 'transient_infra', code: 'X', message });
      plane.pass(60_000);
    }
    const conclusion = JSON.parse((await plane.request(id))?.conclusion ?? '{}') as { question?: string };
    expect(conclusion).toMatchObject({ state: 'ESCALATE', code: 'effect_unseen', node: 'deliver' });
    expect(conclusion.question).toContain(target(id));
  });

  it('is taken over by the next attempt in the state it was left in', async () => {
    const id = await validated(['src/price.js']);
    await decide(approver, id);
    const first = await plane.claim(plane.effector, 'effect');
    const effect = await intend(id, first!);
    await record(first!, effect.id, 'started');
    plane.pass(31_000);
    await plane.run('supervise', (context) => superviseRequest(context, id, 1));
    const second = await plane.claim(plane.effector, 'effect');
    expect(await intend(id, second!)).toMatchObject({ id: effect.id, state: 'started' });
    await expect(record(first!, effect.id, 'completed')).rejects.toMatchObject({ code: 'FACTORY-LEASE-LOST' });
    expect(await record(second!, effect.id, 'uncertain')).toMatchObject({ state: 'uncertain' });
    expect(await record(second!, effect.id, 'verified')).toMatchObject({ state: 'verified' });
  });
});

describe('cancelling', () => {
  it('makes every lease void, closes approvals and concludes at once when nothing was started', async () => {
    const id = await validated(['src/price.js']);
    await plane.run('cancel', (context) => cancelRequest(context, plane.requester, id, 'not needed'));
    const row = await plane.request(id);
    expect(row?.state).toBe('concluding');
    expect(JSON.parse(row?.conclusion ?? '')).toMatchObject({
      state: 'CANCELLED',
      by: plane.requester.principal,
      reason: 'not needed',
    });
    expect((await newest(id)).state).toBe('superseded');
    await expect(decide(approver, id)).rejects.toMatchObject({ code: 'FACTORY-WRONG-STATE' });
  });

  it('looks at an effect that was started before it ends; the interrupted effector changes nothing any more', async () => {
    const id = await validated(['src/price.js']);
    await decide(approver, id);
    const claim = await plane.claim(plane.effector, 'effect');
    const effect = await intend(id, claim!);
    await record(claim!, effect.id, 'started');
    await plane.run('cancel', (context) => cancelRequest(context, plane.requester, id, 'stop'));
    expect((await plane.request(id))?.state).toBe('cancelling');
    // The look is owed whatever it costs.
    await plane.setBudget(0);
    await expect(record(claim!, effect.id, 'completed')).rejects.toMatchObject({ code: 'FACTORY-LEASE-LOST' });
    const look = await plane.claim(plane.effector, 'effect');
    expect(look?.parameters).toMatchObject({ lookOnly: true });
    await intend(id, look!);
    await record(look!, effect.id, 'uncertain');
    await record(look!, effect.id, 'verified');
    await plane.complete(plane.effector, look!, { verdict: 'looked' });
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({ state: 'CANCELLED' });
  });

  it('is refused to somebody else', async () => {
    const id = await validated(['src/price.js']);
    const stranger = await plane.actor('stranger', 'requester');
    await expect(plane.run('cancel', (context) => cancelRequest(context, stranger, id, ''))).rejects.toMatchObject({
      status: 403,
    });
  });
});
