import type { NpmRegistry } from './npm-registry.ts';
import type { Files } from './repository.ts';

export type Locked = {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly [key: string]: unknown;
};

/** A package that depends on `left` at 1.0.0 and re-exports a name of its own, as files of a repository. */
export function npmProject(
  registry: NpmRegistry,
  change: {
    manifest?: Record<string, unknown>;
    lockfile?: Record<string, unknown>;
    locked?: Record<string, Locked>;
    files?: Files;
  } = {},
): Files {
  const manifest = {
    name: 'app',
    version: '1.0.0',
    type: 'module',
    exports: './index.js',
    dependencies: { left: '^1.0.0' },
    ...change.manifest,
  };
  const { name, version, dependencies } = manifest;
  const left = {
    version: '1.0.0',
    resolved: registry.tarballUrl('left', '1.0.0'),
    integrity: registry.integrity('left', '1.0.0'),
  };
  const lockfile = {
    name,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name, version, dependencies }, 'node_modules/left': left, ...change.locked },
    ...change.lockfile,
  };
  return {
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    'package-lock.json': `${JSON.stringify(lockfile, null, 2)}\n`,
    'index.js': "import left from 'left';\nexport const sum = () => left.one();\n",
    'test/sum.test.js':
      "import assert from 'node:assert';\nimport { test } from 'node:test';\nimport { sum } from '../index.js';\ntest('sum', () => assert.equal(sum(), 1));\n",
    ...change.files,
  };
}

export const published = [
  { name: 'left', version: '1.0.0', files: { 'index.js': 'exports.one = () => 1;' } },
  { name: 'left', version: '1.2.0', files: { 'index.js': 'exports.one = () => 1; exports.two = () => 2;' } },
  { name: 'left', version: '2.0.0', files: { 'index.js': 'exports.one = () => 2;' } },
  { name: 'scripted', version: '1.0.0', files: { 'index.js': '' } },
  {
    name: 'scripted',
    version: '1.1.0',
    files: { 'index.js': '' },
    manifest: { scripts: { install: 'node .' }, hasInstallScript: true },
  },
  { name: 'top', version: '1.0.0', files: { 'index.js': '' }, manifest: { dependencies: { left: '^1.0.0' } } },
  { name: 'top', version: '1.1.0', files: { 'index.js': '' }, manifest: { dependencies: { left: '^2.0.0' } } },
  { name: 'pair', version: '1.0.0', files: { 'index.js': '' }, manifest: { dependencies: { left: '^1.0.0' } } },
  { name: 'pair', version: '1.1.0', files: { 'index.js': '' }, manifest: { dependencies: { left: '^1.0.0' } } },
  { name: 'right', version: '1.0.0', manifest: { dependencies: { left: '~1.0.0' } } },
] as const;
