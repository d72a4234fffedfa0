import { createRequire } from 'node:module';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { captureTree } from '../../sandbox/git/tree-capture.ts';
import type { Intention, Readiness, Station, StationWork } from '../station.ts';
import { requireSandbox } from '../work/sandbox-permission.ts';
import { runRules } from './run-rules.ts';
import { unreadConcern, unreadInWords } from './unread.ts';

/** Rewrites calls of an interface by the packet's ast-grep rules. */
export const apiMigrationStation: Station = { name: 'api-migration', probe, tool, intend, implement };

async function probe(driver: SandboxDriver): Promise<Readiness> {
  const probed = await driver.probe();
  return probed.usable ? { ready: true } : { ready: false, reason: probed.reason };
}

async function tool(): Promise<string> {
  const { version } = createRequire(import.meta.url)('@ast-grep/napi/package.json') as { version: string };
  return `ast-grep ${version}`;
}

async function intend(work: StationWork): Promise<Intention> {
  await requireSandbox(work.driver, work.declaration);
  const { context, driver, packet, base } = work;
  const { repository, tree } = base;
  // The rewriting is tried where nothing depends on it: a fix that can't be used is told before anyone approves a plan.
  const found = await runRules({ context, driver, packet, repository, tree, rewrite: true });
  const { matches } = found;
  if (matches.length === 0 && found.unreadCount > 0)
    return {
      verdict: 'needs_human',
      code: 'ABSENCE-UNPROVED',
      question: `No rule matches in the ${found.searched} searched, but ${unreadInWords(found)} may hold one. Put them under scope.deniedPaths if the goal does not mean them, and submit again?`,
    };
  if (matches.length === 0)
    return { verdict: 'not_applicable', summary: `no rule matches in the ${found.searched} that the packet allows` };
  const byPath = Map.groupBy(matches, ({ path }) => path);
  const changes = [...byPath].map(([path, found]) => ({
    path,
    why: found.map(({ rule, count }) => `${count} ${count === 1 ? 'match' : 'matches'} of rule ${rule}`).join(', '),
  }));
  return {
    verdict: 'ok',
    changes,
    decisions: [],
    facts: {
      count: matches.reduce((total, { count }) => total + count, 0),
      ...(found.unreadCount === 0 ? {} : { concerns: [unreadConcern(found)] }),
    },
  };
}

async function implement(work: StationWork): Promise<TreeId> {
  await requireSandbox(work.driver, work.declaration);
  const { context, driver, packet, base } = work;
  const { repository, tree } = base;
  const { directory } = await runRules({ context, driver, packet, repository, tree, rewrite: true });
  return (await captureTree({ directory, repository, baseTree: tree, signal: context.signal })).tree;
}
