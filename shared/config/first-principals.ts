import { z } from 'zod';
import { ROLES, type Role, WORKER_ROLES } from '../gates/policy/actions.ts';

/** An identity that the plane lets in at its first start: without one, nobody could let in anybody. */
export type FirstPrincipal = {
  readonly oid: string;
  readonly name: string;
  readonly kind: 'user' | 'workload';
  readonly roles: Role[];
};

const MOST = 20;
const role = z.enum(ROLES);
const oid = z.guid();

/** `role=<object id>` each, separated by commas: the workers' identities and the first policy owner. */
export const firstPrincipals = z.string().transform((text, context): FirstPrincipal[] => {
  const parts = text.split(',').map((part) => part.trim().split('='));
  const read = parts.map(([name, id]) => ({ role: role.safeParse(name), oid: oid.safeParse(id) }));
  const found = read.flatMap((one) =>
    one.role.success && one.oid.success ? [{ role: one.role.data, oid: one.oid.data.toLowerCase() }] : [],
  );
  const twice = new Set(found.map((one) => one.oid)).size < found.length;
  if (found.length < parts.length || parts.length > MOST || twice) {
    context.addIssue(`role=<object id>, separated by commas, each identity once, at most ${MOST}`);
    return z.NEVER;
  }
  return found.map((one) => ({
    oid: one.oid,
    name: one.role,
    kind: WORKER_ROLES.includes(one.role) ? 'workload' : 'user',
    roles: [one.role],
  }));
});
