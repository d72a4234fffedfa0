import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPolicyEngine } from '../../shared/gates/policy/engine.ts';
import { submitRequest } from '../../shared/intake/submit.ts';
import { cancelRequest } from '../../shared/line/cancel.ts';
import type { Actor, PlaneContext } from '../../shared/line/context.ts';
import { one } from '../../shared/store/command.ts';
import { readRequest } from '../../shared/store/requests/read.ts';
import type { RequestRow } from '../../shared/store/schema/rows.ts';
import { openTestPlane, type TestPlane } from '../line/plane.ts';
import { DEFAULT_POLICIES } from './policy-questions.ts';

const LINE = {
  line: 'short',
  nodes: [
    { id: 'work', kind: 'job', pool: 'build', task: 'x' },
    {
      id: 'done',
      kind: 'decide',
      needs: ['work'],
      cases: [{ when: [{ node: 'work', verdict: ['ok'] }], conclude: { state: 'NO_OP', code: 'already_true' } }],
    },
  ],
};

let plane: TestPlane;
let operator: Actor;
let ended: RequestRow;
let tries = 0;
beforeEach(async () => {
  plane = await openTestPlane({ lines: [LINE] });
  operator = await plane.actor('operator', 'operator');
  const { id } = await plane.submit('short');
  await plane.run('cancel', (context) => cancelRequest(context, plane.requester, id, 'stuck'));
  const row = await plane.store.read('test', () => one(readRequest({ tenant: plane.tenant, request: id })));
  if (row === undefined) throw new Error(`no request ${id}`);
  ended = row;
});
afterEach(() => plane.close());

/** The rules of the default definitions, and these beside them. */
function under(context: PlaneContext, rule: string): PlaneContext {
  const policy = createPolicyEngine({ policies: { ...DEFAULT_POLICIES, 'policies/more.cedar': rule } });
  const { definitions } = context.documents;
  return {
    ...context,
    documents: { ...context.documents, definitions: (digest) => ({ ...definitions(digest), policy }) },
  };
}

const again = (as: Actor, rule?: string, packet = ended.packet_digest) =>
  plane.run('submit', (context) =>
    submitRequest(rule === undefined ? context : under(context, rule), as, {
      session: null,
      application: plane.application,
      packet,
      declaration: ended.declaration_digest,
      definitions: ended.definitions_digest,
      title: ended.title,
      line: ended.line,
      priority: 5,
      deadlineAt: null,
      following: { request: ended.id, action: 'retryRequest' },
      traceparent: null,
      idempotencyKey: `again-${++tries}`,
      route: 'retry',
    }),
  );
const rowOf = async (id: RequestRow['id']) =>
  plane.store.read('test', () => one(readRequest({ tenant: plane.tenant, request: id })));

describe('the same packet once more', () => {
  it('is still its requester’s, whoever sets it going', async () => {
    expect(await rowOf((await again(operator)).id)).toMatchObject({
      requested_by: plane.requester.principal,
      submitted_by: operator.principal,
      retry_of: ended.id,
    });
    expect(await rowOf((await again(plane.requester)).id)).toMatchObject({
      requested_by: plane.requester.principal,
      submitted_by: plane.requester.principal,
    });
  });

  it('is refused to whom the retry is not permitted', async () => {
    const stranger = await plane.actor('stranger', 'requester');
    await expect(again(stranger)).rejects.toMatchObject({ status: 403, code: 'FACTORY-FORBIDDEN' });
  });

  it('is refused where a rule forbids submitting, which a retry is no way round', async () => {
    const freeze =
      '@id("freeze") @reason("Frozen.") forbid (principal, action == Factory::Action::"submitRequest", resource);';
    for (const actor of [operator, plane.requester])
      await expect(again(actor, freeze)).rejects.toMatchObject({ status: 403, message: /Frozen/ });
  });
});

describe('another packet', () => {
  it('is its sender’s own: what permits a retry does not permit it', async () => {
    const other = `sha256:${'0'.repeat(64)}` as RequestRow['packet_digest'];
    await expect(again(operator, undefined, other)).rejects.toMatchObject({ status: 403 });
  });
});
