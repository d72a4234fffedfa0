import { type Action, type PolicyPrincipal, type ResourceOf, ROLES } from '../gates/policy/actions.ts';
import type { PolicyEngine } from '../gates/policy/engine.ts';

/**
 * Rules that nobody could ever replace: once installed they decide about the next installation, so a bundle under which no
 * role may plan, approve or apply one, or decide an approval, is refused while the old rules still hold.
 */
export function lockoutFaults(policy: PolicyEngine): { code: string; message: string }[] {
  const faults: { code: string; message: string }[] = [];
  const check = <A extends Action>(action: A, resource: ResourceOf<A>): void => {
    if (
      ROLES.some(
        (role) =>
          policy.decide({ principal: somebody(role), action, resource, context: { freshAuthentication: true } }).allow,
      )
    )
      return;
    faults.push({
      code: 'lockout',
      message: `Under these policies nobody could ever do "${action}", so they could never be replaced. Permit it to a role.`,
    });
  };
  const at = { tenant: 'tenant', application: 'application' };
  check('planInstallation', { id: 'application', tenant: 'tenant' });
  check('approveInstallation', {
    id: 'installation',
    ...at,
    plannedBy: 'somebody-else',
    delegates: [],
    approved: false,
  });
  check('applyInstallation', { id: 'installation', ...at, plannedBy: 'somebody-else', delegates: [], approved: true });
  check('decideApproval', {
    id: 'approval',
    ...at,
    subject: 'installation',
    tier: 'high',
    requestedBy: 'somebody-else',
    authoredBy: [],
    delegates: [],
  });
  return faults;
}

const somebody = (role: (typeof ROLES)[number]): PolicyPrincipal => ({
  kind: 'User',
  id: 'somebody',
  tenant: 'tenant',
  roles: [role],
});
