import type { TreeId } from '../../sandbox/git/object-id.ts';
import { type RuleMatch, runRules } from '../../stations/api-migration/run-rules.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import type { LineClaims } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import type { LineVerifier } from './line-verifier.ts';

/** There is something to migrate while a rule matches in the packet's scope, and it is done when none does. */
export const apiMigrationVerifier: LineVerifier = {
  before: async (bench, base) => {
    const found = countByRule(bench, await matchesIn(bench, base.repository, base.tree));
    const claims: LineClaims = {
      line: 'api-migration',
      matches: found.map(({ rule, count }) => ({ rule, before: count, after: null })),
    };
    const some = found.some(({ count }) => count > 0);
    const because = `no rule of the packet matches in the allowed paths of commit ${base.commit}`;
    return { claims, stop: some ? null : { verdict: 'already_true', because }, intended: null };
  },
  after: async (bench, _base, head, before) => {
    const found = countByRule(bench, await matchesIn(bench, head.repository, head.tree));
    const earlier = before.line === 'api-migration' ? before.matches : [];
    const matches = found.map(({ rule, count }) => ({
      rule,
      before: earlier.find((match) => match.rule === rule)?.before ?? 0,
      after: count,
    }));
    const faults = found
      .filter(({ count }) => count > 0)
      .map(({ rule, count }) => `rule ${rule} still matches ${count} times`);
    return { claims: { line: 'api-migration', matches }, faults };
  },
};

async function matchesIn(
  { context, driver, packet }: Bench,
  repository: string,
  tree: TreeId,
): Promise<readonly RuleMatch[]> {
  return (await runRules({ context, driver, packet, repository, tree, rewrite: false })).matches;
}

function countByRule({ packet }: Bench, matches: readonly RuleMatch[]): { rule: string; count: number }[] {
  return requireLine(packet, 'api-migration').rules.map(({ id }) => ({
    rule: id,
    count: matches.filter(({ rule }) => rule === id).reduce((total, { count }) => total + count, 0),
  }));
}
