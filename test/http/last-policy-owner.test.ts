import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changePrincipal } from '../../shared/access/change-principal.ts';
import { roleChange } from '../../shared/access/role-change.ts';
import type { PrincipalId } from '../../shared/domain/ids.ts';
import type { Role } from '../../shared/gates/policy/actions.ts';
import type { Actor } from '../../shared/line/context.ts';
import { rolesOf } from '../../shared/store/access/roles.ts';
import { rows } from '../../shared/store/command.ts';
import { openTestPlane, type TestPlane } from '../line/plane.ts';

let plane: TestPlane;
let first: Actor;
let second: Actor;

const change = (by: Actor, of: Actor, role: Role, holds: boolean): Promise<boolean> =>
  plane.run('principal.change', (context) =>
    changePrincipal(context, by, of.principal as PrincipalId, roleChange(by, { role, application: null, holds })),
  );
const holds = async (of: Actor): Promise<boolean> =>
  (
    await plane.store.read('roles', () =>
      rows(rolesOf({ tenant: plane.tenant, principal: of.principal as PrincipalId })),
    )
  ).some(({ role }) => role === 'policy_owner');

beforeAll(async () => {
  plane = await openTestPlane();
  first = await plane.actor('first', 'policy_owner');
  second = await plane.actor('second', 'policy_owner');
  await change(first, second, 'policy_owner', true);
  await change(second, first, 'policy_owner', true);
});
afterAll(() => plane.close());

describe('two policy owners who take the role from each other', () => {
  // What an identity may do is known for some seconds: another process lets the second act still.
  it('leave one of them, who keeps it', async () => {
    const ends = await Promise.allSettled([
      change(first, second, 'policy_owner', false),
      change(second, first, 'policy_owner', false),
    ]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find((end) => end.status === 'rejected')).toMatchObject({
      reason: { status: 409, code: 'FACTORY-LAST-POLICY-OWNER' },
    });
    expect([await holds(first), await holds(second)].sort()).toEqual([false, true]);
  });

  it('may take what others hold, and a role that is not theirs is nobody to be kept', async () => {
    const [owner, other] = (await holds(first)) ? [first, second] : [second, first];
    expect(await change(owner, other, 'policy_owner', false)).toBe(false);
    expect(await change(owner, other, 'approver', true)).toBe(true);
    expect(await change(owner, other, 'approver', false)).toBe(true);
  });
});
