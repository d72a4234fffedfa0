import path from 'node:path';
import { loadBundle } from '../../shared/definitions/bundle.ts';
import { readDefinitions } from '../../shared/definitions/read.ts';
import { createPolicyEngine, type PolicyQuestion } from '../../shared/gates/policy/engine.ts';
import { rate } from '../floor/measure.ts';
import type { Part } from './part.ts';

const PART = 'policy';

const submitQuestion: PolicyQuestion<'submitRequest'> = {
  principal: { kind: 'User', id: 'usr_requester', tenant: 'ten_bench', roles: ['requester'] },
  action: 'submitRequest',
  resource: { id: 'app_bench', tenant: 'ten_bench' },
};
const decideQuestion: PolicyQuestion<'decideApproval'> = {
  principal: { kind: 'User', id: 'usr_approver', tenant: 'ten_bench', roles: ['approver'] },
  action: 'decideApproval',
  resource: {
    id: 'apr_bench',
    tenant: 'ten_bench',
    application: 'app_bench',
    subject: 'effect',
    tier: 'medium',
    requestedBy: 'usr_requester',
    authoredBy: ['usr_station'],
    delegates: [],
  },
};

/** Cedar decisions with the default definitions' policies, in one thread, both of which allow; each asks about another thing, since an engine remembers answers. */
export const policyPart: Part = async ({ seconds }, report) => {
  const bundle = await loadBundle(path.resolve(import.meta.dirname, '../../definitions'));
  readDefinitions(bundle);
  const policies = Object.fromEntries([...bundle.files].filter(([name]) => name.endsWith('.cedar')));
  const engine = createPolicyEngine({ policies });
  let asked = 0;
  const decide = (question: PolicyQuestion<'submitRequest'> | PolicyQuestion<'decideApproval'>) => (): void => {
    asked += 1;
    const decision =
      question.action === 'submitRequest'
        ? engine.decide({ ...question, resource: { ...question.resource, id: `app_${asked}` } })
        : engine.decide({ ...question, resource: { ...question.resource, id: `apr_${asked}` } });
    if (!decision.allow) throw new Error(`the measured decision refuses: ${decision.errors.join('; ')}`);
  };
  for (const question of [submitQuestion, decideQuestion])
    report({
      part: PART,
      what: `Cedar decisions, ${question.action}`,
      value: rate(decide(question), seconds / 4),
      unit: '/s',
    });
};
