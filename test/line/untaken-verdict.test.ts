import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { productLine } from '../../shared/domain/blueprint/schema.ts';
import { graphOf } from '../../shared/line/graph.ts';
import type { EndedNode, Recorded } from '../../shared/line/recorded.ts';
import { walk } from '../../shared/line/walk.ts';

/** A blueprint as requests of the first release pinned it: it knows no verdict that came later. */
const old = graphOf(
  productLine.parse(parse(readFileSync(new URL('./recorded/patch-0.1.0.yaml', import.meta.url), 'utf8'))),
);

const ended = (verdict: string, question: string | null = null): EndedNode => ({
  verdict,
  summary: 'CODE',
  question,
  unknowns: [],
});

const at = (node: string, nodes: Readonly<Record<string, EndedNode>>): Recorded => ({
  now: 0,
  deadlineAt: 1,
  planeWasAway: false,
  nodes: [
    {
      name: node,
      round: 1,
      state: 'ready',
      equalSignatures: 0,
      lastSignature: null,
      fanTotal: 0,
      fanDone: 0,
      sealed: false,
    },
  ],
  jobs: [],
  approvals: [],
  ended: new Map(Object.entries(nodes)),
  noBudget: null,
});

describe('a verdict that has another name since', () => {
  const wanted = at('packages', { fetch: ended('packages_wanted') });
  const current = graphOf(
    productLine.parse(parse(readFileSync(new URL('../../definitions/lines/patch.yaml', import.meta.url), 'utf8'))),
  );

  it('is what a pinned blueprint asks for by the former name, and the other way round', () => {
    const enqueue = [{ do: 'enqueue', node: 'packages' }];
    expect(walk(old, wanted).changes).toEqual(enqueue);
    expect(walk(current, wanted).changes).toEqual(enqueue);
    expect(walk(current, at('packages', { fetch: ended('fetched_npm') })).changes).toEqual(enqueue);
    expect(walk(old, at('packages', { fetch: ended('fetched') })).changes).toEqual([{ do: 'skip', node: 'packages' }]);
  });
});

describe('a verdict that no case of a pinned blueprint takes', () => {
  it.each(['did_not_run', 'unstable', 'a_word_of_tomorrow'])('"%s" of the baseline ends as its question', (verdict) => {
    const recorded = at('assess', { packages: ended('none'), baseline: ended(verdict, 'What now?') });
    expect(walk(old, recorded).changes).toEqual([
      {
        do: 'conclude',
        conclusion: { state: 'ESCALATE', code: verdict, question: 'What now?', tried: ['CODE'], node: 'baseline' },
      },
    ]);
  });

  it('"unstable" of the validation ends too, in words of the plane where the worker had none', () => {
    const [change] = walk(old, at('judge', { validate: ended('unstable') })).changes;
    expect(change).toMatchObject({
      do: 'conclude',
      conclusion: { state: 'ESCALATE', code: 'unstable', node: 'validate' },
    });
    expect(JSON.stringify(change)).toContain('The step \\"validate\\" ended with \\"unstable\\"');
  });

  it('one that a line may go on after goes on, and so does what was skipped', () => {
    for (const verdict of ['reproduced', 'not_required'])
      expect(walk(old, at('assess', { packages: ended('skipped'), baseline: ended(verdict) })).changes).toEqual([
        { do: 'succeed', node: 'assess', verdict: 'go_on' },
      ]);
  });

  it('a node that waits for the job without a condition on it does not begin', () => {
    const graph = graphOf(
      productLine.parse({
        schemaVersion: 1,
        line: 'hasty',
        title: 'Plans without asking',
        outputFormats: ['note'],
        nodes: [
          { id: 'baseline', kind: 'job', pool: 'verify', task: 'baseline' },
          { id: 'plan', kind: 'job', pool: 'plan', task: 'plan', needs: ['baseline'] },
        ],
      }),
    );
    expect(walk(graph, at('plan', { baseline: ended('did_not_run') })).changes).toMatchObject([
      { do: 'conclude', conclusion: { state: 'ESCALATE', code: 'did_not_run' } },
    ]);
    expect(walk(graph, at('plan', { baseline: ended('reproduced') })).changes).toEqual([
      { do: 'enqueue', node: 'plan' },
    ]);
  });
});
