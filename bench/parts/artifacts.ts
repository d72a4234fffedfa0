import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Artifacts, createArtifacts } from '../../shared/artifacts/artifacts.ts';
import { openKeyFile } from '../../shared/artifacts/keys/key-file.ts';
import { openFileObjects } from '../../shared/artifacts/objects/file-objects.ts';
import { newId } from '../../shared/domain/ids.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import { inFlight } from '../load/pace.ts';
import type { Part } from './part.ts';

const PART = 'artifacts';
const KiB = 1024;
const SIZES = [
  { name: '1 KiB', bytes: KiB, lanes: 8 },
  { name: '64 KiB', bytes: 64 * KiB, lanes: 8 },
  { name: '8 MiB', bytes: 8 * KiB * KiB, lanes: 1 },
];

/** Sealing (zstd, AES-256-GCM, two syncs and a row) and opening (verified to the last byte), of bytes that hardly compress. */
export const artifactsPart: Part = async ({ seconds }, report) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'factory-bench-artifacts-'));
  const store = openSqliteStore({ file: path.join(directory, 'plane.sqlite') });
  try {
    const artifacts = createArtifacts({
      store,
      objects: await openFileObjects(path.join(directory, 'objects')),
      keys: await openKeyFile(path.join(directory, 'keys.json')),
      tenantId: newId('tenant', Date.now()),
    });
    for (const size of SIZES) {
      const share = seconds / SIZES.length / 2;
      const put = await inFlight(size.lanes, share, () => putFresh(artifacts, size.bytes));
      report({
        part: PART,
        what: `put ${size.name}`,
        value: put.perSecond,
        unit: '/s',
        note: throughput(put.perSecond, size.bytes),
      });
      const digest = await putFresh(artifacts, size.bytes);
      const open = await inFlight(size.lanes, share, () => artifacts.bytes(digest));
      report({
        part: PART,
        what: `open ${size.name}`,
        value: open.perSecond,
        unit: '/s',
        note: throughput(open.perSecond, size.bytes),
      });
    }
  } finally {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
};

async function putFresh(artifacts: Artifacts, bytes: number) {
  // Base64 of random bytes: about a quarter can be compressed away, as of a bundle or a log.
  const content = Buffer.from(
    randomBytes(Math.ceil((bytes * 3) / 4))
      .toString('base64')
      .slice(0, bytes),
  );
  return (await artifacts.put(content, { mediaType: 'text/plain', kind: 'log' })).digest;
}

const throughput = (perSecond: number, bytes: number): string =>
  `${((perSecond * bytes) / KiB / KiB).toFixed(1)} MiB/s`;
