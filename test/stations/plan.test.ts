import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isManifest } from '../../shared/domain/risk/path-class.ts';
import type { TreeEntry } from '../../shared/sandbox/git/tree-list.ts';
import { planSchema } from '../../shared/stations/plan.ts';
import { type ModuleGraph, readModuleGraph } from '../../shared/stations/work/module-graph.ts';
import { changeScope, pathMatcher } from '../../shared/stations/work/path-scope.ts';
import { writePlan } from '../../shared/stations/write-plan.ts';
import { declarationOf, packetOf } from './packets.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'factory-plan-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function entriesOf(files: Readonly<Record<string, string>>): TreeEntry[] {
  return Object.entries(files).map(([path, text]) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
    return { mode: '100644', path, blob: '0'.repeat(40), bytes: text.length };
  });
}

const files = {
  'src/core.ts': 'export const core = 1; export { helper as help }; export type T = 1;',
  'src/mid.js': "const { core } = require('./core');\nmodule.exports = { mid: core, other };",
  'src/lazy.mjs': "export async function lazy() { return import('./mid.js'); }",
  'src/alone.js': "import 'left-pad/deep'; import x from '@scope/pkg/sub';",
  'test/lazy.test.js': "import { lazy } from '../src/lazy.mjs';",
};

describe('the module graph', () => {
  test('follows imports, dynamic imports and require, through names of what sources compile to', async () => {
    const graph = (await readModuleGraph(directory, entriesOf(files))) as ModuleGraph;
    expect(graph.importersOf('src/core.ts')).toEqual(['src/mid.js', 'src/lazy.mjs', 'test/lazy.test.js']);
    expect(graph.exportsOf('src/core.ts')).toEqual(['T', 'core', 'help']);
    expect(graph.exportsOf('src/mid.js')).toEqual(['mid', 'other']);
    expect([...graph.packages.keys()].sort()).toEqual(['@scope/pkg', 'left-pad']);
  });

  test('says when a repository is too large to read whole', async () => {
    const many = Array.from(
      { length: 5_001 },
      (_, index): TreeEntry => ({ mode: '100644', path: `${index}.js`, blob: '', bytes: 1 }),
    );
    expect(await readModuleGraph(directory, many)).toMatchObject({ unknown: expect.stringContaining('5001 modules') });
  });
});

describe('a plan', () => {
  const packet = packetOf(
    { name: 'patch', patch: 'diff' },
    { context: { files: ['src/core.ts', 'docs/absent.md'], links: ['https://example.com/'] } },
  );
  const base = { commit: '0'.repeat(40), tree: `sha256:${'0'.repeat(64)}` };

  async function planFor(paths: readonly string[], declaration: Record<string, unknown> = {}) {
    const entries = entriesOf(files);
    const graph = await readModuleGraph(directory, entries);
    const changes = paths.map((path) => ({ path, why: 'a test' }));
    return planSchema.parse(
      writePlan({ packet, declaration: declarationOf(declaration), base, entries, graph, changes, decisions: [] }),
    );
  }

  test('is read from the repository', async () => {
    const plan = await planFor(['src/core.ts', 'src/alone.js', 'test/lazy.test.js'], {
      protectedPaths: ['src/core.*'],
    });
    expect(plan.importers).toEqual(['src/lazy.mjs', 'src/mid.js']);
    expect(plan.tests).toEqual({
      moveFirst: ['test/lazy.test.js'],
      mapping: [{ path: 'src/core.ts', tests: ['test/lazy.test.js'] }],
      untested: ['src/alone.js'],
    });
    expect(plan.riskyInterfaces).toEqual([{ path: 'src/core.ts', exports: ['T', 'core', 'help'], importedBy: 3 }]);
    expect(plan.decisions).toEqual([
      expect.stringContaining('src/core.ts is protected'),
      expect.stringContaining('test/lazy.test.js is a test file'),
    ]);
    expect(plan.context.found).toEqual(['src/core.ts']);
    expect(plan.context.notFound.map(({ what }) => what)).toEqual(['docs/absent.md', 'https://example.com/']);
  });

  test('says what can not be computed and why', async () => {
    const plan = await planFor(['src/main.py']);
    for (const part of [plan.importers, plan.riskyInterfaces, plan.tests.mapping, plan.counts.importers])
      expect(part).toEqual({ unknown: expect.stringContaining('src/main.py') });
  });
});

describe('paths', () => {
  test('denied paths win, and a leading dot is no way out', () => {
    const inScope = changeScope(
      packetOf(
        { name: 'patch', patch: 'x' },
        { scope: { repository: 'r', allowedPaths: ['src/**'], deniedPaths: ['src/secret/**'] } },
      ),
    );
    expect(['src/a.js', 'src/.hidden', 'src/secret/a', 'src/secret/.a', 'SRC/a', 'lib/a'].filter(inScope)).toEqual([
      'src/a.js',
      'src/.hidden',
    ]);
  });

  test('brackets and extended globs have no meaning', () => {
    expect(pathMatcher(['src/[id].js'])('src/i.js')).toBe(false);
    expect(pathMatcher(['src/[id].js'])('src/[id].js')).toBe(true);
    expect(pathMatcher(['src/+(a).js'])('src/aa.js')).toBe(false);
  });

  test('manifests are known at any depth', () => {
    expect(
      ['package.json', 'a/b/package-lock.json', 'bun.lock', 'requirements-dev.txt', 'src/package.js'].filter(
        isManifest,
      ),
    ).toEqual(['package.json', 'a/b/package-lock.json', 'bun.lock', 'requirements-dev.txt']);
  });
});
