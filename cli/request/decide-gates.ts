import { openPlaneApi, type PlaneApi } from '../api/plane-api.ts';
import { readResource } from '../api/read.ts';
import { approvalResource } from '../api/resources.ts';
import { confirmed } from '../output/ask.ts';
import { dim, interactive, print } from '../output/terminal.ts';
import { approvalLines, decide, readApproval } from './approval.ts';

/** Local identities that stand in for people, by what an approval asks for. */
const PEOPLE = ['approver', 'security-approver', 'second-security-approver'] as const;
const SECURITY = ['security-approver', 'second-security-approver'] as const;
const POLICY_OWNERS = ['policy-owner'] as const;

export type GateDecider = { readonly data: string; readonly yes: boolean };

/** Has a proposed declaration decided by the local policy owner, in the way of `decideGate`. */
export const secondPerson =
  (decider: GateDecider) =>
  async (approval: string): Promise<boolean> =>
    await decideGate(decider, await openPlaneApi({ data: decider.data, as: POLICY_OWNERS[0] }), approval);

/**
 * Has an approval decided by as many local identities as it needs: asked on a terminal, or approved by `--yes`, which says
 * so. Answers false when nobody could be asked; the approval then stays open.
 */
export async function decideGate(decider: GateDecider, reader: PlaneApi, id: string): Promise<boolean> {
  const { type, role } = await readResource(reader, approvalResource, `/approvals/${id}`);
  if (!decider.yes && !interactive()) {
    print(
      `Approval ${id} waits for a person: factory --as ${type === 'installation' ? POLICY_OWNERS[0] : PEOPLE[0]} approve ${id}`,
    );
    return false;
  }
  const identities = type === 'installation' ? POLICY_OWNERS : role === 'security_approver' ? SECURITY : PEOPLE;
  for (const identity of identities) {
    const api = await openPlaneApi({ data: decider.data, as: identity });
    const approval = await readApproval(api, id);
    if (approval.state !== 'open') break;
    for (const line of approvalLines(approval)) print(`  ${line}`);
    const approve = decider.yes || (await confirmed(`Approve it as ${identity}?`));
    const reason = decider.yes
      ? `Approved by --yes on the command line, standing in for ${identity}.`
      : 'Decided on the command line.';
    const decided = await decide(api, approval, approve ? 'approve' : 'reject', reason);
    print(
      dim(
        `  ${approve ? 'approved' : 'rejected'} by the local identity ${identity}${decider.yes ? ' (--yes)' : ''}: ${decided.state}, ${decided.approvals} of ${decided.required}`,
      ),
    );
    if (decided.state !== 'open') break;
  }
  return true;
}
