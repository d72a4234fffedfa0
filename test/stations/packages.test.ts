import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeArchive } from '../../shared/stations/packages/archive.ts';
import { editManifest } from '../../shared/stations/packages/edit-manifest.ts';
import { openGateway, SOCKET_NAME } from '../../shared/stations/packages/gateway.ts';
import { readNpmLockfile } from '../../shared/stations/packages/npm-lockfile.ts';
import { readNpmrc } from '../../shared/stations/packages/npmrc.ts';
import { openRegistry } from '../../shared/stations/packages/registry.ts';
import { rangeFor, readSpecifier } from '../../shared/stations/packages/specifier.ts';
import { type Done, type Jobs, openJobs } from './job.ts';
import { baseline, bundleSource, fetchPackages, type Line } from './line.ts';
import { npmProject, published } from './npm-project.ts';
import { type NpmRegistry, startNpmRegistry } from './npm-registry.ts';
import { declarationOf, packetOf } from './packets.ts';
import { commitFiles, type Files } from './repository.ts';
import { driver, noSandbox } from './sandbox.ts';

let jobs: Jobs;
let registry: NpmRegistry;
beforeEach(async () => {
  jobs = openJobs();
  registry = await startNpmRegistry(published);
});
afterEach(async () => {
  await registry.close();
  jobs.remove();
});

const prepare = ['npm', 'ci'];

async function lineFor(files: Files, declared: Record<string, unknown> = { prepare }): Promise<Line> {
  const repository = join(jobs.directory, 'app.git');
  const source = await bundleSource(jobs, repository, await commitFiles(repository, files));
  return {
    jobs,
    driver,
    source,
    registry: registry.url,
    declaration: declarationOf({ checks: [], ...declared }),
    packet: packetOf({ name: 'patch', patch: 'diff' }),
  };
}
const fetched = async (files: Files): Promise<Done> => fetchPackages(await lineFor(files));

describe('fetching the packages of a lockfile', () => {
  test('needs nothing where there is none', async () => {
    expect((await fetched({ 'README.md': 'x' })).outcome).toMatchObject({ verdict: 'none' });
  });

  test('needs nothing where no prepare command would install it, whatever the lockfile is', async () => {
    const files = { ...npmProject(registry), 'package-lock.json': JSON.stringify({ lockfileVersion: 1 }) };
    expect((await fetchPackages(await lineFor(files, {}))).outcome).toMatchObject({ verdict: 'none' });
    expect(registry.requests).toEqual([]);
  });

  test.each(['{', '{"lockfileVersion":"three"}'])(
    'goes on without packages where the lockfile is %s, and says so',
    async (text) => {
      const done = await fetched({ ...npmProject(registry), 'package-lock.json': text });
      expect(done.outcome).toMatchObject({
        verdict: 'ok',
        summary: expect.stringContaining('no packages'),
        facts: { concerns: [{ kind: 'packages_missing', detail: expect.stringContaining('package-lock.json') }] },
      });
      expect(done.outputs).toHaveProperty('packages');
    },
  );

  test('goes on without a package that the registry does not have, or that no registry could have, and names both', async () => {
    const locked = {
      'node_modules/gone': { version: '1.0.0', integrity: registry.integrity('left', '1.2.0') },
      'node_modules/ours': { version: '1.0.0', resolved: 'git+ssh://git@example.com/ours.git#1234' },
    };
    expect((await fetched(npmProject(registry, { locked }))).outcome).toMatchObject({
      verdict: 'ok',
      unknowns: [expect.stringContaining('ours@1.0.0'), 'package gone@1.0.0: the registry answered 404 for it'],
    });
  });

  test('fetches each content once and asks for nothing else', async () => {
    expect((await fetched(npmProject(registry))).outcome).toMatchObject({ verdict: 'ok' });
    expect(registry.requests).toEqual(['GET left/-/left-1.0.0.tgz']);
  });

  test('leaves optional packages for other systems out', async () => {
    const locked = {
      'node_modules/left-win32': {
        version: '1.0.0',
        integrity: registry.integrity('left', '1.2.0'),
        optional: true,
        os: ['win32'],
      },
    };
    expect((await fetched(npmProject(registry, { locked }))).outcome).toMatchObject({ verdict: 'ok' });
    expect(registry.requests).toEqual(['GET left/-/left-1.0.0.tgz']);
  });

  test('refuses bytes that are not those the lockfile promises', async () => {
    registry.answers.set('left/-/left-1.0.0.tgz', { status: 200, body: Buffer.from('other bytes') });
    expect((await fetched(npmProject(registry))).failure).toMatchObject({
      kind: 'needs_human',
      code: 'PACKAGE-INTEGRITY',
    });
  });

  test('follows a redirect within the registry, never to another origin', async () => {
    const body = Buffer.from('moved');
    const integrity = `sha512-${createHash('sha512').update(body).digest('base64')}`;
    const locked = {
      'node_modules/left': { version: '1.0.0', resolved: registry.tarballUrl('left', '1.0.0'), integrity },
    };
    registry.answers.set('left/-/left-1.0.0.tgz', { status: 302, headers: { location: '/elsewhere/left.tgz' } });
    registry.answers.set('elsewhere/left.tgz', { status: 200, body });
    const line = await lineFor(npmProject(registry, { locked }));
    expect((await fetchPackages(line)).outcome).toMatchObject({ verdict: 'ok' });
    registry.answers.set('left/-/left-1.0.0.tgz', {
      status: 302,
      headers: { location: 'http://localhost:9/left.tgz' },
    });
    expect((await fetchPackages(line)).failure).toMatchObject({ code: 'REGISTRY-REDIRECTED' });
  });

  test('may be tried again when the registry is down or breaks', async () => {
    registry.answers.set('left/-/left-1.0.0.tgz', { status: 503 });
    const line = await lineFor(npmProject(registry));
    expect((await fetchPackages(line)).failure).toMatchObject({ kind: 'retryable', class: 'transient_infra' });
    await registry.close();
    expect((await fetchPackages(line)).failure).toMatchObject({ kind: 'retryable', code: 'REGISTRY-UNREACHABLE' });
  });

  test.each([
    'https://packages.example.com/artifactory/api/npm/npm/left/-/left-1.0.0.tgz',
    'https://registry.example.com/left/-/left-1.0.0.tgz#2f1f4a1d6a1b4f3f0d8f6a7f1a2b3c4d5e6f7a8b',
    'https://npm.example.com/download/left/1.0.0/0123456789abcdef0123456789abcdef',
    'https://packages.example.com/left-1.0.0.tgz',
  ])('asks the configured registry and never the host of %s', async (resolved) => {
    const locked = {
      'node_modules/left': { version: '1.0.0', resolved, integrity: registry.integrity('left', '1.0.0') },
    };
    expect((await fetched(npmProject(registry, { locked }))).outcome).toMatchObject({ verdict: 'ok', unknowns: [] });
    expect(registry.requests).toEqual(['GET left/-/left-1.0.0.tgz']);
  });

  test("takes somebody's own tarball of a published name and version for missing, not for the published one", async () => {
    const resolved = 'https://packages.example.com/left-1.0.0.tgz';
    const locked = {
      'node_modules/left': { version: '1.0.0', resolved, integrity: registry.integrity('left', '1.2.0') },
    };
    expect((await fetched(npmProject(registry, { locked }))).outcome).toMatchObject({
      unknowns: [expect.stringContaining('the registry has other bytes')],
    });
  });

  test('finds a tarball where the registry says that it keeps it', async () => {
    registry.answers.set('left/-/left-1.0.0.tgz', { status: 404 });
    const moved = `${registry.url}left/download/left-1.0.0.tgz`;
    const document = { versions: { '1.0.0': { dist: { tarball: moved } } } };
    registry.answers.set('left', { status: 200, body: Buffer.from(JSON.stringify(document)) });
    registry.answers.set('left/download/left-1.0.0.tgz', { status: 200, body: registry.tarball('left', '1.0.0') });
    const { outcome } = await fetched(npmProject(registry));
    expect(registry.requests).toEqual(
      ['left/-/left-1.0.0.tgz', 'left', 'left/download/left-1.0.0.tgz'].map((path) => `GET ${path}`),
    );
    expect(outcome).toMatchObject({ verdict: 'ok', unknowns: [] });
  });
});

describe('lockfiles and manifests', () => {
  const lockfile = (entry: Record<string, unknown>) =>
    JSON.stringify({ lockfileVersion: 3, packages: { 'node_modules/a': entry } });
  const sha512 = `sha512-${Buffer.alloc(64).toString('base64')}`;
  const resolved = 'https://registry.example/a/-/a-1.0.0.tgz';

  test.each([
    ['git', { version: '1.0.0', resolved: 'git+ssh://git@example.com/a.git#1234', integrity: sha512 }],
    ['a file', { version: '1.0.0', resolved: 'file:../a.tgz', integrity: sha512 }],
    ['no integrity', { version: '1.0.0', resolved }],
    ['an integrity of another length', { version: '1.0.0', resolved, integrity: 'sha512-AAAA' }],
    ['a name that is a path', { name: '../../x', version: '1.0.0', integrity: sha512 }],
  ])('an entry with %s is marked as one that can not be fetched', (_, entry) => {
    expect(readNpmLockfile(lockfile(entry))).toMatchObject({
      packages: [{ source: 'foreign', why: expect.any(String) }],
    });
  });

  test('the strongest of several digests counts, and an old one is better than none', () => {
    const sha1 = 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=';
    const read = (integrity: string) => readNpmLockfile(lockfile({ version: '1.0.0', resolved, integrity }));
    expect(read(`${sha1} ${sha512}`)).toMatchObject({ packages: [{ integrity: { algorithm: 'sha512' } }] });
    expect(read(sha1)).toMatchObject({ packages: [{ source: 'registry', integrity: { algorithm: 'sha1' } }] });
  });

  test.each([1, 4])('version %i is told what to do', (lockfileVersion) => {
    expect(readNpmLockfile(JSON.stringify({ lockfileVersion, packages: {} }))).toMatchObject({
      code: 'LOCKFILE-VERSION',
      question: expect.stringContaining('--lockfile-version=3'),
    });
  });

  test.each([
    'git+https://example.com/a.git',
    'github:example/a',
    'example/a',
    'file:../a',
    '../a',
    'https://example.com/a.tgz',
    'link:../a',
    'npm:b@github:x/y',
  ])('the specifier %s is of no registry', (specifier) => {
    expect(readSpecifier('a', specifier)).toEqual({ kind: 'foreign' });
  });

  test.each([
    ['^1.0.0', 'a', '^1.0.0'],
    ['>=1 <2 || 3.x', 'a', '>=1 <2 || 3.x'],
    ['latest', 'a', 'latest'],
    ['*', 'a', '*'],
    ['', 'a', ''],
    ['npm:b@^1.0.0', 'b', '^1.0.0'],
    ['npm:@s/b@1', '@s/b', '1'],
    ['npm:@s/b', '@s/b', ''],
  ])('the specifier %s names a package of a registry', (specifier, name, range) => {
    expect(readSpecifier('a', specifier)).toMatchObject({ kind: 'registry', name, range });
  });

  test.each([
    ['1.2.3', '1.4.0', '1.4.0'],
    ['=1.2.3', '1.4.0', '=1.4.0'],
    ['^1.2.3', '1.4.0', '^1.4.0'],
    ['~1.2.3', '1.4.0', '~1.4.0'],
    ['>= 1.2.3', '2.0.0', '>= 2.0.0'],
    ['1.x', '1.4.0', '1.x'],
    ['1.x', '2.4.0', '2.x'],
    ['1.2.x', '2.4.0', '2.4.x'],
    ['~1.2', '1.4.0', '~1.4'],
    ['^1', '3.0.0', '^3'],
    ['*', '3.0.0', '*'],
    ['latest', '3.0.0', 'latest'],
    ['>=1 <2', '1.4.0', '>=1 <2'],
    ['>=1 <2', '2.4.0', '^2.4.0'],
    ['1.0.0 || 1.1.0', '2.4.0', '^2.4.0'],
  ])('%s asks for %s as %s', (old, version, written) => {
    expect(rangeFor(old, version, { exact: false, prefix: '^' })).toBe(written);
  });

  test.each([
    '{"dependencies":{"left":"1.0.0"},"x":1}',
    '{\r\n\t"x": "left",\r\n\t"dependencies": {\r\n\t\t"left" : "1.0.0",\r\n\t\t"b": "1.0.0"\r\n\t}\r\n}\r\n',
    '\uFEFF{ "dependencies": { "left": "1.0.0" } }',
  ])('a manifest keeps every byte but the specifier: %j', (text) => {
    const location = ['dependencies', 'left'];
    expect(editManifest({ text, form: 'json' }, [{ location, text: '2.0.0' }])).toBe(
      text.replace(/("left" ?: ?)"1.0.0"/, '$1"2.0.0"'),
    );
  });

  test('a key that is there twice is not edited by half', () => {
    const text = '{"dependencies":{"left":"1.0.0","left":"1.0.0"}}';
    expect(() => editManifest({ text, form: 'json' }, [{ location: ['dependencies', 'left'], text: '2.0.0' }])).toThrow(
      'twice',
    );
  });

  test('of an .npmrc only what decides about ranges and peers is read; keys of the rest are named, values never', () => {
    const settings = readNpmrc(
      [
        '; a comment',
        'legacy-peer-deps = true',
        'save-exact',
        'registry=https://registry.example/',
        '//registry.example/:_authToken=secret',
        'node-options=--require ./x.js',
        'save-prefix="~"',
        'engine-strict=perhaps',
      ].join('\r\n'),
    );
    expect(settings.taken).toEqual({ 'legacy-peer-deps': 'true', 'save-exact': 'true', 'save-prefix': '~' });
    expect(settings.ignored).toEqual(['registry', 'credentials of a registry', 'node-options', 'engine-strict']);
    expect(JSON.stringify(settings)).not.toContain('secret');
  });
});

describe('the registry gateway', () => {
  test('forwards packuments and tarballs, and nothing else', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gateway-'));
    const socketPath = join(directory, SOCKET_NAME);
    const gateway = await openGateway(directory, null, openRegistry(registry.url, new AbortController().signal));
    const call = (method: string, path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const sent = request({ socketPath, method, path }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        sent.on('error', reject);
        sent.end();
      });
    try {
      expect(await call('GET', '/left')).toBe(200);
      expect(await call('GET', '/left/-/left-1.0.0.tgz')).toBe(200);
      expect(await call('GET', '/absent')).toBe(404);
      for (const path of [
        '/-/npm/v1/security/advisories/bulk',
        '/-/whoami',
        '/left/../../etc/passwd',
        '//127.0.0.1/x',
        '/-/user/token',
      ])
        expect(await call('GET', path)).toBe(403);
      for (const method of ['POST', 'PUT', 'DELETE']) expect(await call(method, '/left')).toBe(403);
      expect(registry.requests).toEqual(['GET left', 'GET left/-/left-1.0.0.tgz', 'GET absent']);
    } finally {
      await gateway.close();
      rmSync(directory, { recursive: true });
    }
  });

  test('a document that is too large is refused by name, and leaves room for tarballs', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/small/-/small-1.0.0.tgz') return void response.end('bytes');
      const part = Buffer.alloc(1 << 20);
      const more = (): void => {
        while (response.write(part));
        response.once('drain', more);
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const { get } = openRegistry(`http://127.0.0.1:${port}/`, new AbortController().signal);
      await expect(get('large')).rejects.toMatchObject({
        code: 'PACKAGES-TOO-LARGE',
        message: 'large goes past what one of the documents may have (64 MiB)',
      });
      expect((await get('small/-/small-1.0.0.tgz')).bytes.byteLength).toBe(5);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test.each(['http://registry.example.com/', 'ftp://127.0.0.1/', 'file:///etc'])(
    'does not take %s for a registry',
    (address) => {
      expect(() => openRegistry(address, new AbortController().signal)).toThrow(TypeError);
    },
  );
});

describe.skipIf(noSandbox)('a package cache made by a stranger', () => {
  async function opened(entries: readonly (readonly [string, string])[]): Promise<Done> {
    const file = join(jobs.directory, 'packages.tar');
    const archive = await writeArchive(file);
    for (const [name, text] of entries) await archive.add(name, Buffer.from(text));
    await archive.close();
    const done = { outputs: { packages: file } } as unknown as Done;
    return baseline(await lineFor(npmProject(registry)), done);
  }

  test.each<[string, readonly (readonly [string, string])[]]>([
    ['a name that leads out', [['../../escape', 'x']]],
    ['a name that is unknown', [['content-v2/x', 'x']]],
    ['bytes that are not what their name says', [[`sha512/${Buffer.alloc(64).toString('base64url')}`, 'x']]],
  ])('with %s is refused', async (_, entries) => {
    expect((await opened(entries)).failure).toMatchObject({ kind: 'terminal', code: 'PACKAGES-MALFORMED' });
  });

  test('that breaks off, or holds a link, is refused', async () => {
    const file = join(jobs.directory, 'link.tar');
    const archive = await writeArchive(file);
    await archive.add('packages.json', Buffer.from('{}'));
    await archive.close();
    const bytes = readFileSync(file);
    bytes[156] = 0x32;
    const line = await lineFor(npmProject(registry));
    for (const broken of [bytes, readFileSync(file).subarray(0, 700)]) {
      const path = join(jobs.directory, `broken-${broken.length}.tar`);
      writeFileSync(path, broken);
      const done = await baseline(line, { outputs: { packages: path } } as unknown as Done);
      expect(done.failure).toMatchObject({ code: 'PACKAGES-MALFORMED' });
    }
  });
});
