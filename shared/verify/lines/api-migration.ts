import type { TreeId } from '../../sandbox/git/object-id.ts';
import { type RuleMatch, type RulesFound, runRules } from '../../stations/api-migration/run-rules.ts';
import { unreadConcern, unreadInWords } from '../../stations/api-migration/unread.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import type { LineClaims } from '../receipt.ts';
import type { Bench } from '../runs/bench.ts';
import type { LineVerifier, Stop } from './line-verifier.ts';

/**
 * There is something to migrate while a rule matches in the packet's scope, and it is done when none does: in every file that people
 * mean by the rule's language. A file that may hold a match and could not be searched leaves it open.
 */
export const apiMigrationVerifier: LineVerifier = {
  before: async (bench, base) => {
    const found = await runRulesOn(bench, base.repository, base.tree);
    const counts = countByRule(bench, found.matches);
    const claims: LineClaims = {
      line: 'api-migration',
      matches: counts.map(({ rule, count }) => ({ rule, before: count, after: null })),
    };
    const matched = counts.some(({ count }) => count > 0);
    return { claims, stop: matched ? null : nothingFound(base.commit, found), intended: null };
  },
  after: async (bench, _base, head, before) => {
    const found = await runRulesOn(bench, head.repository, head.tree);
    const earlier = before.line === 'api-migration' ? before.matches : [];
    const matches = countByRule(bench, found.matches).map(({ rule, count }) => ({
      rule,
      before: earlier.find((match) => match.rule === rule)?.before ?? 0,
      after: count,
    }));
    const faults = matches
      .filter(({ after }) => after > 0)
      .map(({ rule, after }) => `rule ${rule} still matches ${after} times`);
    if (found.unreadCount > 0) {
      const { kind, detail } = unreadConcern(found);
      bench.findings.concern(kind, detail);
      bench.findings.caveat(`whether a rule still matches in ${detail}`);
    }
    return { claims: { line: 'api-migration', matches }, faults };
  },
};

/** Nothing looked at is not the same as nothing found: a scope that is spelled wrong would read as work that is done. */
function nothingFound(commit: string, found: RulesFound): Stop {
  if (found.unreadCount > 0)
    return {
      verdict: 'needs_human',
      code: 'ABSENCE-UNPROVED',
      question: `No rule of the packet matches in the ${found.searched} searched in the allowed paths of commit ${commit}, but that is no proof for ${unreadInWords(found)}. Look there: is the goal met? If the goal does not mean them, put them under scope.deniedPaths and submit again.`,
    };
  return found.files === 0
    ? {
        verdict: 'not_applicable',
        because: `commit ${commit} has no file in the rules' languages in the allowed paths`,
      }
    : {
        verdict: 'already_true',
        because: `no rule of the packet matches in the allowed paths of commit ${commit}: ${found.searched} searched`,
      };
}

const runRulesOn = ({ context, driver, packet }: Bench, repository: string, tree: TreeId) =>
  runRules({ context, driver, packet, repository, tree, rewrite: false });

function countByRule({ packet }: Bench, matches: readonly RuleMatch[]): { rule: string; count: number }[] {
  return requireLine(packet, 'api-migration').rules.map(({ id }) => ({
    rule: id,
    count: matches.filter(({ rule }) => rule === id).reduce((total, { count }) => total + count, 0),
  }));
}
