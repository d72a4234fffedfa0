import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Lockfile, SHRINKWRAP } from '../build/lockfile.ts';
import { installationOf, type Packed } from './installation.ts';
import { type Digested, provenanceOf } from './provenance.ts';

/**
 * `npm run release`: makes `dist/release/` of what HEAD holds: the tarball of `npm pack`, package.json and package-lock.json to install it
 * with `npm ci`, the image's Dockerfile, its parts list (CycloneDX, by `npm sbom`), how it was made (SLSA provenance, unsigned) and the digests of them all.
 * Refuses while git sees a change: what a release says of its source would not be so.
 */
const root = path.join(import.meta.dirname, '..', '..');
const out = path.join(root, 'dist', 'release');
/** npm by its own file, so that it runs on the Node.js of the lockfile, whose zlib makes the tarball; by name when not started by npm. */
const npmFile = process.env['npm_execpath'];

const output = (file: string, args: readonly string[], cwd = root): string =>
  execFileSync(file, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
const npm = (args: readonly string[], cwd = root): string =>
  npmFile === undefined ? output('npm', args, cwd) : output(process.execPath, [npmFile, ...args], cwd);
const read = (file: string): string => readFileSync(file, 'utf8');
const digest = (algorithm: 'sha256' | 'sha512', file: string): Buffer =>
  createHash(algorithm).update(readFileSync(file)).digest();
const digested = (name: string, file = path.join(out, name)): Digested => ({
  name,
  digest: { sha256: digest('sha256', file).toString('hex'), sha512: digest('sha512', file).toString('hex') },
});

const changed = output('git', ['status', '--porcelain']).trim();
if (changed !== '') {
  console.error(
    `RELEASE-TREE-CHANGED: a release is made of a commit, and git sees changes:\n${changed}\nCommit or remove them, then run it again.`,
  );
  process.exit(1);
}
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

npm(['pack', '--pack-destination', out]);
const [filename = ''] = readdirSync(out);
const tarball = path.join(out, filename);
const unpacked = mkdtempSync(path.join(tmpdir(), 'release-'));
execFileSync('tar', ['-xzf', tarball, '-C', unpacked]);
const packageDirectory = path.join(unpacked, 'package');
const packed = JSON.parse(read(path.join(packageDirectory, 'package.json'))) as Packed;
const { packages } = JSON.parse(read(path.join(packageDirectory, SHRINKWRAP))) as Lockfile;

const integrity = `sha512-${digest('sha512', tarball).toString('base64')}`;
const { manifest, lockfile } = installationOf(packed, { file: filename, integrity }, packages);
writeJson('package.json', manifest);
writeJson('package-lock.json', lockfile);
const parts = `${packed.name}-${packed.version}.cdx.json`;
writeFileSync(path.join(out, parts), partsList());
rmSync(unpacked, { recursive: true });
copyFileSync(path.join(root, 'container', 'plane', 'Dockerfile'), path.join(out, 'Dockerfile'));

const shipped = [filename, parts, 'package.json', 'package-lock.json', 'Dockerfile'];
const platform = `${process.platform}-${process.arch}`;
/** The Node.js of the lockfile, where it has one for this system. */
const onPinnedNode = realpathSync(process.execPath).includes(`${path.sep}node-${platform}${path.sep}`);
const provenance = `${packed.name}-${packed.version}.provenance.json`;
writeJson(
  provenance,
  provenanceOf({
    subjects: shipped.map((name) => digested(name)),
    commit: output('git', ['rev-parse', 'HEAD']).trim(),
    lockfile: digested('package-lock.json of the source', path.join(root, 'package-lock.json')),
    packages: (JSON.parse(read(path.join(root, 'package-lock.json'))) as Lockfile).packages,
    madeBy: ['typescript', `@typescript/typescript-${platform}`, ...(onPinnedNode ? [`node-${platform}`] : [])],
    tools: { node: process.version, npm: npm(['--version']).trim() },
  }),
);
const made = [...shipped, provenance];
for (const algorithm of ['sha256', 'sha512'] as const)
  writeFileSync(
    path.join(out, `${algorithm.toUpperCase()}SUMS`),
    made.map((name) => `${digest(algorithm, path.join(out, name)).toString('hex')}  ${name}\n`).join(''),
  );
console.log(`dist/release: ${made.join(', ')}, with their digests. The provenance is unsigned (docs/release.md).`);

/** By npm, of what the tarball says it needs; the tools that the repository is developed with are no part of it, and npm would ask for them. */
function partsList(): string {
  const { devDependencies: _, ...shipped } = packed;
  writeFileSync(path.join(packageDirectory, 'package.json'), JSON.stringify(shipped));
  // npm names the whole after its folder.
  const named = path.join(unpacked, packed.name);
  renameSync(packageDirectory, named);
  return npm(['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], named);
}

function writeJson(name: string, value: object): void {
  writeFileSync(path.join(out, name), `${JSON.stringify(value, null, 2)}\n`);
}
