import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFECT_CLASSES } from '../../shared/domain/defect/defect.ts';
import type { ApplicationId, RequestId } from '../../shared/domain/ids.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { recordDefect } from '../../shared/intake/record-defect.ts';
import { superviseRequest } from '../../shared/line/begin.ts';
import { cancelRequest } from '../../shared/line/cancel.ts';
import type { Actor } from '../../shared/line/context.ts';
import { rows } from '../../shared/store/command.ts';
import { defectsOfRequest } from '../../shared/store/defects/defects.ts';
import { record } from '../../shared/telemetry/recorder.ts';
import { deliver, sealAll, workToValidation } from '../seal/line-work.ts';
import { openPlane, type SealPlane } from '../seal/plane.ts';

let plane: SealPlane;
let application: ApplicationId;
let counted: Readonly<Record<string, unknown>>[];
beforeEach(async () => {
  plane = await openPlane();
  application = await plane.register();
  await plane.install(application, await plane.publish(plane.bundle));
  counted = [];
  record({
    span: () => undefined,
    sampled: () => false,
    count: (name, dimensions) => counted.push({ name, ...dimensions }),
    gauge: () => undefined,
    gaugesEveryMs: 1_000,
    stop: () => Promise.resolve(),
  });
});
afterEach(async () => {
  record(undefined);
  await plane.close();
});

async function delivered(): Promise<RequestId> {
  const request = await plane.submit(application);
  await workToValidation(plane);
  await sealAll(plane);
  await plane.decide({ request }, plane.approver, 'approve');
  await deliver(plane, request);
  await plane.run('supervise', (context) => superviseRequest(context, request, 1));
  await sealAll(plane);
  expect((await plane.request(request))?.terminal_state).toBe('PR_READY');
  return request;
}

const found = { class: 'regression', summary: 'Two and two are five.' } as const;
const recording = (
  as: Actor,
  request: RequestId,
  what: Parameters<typeof recordDefect>[3] = found,
): ReturnType<typeof plane.run<{ id: string; signature: string }>> =>
  plane.run('defect', (context) => recordDefect(context, as, request, what));
const kept = (request: RequestId) =>
  plane.store.read('defects', () =>
    rows(defectsOfRequest({ tenant: plane.context.tenant, request, after: null, limit: 1_000 })),
  );
const escaped = () => counted.filter(({ name }) => name === 'factory.defects.escaped');

it('is kept, audited and counted once for the same words of the same person', async () => {
  const request = await delivered();
  const requester = await plane.actor('requester', 'requester');
  const operator = await plane.actor('operator', 'operator');
  const first = await recording(requester, request);
  expect(first.signature).toBe('patch/regression');
  expect(await recording(requester, request)).toEqual(first);
  expect((await recording(operator, request)).id).not.toBe(first.id);
  await recording(requester, request, { ...found, class: 'security' });
  const all = await kept(request);
  expect(all.map((row) => [row.principal_id, row.signature])).toEqual([
    [requester.principal, 'patch/regression'],
    [operator.principal, 'patch/regression'],
    [requester.principal, 'patch/security'],
  ]);
  expect(escaped()).toEqual(
    ['regression', 'regression', 'security'].map((kind) => ({
      name: 'factory.defects.escaped',
      signature: `patch/${kind}`,
      class: kind,
    })),
  );
});

it('is recorded by who asked for the change or operates the plane, and of what was delivered', async () => {
  const request = await delivered();
  for (const [name, role] of [
    ['someone-else', 'requester'],
    ['approver', 'approver'],
    ['auditor', 'auditor'],
    ['policy-owner', 'policy_owner'],
  ] as const)
    await expect(recording(await plane.actor(name, role), request)).rejects.toMatchObject({ status: 403 });
  const cancelled = await plane.submit(application);
  const requester = await plane.actor('requester', 'requester');
  await expect(recording(requester, cancelled)).rejects.toMatchObject({ code: 'FACTORY-WRONG-STATE' });
  await plane.run('cancel', (context) => cancelRequest(context, requester, cancelled, 'no more'));
  await sealAll(plane);
  expect((await plane.request(cancelled))?.terminal_state).toBe('CANCELLED');
  await expect(recording(requester, cancelled)).rejects.toMatchObject({ code: 'FACTORY-WRONG-STATE' });
  expect([await kept(request), await kept(cancelled), escaped()]).toEqual([[], [], []]);
});

it('is recorded no oftener than the limit, and the same again is no more', async () => {
  const request = await delivered();
  const requester = await plane.actor('requester', 'requester');
  for (let at = 0; at < LIMITS.defect.perRequest; at += 1)
    await recording(requester, request, { class: DEFECT_CLASSES[at % 5]!, summary: `Fault ${at}.` });
  await expect(recording(requester, request)).rejects.toMatchObject({ code: 'FACTORY-DEFECTS-EXCEEDED' });
  await recording(requester, request, { class: DEFECT_CLASSES[0], summary: 'Fault 0.' });
  expect(await kept(request)).toHaveLength(LIMITS.defect.perRequest);
});
