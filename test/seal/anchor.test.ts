import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openFileAnchors } from '../../shared/audit/anchor/file-anchors.ts';
import { appendAudit } from '../../shared/audit/append.ts';
import { newId } from '../../shared/domain/ids.ts';
import { openLocalSigner } from '../../shared/evidence/signing/local-signer.ts';
import type { Trust } from '../../shared/evidence/signing/trust.ts';
import { createAnchorWatch, whileSound } from '../../shared/plane/anchor.ts';
import type { RunCommand } from '../../shared/plane/run.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'factory-anchor-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const tenant = newId('tenant', 1);
const incarnation = newId('incarnation', 1);

async function open(database: string, of = incarnation) {
  const store = openSqliteStore({ file: path.join(directory, database) });
  const signer = await openLocalSigner(path.join(directory, 'anchor.json'), 'anchor');
  const trust: Trust = {
    format: 'factory-trust/v1',
    keys: [
      { keyId: signer.keyId, purpose: 'anchor', jwk: signer.publicJwk, notBefore: signer.createdAt, notAfter: null },
    ],
  };
  const anchors = await openFileAnchors(path.join(directory, 'anchors'));
  const watch = createAnchorWatch({
    store,
    anchors,
    signer,
    trust: () => Promise.resolve(trust),
    incarnation: () => Promise.resolve(of),
    now: Date.now,
  });
  const happen = (commandId: string) =>
    store.run('event', () =>
      appendAudit({
        tenantId: tenant,
        stream: 'platform',
        commandId,
        at: Date.now(),
        actor: 'plane',
        action: 'test.happened',
        subjects: {},
      }),
    );
  return { store, watch, happen };
}

it('seals what moved, once, however many ask at the same time', async () => {
  const { store, watch, happen } = await open('plane.db');
  await watch.check();
  expect(await watch.anchor()).toBeUndefined();
  await happen('one');
  expect(await Promise.all([watch.anchor(), watch.anchor()])).toEqual([1, 1]);
  expect(await watch.anchor()).toBeUndefined();
  await happen('two');
  expect(await watch.anchor()).toBe(2);
  expect(watch.rewound()).toBeUndefined();
  await store.close();
});

it('a database that is behind an anchor takes no commands', async () => {
  const before = await open('plane.db');
  await before.happen('one');
  await before.watch.anchor();
  await before.store.close();

  // As after a restore from a backup that was older than the anchor.
  const restored = await open('restored.db');
  let ran = 0;
  const run: RunCommand = whileSound(restored.watch, async () => {
    ran += 1;
    return undefined as never;
  });
  await run('command', undefined as never);
  await restored.watch.check();
  await expect(run('command', undefined as never)).rejects.toMatchObject({
    status: 503,
    code: 'FACTORY-AUDIT-REWOUND',
  });
  expect(ran).toBe(1);
  expect(restored.watch.rewound()).toMatchObject({ anchor: 1, stream: 'platform' });
  await restored.happen('three');
  expect(await restored.watch.anchor()).toBeUndefined();
  await restored.store.close();

  // Another incarnation that nobody declared is no better.
  const reborn = await open('reborn.db', newId('incarnation', 2));
  await reborn.watch.check();
  expect(() => reborn.watch.requireSound()).toThrow(/is of incarnation/);
  await reborn.store.close();
});
