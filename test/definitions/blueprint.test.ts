import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ProductLine, productLine } from '../../shared/domain/blueprint/schema.ts';
import { validateBlueprint } from '../../shared/domain/blueprint/validate.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { POOLS_OF_ROLE } from '../../shared/jobs/protocol.ts';

type Node = Record<string, unknown> & { id: string };
type Draft = { nodes: Node[] } & Record<string, unknown>;

const read = (file: string): Draft => parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as Draft;
const NAMES = ['patch', 'api-migration', 'dependency-update', 'azure-deployment', 'bench'];
const shipped = (name = 'patch'): Draft => read(`../../definitions/lines/${name}.yaml`);
const node = (draft: Draft, id: string): Node => draft.nodes.find((item) => item.id === id)!;
const faultsOf = (draft: Draft): string[] =>
  validateBlueprint(productLine.parse(draft) as ProductLine).map(
    (fault) =>
      `${fault.pointer.replace(/^\/nodes\/(\d+)/, (_all, index: string) => draft.nodes[Number(index)]!.id)} ${fault.code}`,
  );
const spoilt = (spoil: (draft: Draft) => void, name?: string): string[] => {
  const draft = shipped(name);
  spoil(draft);
  return faultsOf(draft);
};

describe('what is shipped', () => {
  it.each(NAMES)('%s has no fault', (name) => {
    expect(faultsOf(shipped(name))).toEqual([]);
  });

  it('the fan-out fixture has no fault', () => {
    expect(faultsOf(read('./fixtures/fan-out.yaml'))).toEqual([]);
  });
});

describe('order', () => {
  it('refuses an id used twice, an unknown or doubled need, a node that needs itself', () => {
    expect(spoilt((draft) => (node(draft, 'judge').id = 'plan'))).toContain('plan/id duplicate_node');
    expect(spoilt((draft) => (node(draft, 'plan')['needs'] = ['nowhere']))).toEqual(['plan/needs/0 unknown_node']);
    expect(spoilt((draft) => (node(draft, 'plan')['needs'] = ['assess', 'assess']))).toEqual([
      'plan/needs/1 duplicate_need',
    ]);
    expect(spoilt((draft) => (node(draft, 'plan')['needs'] = ['plan']))).toEqual(['/nodes circle']);
  });

  it('refuses a circle and names who waits in it', () => {
    const draft = shipped();
    node(draft, 'plan')['needs'] = ['judge'];
    const [fault] = validateBlueprint(productLine.parse(draft));
    expect(fault?.code).toBe('circle');
    expect(fault?.message).toContain('plan, review_plan, start_gate');
  });
});

describe('references', () => {
  it('refuses a condition on a node that need not have ended', () => {
    expect(spoilt((draft) => (node(draft, 'plan')['when'] = [{ node: 'validate', verdict: ['valid'] }]))).toContain(
      'plan/when/0 not_earlier',
    );
    expect(spoilt((draft) => (node(draft, 'plan')['when'] = [{ node: 'nowhere', verdict: ['x'] }]))).toContain(
      'plan/when/0 unknown_node',
    );
  });

  it('gives a job of the effector no more time than whoever starts it, and other jobs more', () => {
    const given = (id: string, timeoutMs: number) => spoilt((draft) => (node(draft, id)['timeoutMs'] = timeoutMs));
    for (const id of ['fetch', 'deliver']) {
      expect(given(id, LIMITS.effect.jobMs)).toEqual([]);
      expect(given(id, LIMITS.effect.jobMs + 1)).toEqual([`${id}/timeoutMs too_long`]);
    }
    expect(given('implement', LIMITS.effect.jobMs + 1)).toEqual([]);
    for (const [role, pools] of Object.entries(POOLS_OF_ROLE))
      for (const pool of pools)
        expect(['fetch', 'effect'].includes(pool), `${pool} is of ${role}`).toBe(role === 'effector');
  });

  it('refuses a verdict nobody ends with', () => {
    expect(spoilt((draft) => (node(draft, 'packages')['when'] = [{ node: 'fetch', verdict: ['fetchd'] }]))).toEqual([
      'packages/when/0 unknown_verdict',
    ]);
    expect(spoilt((draft) => (node(draft, 'plan')['when'] = [{ node: 'fetch', verdict: ['skipped'] }]))).toEqual([
      'plan/when/0 unknown_verdict',
    ]);
    expect(
      spoilt(
        (draft) =>
          (node(draft, 'judge')['cases'] = [
            { when: [{ node: 'validate', verdict: ['fine'] }], conclude: { state: 'ESCALATE', code: 'x' } },
          ]),
      ),
    ).toEqual(['judge/cases/0/when/0 unknown_verdict']);
  });

  it('refuses an input from a later node or of an output nobody leaves', () => {
    expect(
      spoilt((draft) => (node(draft, 'plan')['inputs'] = { change: { node: 'implement', output: 'change' } })),
    ).toEqual(['plan/inputs/change not_earlier']);
    expect(spoilt((draft) => (node(draft, 'plan')['inputs'] = { source: { node: 'fetch', output: 'sauce' } }))).toEqual(
      ['plan/inputs/source unknown_output'],
    );
    expect(
      spoilt((draft) => (node(draft, 'plan')['inputs'] = { source: { node: 'assess', output: 'source' } })),
    ).toEqual(['plan/inputs/source unknown_output']);
  });

  it('refuses an unknown task, also one named like a property of every object, and a task in another pool', () => {
    expect(spoilt((draft) => (node(draft, 'plan')['task'] = 'dream'))).toContain('plan/task unknown_task');
    expect(spoilt((draft) => (node(draft, 'plan')['task'] = 'constructor'))).toContain('plan/task unknown_task');
    expect(spoilt((draft) => (node(draft, 'validate')['pool'] = 'build'))).toContain('validate/pool wrong_pool');
  });

  it('refuses rework to a node that does not come before, or for a verdict nobody ends with', () => {
    expect(
      spoilt((draft) => (node(draft, 'validate')['rework'] = { verdict: ['invalid'], to: 'implement', rounds: 2 })),
    ).toEqual([]);
    expect(
      spoilt((draft) => (node(draft, 'validate')['rework'] = { verdict: ['invalid'], to: 'done', rounds: 2 })),
    ).toEqual(['validate/rework/to not_earlier']);
    expect(
      spoilt((draft) => (node(draft, 'validate')['rework'] = { verdict: ['bad'], to: 'plan', rounds: 2 })),
    ).toEqual(['validate/rework/verdict unknown_verdict']);
  });

  it('refuses a risk computed from what records no facts', () => {
    expect(spoilt((draft) => (node(draft, 'effect_gate')['riskFrom'] = 'judge'))).toEqual([
      'effect_gate/riskFrom no_facts',
    ]);
    expect(spoilt((draft) => (node(draft, 'start_gate')['riskFrom'] = 'validate'))).toEqual([
      'start_gate/riskFrom not_earlier',
    ]);
  });

  it('refuses a fan-out counted by a node that does not come before', () => {
    const draft = read('./fixtures/fan-out.yaml');
    node(draft, 'parts')['count'] = { node: 'done', fact: 'count' };
    expect(faultsOf(draft)).toEqual(['parts/count not_earlier']);
  });
});

describe('conclusions', () => {
  it('refuses a path that ends in nothing', () => {
    expect(spoilt((draft) => draft.nodes.pop())).toEqual(['deliver no_conclusion', '/nodes never_ready']);
  });

  it('refuses PR_READY of a line that delivers nothing, and takes NO_OP for its success', () => {
    const draft = read('./fixtures/fan-out.yaml');
    expect(faultsOf(draft)).toEqual([]);
    const when = [{ node: 'parts', verdict: ['ok'] }];
    node(draft, 'done')['cases'] = [{ when, conclude: { state: 'PR_READY' } }];
    expect(faultsOf(draft)).toEqual(['done/cases/0 unproven_ready']);
    node(draft, 'done')['cases'] = [{ when, conclude: { state: 'ESCALATE', code: 'asked' } }];
    expect(faultsOf(draft)).toEqual(['/nodes never_ready']);
  });

  it('refuses PR_READY that does not ask how the effect ended', () => {
    const ready = (when: unknown) =>
      spoilt((draft) => (node(draft, 'done')['cases'] = [{ when: [when], conclude: { state: 'PR_READY' } }]));
    expect(ready({ node: 'validate', verdict: ['valid'] })).toEqual(['done/cases/0 unproven_ready']);
    expect(ready({ node: 'deliver', verdict: ['delivered', 'refuted'] })).toEqual(['done/cases/0 unproven_ready']);
    expect(ready({ node: 'deliver', verdict: ['delivered', 'skipped'] })).toEqual(['done/cases/0 unproven_ready']);
    expect(ready({ node: 'deliver', verdict: ['delivered'] })).toEqual([]);
  });
});

describe('an effect', () => {
  const without = (name: string) =>
    spoilt(
      (draft) =>
        (node(draft, 'deliver')['when'] = (node(draft, 'deliver')['when'] as { node: string }[]).filter(
          (condition) => condition.node !== name,
        )),
    );

  it('demands its receipt, its evidence and its gate', () => {
    expect(without('validate')).toEqual(['deliver/when unvalidated_effect']);
    expect(without('change_evidence')).toEqual(['deliver/when unsealed_effect']);
    expect(without('effect_gate')).toEqual(['deliver/when ungated_effect']);
  });

  it('is not content with a gate that was skipped, a verdict that is not good, a start gate or the baseline', () => {
    const demand = (index: number, condition: unknown) =>
      spoilt((draft) => ((node(draft, 'deliver')['when'] as unknown[])[index] = condition));
    expect(demand(0, { node: 'validate', verdict: ['valid', 'invalid'] })).toContain('deliver/when unvalidated_effect');
    expect(demand(0, { node: 'baseline', verdict: ['reproduced'] })).toContain('deliver/when unvalidated_effect');
    expect(demand(2, { node: 'start_gate', verdict: ['approved', 'waived'] })).toEqual(['deliver/when ungated_effect']);
    const skippable = spoilt((draft) => {
      node(draft, 'effect_gate')['when'] = [{ node: 'validate', verdict: ['invalid'] }];
      (node(draft, 'deliver')['when'] as unknown[])[2] = {
        node: 'effect_gate',
        verdict: ['approved', 'waived', 'skipped'],
      };
    });
    expect(skippable).toEqual(['deliver/when ungated_effect']);
  });

  it('comes after the gate, the gate after the seal, the seal after the validation', () => {
    expect(spoilt((draft) => (node(draft, 'effect_gate')['needs'] = ['judge']))).toContain(
      'deliver/when unsealed_effect',
    );
    const parallel = spoilt((draft) => {
      node(draft, 'effect_gate')['needs'] = ['judge'];
      node(draft, 'deliver')['needs'] = ['effect_gate', 'change_evidence'];
    });
    expect(parallel).toEqual(['deliver/when gate_before_seal']);
  });

  it('is never a fan-out', () => {
    const draft = read('./fixtures/fan-out.yaml');
    Object.assign(node(draft, 'parts'), { pool: 'effect', task: 'deliver', inputs: {} });
    expect(faultsOf(draft)).toContain('parts/pool fanned_effect');
  });
});

it('a chain of 1,000 nodes is checked', () => {
  const nodes = Array.from({ length: 999 }, (_, index) => ({
    id: `n${index}`,
    kind: 'job',
    pool: 'build',
    task: 'bench-build',
    needs: index === 0 ? [] : [`n${index - 1}`],
  }));
  const done = {
    id: 'done',
    kind: 'decide',
    needs: ['n998'],
    cases: [{ when: [{ node: 'n0', verdict: ['ok'] }], conclude: { state: 'NO_OP', code: 'not_applicable' } }],
  };
  expect(faultsOf({ ...shipped('bench'), nodes: [...nodes, done] })).toEqual([]);
});
