import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { compile, compiledName } from '../build/compile.ts';
import { type Lockfile, lockfileOf, SHRINKWRAP } from '../build/lockfile.ts';
import { contentsOf } from './contents.ts';

/**
 * Before `npm pack` (`prepack`): makes `dist/package`, the compiled program that a release ships, and `npm-shrinkwrap.json`, the part of
 * package-lock.json that it needs, which npm keeps to wherever the release is installed. `postpack` takes the latter away again.
 */
const root = path.join(import.meta.dirname, '..', '..');
const target = path.join(root, 'dist', 'package');
const compiled = path.join(root, 'dist', '.release');

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};
const readJson = <T>(file: string): T => JSON.parse(readFileSync(path.join(root, file), 'utf8')) as T;
const manifest = readJson<Manifest>('package.json');

for (const directory of [target, compiled]) rmSync(directory, { recursive: true, force: true });
compile(root, compiled);
const { modules, packages, files } = contentsOf(root);
const undeclared = packages.filter((name) => manifest.dependencies[name] === undefined);
if (undeclared.length > 0)
  throw new Error(
    `the release imports ${undeclared.join(', ')}, not under dependencies of package.json: add what is missing`,
  );
for (const module of modules) copy(path.join(compiled, compiledName(module)), compiledName(module));
for (const file of files) copy(path.join(root, file), file);
rmSync(compiled, { recursive: true });
// The Functions host reads `main` of the app that it is given.
const { name, version, dependencies, optionalDependencies } = manifest;
writeJson(path.join(target, 'package.json'), { name, version, type: 'module', main: 'functions/main.js' });
makeReadable(target);
writeJson(
  path.join(root, SHRINKWRAP),
  lockfileOf(readJson<Lockfile>('package-lock.json'), { name, version, dependencies, optionalDependencies }),
);
console.log(`dist/package: ${modules.length} modules, ${files.length} other files, ${packages.length} packages`);

function copy(from: string, to: string): void {
  mkdirSync(path.dirname(path.join(target, to)), { recursive: true });
  cpSync(from, path.join(target, to));
}

function writeJson(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** The mode is in the tarball, so it must not come from whoever packs: what git says is executable is, and all may read. */
function makeReadable(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    chmodSync(file, entry.isDirectory() ? 0o755 : 0o644);
  }
}
