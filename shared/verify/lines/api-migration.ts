import type { TreeId } from '../../sandbox/git/object-id.ts';
import { type RuleMatch, runRules } from '../../stations/api-migration/run-rules.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import type { LineClaims } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import type { LineVerifier, Stop } from './line-verifier.ts';

/** There is something to migrate while a rule matches in the packet's scope, and it is done when none does. */
export const apiMigrationVerifier: LineVerifier = {
  before: async (bench, base) => {
    const { matches, files } = await runRulesOn(bench, base.repository, base.tree);
    const found = countByRule(bench, matches);
    const claims: LineClaims = {
      line: 'api-migration',
      matches: found.map(({ rule, count }) => ({ rule, before: count, after: null })),
    };
    // Nothing looked at is not the same as nothing found: a scope that is spelled wrong would read as work that is done.
    const stop: Stop =
      files === 0
        ? {
            verdict: 'not_applicable',
            because: `commit ${base.commit} has no file in the rules' languages in the allowed paths`,
          }
        : {
            verdict: 'already_true',
            because: `no rule of the packet matches in the allowed paths of commit ${base.commit} (${files} files)`,
          };
    return { claims, stop: found.some(({ count }) => count > 0) ? null : stop, intended: null };
  },
  after: async (bench, _base, head, before) => {
    const found = countByRule(bench, (await runRulesOn(bench, head.repository, head.tree)).matches);
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

const runRulesOn = ({ context, driver, packet }: Bench, repository: string, tree: TreeId) =>
  runRules({ context, driver, packet, repository, tree, rewrite: false });

function countByRule({ packet }: Bench, matches: readonly RuleMatch[]): { rule: string; count: number }[] {
  return requireLine(packet, 'api-migration').rules.map(({ id }) => ({
    rule: id,
    count: matches.filter(({ rule }) => rule === id).reduce((total, { count }) => total + count, 0),
  }));
}
