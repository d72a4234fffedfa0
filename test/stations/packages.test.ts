import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeArchive } from '../../shared/stations/packages/archive.ts';
import { openGateway, SOCKET_NAME } from '../../shared/stations/packages/gateway.ts';
import { readLockfile, readManifest } from '../../shared/stations/packages/lockfile.ts';
import { openRegistry } from '../../shared/stations/packages/registry.ts';
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
    expect((await fetched(files)).outcome).toMatchObject({ verdict: 'needs_human', summary: 'LOCKFILE-VERSION' });
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

  test('refuses a tarball on another origin', async () => {
    const locked = {
      'node_modules/left': {
        version: '1.0.0',
        resolved: 'https://packages.example.com/left-1.0.0.tgz',
        integrity: registry.integrity('left', '1.0.0'),
      },
    };
    expect((await fetched(npmProject(registry, { locked }))).failure).toMatchObject({
      code: 'PACKAGES-FORBIDDEN-SOURCE',
    });
    expect(registry.requests).toEqual([]);
  });
});

describe('lockfiles and manifests', () => {
  const lockfile = (entry: Record<string, unknown>) =>
    JSON.stringify({ lockfileVersion: 3, packages: { 'node_modules/a': entry } });
  const sha512 = `sha512-${Buffer.alloc(64).toString('base64')}`;

  test.each([
    [
      'git',
      'PACKAGES-FORBIDDEN-SOURCE',
      { version: '1.0.0', resolved: 'git+ssh://git@example.com/a.git#1234', integrity: sha512 },
    ],
    ['a file', 'PACKAGES-FORBIDDEN-SOURCE', { version: '1.0.0', resolved: 'file:../a.tgz', integrity: sha512 }],
    [
      'no integrity',
      'PACKAGES-NO-INTEGRITY',
      { version: '1.0.0', resolved: 'https://registry.example/a/-/a-1.0.0.tgz' },
    ],
    [
      'a weak integrity',
      'PACKAGES-NO-INTEGRITY',
      {
        version: '1.0.0',
        resolved: 'https://registry.example/a/-/a-1.0.0.tgz',
        integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
      },
    ],
    ['a name that is a path', 'PACKAGES-FORBIDDEN-SOURCE', { name: '../../x', version: '1.0.0', integrity: sha512 }],
  ])('an entry with %s is refused', (_, code, entry) => {
    expect(readLockfile(lockfile(entry))).toMatchObject({ code });
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
  ])('the specifier %s is refused', (specifier) => {
    expect(readManifest(JSON.stringify({ dependencies: { a: specifier } }))).toMatchObject({
      code: 'PACKAGES-FORBIDDEN-SOURCE',
    });
  });

  test.each(['^1.0.0', '>=1 <2 || 3.x', 'latest', '*', 'npm:b@^1.0.0', 'npm:@s/b@1'])(
    'the specifier %s is taken',
    (specifier) => {
      expect(readManifest(JSON.stringify({ dependencies: { a: specifier } }))).not.toHaveProperty('code');
    },
  );
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
