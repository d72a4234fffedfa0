import type { Actor } from '../line/context.ts';
import { rolesAt } from './policy-decision.ts';

/**
 * Who may know of an application's hidden scenarios is decided here and not by Cedar, because policies are each application's installed bundle: one that
 * permits too much would hand the judge's secret to the judged.
 */

/** Whether a person is a policy owner of the application (or of the whole tenant), who alone may read its hidden scenarios and their reports. */
export const ownsPolicyOf = (actor: Actor, application: string): boolean =>
  actor.kind === 'User' && application !== 'none' && rolesAt(actor, application).includes('policy_owner');

/** Whether a person may know by digest which hidden scenarios there are and which have run: policy owners, and auditors, who prove it. */
export const seesHoldoutsOf = (actor: Actor, application: string): boolean =>
  ownsPolicyOf(actor, application) || (actor.kind === 'User' && rolesAt(actor, application).includes('auditor'));
