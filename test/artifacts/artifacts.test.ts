import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createArtifacts } from '../../shared/artifacts/artifacts.ts';
import { collectObjects } from '../../shared/artifacts/collect.ts';
import { openKeyFile } from '../../shared/artifacts/keys/key-file.ts';
import { KeyUnusable } from '../../shared/artifacts/keys/key-wrapper.ts';
import { openFileObjects } from '../../shared/artifacts/objects/file-objects.ts';
import { rewrapKeys } from '../../shared/artifacts/rewrap.ts';
import { ArtifactTampered } from '../../shared/artifacts/tampered.ts';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { newId } from '../../shared/domain/ids.ts';
import { Refusal } from '../../shared/domain/refusal.ts';
import { artifactReferencesTo } from '../../shared/store/artifacts/references.ts';
import { rows } from '../../shared/store/command.ts';
import { collected, directory, inChunks, objectIds, place } from './place.ts';

const LOG = { mediaType: 'text/plain', kind: 'log' } as const;

async function tamperedPart(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ArtifactTampered) return error.part;
  throw error ?? new Error('it opened');
}

describe('artifacts', () => {
  it('gives back bytes and streams by their digest, and survives a restart', async () => {
    const path = await directory();
    const first = await place({ path });
    const large = randomBytes(300_000);
    const small = await first.artifacts.put(Buffer.from('hello'), LOG);
    const streamed = await first.artifacts.put(inChunks(large, 1_000), LOG);
    expect(small).toEqual({ digest: digestOfBytes('hello'), size: 5, mediaType: 'text/plain' });
    await first.store.close();

    const second = await place({ path });
    const again = createArtifacts({ ...second, tenantId: first.tenantId });
    expect((await again.bytes(small.digest)).toString()).toBe('hello');
    expect((await collected(await again.open(streamed.digest))).equals(large)).toBe(true);
    expect(await again.stat(streamed.digest)).toEqual({
      digest: streamed.digest,
      size: 300_000,
      mediaType: 'text/plain',
    });
  });

  it('keeps neither plaintext nor readable files', async () => {
    const { artifacts, objects, objectPath } = await place();
    await artifacts.put(Buffer.from('SECRET-CANARY '.repeat(3)), LOG);
    const file = objectPath((await objectIds(objects))[0]!);
    expect((await readFile(file)).includes('SECRET-CANARY')).toBe(false);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('answers 404 for what this tenant does not have, known elsewhere or not', async () => {
    const { artifacts, ...parts } = await place();
    const { digest } = await artifacts.put(Buffer.from('of one tenant'), LOG);
    const other = createArtifacts({ ...parts, tenantId: newId('tenant', 2) });
    for (const attempt of [other.bytes(digest), other.open(digest), artifacts.bytes(digestOfBytes('never put'))]) {
      await expect(attempt).rejects.toMatchObject({ status: 404, code: 'FACTORY-NOT-FOUND' });
    }
    expect(await other.stat(digest)).toBeUndefined();
  });

  it('keeps one object of many equal puts at once, and all of the references', async () => {
    const { artifacts, objects, store, tenantId } = await place();
    const bytes = randomBytes(50_000);
    const puts = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        artifacts.put(bytes, { ...LOG, owner: { type: 'request', id: newId('request', index), name: 'log' } }),
      ),
    );
    expect(new Set(puts.map((put) => put.digest)).size).toBe(1);
    expect(await objectIds(objects)).toHaveLength(1);
    const { digest } = puts[0]!;
    expect((await artifacts.bytes(digest)).equals(bytes)).toBe(true);
    expect(await store.read('test', () => rows(artifactReferencesTo({ tenant: tenantId, digest })))).toHaveLength(12);
  });

  it('refuses to answer more than asked for at once', async () => {
    const { artifacts } = await place();
    const { digest } = await artifacts.put(Buffer.alloc(101), LOG);
    await expect(artifacts.bytes(digest, 100)).rejects.toMatchObject({
      status: 413,
      code: 'FACTORY-ARTIFACT-TOO-LARGE',
    });
    expect(await artifacts.bytes(digest, 101)).toHaveLength(101);
  });

  it('names what was tampered with: changed, cut, lost and exchanged objects', async () => {
    const { artifacts, objects, objectPath } = await place();
    const put = async (): Promise<{ digest: ReturnType<typeof digestOfBytes>; file: string }> => {
      const before = new Set(await objectIds(objects));
      const { digest } = await artifacts.put(randomBytes(200_000), LOG);
      return { digest, file: objectPath((await objectIds(objects)).find((id) => !before.has(id))!) };
    };
    const [changed, cut, lost, one, two] = [await put(), await put(), await put(), await put(), await put()];

    const bytes = await readFile(changed.file);
    bytes[100_000] = bytes[100_000]! ^ 0x80;
    await writeFile(changed.file, bytes);
    expect(await tamperedPart(artifacts.bytes(changed.digest))).toBe('frame');

    await truncate(cut.file, 8 + 65_552);
    expect(await tamperedPart(artifacts.bytes(cut.digest))).toBe('truncated');

    await rm(lost.file);
    expect(await tamperedPart(artifacts.bytes(lost.digest))).toBe('missing');

    await copyFile(one.file, two.file);
    expect(await tamperedPart(artifacts.bytes(two.digest))).toBe('frame');
    expect(await artifacts.bytes(one.digest)).toHaveLength(200_000);
  });

  it('opens no artifact through rows exchanged between digests or tenants', async () => {
    const { artifacts, ...parts } = await place();
    const tenant = newId('tenant', 3);
    const sealed = await artifacts.seal(Buffer.from('mine'), LOG);
    const foreign = createArtifacts({ ...parts, tenantId: tenant });
    // The same object and wrapped key under another tenant, then under another digest.
    await parts.store.run('test', () => foreign.record({ ...sealed, row: { ...sealed.row, tenant_id: tenant } }));
    expect(await tamperedPart(foreign.bytes(sealed.row.digest))).toBe('key');
    const other = digestOfBytes('something else');
    const second = await artifacts.seal(Buffer.from('second'), LOG);
    await parts.store.run('test', () => artifacts.record({ ...second, row: { ...second.row, digest: other } }));
    expect(await tamperedPart(artifacts.bytes(other))).toBe('key');
  });

  it('rotates the wrapping key without touching an object', async () => {
    const { artifacts, objects, objectPath, keys, ...parts } = await place();
    const digests = await Promise.all(
      Array.from(
        { length: 20 },
        async (_, index) => (await artifacts.put(Buffer.from(`artifact ${index}`), LOG)).digest,
      ),
    );
    const files = (await objectIds(objects)).map(objectPath);
    const before = await Promise.all(
      files.map(async (file) => ({ bytes: await readFile(file), changed: (await stat(file)).mtimeMs })),
    );

    const old = await keys.currentVersion();
    const fresh = await keys.rotate();
    expect(fresh).not.toBe(old);
    expect(await rewrapKeys({ ...parts, keys })).toBe(20);
    expect(await rewrapKeys({ ...parts, keys })).toBe(0);

    const after = await Promise.all(
      files.map(async (file) => ({ bytes: await readFile(file), changed: (await stat(file)).mtimeMs })),
    );
    expect(after).toEqual(before);
    // The old version is no longer needed by any of them.
    const file = join(parts.path, 'wrapping-keys.json');
    const held: { keys: { version: string }[] } = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...held, keys: held.keys.filter((key) => key.version === fresh) }), {
      mode: 0o600,
    });
    const reopened = createArtifacts({ ...parts, objects, keys: await openKeyFile(file) });
    for (const [index, digest] of digests.entries())
      expect((await reopened.bytes(digest)).toString()).toBe(`artifact ${index}`);
  });

  it('refuses a key file that others may read, and unknown or exchanged wrapped keys', async () => {
    const path = await directory();
    const file = join(path, 'keys.json');
    const keys = await openKeyFile(file);
    const wrapped = await keys.wrap(randomBytes(32), 'a');
    await expect(keys.unwrap(wrapped, 'b')).rejects.toBeInstanceOf(KeyUnusable);
    await expect(keys.unwrap({ ...wrapped, version: 'key_unknown' }, 'a')).rejects.toBeInstanceOf(KeyUnusable);
    await expect(keys.unwrap({ ...wrapped, wrapped: wrapped.wrapped.subarray(0, 20) }, 'a')).rejects.toBeInstanceOf(
      KeyUnusable,
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await chmod(file, 0o640);
    await expect(openKeyFile(file)).rejects.toThrow(/640.*others may read it/);
  });

  it('makes one key when two processes start at once', async () => {
    const file = join(await directory(), 'keys.json');
    const versions = await Promise.all(
      Array.from({ length: 8 }, async () => (await openKeyFile(file)).currentVersion()),
    );
    expect(new Set(versions).size).toBe(1);
  });

  it('collects what no row names, old enough, and nothing else', async () => {
    const { artifacts, objects, objectPath, store } = await place();
    const { digest } = await artifacts.put(Buffer.from('kept'), LOG);
    const orphan = await artifacts.seal(Buffer.from('its transaction never came'), LOG);
    const young = await artifacts.seal(Buffer.from('its transaction may still come'), LOG);
    const long = new Date(Date.now() - 3 * 60 * 60 * 1000);
    for (const id of await objectIds(objects)) if (id !== young.row.object_id) await utimes(objectPath(id), long, long);
    const leftover = join(objectPath(orphan.row.object_id), '..', '.0011223344556677.partial');
    await writeFile(leftover, 'half');
    await utimes(leftover, long, long);

    expect(await collectObjects(store, objects, Date.now())).toEqual({ seen: 3, removed: 1 });
    expect(await objects.stat(orphan.row.object_id)).toBeUndefined();
    expect(await objects.stat(young.row.object_id)).toBeDefined();
    expect((await artifacts.bytes(digest)).toString()).toBe('kept');
    await expect(stat(leftover)).rejects.toThrow('ENOENT');
  });

  it('leaves nothing behind when its source fails', async () => {
    const { artifacts, objects } = await place();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield randomBytes(500_000);
      throw new Error('the caller went away');
    }
    await expect(artifacts.put(failing(), LOG)).rejects.toThrow('the caller went away');
    expect(await objectIds(objects)).toEqual([]);
  });

  it('refuses with 503 when the disk is full, leaves nothing half-visible, and works again with space', async ({
    skip,
  }) => {
    const path = join(await directory(), 'small');
    await mkdir(path);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', path], { stdio: 'pipe' });
    } catch (error) {
      return skip(`needs the right to mount a small tmpfs: ${String(error)}`);
    }
    try {
      const { artifacts: _unused, ...parts } = await place();
      const objects = await openFileObjects(path);
      const artifacts = createArtifacts({ ...parts, objects });
      const refusal: unknown = await artifacts.put(randomBytes(2_000_000), LOG).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(Refusal);
      expect(refusal).toMatchObject({ status: 503, code: 'FACTORY-STORE-UNAVAILABLE' });
      expect(await objectIds(objects)).toEqual([]);
      const { digest } = await artifacts.put(randomBytes(100_000), LOG);
      expect(await artifacts.bytes(digest)).toHaveLength(100_000);
    } finally {
      execFileSync('umount', [path]);
    }
  });
});
