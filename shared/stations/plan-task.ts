import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { testFileMatcher } from '../domain/application/test-files.ts';
import { isManifest } from '../domain/risk/path-class.ts';
import type { TaskContext, TaskResult } from '../jobs/task.ts';
import type { SandboxDriver } from '../sandbox/driver.ts';
import { listTree } from '../sandbox/git/tree-list.ts';
import { materialiseTree } from '../sandbox/git/tree-materialise.ts';
import { planSchema } from './plan.ts';
import type { Station } from './station.ts';
import { openStationWork } from './station-work.ts';
import { readModuleGraph } from './work/module-graph.ts';
import { changeScope } from './work/path-scope.ts';
import { treeIdentity } from './work/tree-identity.ts';
import { writePlan } from './write-plan.ts';

/** The task `plan`: says from the repository what a change would touch; writes the output `plan`. */
export async function planTask(context: TaskContext, driver: SandboxDriver, station: Station): Promise<TaskResult> {
  const work = await openStationWork(context, driver, station);
  const { packet, declaration, base } = work;
  const intention = await station.intend(work);
  const noFacts = { paths: [], manifests: [], testPaths: [] };
  if (intention.verdict === 'not_applicable') {
    return { outcome: { verdict: 'not_applicable', summary: intention.summary, facts: noFacts, unknowns: [] } };
  }
  if (intention.verdict === 'needs_human') {
    return {
      outcome: {
        verdict: 'needs_human',
        summary: intention.code,
        question: intention.question.slice(0, 2_000),
        facts: noFacts,
        unknowns: [],
      },
    };
  }
  const inScope = changeScope(packet);
  const outside = intention.changes.filter(({ path }) => !inScope(path)).map(({ path }) => path);

  const entries = await listTree({ repository: base.repository, tree: base.tree, signal: context.signal });
  const directory = join(context.directory, 'plan-tree');
  await mkdir(directory, { mode: 0o700 });
  await materialiseTree({ repository: base.repository, tree: base.tree, directory, signal: context.signal });
  const graph = await readModuleGraph(directory, entries);
  const { tree: baseTree } = await treeIdentity(base.repository, base.tree, context.signal);
  const importers =
    intention.importedPackage === undefined || 'unknown' in graph
      ? undefined
      : (graph.packages.get(intention.importedPackage) ?? []);
  const plan = planSchema.parse(
    writePlan({
      packet,
      declaration,
      base: { commit: base.commit, tree: baseTree },
      entries,
      graph,
      changes: intention.changes,
      decisions: [
        ...intention.decisions,
        ...outside.map((path) =>
          `${path} would change and is outside scope.allowedPaths or inside scope.deniedPaths: widen the scope?`.slice(
            0,
            1_000,
          ),
        ),
      ],
      ...(importers === undefined ? {} : { importers }),
    }),
  );
  await context.output({
    name: 'plan',
    kind: 'plan',
    mediaType: 'application/json',
    bytes: JSON.stringify(plan, null, 2),
  });

  const unknowns = Object.entries({
    importers: plan.importers,
    'risky interfaces': plan.riskyInterfaces,
    'test mapping': plan.tests.mapping,
  }).flatMap(([name, value]) => ('unknown' in value ? [`${name}: ${value.unknown}`.slice(0, 500)] : []));
  const paths = intention.changes.map(({ path }) => path).filter((path) => path.length <= 512);
  const facts = {
    paths: paths.slice(0, 200),
    pathCount: intention.changes.length,
    manifests: paths.filter(isManifest).slice(0, 50),
    testPaths: paths.filter(testFileMatcher(declaration)).slice(0, 200),
    baseCommit: base.commit,
    baseTree,
    ...(typeof plan.counts.importers === 'number' ? { importers: plan.counts.importers } : {}),
    ...intention.facts,
  };
  const [first] = outside;
  if (first !== undefined) {
    const question = `The change would touch ${outside.length} files outside the packet's scope (first: ${first}). Widen scope.allowedPaths and submit again, or reduce the change?`;
    return {
      outcome: {
        verdict: 'needs_human',
        summary: 'CHANGE-OUT-OF-SCOPE',
        question: question.slice(0, 2_000),
        facts,
        unknowns,
      },
    };
  }
  if (intention.outOfScope !== undefined) {
    const question = intention.outOfScope.slice(0, 2_000);
    return { outcome: { verdict: 'needs_human', summary: 'CHANGE-OUT-OF-SCOPE', question, facts, unknowns } };
  }
  return { outcome: { verdict: 'ok', summary: `${intention.changes.length} files would change`, facts, unknowns } };
}
