import { describe, expect, it } from 'vitest';
import { ACTIONS, type Action, ROLES } from '../../shared/gates/policy/actions.ts';
import { cedar, POLICY_SCHEMA } from '../../shared/gates/policy/cedar.ts';
import { createPolicyEngine } from '../../shared/gates/policy/engine.ts';
import { platformRules } from '../../shared/gates/policy/rules.ts';
import { codes, refusalOf } from '../intake/packets.ts';
import {
  allows,
  approval,
  artifact,
  ask,
  DEFAULT_POLICIES,
  defaultEngine,
  effect,
  installation,
  request,
  user,
  worker,
} from './policy-questions.ts';

const EVERYTHING = { 'all.cedar': '@id("everything") @reason("For a test.") permit (principal, action, resource);' };
const open = createPolicyEngine({ policies: EVERYTHING });
const tenant = { id: 'acme', tenant: 'acme' };

describe('the schema', () => {
  it('knows exactly the actions of the table, about the same resources', () => {
    const answer = cedar.schemaToJson(POLICY_SCHEMA);
    if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
    const actions = answer.json['Factory']?.actions ?? {};
    const seen = Object.fromEntries(
      Object.entries(actions).map(([name, action]) => [name, action.appliesTo?.resourceTypes.join()]),
    );
    expect(seen).toEqual(ACTIONS);
  });

  it('knows exactly the roles of the table', () => {
    const answer = cedar.schemaToJson(POLICY_SCHEMA);
    expect(answer.type === 'success' && answer.json['Factory']?.entityTypes['Role']).toMatchObject({
      enum: [...ROLES],
    });
  });
});

describe('what no bundle can take away: each holds against a rule that permits everything', () => {
  it('nobody acts on another tenant', () => {
    const decision = open.decide({
      principal: { ...user('olga', 'operator'), tenant: 'other' },
      action: 'administer',
      resource: tenant,
    });
    expect([decision.allow, decision.determining]).toEqual([false, ['platform-own-tenant-only']]);
    expect(open.decide({ principal: user('olga'), action: 'administer', resource: tenant }).allow).toBe(true);
  });

  it('the requester, their delegates, the authoring worker and every worker never approve', () => {
    const why = (principal: Parameters<typeof ask>[0]) =>
      open.decide({ principal, action: 'decideApproval', resource: approval }).determining;
    expect(why(user('bob', 'approver'))).toEqual(['everything']);
    expect(why(user('ann', 'approver'))).toEqual(['platform-requester-never-approves']);
    expect(why(user('dora', 'approver'))).toEqual(['platform-requester-never-approves']);
    expect(why(worker('builder', 'station'))).toContain('platform-author-never-approves');
    expect(why(worker('another', 'approver'))).toEqual(['platform-workers-never-approve']);
    expect(why(user('eve', 'break_glass'))).toEqual(['platform-break-glass-never-approves']);
    expect(
      open.decide({ principal: worker('another', 'operator'), action: 'revokeApproval', resource: approval }).allow,
    ).toBe(false);
  });

  it.each([
    ['no valid receipt', { receiptValid: false }, 'platform-effect-needs-receipt'],
    ['another tree', { treeMatches: false }, 'platform-effect-needs-equal-tree'],
    ['too few approvals', { approvals: 1, required: 2 }, 'platform-effect-needs-approvals'],
  ])('no effect with %s', (_name, spoilt, rule) => {
    const decision = open.decide({
      principal: worker('e', 'effector'),
      action: 'performEffect',
      resource: { ...effect, ...spoilt },
    });
    expect([decision.allow, decision.determining]).toEqual([false, [rule]]);
  });

  it('no effect by anybody but an effector', () => {
    for (const principal of [
      worker('s', 'station'),
      worker('v', 'verifier'),
      user('u', 'operator'),
      user('u', 'effector'),
    ]) {
      expect(open.decide({ principal, action: 'performEffect', resource: effect }).determining).toEqual([
        'platform-effects-by-effectors-only',
      ]);
    }
    expect(open.decide({ principal: worker('e', 'effector'), action: 'performEffect', resource: effect }).allow).toBe(
      true,
    );
  });

  it('an installation is approved by another than its planner, and applied only when approved', () => {
    const decide = (action: 'approveInstallation' | 'applyInstallation', principal = user('pat'), more = {}) =>
      open.decide({ principal, action, resource: { ...installation, ...more } }).determining;
    expect(decide('approveInstallation')).toEqual(['everything']);
    expect(decide('approveInstallation', user('olga'))).toEqual(['platform-planner-never-approves-installation']);
    expect(decide('approveInstallation', user('pat'), { delegates: ['pat'] })).toEqual([
      'platform-planner-never-approves-installation',
    ]);
    expect(decide('approveInstallation', worker('w'))).toEqual(['platform-workers-never-approve']);
    expect(decide('applyInstallation')).toEqual(['everything']);
    expect(decide('applyInstallation', user('pat'), { approved: false })).toEqual([
      'platform-installation-needs-approval',
    ]);
    expect(decide('applyInstallation', worker('w'))).toEqual(['platform-workers-never-change-definitions']);
    expect(open.decide({ principal: worker('w'), action: 'publishDefinitions', resource: tenant }).allow).toBe(false);
  });

  it('nobody changes their own rights', () => {
    const why = (principal: Parameters<typeof ask>[0]) =>
      open.decide({ principal, action: 'changePrincipal', resource: { ...tenant, user: 'pat' } }).determining;
    expect(why(user('olga'))).toEqual(['everything']);
    expect(why(user('pat', 'policy_owner'))).toEqual(['platform-nobody-changes-their-own-rights']);
  });

  it('every platform rule has been seen to refuse above', () => {
    expect(platformRules.map((rule) => rule.id).toSorted()).toEqual([
      'platform-author-never-approves',
      'platform-break-glass-never-approves',
      'platform-effect-needs-approvals',
      'platform-effect-needs-equal-tree',
      'platform-effect-needs-receipt',
      'platform-effects-by-effectors-only',
      'platform-installation-needs-approval',
      'platform-nobody-changes-their-own-rights',
      'platform-own-tenant-only',
      'platform-planner-never-approves-installation',
      'platform-requester-never-approves',
      'platform-workers-never-approve',
      'platform-workers-never-change-definitions',
    ]);
  });
});

describe('the default policies', () => {
  it('permit nothing to nobody in particular', () => {
    const resources = {
      Tenant: tenant,
      Application: tenant,
      Session: { ...tenant, owner: 'x' },
      Request: request,
      Approval: approval,
      Effect: effect,
      Installation: installation,
      Definitions: tenant,
      Principal: { ...tenant, user: 'x' },
      Artifact: artifact,
      AuditStream: { ...tenant, scope: 'tenant' },
    } as const;
    for (const action of Object.keys(ACTIONS) as Action[]) {
      const decision = defaultEngine.decide({
        principal: user('nobody'),
        action,
        resource: resources[ACTIONS[action]] as never,
      });
      expect([action, decision.allow, decision.errors]).toEqual([action, false, []]);
    }
  });

  it('a requester works on their own', () => {
    expect(allows(user('ann', 'requester'), 'submitRequest', tenant)).toBe(true);
    expect(allows(user('ann'), 'submitRequest', tenant)).toBe(false);
    for (const action of ['readRequest', 'cancelRequest', 'retryRequest', 'answerRequest', 'recordDefect'] as const) {
      expect(allows(user('ann', 'requester'), action, request)).toBe(true);
      expect(allows(user('bob', 'requester'), action, request)).toBe(false);
    }
    expect(allows(user('ann', 'requester'), 'readSession', { ...tenant, owner: 'ann' })).toBe(true);
    expect(allows(user('bob', 'requester'), 'readSession', { ...tenant, owner: 'ann' })).toBe(false);
    expect(allows(user('ann', 'requester'), 'readApproval', approval)).toBe(true);
    expect(allows(user('bob', 'requester'), 'readApproval', approval)).toBe(false);
    expect(allows(user('bob', 'requester'), 'readArtifact', artifact)).toBe(false);
  });

  it('nobody but an auditor reads a holdout', () => {
    const holdout = { ...artifact, kind: 'holdout' };
    expect(allows(user('ann', 'requester'), 'readArtifact', artifact)).toBe(true);
    expect(allows(user('ann', 'requester'), 'readArtifact', holdout)).toBe(false);
    expect(allows(user('bob', 'approver'), 'readArtifact', artifact)).toBe(true);
    expect(allows(user('bob', 'approver'), 'readArtifact', holdout)).toBe(false);
    expect(allows(user('otto', 'auditor'), 'readArtifact', holdout)).toBe(true);
  });

  it('approvers decide on work, policy owners on installations', () => {
    expect(allows(user('bob', 'approver'), 'decideApproval', approval)).toBe(true);
    expect(allows(user('sue', 'security_approver'), 'decideApproval', { ...approval, subject: 'start' })).toBe(true);
    expect(allows(user('bob', 'approver'), 'decideApproval', { ...approval, subject: 'installation' })).toBe(false);
    expect(allows(user('pat', 'policy_owner'), 'decideApproval', { ...approval, subject: 'installation' })).toBe(true);
    expect(allows(user('pat', 'policy_owner'), 'decideApproval', approval)).toBe(false);
    for (const role of ['requester', 'operator', 'auditor'] as const)
      expect(allows(user('x', role), 'decideApproval', approval)).toBe(false);
  });

  it('critical risk needs a fresh authentication', () => {
    const critical = { ...approval, tier: 'critical' } as const;
    expect(ask(user('sue', 'security_approver'), 'decideApproval', critical, false).determining).toEqual([
      'critical-needs-fresh-authentication',
    ]);
    expect(allows(user('sue', 'security_approver'), 'decideApproval', critical, true)).toBe(true);
  });

  it('an effector performs the installed kinds of effect alone', () => {
    expect(allows(worker('e', 'effector'), 'performEffect', effect)).toBe(true);
    expect(allows(worker('e', 'effector'), 'performEffect', { ...effect, kind: 'merge' })).toBe(false);
  });

  it('planning, approving and applying definitions lie with different roles', () => {
    expect(allows(user('olga', 'operator'), 'planInstallation', tenant)).toBe(true);
    expect(allows(user('olga', 'operator'), 'approveInstallation', { ...installation, plannedBy: 'x' })).toBe(false);
    expect(allows(user('pat', 'policy_owner'), 'approveInstallation', installation)).toBe(true);
    expect(allows(user('pat', 'policy_owner'), 'applyInstallation', installation)).toBe(false);
    expect(allows(user('olga', 'operator'), 'applyInstallation', installation)).toBe(true);
    expect(allows(user('olga', 'operator'), 'publishDefinitions', tenant)).toBe(false);
  });

  it('an auditor reads and changes nothing; emergency access stops and looks', () => {
    for (const action of ['readAudit', 'exportAudit'] as const)
      expect(allows(user('otto', 'auditor'), action, { ...tenant, scope: 'tenant' })).toBe(true);
    expect(allows(user('olga', 'operator'), 'recordDefect', request)).toBe(true);
    for (const action of ['cancelRequest', 'retryRequest', 'recordDefect'] as const)
      expect(allows(user('otto', 'auditor'), action, request)).toBe(false);
    expect(allows(user('otto', 'auditor'), 'administer', tenant)).toBe(false);
    expect(allows(user('eve', 'break_glass'), 'cancelRequest', request)).toBe(true);
    expect(allows(user('eve', 'break_glass'), 'revokeApproval', approval)).toBe(true);
    expect(allows(user('eve', 'break_glass'), 'retryRequest', request)).toBe(false);
    expect(allows(user('ann', 'requester'), 'exportAudit', { ...tenant, scope: 'tenant' })).toBe(false);
  });
});

describe('an error denies', () => {
  it('a role, tier or attribute the schema does not know', () => {
    const broken = [
      open.decide({ principal: user('x', 'root' as never), action: 'administer', resource: tenant }),
      open.decide({ principal: user('x'), action: 'decideApproval', resource: { ...approval, tier: 'tiny' as never } }),
      open.decide({ principal: user('x'), action: 'decideApproval', resource: { ...approval, extra: true } as never }),
      open.decide({
        principal: user('x'),
        action: 'decideApproval',
        resource: { ...approval, tier: undefined } as never,
      }),
      open.decide({ principal: user('x'), action: 'nothing' as never, resource: tenant as never }),
      open.decide({ principal: user('x'), action: 'administer', resource: tenant, context: {} as never }),
    ];
    for (const decision of broken) expect([decision.allow, decision.errors.length > 0]).toEqual([false, true]);
  });

  it('a forbid that errs while it is evaluated, which Cedar itself would skip', () => {
    const engine = createPolicyEngine({
      policies: {
        ...EVERYTHING,
        'b.cedar':
          '@id("overflow") @reason("Errs.") forbid (principal, action == Factory::Action::"performEffect", resource) when { resource.approvals * 4611686018427387904 > 9 };',
      },
    });
    const decide = (approvals: number) =>
      engine.decide({
        principal: worker('e', 'effector'),
        action: 'performEffect',
        resource: { ...effect, approvals },
      });
    expect(decide(1).allow).toBe(false);
    expect(decide(1).errors).toEqual([]);
    const erred = decide(4);
    expect(erred.allow).toBe(false);
    expect(erred.errors[0]).toContain('overflow');
  });

  it('an id can say nothing in Cedar', () => {
    const id = '"); permit (principal, action, resource); //';
    expect(ask(user(id, 'requester'), 'cancelRequest', request).allow).toBe(false);
    expect(ask(user(id, 'requester'), 'cancelRequest', { ...request, requestedBy: id }).allow).toBe(true);
  });
});

describe('rules are checked when they are installed', () => {
  it.each([
    ['no Cedar', 'permit all;', 'syntax'],
    ['no @id', '@reason("x") permit (principal, action, resource);', 'missing_id'],
    ['no @reason', '@id("abc") permit (principal, action, resource);', 'missing_reason'],
    [
      'an id of the platform',
      '@id("platform-own-tenant-only") @reason("x") permit (principal, action, resource);',
      'reserved_id',
    ],
    ['an id of another file', '@id("everything") @reason("x") permit (principal, action, resource);', 'duplicate_id'],
    ['a template', '@id("abc") @reason("x") permit (principal == ?principal, action, resource);', 'template'],
    [
      'a misspelt attribute',
      '@id("abc") @reason("x") forbid (principal, action == Factory::Action::"decideApproval", resource) when { resource.teir == Factory::Tier::"low" };',
      'schema',
    ],
    [
      'a misspelt role',
      '@id("abc") @reason("x") permit (principal in Factory::Role::"aprover", action, resource);',
      'schema',
    ],
    [
      'a misspelt tier',
      '@id("abc") @reason("x") forbid (principal, action == Factory::Action::"decideApproval", resource) when { resource.tier == Factory::Tier::"hihg" };',
      'schema',
    ],
    [
      'an unknown action',
      '@id("abc") @reason("x") permit (principal, action == Factory::Action::"submit", resource);',
      'schema',
    ],
    [
      'a rule that can never hold',
      '@id("abc") @reason("x") permit (principal is Factory::Worker, action == Factory::Action::"submitRequest", resource);',
      'schema',
    ],
    ['too much text', ' '.repeat(70_000), 'too_large'],
  ])('refuses %s', (_name, text, code) => {
    const refusal = refusalOf(() => createPolicyEngine({ policies: { ...EVERYTHING, 'b.cedar': text } }));
    expect([refusal.status, refusal.code]).toEqual([422, 'FACTORY-POLICY-INVALID']);
    expect(codes(refusal.details)).toContain(`/b.cedar ${code}`);
  });
});

describe('the digest', () => {
  it('names every rule, and not the order or layout of the files', () => {
    const turned = Object.fromEntries(Object.entries(DEFAULT_POLICIES).toReversed());
    expect(createPolicyEngine({ policies: turned }).digest).toBe(defaultEngine.digest);
    expect(open.digest).not.toBe(defaultEngine.digest);
  });

  it('many policies in use at once are kept apart', () => {
    const engines = Array.from({ length: 18 }, (_, index) =>
      createPolicyEngine({
        policies: {
          'a.cedar': `@id("only-one") @reason("x") permit (principal == Factory::User::"u${index}", action, resource);`,
        },
      }),
    );
    for (const round of [0, 1]) {
      for (const [index, engine] of engines.entries()) {
        expect(engine.decide({ principal: user(`u${index}`), action: 'administer', resource: tenant }).allow).toBe(
          true,
        );
        expect(
          engine.decide({ principal: user(`u${(index + 1 + round) % 18}`), action: 'administer', resource: tenant })
            .allow,
        ).toBe(false);
      }
    }
  });
});
