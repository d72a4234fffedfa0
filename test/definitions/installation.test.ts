import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepDeclaration } from '../../shared/applications/keep-declaration.ts';
import { registerApplication } from '../../shared/applications/register.ts';
import { updateDeclaration } from '../../shared/applications/update-declaration.ts';
import { bundleOf, type DefinitionsBundle } from '../../shared/definitions/bundle.ts';
import { keepInstallPlan } from '../../shared/definitions/install-plan.ts';
import { readInstallationStatus } from '../../shared/definitions/installation-status.ts';
import { planInstallation } from '../../shared/definitions/plan-installation.ts';
import { keepBundle, publishDefinitions } from '../../shared/definitions/publish.ts';
import { failInstallation } from '../../shared/definitions/supervise-installation.ts';
import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import type { ApplicationId } from '../../shared/domain/ids.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { revokeApproval } from '../../shared/gates/revoke-approval.ts';
import { withdrawRole } from '../../shared/store/access/roles.ts';
import { readApplication, updateApplication } from '../../shared/store/applications/applications.ts';
import { repositoriesOf } from '../../shared/store/applications/repositories.ts';
import { rows, write } from '../../shared/store/command.ts';
import { openPlane, type SealPlane } from '../seal/plane.ts';

let plane: SealPlane;
let application: ApplicationId;
let changed: DefinitionsBundle;
beforeEach(async () => {
  plane = await openPlane();
  application = await plane.register();
  changed = bundleOf(
    [...plane.bundle.files].map(([path, text]) => [
      path,
      path === 'lines/bench.yaml' ? text.replace('Measure the plane', 'Measure it') : text,
    ]),
  );
});
afterEach(() => plane.close());

const status = (asked?: Parameters<typeof readInstallationStatus>[2]) =>
  plane.store.read('status', () => readInstallationStatus(plane.context, application, asked));

describe('an installation', () => {
  it('is planned, approved by someone else, applied, and recorded', async () => {
    const digest = await plane.publish(plane.bundle);
    const planned = await plane.plan(application, digest);
    expect(planned).toMatchObject({ state: 'planned', plan: planned.kept.digest });
    expect(plane.told.map((entry) => entry.body)).toMatchObject([
      { kind: 'start', orchestrator: 'installation', id: planned.id, run: 1 },
    ]);
    expect(digestOfBytes(await plane.artifacts.bytes(planned.plan))).toBe(planned.kept.digest);
    expect(await plane.supervise(planned.id)).toEqual({
      over: false,
      wakeAt: plane.now() + LIMITS.approval.expiryMs,
      phase: 'planned',
    });
    expect((await status()).inForce).toBeNull();

    await expect(plane.decide({ installation: planned.id }, plane.operator, 'approve')).rejects.toMatchObject({
      code: 'FACTORY-FORBIDDEN',
    });
    await plane.decide({ installation: planned.id }, plane.policyOwner, 'approve');
    expect(await plane.supervise(planned.id)).toMatchObject({ over: false, phase: 'applying' });
    expect((await status()).inForce).toBeNull();
    expect(await plane.supervise(planned.id)).toMatchObject({ over: true, phase: 'applied' });
    expect(await plane.supervise(planned.id)).toMatchObject({ over: true, phase: 'applied' });

    const row = await plane.applicationRow(application);
    const { policy, lines } = plane.context.documents.definitions(digest);
    expect(row).toMatchObject({ definitions_digest: digest, policy_digest: policy.digest });
    expect(Object.keys(JSON.parse(row.installed_line_digests))).toEqual([...lines.keys()]);
    expect(await status(digest)).toMatchObject({
      inForce: { definitions: digest },
      applied: { installation: planned.id, drift: { drifted: false } },
      pending: null,
      asked: { drifted: false },
    });
  });

  it('is the same one when the same plan is made again, and superseded by another', async () => {
    const first = await plane.plan(application, await plane.publish(plane.bundle));
    expect(await plane.plan(application, plane.bundle.digest)).toMatchObject({
      id: first.id,
      plan: first.plan,
      approval: first.approval,
    });
    const second = await plane.plan(application, await plane.publish(changed));
    expect(second.id).not.toBe(first.id);
    expect((await plane.installation(first.id)).state).toBe('superseded');
    expect(await plane.supervise(first.id)).toMatchObject({ over: true, phase: 'superseded' });
  });

  it('shows a changed file in the next plan, and drift when something else came to be in force', async () => {
    const first = await plane.install(application, await plane.publish(plane.bundle));
    await expect(plane.plan(application, plane.bundle.digest)).rejects.toMatchObject({
      code: 'FACTORY-NOTHING-TO-INSTALL',
    });
    const next = await plane.publish(changed);
    expect((await status(next)).asked).toMatchObject({ drifted: true });
    const { kept, id } = await plane.plan(application, next);
    expect(kept.files).toMatchObject([{ file: 'lines/bench.yaml', change: 'changed' }]);
    await plane.decide({ installation: id }, plane.policyOwner, 'approve');
    while (!(await plane.supervise(id)).over);
    expect((await plane.installation(first)).state).toBe('superseded');
    expect((await plane.installation(id)).state).toBe('applied');

    // Somebody wrote to the database past the plane.
    await plane.store.run('tamper', function* () {
      const [row] = yield* rows(readApplication({ tenant: plane.tenant, application }));
      yield* write(updateApplication({ ...row!, definitions_digest: plane.bundle.digest }));
    });
    expect((await status()).applied).toMatchObject({ installation: id, drift: { drifted: true } });
    const again = await plane.plan(application, next);
    expect((await plane.installation(id)).state).toBe('drifted');
    await plane.decide({ installation: again.id }, plane.policyOwner, 'approve');
    while (!(await plane.supervise(again.id)).over);
    expect(await status(next)).toMatchObject({
      applied: { installation: again.id, drift: { drifted: false } },
      asked: { drifted: false },
    });
    expect((await plane.installation(id)).state).toBe('superseded');
  });

  it('goes on after a death between the turns, however often a turn is repeated', async () => {
    const { id } = await plane.plan(application, await plane.publish(plane.bundle));
    await plane.decide({ installation: id }, plane.policyOwner, 'approve');
    const turns = await Promise.all([1, 2, 3, 4].map(() => plane.supervise(id)));
    expect(turns.map((turn) => turn.phase)).toEqual(['applying', 'applied', 'applied', 'applied']);
    expect(await plane.run('supervise', (context) => failInstallation(context, id, 1, 'too late'))).toMatchObject({
      phase: 'gone',
    });
    expect((await plane.installation(id)).state).toBe('applied');
  });

  it('is not applied when rejected, expired, revoked, or planned by someone who may not apply any more', async () => {
    const digest = await plane.publish(plane.bundle);
    const rejected = await plane.plan(application, digest);
    await plane.decide({ installation: rejected.id }, plane.policyOwner, 'reject', 'not now');
    expect(await plane.supervise(rejected.id)).toMatchObject({ over: true, phase: 'rejected' });

    const expired = await plane.plan(application, digest);
    plane.pass(LIMITS.approval.expiryMs);
    expect(await plane.supervise(expired.id)).toMatchObject({ over: true, phase: 'rejected' });
    expect((await plane.installation(expired.id)).failure).toContain('expired');

    const revoked = await plane.plan(application, digest);
    await plane.decide({ installation: revoked.id }, plane.policyOwner, 'approve');
    await plane.run('revoke', (context) =>
      revokeApproval(context, plane.policyOwner, revoked.approval!, 'second thoughts'),
    );
    expect(await plane.supervise(revoked.id)).toMatchObject({ over: true, phase: 'superseded' });

    const leaver = await plane.plan(application, digest);
    await plane.decide({ installation: leaver.id }, plane.policyOwner, 'approve');
    await plane.store.run('withdraw', () =>
      write(
        withdrawRole({
          tenant: plane.tenant,
          principal: plane.operator.principal as never,
          role: 'operator',
          application_key: '',
        }),
      ),
    );
    while (!(await plane.supervise(leaver.id)).over);
    expect(await plane.installation(leaver.id)).toMatchObject({
      state: 'failed',
      failure: expect.stringContaining('Policy does not let'),
    });
    expect((await plane.applicationRow(application)).definitions_digest).toBeNull();
  });

  it('is refused to those without the role, for definitions that are not published, and from a plan that is out of date', async () => {
    const digest = await plane.publish(plane.bundle);
    await expect(plane.plan(application, digest, plane.requester)).rejects.toMatchObject({ code: 'FACTORY-FORBIDDEN' });
    const unpublished = await plane.artifacts.put(
      Buffer.from((await plane.artifacts.bytes(digest)).toString().replace('Measure the plane', 'Measure it')),
      { kind: 'definitions', mediaType: 'application/json' },
    );
    await expect(plane.plan(application, unpublished.digest)).rejects.toMatchObject({ code: 'FACTORY-NOT-FOUND' });
    await plane.install(application, digest);
    const stale = await keepInstallPlan(plane.artifacts, null, await plane.publish(changed));
    await expect(
      plane.run('plan', (context) => planInstallation(context, plane.operator, { application, plan: stale })),
    ).rejects.toMatchObject({ code: 'FACTORY-DEFINITIONS-CHANGED' });
  });
});

describe('publishing', () => {
  it('answers the same bundle as it stands, and refuses others than policy owners and bundles that are not valid', async () => {
    const digest = await plane.publish(plane.bundle);
    expect(await plane.publish(plane.bundle)).toBe(digest);
    await expect(
      plane.run('publish', (context) => publishDefinitions(context, plane.operator, digest)),
    ).rejects.toMatchObject({ code: 'FACTORY-FORBIDDEN' });
    await expect(keepBundle(plane.artifacts, bundleOf([['manifest.yaml', 'kind: Definitions']]))).rejects.toMatchObject(
      { code: 'FACTORY-DEFINITIONS-INVALID' },
    );
  });
});

describe('an application', () => {
  const declare = async (change: Record<string, unknown>) => {
    const declaration = applicationDeclaration.parse({
      apiVersion: 'factory/v1',
      kind: 'Application',
      name: 'shop',
      repositories: [{ name: 'shop', codeHost: 'local', location: '/repositories/shop.git' }],
      ...change,
    });
    return await keepDeclaration(plane.artifacts, declaration);
  };

  it('has one name, is registered once, and keeps its repositories by name when declared anew', async () => {
    const declared = await declare({});
    const first = await plane.run('register', (context) => registerApplication(context, plane.operator, declared));
    expect(first.id).toBe(application);
    const wider = await declare({
      repositories: [
        { name: 'shop', codeHost: 'local', location: '/repositories/moved.git' },
        { name: 'docs', codeHost: 'local', location: '/repositories/docs.git' },
      ],
    });
    await expect(
      plane.run('register', (context) => registerApplication(context, plane.operator, wider)),
    ).rejects.toMatchObject({ code: 'FACTORY-APPLICATION-EXISTS' });
    await expect(
      plane.run('register', (context) => registerApplication(context, plane.requester, wider)),
    ).rejects.toMatchObject({ code: 'FACTORY-FORBIDDEN' });
    const before = await plane.store.read('repositories', () =>
      rows(repositoriesOf({ tenant: plane.tenant, application })),
    );
    await plane.run('declare', (context) =>
      updateDeclaration(context, plane.operator, { application, declaration: wider, expectedVersion: 1 }),
    );
    const after = await plane.store.read('repositories', () =>
      rows(repositoriesOf({ tenant: plane.tenant, application })),
    );
    expect(after.map(({ name, location }) => ({ name, location }))).toEqual([
      { name: 'docs', location: '/repositories/docs.git' },
      { name: 'shop', location: '/repositories/moved.git' },
    ]);
    expect(after.find((row) => row.name === 'shop')?.id).toBe(before[0]?.id);
    await expect(
      plane.run('declare', (context) =>
        updateDeclaration(context, plane.operator, { application, declaration: declared, expectedVersion: 1 }),
      ),
    ).rejects.toMatchObject({ code: 'FACTORY-VERSION-CHANGED' });
    const other = await declare({ name: 'other' });
    await expect(
      plane.run('declare', (context) =>
        updateDeclaration(context, plane.operator, { application, declaration: other }),
      ),
    ).rejects.toMatchObject({ code: 'FACTORY-NAME-FIXED' });
  });
});
