import type { ApplicationDeclaration } from '../domain/application/declaration.ts';
import { testFileMatcher } from '../domain/application/test-files.ts';
import type { Packet } from '../domain/packet/schema.ts';
import { isManifest } from '../domain/risk/path-class.ts';
import type { TreeEntry } from '../sandbox/git/tree-list.ts';
import { PLAN_LIST, type Plan } from './plan.ts';
import { lineOf } from './work/inputs.ts';
import { isModule, type ModuleGraph } from './work/module-graph.ts';
import { pathMatcher } from './work/path-scope.ts';

/** A file that will change and what in the repository says so. */
export type PlannedChange = { readonly path: string; readonly why: string };

export type PlanInput = {
  readonly packet: Packet;
  readonly declaration: ApplicationDeclaration;
  readonly base: { readonly commit: string; readonly tree: string };
  readonly entries: readonly TreeEntry[];
  readonly graph: ModuleGraph | { readonly unknown: string };
  readonly changes: readonly PlannedChange[];
  /** Decisions that the line itself found open. */
  readonly decisions: readonly string[];
  /** Where the interface that changes is not that of the changed files: files that meet it otherwise (a package's importers). */
  readonly importers?: readonly string[];
};

/** Puts together what the repository says about a set of changes. Pure. */
export function writePlan(input: PlanInput): Plan {
  const { packet, declaration, changes, graph } = input;
  const changed = changes.map(({ path }) => path);
  const isTest = testFileMatcher(declaration);
  const unread = unreadable(changed, isTest, graph);
  const importers =
    input.importers ?? (unread === undefined ? importersOutside(changed, graph as ModuleGraph) : undefined);
  const mapping =
    unread === undefined ? testMapping(changed.filter(isModule), isTest, graph as ModuleGraph) : undefined;
  const unknown = { unknown: unread ?? '' };
  return {
    schemaVersion: 1,
    line: lineOf(packet),
    base: input.base,
    changes: changes.slice(0, PLAN_LIST),
    riskyInterfaces: unread === undefined ? interfaces(changed, isTest, graph as ModuleGraph) : unknown,
    importers: importers?.slice(0, PLAN_LIST) ?? unknown,
    tests: {
      moveFirst: changed.filter(isTest).slice(0, PLAN_LIST),
      mapping: mapping?.filter(({ tests }) => tests.length > 0) ?? unknown,
      untested: mapping?.filter(({ tests }) => tests.length === 0).map(({ path }) => path) ?? unknown,
    },
    manifests: changed.filter(isManifest).slice(0, PLAN_LIST),
    decisions: [...input.decisions, ...openDecisions(input, isTest)].slice(0, 50),
    context: packetContext(packet, input.entries),
    counts: { changes: changed.length, importers: importers?.length ?? unknown },
  };
}

/** Why imports can't tell who meets these changes, or undefined when they can. */
function unreadable(
  changed: readonly string[],
  isTest: (path: string) => boolean,
  graph: PlanInput['graph'],
): string | undefined {
  if ('unknown' in graph) return graph.unknown;
  const foreign = changed.filter((path) => !isModule(path) && !isTest(path) && !isManifest(path) && !isProse(path));
  const [first] = foreign;
  if (first === undefined) return undefined;
  return `${foreign.length} of the changed files (first: ${first.slice(0, 300)}) are not JavaScript or TypeScript; who depends on them can't be read from imports`;
}

const isProse = (path: string): boolean =>
  /\.(?:md|mdx|txt|rst|adoc)$/i.test(path) || /(?:^|\/)(?:LICENSE|NOTICE|CHANGELOG)$/.test(path);

function importersOutside(changed: readonly string[], graph: ModuleGraph): string[] {
  const own = new Set(changed);
  return [...new Set(changed.flatMap((path) => graph.importersOf(path)))].filter((path) => !own.has(path)).sort();
}

function interfaces(changed: readonly string[], isTest: (path: string) => boolean, graph: ModuleGraph) {
  return changed
    .filter((path) => isModule(path) && !isTest(path))
    .map((path) => ({ path, exports: graph.exportsOf(path).slice(0, 50), importedBy: graph.importersOf(path).length }))
    .filter(({ exports, importedBy }) => exports.length > 0 && importedBy > 0)
    .slice(0, PLAN_LIST);
}

function testMapping(changed: readonly string[], isTest: (path: string) => boolean, graph: ModuleGraph) {
  return changed
    .filter((path) => !isTest(path))
    .slice(0, PLAN_LIST)
    .map((path) => ({ path, tests: graph.importersOf(path).filter(isTest).sort().slice(0, PLAN_LIST) }));
}

function openDecisions({ packet, declaration, changes }: PlanInput, isTest: (path: string) => boolean): string[] {
  const mayChange = pathMatcher(packet.validation.testsMayChange);
  const isProtected = pathMatcher(declaration.protectedPaths);
  const decisions: string[] = [];
  for (const { path } of changes) {
    if (isTest(path) && !mayChange(path))
      decisions.push(`${path} is a test file and not in validation.testsMayChange: may this change touch it?`);
    if (isProtected(path))
      decisions.push(`${path} is protected by the application's declaration: is this change to it wanted?`);
  }
  return decisions.map((decision) => decision.slice(0, 1_000));
}

function packetContext(packet: Packet, entries: readonly TreeEntry[]): Plan['context'] {
  const found: string[] = [];
  const notFound: { what: string; reason: string }[] = [];
  for (const glob of [...packet.context.files, ...packet.context.tests]) {
    const matches = pathMatcher([glob]);
    const hits = entries.filter(({ path }) => matches(path)).map(({ path }) => path);
    if (hits.length === 0) notFound.push({ what: glob, reason: 'no file of the base tree matches' });
    found.push(...hits);
  }
  for (const link of packet.context.links)
    notFound.push({ what: link.slice(0, 1_000), reason: 'links are not opened: stations have no network' });
  return { found: [...new Set(found)].slice(0, PLAN_LIST), notFound: notFound.slice(0, 100) };
}
