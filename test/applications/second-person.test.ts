import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepDeclaration } from '../../shared/applications/keep-declaration.ts';
import { updateDeclaration } from '../../shared/applications/update-declaration.ts';
import { bundleOf } from '../../shared/definitions/bundle.ts';
import { declarationChanges } from '../../shared/domain/application/changes.ts';
import { type ApplicationDeclaration, applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import type { Digest } from '../../shared/domain/digest.ts';
import type { ApplicationId, ApprovalId } from '../../shared/domain/ids.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { decideApproval } from '../../shared/gates/decide-approval.ts';
import { revokeApproval } from '../../shared/gates/revoke-approval.ts';
import type { Actor } from '../../shared/line/context.ts';
import { createSweep } from '../../shared/plane/sweep.ts';
import { readApproval } from '../../shared/store/approvals/read.ts';
import { readAuditEvents } from '../../shared/store/audit/read.ts';
import { one, rows } from '../../shared/store/command.ts';
import { openPlane, type SealPlane } from '../seal/plane.ts';

let plane: SealPlane;
let application: ApplicationId;
beforeEach(async () => {
  plane = await openPlane();
  application = await plane.register({ testFiles: ['test/**'] });
  await plane.install(application, await plane.publish(plane.bundle));
});
afterEach(() => plane.close());

const declared = (change: Partial<ApplicationDeclaration> = {}): ApplicationDeclaration =>
  applicationDeclaration.parse({
    apiVersion: 'factory/v1',
    kind: 'Application',
    name: 'shop',
    repositories: [{ name: 'shop', codeHost: 'local', location: '/repositories/shop.git' }],
    testFiles: ['test/**'],
    ...change,
  });
const update = async (change: Partial<ApplicationDeclaration>, as: Actor = plane.operator) => {
  const declaration = await keepDeclaration(plane.artifacts, declared(change));
  return {
    to: declaration,
    ...(await plane.run('declare', (context) => updateDeclaration(context, as, { application, declaration }))),
  };
};
const decide = (
  proposed: { readonly approval: ApprovalId | null; readonly subject: Digest | null },
  as: Actor,
  decision: 'approve' | 'reject' = 'approve',
) =>
  plane.run('decide', (context) =>
    decideApproval(context, as, {
      approval: proposed.approval ?? ('none' as ApprovalId),
      subject: proposed.subject ?? '',
      decision,
      reason: 'Looked at.',
    }),
  );
const inForce = async (): Promise<Digest> => (await plane.applicationRow(application)).declaration_digest;
const stateOf = async (approval: ApprovalId | null) =>
  (
    await plane.store.read('approval', () =>
      one(readApproval({ tenant: plane.tenant, approval: approval ?? ('none' as ApprovalId) })),
    )
  )?.state;

const WEAKER = { testFiles: ['nothing/**'] };

describe('another declaration', () => {
  it('that changes what judges is in force only after another person approved it', async () => {
    const before = await inForce();
    const proposed = await update(WEAKER);
    expect(proposed).toMatchObject({ declaration: before, approval: expect.stringMatching(/^apr_/) });
    expect(await inForce()).toBe(before);
    const open = await plane.submit(application);
    await expect(decide(proposed, plane.operator)).rejects.toMatchObject({ code: 'FACTORY-FORBIDDEN' });
    await expect(decide(proposed, plane.approver)).rejects.toMatchObject({ code: 'FACTORY-FORBIDDEN' });
    expect(await decide(proposed, plane.policyOwner)).toMatchObject({ state: 'approved', approvals: 1 });
    expect(await inForce()).toBe(proposed.to);
    // Open requests keep what they were pinned to; new ones are pinned to what is in force.
    expect((await plane.request(open)).declaration_digest).toBe(before);
    expect((await plane.request(await plane.submit(application))).declaration_digest).toBe(proposed.to);
  });

  it('is not approved by its author, whatever other roles they hold', async () => {
    const both = await plane.actor('both', 'operator', 'policy_owner');
    const proposed = await update(WEAKER, both);
    await expect(decide(proposed, both)).rejects.toMatchObject({ code: 'FACTORY-FORBIDDEN' });
    expect(await stateOf(proposed.approval)).toBe('open');
  });

  it.each<[string, Partial<ApplicationDeclaration>]>([
    ['checks', { checks: [{ name: 'unit', kind: 'unit', command: ['true'], report: 'none', timeoutSeconds: 5 }] }],
    ['notTestFiles', { notTestFiles: ['test/fixtures/**'] }],
    ['protectedPaths', { protectedPaths: ['src/billing/**'] }],
    ['criticalPaths', { criticalPaths: ['data/**'] }],
    ['prepare', { prepare: ['npm', 'ci'] }],
    ['sandbox', { sandbox: { allowProcess: true } }],
    [
      'environments',
      {
        environments: [
          {
            name: 'dev',
            repository: 'shop',
            directory: 'infra/dev',
            subscription: '0d1f7a52-5b0e-4f0e-9d53-2a1c0f4e7a01',
            stack: 'shop-dev',
            location: 'westeurope',
          },
        ],
      },
    ],
  ])('waits for a second person when it changes %s', async (part, change) => {
    expect(declarationChanges(declared(), declared(change))).toEqual([part]);
    expect((await update(change)).approval).not.toBeNull();
  });

  it('that moves a repository is in force at once', async () => {
    const repositories = [
      { name: 'shop', codeHost: 'local' as const, location: '/moved/shop.git', defaultBranch: 'main' },
    ];
    const answer = await update({ repositories });
    expect(answer).toMatchObject({ approval: null, subject: null, declaration: answer.to });
    expect(await inForce()).toBe(answer.to);
  });

  it('proposed again is the same proposal; another one, or one in force meanwhile, takes its place', async () => {
    const first = await update(WEAKER);
    expect(await update(WEAKER)).toEqual(first);
    const second = await update({ testFiles: [] });
    expect(await stateOf(first.approval)).toBe('superseded');
    await expect(decide(first, plane.policyOwner)).rejects.toMatchObject({ code: 'FACTORY-WRONG-STATE' });
    await update({
      repositories: [{ name: 'shop', codeHost: 'local', location: '/moved/shop.git', defaultBranch: 'main' }],
    });
    expect(await stateOf(second.approval)).toBe('superseded');
    await expect(decide(second, plane.policyOwner)).rejects.toMatchObject({ code: 'FACTORY-WRONG-STATE' });
  });

  it('that is rejected, revoked or expired is never in force', async () => {
    const before = await inForce();
    const rejected = await update(WEAKER);
    expect(await decide(rejected, plane.policyOwner, 'reject')).toMatchObject({ state: 'rejected' });
    const revoked = await update(WEAKER);
    expect(revoked.approval).not.toBe(rejected.approval);
    await plane.run('revoke', (context) =>
      revokeApproval(context, plane.policyOwner, revoked.approval ?? ('none' as ApprovalId), 'Not now.'),
    );
    await expect(decide(revoked, plane.policyOwner)).rejects.toMatchObject({ code: 'FACTORY-WRONG-STATE' });
    const late = await update(WEAKER);
    plane.pass(LIMITS.approval.expiryMs);
    await expect(decide(late, plane.policyOwner)).rejects.toMatchObject({ code: 'FACTORY-WRONG-STATE' });
    expect((await update(WEAKER)).approval).not.toBe(late.approval);
    expect(await stateOf(late.approval)).toBe('expired');
    expect(await inForce()).toBe(before);
  });

  it('that nobody decides on in time is expired by the sweep, and says so in the audit', async () => {
    const told: unknown[] = [];
    const unused = (): never => {
      throw new Error('a proposal is of no request, no installation and no outbox row');
    };
    const sweep = createSweep({
      store: plane.store,
      run: plane.run,
      relay: { drain: unused, settle: async () => undefined, statistics: unused },
      orchestrations: { start: unused, nudge: unused, look: unused },
      report: (error) => told.push(error),
    });
    const before = await inForce();
    const late = await update(WEAKER);
    await sweep();
    expect(await stateOf(late.approval)).toBe('open');
    plane.pass(LIMITS.approval.expiryMs);
    await sweep();
    await sweep();
    expect(told).toEqual([]);
    expect(await stateOf(late.approval)).toBe('expired');
    expect(await inForce()).toBe(before);
    const recorded = await plane.store.read('audit', () =>
      rows(readAuditEvents({ tenant: plane.tenant, stream: application, from: 1, limit: 100 })),
    );
    expect(recorded.filter(({ bytes }) => bytes.includes('application.declaration-expired'))).toHaveLength(1);
  });

  it('is the author’s alone where the installed definitions know no such rule', async () => {
    const files = [...plane.bundle.files].map(([path, text]): [string, string] => [
      path,
      text.replace(/@id\("second-person-for-what-judges"\)[\s\S]*?\n\};\n/u, ''),
    ]);
    await plane.install(application, await plane.publish(bundleOf(files)));
    const answer = await update(WEAKER);
    expect(answer.approval).toBeNull();
    expect(await inForce()).toBe(answer.to);
  });

  it('is nobody’s who may not register applications', async () => {
    await expect(update(WEAKER, plane.requester)).rejects.toMatchObject({ code: 'FACTORY-FORBIDDEN' });
  });
});
