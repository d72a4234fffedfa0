import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../docs/documents.ts';

/** A release of the files that are here, made in a repository of its own, and an installation of it. */
const place = mkdtempSync(path.join(tmpdir(), 'factory-release-'));
const source = path.join(place, 'source');
const release = path.join(source, 'dist/release');
const installed = path.join(place, 'installed');
/** The machine's own Node.js starts an installed release, not the one that runs the tests. */
const env = {
  ...process.env,
  PATH: (process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => !folder.includes('node_modules'))
    .join(':'),
};
type Ended = { readonly code: number; readonly out: string; readonly err: string };
const run = (cwd: string, file: string, ...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) =>
    execFile(file, args, { cwd, env, maxBuffer: 64 << 20 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
    ),
  );
const json = <T>(...at: readonly string[]): T => JSON.parse(readFileSync(path.join(...at), 'utf8')) as T;
const { version } = json<{ version: string }>(root, 'package.json');
const tarball = `agent-factory-${version}.tgz`;
const hash = (algorithm: string, file: string) => createHash(algorithm).update(readFileSync(file)).digest('hex');
type Locked = { readonly version?: string; readonly integrity?: string };
const locked = json<{ packages: Record<string, Locked> }>(root, 'package-lock.json').packages;
const pinnedNode = `node-${process.platform}-${process.arch}`;

let installs: Ended;

/** Compiling, packing and installing 450 MB of packages on a machine that does other things too; limits are for hangs. */
const LIMIT_MS = 1_200_000;

beforeAll(async () => {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const deleted = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root, encoding: 'utf8' }).split('\0');
  for (const file of listed.split('\0').filter((name) => name !== '' && !deleted.includes(name))) {
    mkdirSync(path.dirname(path.join(source, file)), { recursive: true });
    copyFileSync(path.join(root, file), path.join(source, file));
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(source, 'node_modules'));
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args], { cwd: source });
  git('init', '-q');
  writeFileSync(path.join(source, '.git/info/exclude'), 'node_modules\n');
  git('add', '-A');
  git('commit', '-qm', 'A release');
  const made = await run(source, 'npm', 'run', 'release');
  if (made.code !== 0) throw new Error(`npm run release: ${made.out}${made.err}`);
  cpSync(release, installed, { recursive: true });
  installs = await run(installed, 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline');
}, LIMIT_MS);
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Whether the packages could be had; a machine without a registry and a cache can't install anything. */
function installable(skip: (why: string) => void): void {
  if (installs.code === 0) return;
  if (!/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH/.test(installs.err)) throw new Error(installs.err);
  process.stderr.write(
    `\nthe release was not installed, so nothing of it was run: no registry answers. ${installs.err.slice(0, 300)}\n`,
  );
  skip('no registry answers');
}

test('the tarball holds the compiled program and its data: no TypeScript but the entry that npm adds, no test, no state of this machine', async () => {
  const { out } = await run(release, 'tar', '-tzf', tarball);
  const files = out
    .trim()
    .split('\n')
    .map((file) => file.replace('package/', ''));
  expect(files.filter((file) => file.endsWith('.ts'))).toEqual(['functions/main.ts']);
  const allowed =
    /^(dist\/package\/(cli|shared|functions|local|container|definitions|examples)\/|dist\/package\/(host|package)\.json$|docs\/|cli\/bin\.js$|functions\/main\.ts$|(npm-shrinkwrap|package)\.json$|(README|CHANGELOG)\.md$|LICENSE$)/;
  expect(files.filter((file) => !allowed.test(file))).toEqual([]);
  expect(
    files.filter(
      (file) =>
        /(^|\/)(test|\.git|\.factory)\/|\.(log|db|sqlite)$|local\.settings/.test(file) && !file.includes('/examples/'),
    ),
  ).toEqual([]);
  const text = await run(release, 'tar', '-xzOf', tarball);
  expect(text.out.includes(place)).toBe(false);
});

test('the same commit yields the same bytes, and nothing is left in the tree', async () => {
  const again = path.join(place, 'again');
  mkdirSync(again);
  expect((await run(source, 'npm', 'pack', '--pack-destination', again)).code).toBe(0);
  expect(hash('sha512', path.join(again, tarball))).toBe(hash('sha512', path.join(release, tarball)));
  expect((await run(source, 'git', 'status', '--porcelain')).out).toBe('');
});

test('a tree with changes is not released', async () => {
  const file = path.join(source, 'LICENSE');
  const text = readFileSync(file);
  writeFileSync(file, 'changed\n');
  const { code, err } = await run(source, 'npm', 'run', '-s', 'release');
  writeFileSync(file, text);
  expect([code, err]).toEqual([1, expect.stringContaining('RELEASE-TREE-CHANGED')]);
  expect(err).toContain('LICENSE');
});

test('coreutils find every file as its digests say', async () => {
  for (const algorithm of ['sha256', 'sha512']) {
    const { code, out } = await run(
      release,
      `${algorithm}sum`,
      '--check',
      '--strict',
      `${algorithm.toUpperCase()}SUMS`,
    );
    expect([code, out.match(/: OK$/gm)?.length]).toEqual([0, 6]);
  }
});

type Component = {
  readonly name: string;
  readonly group?: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { alg: string; content: string }[];
};

test('the parts list is CycloneDX and names every package that is installed, with the content of the lockfile', () => {
  const bom = json<{
    bomFormat: string;
    specVersion: string;
    serialNumber: string;
    metadata: { component: Component };
    components: Component[];
    dependencies: { ref: string; dependsOn: string[] }[];
  }>(release, `agent-factory-${version}.cdx.json`);
  expect(bom).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: expect.stringMatching(/^1\.[56]$/),
    serialNumber: expect.stringMatching(/^urn:uuid:/),
  });
  expect(bom.metadata.component).toMatchObject({
    name: 'agent-factory',
    version,
    purl: `pkg:npm/agent-factory@${version}`,
  });
  const named = (place: string) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const listed = new Set(
    bom.components.map(
      ({ purl, hashes }) => `${purl.split('?')[0]} ${hashes?.find(({ alg }) => alg === 'SHA-512')?.content}`,
    ),
  );
  const { packages } = json<{ packages: Record<string, Locked & { name?: string }> }>(release, 'package-lock.json');
  const expected = Object.entries(packages)
    .filter(([at]) => at !== '' && at !== 'node_modules/agent-factory')
    .map(
      ([at, { name = named(at), version: of, integrity = '' }]) =>
        `pkg:npm/${name.replace('@', '%40')}@${of} ${Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')}`,
    );
  expect(expected.length).toBeGreaterThan(100);
  expect(expected.filter((entry) => !listed.has(entry))).toEqual([]);
});

test('the provenance names what it is of, the commit, the lockfile and what made it, and claims no signature', async () => {
  const statement = json<{
    subject: { name: string; digest: Record<string, string> }[];
    predicate: {
      buildDefinition: { resolvedDependencies: { name?: string; uri?: string; digest: Record<string, string> }[] };
    };
  }>(release, `agent-factory-${version}.provenance.json`);
  expect(statement).toMatchObject({
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:agent-factory:release:v1',
        externalParameters: { command: 'npm run release' },
      },
      runDetails: { builder: { id: 'urn:agent-factory:unattested-builder' } },
    },
  });
  for (const { name, digest } of statement.subject)
    for (const [algorithm, value] of Object.entries(digest))
      expect(hash(algorithm, path.join(release, name))).toBe(value);
  expect(statement.subject.map(({ name }) => name)).toContain(tarball);
  const { resolvedDependencies } = statement.predicate.buildDefinition;
  const commit = (await run(source, 'git', 'rev-parse', 'HEAD')).out.trim();
  expect(resolvedDependencies).toContainEqual({ name: 'source', digest: { gitCommit: commit } });
  expect(resolvedDependencies).toContainEqual(
    expect.objectContaining({
      digest: expect.objectContaining({ sha256: hash('sha256', path.join(root, 'package-lock.json')) }),
    }),
  );
  const node = locked[`node_modules/${pinnedNode}`]!;
  expect(resolvedDependencies).toContainEqual({
    uri: `pkg:npm/${pinnedNode}@${node.version}`,
    digest: { sha512: Buffer.from(node.integrity!.replace('sha512-', ''), 'base64').toString('hex') },
  });
});

test('an installation holds the very packages of the lockfile', ({ skip }) => {
  installable(skip);
  const { packages } = json<{ packages: Record<string, Locked> }>(installed, 'node_modules/.package-lock.json');
  const others = Object.entries(packages).filter(
    ([at, { version: of, integrity }]) =>
      at !== 'node_modules/agent-factory' && (locked[at]?.version !== of || locked[at]?.integrity !== integrity),
  );
  expect(others.map(([at]) => at)).toEqual([]);
});

test('npx runs what was installed, on the Node.js that came with it', async ({ skip }) => {
  installable(skip);
  expect(await run(installed, 'npx', 'factory', '--version')).toMatchObject({ code: 0, out: `${version}\n` });
  expect((await run(installed, 'npx', 'factory', '--help')).out).toContain('Usage: factory');
  const packet = path.join(
    installed,
    'node_modules/agent-factory/dist/package/examples/parcel-rates/packets/fix-rounding.yaml',
  );
  expect(await run(installed, 'npx', 'factory', 'packet', 'check', packet)).toMatchObject({
    code: 0,
    out: expect.stringContaining('Good: sha256:'),
  });
  const doctor = JSON.parse((await run(installed, 'npx', 'factory', '--json', 'doctor')).out) as {
    what: string;
    says: string;
  }[];
  expect(doctor.find(({ what }) => what === 'node')?.says).toBe(`v${locked[`node_modules/${pinnedNode}`]!.version}`);
});

test(
  'an installed plane brings the example to its end',
  async ({ skip }) => {
    installable(skip);
    const data = path.join(place, 'data');
    const examples = path.join(installed, 'node_modules/agent-factory/dist/package/examples/parcel-rates');
    const plane = spawn('npx', ['factory', '--data', data, '--json', 'up', '--port', '0', '--sandbox', 'process'], {
      cwd: installed,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => plane.on('exit', resolve));
    try {
      const { controlUrl } = await new Promise<{ controlUrl: string }>((resolve, reject) => {
        plane.stdout.on('data', (line: Buffer) => resolve(JSON.parse(String(line))));
        plane.on('exit', () => reject(new Error('factory up ended')));
      });
      expect(await (await fetch(`${controlUrl}/api/v1/health`)).json()).toEqual({ status: 'ok', version });
      // The image's health check, with the port of this plane.
      const dockerfile = readFileSync(path.join(release, 'Dockerfile'), 'utf8');
      const [node = '', flag = '', script = ''] = JSON.parse(
        /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(dockerfile)![1]!,
      ) as string[];
      expect((await run(installed, node, flag, script.replace('http://127.0.0.1:7071', controlUrl))).code).toBe(0);
      expect((await run(installed, node, flag, script.replace('7071', '1'))).code).toBe(1);
      const repository = (await run(installed, 'npx', 'factory', '--data', data, 'example', place)).out.trim();
      const declaration = path.join(place, 'application.yaml');
      writeFileSync(
        declaration,
        `${readFileSync(path.join(examples, 'application.yaml'), 'utf8')}\nsandbox: { allowProcess: true }\n`,
      );
      const { code, out, err } = await run(
        installed,
        'npx',
        'factory',
        '--data',
        data,
        'run',
        path.join(examples, 'packets/fix-rounding.yaml'),
        '--repository',
        repository,
        '--declaration',
        declaration,
        '--yes',
      );
      expect([code, `${out}${err}`]).toEqual([0, expect.stringContaining('PR_READY')]);
    } finally {
      await run(installed, 'npx', 'factory', '--data', data, 'down');
      await ended;
    }
  },
  LIMIT_MS,
);
