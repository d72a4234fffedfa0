import type { ProductLine } from '../../shared/domain/blueprint/schema.ts';

/** Lines of growing size, installed beside the default ones. JSON is YAML. */
type Node = { readonly id: string; readonly needs?: readonly string[] } & Readonly<Record<string, unknown>>;
const WIDTH = 10;

/** Names of the lines, by what grows. */
export const fanOutLine = (jobs: number): string => `bench-fan-${jobs}`;
export const graphLine = (nodes: number): string => `bench-graph-${nodes}`;

const verified = (after: readonly string[]): Node[] => [
  { id: 'verify', kind: 'job', pool: 'verify', task: 'bench-verify', needs: after },
  {
    id: 'done',
    kind: 'decide',
    needs: ['verify'],
    cases: [
      { when: [{ node: 'verify', verdict: ['ok'] }], conclude: { state: 'NO_OP', code: 'not_applicable' } },
      { when: [{ node: 'verify', verdict: ['invalid'] }], conclude: { state: 'ESCALATE', code: 'bench_failed' } },
    ],
  },
];

/** One node of so many jobs, and the job that proves the end. */
export function fanOut(jobs: number): string {
  return lineText(fanOutLine(jobs), [
    { id: 'many', kind: 'fan_out', count: jobs, pool: 'build', task: 'bench-build' },
    ...verified(['many']),
  ]);
}

/** So many job nodes in rows of ten; each needs its whole row before. */
export function graph(nodes: number): string {
  const name = (index: number): string => `n${index}`;
  const jobs = Array.from({ length: nodes }, (_, index): Node => {
    const row = Math.floor(index / WIDTH);
    const needs = row === 0 ? [] : Array.from({ length: WIDTH }, (_each, column) => name((row - 1) * WIDTH + column));
    return { id: name(index), kind: 'job', pool: 'build', task: 'bench-build', needs };
  });
  const last = jobs.slice(-WIDTH).map((node) => node.id);
  return lineText(graphLine(nodes), [...jobs, ...verified(last)]);
}

function lineText(line: string, nodes: readonly Node[]): string {
  const whole = { schemaVersion: 1, line, title: `Measure ${line}`, outputFormats: ['note'], nodes };
  return JSON.stringify(whole satisfies Pick<ProductLine, 'line' | 'title'>);
}
