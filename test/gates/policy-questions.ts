import { readFileSync } from 'node:fs';
import type { Action, PolicyPrincipal, ResourceOf, Role } from '../../shared/gates/policy/actions.ts';
import { createPolicyEngine } from '../../shared/gates/policy/engine.ts';

const FILES = ['requests', 'approvals', 'effects', 'definitions', 'oversight'];
export const DEFAULT_POLICIES = Object.fromEntries(
  FILES.map((name) => [
    `policies/${name}.cedar`,
    readFileSync(new URL(`../../definitions/policies/${name}.cedar`, import.meta.url), 'utf8'),
  ]),
);
export const defaultEngine = createPolicyEngine({ policies: DEFAULT_POLICIES });

export const user = (id: string, ...roles: Role[]): PolicyPrincipal => ({ kind: 'User', id, tenant: 'acme', roles });
export const worker = (id: string, ...roles: Role[]): PolicyPrincipal => ({
  kind: 'Worker',
  id,
  tenant: 'acme',
  roles,
});

const at = { tenant: 'acme', application: 'shop' };
export const request: ResourceOf<'readRequest'> = {
  id: 'req',
  ...at,
  requestedBy: 'ann',
  delegates: ['dora'],
  risk: 'medium',
};
export const approval: ResourceOf<'decideApproval'> = {
  id: 'apr',
  ...at,
  subject: 'effect',
  tier: 'medium',
  requestedBy: 'ann',
  authoredBy: ['builder'],
  delegates: ['dora'],
};
export const effect: ResourceOf<'performEffect'> = {
  id: 'eff',
  ...at,
  kind: 'git_push',
  target: 'shop:refs/heads/x',
  tier: 'medium',
  approvals: 1,
  required: 1,
  treeMatches: true,
  receiptValid: true,
  checked: true,
};
export const installation: ResourceOf<'approveInstallation'> = {
  id: 'ins',
  ...at,
  plannedBy: 'olga',
  delegates: [],
  approved: true,
};
export const artifact: ResourceOf<'readArtifact'> = { id: 'art', ...at, kind: 'diff', requestedBy: 'ann' };

/** One question to the default policies. */
export const ask = <A extends Action>(
  principal: PolicyPrincipal,
  action: A,
  resource: ResourceOf<A>,
  freshAuthentication = false,
) => defaultEngine.decide({ principal, action, resource, context: { freshAuthentication } });
export const allows = <A extends Action>(...question: Parameters<typeof ask<A>>): boolean => ask(...question).allow;
