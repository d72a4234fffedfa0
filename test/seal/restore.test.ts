import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { anchorName } from '../../shared/audit/anchor/anchor-store.ts';
import { readAnchor } from '../../shared/audit/anchor/document.ts';
import { exportAudit, exportText } from '../../shared/audit/export.ts';
import { readAnchorFiles } from '../../shared/audit/verify/anchor-files.ts';
import { verifyExport } from '../../shared/audit/verify/file.ts';
import { parseId, type RequestId, type TenantId } from '../../shared/domain/ids.ts';
import { intendEffect } from '../../shared/effects/ledger/intend.ts';
import { recordEffect } from '../../shared/effects/ledger/record.ts';
import type { ClaimAnswer } from '../../shared/jobs/protocol.ts';
import { renewLease } from '../../shared/jobs/renew.ts';
import { advanceRequest } from '../../shared/line/begin.ts';
import { acceptRestore, lookAtRestore } from '../../shared/plane/accept-restore.ts';
import { createAnchorWatch, whileSound } from '../../shared/plane/anchor.ts';
import { readAuditEvents } from '../../shared/store/audit/read.ts';
import { one, rows } from '../../shared/store/command.ts';
import { effectsOfRequest } from '../../shared/store/effects/read.ts';
import { readJob } from '../../shared/store/jobs/read.ts';
import { jobsToHint } from '../../shared/store/platform/sweeps.ts';
import { HEAD, sealAll, workToValidation } from './line-work.ts';
import { openRestorable, type RestorablePlane } from './restorable.ts';

let directory: string;
let open: RestorablePlane[] = [];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'factory-restore-'));
});
afterEach(async () => {
  for (const plane of open) await plane.close();
  open = [];
  rmSync(directory, { recursive: true, force: true });
});

const at = (name: string): string => path.join(directory, name);

async function start(tenant?: TenantId): Promise<RestorablePlane> {
  const plane = await openRestorable(directory, tenant);
  open.push(plane);
  return plane;
}

async function stop(plane: RestorablePlane): Promise<void> {
  open = open.filter((each) => each !== plane);
  await plane.close();
}

async function copyDatabase(): Promise<void> {
  const database = new DatabaseSync(at('plane.db'), { readOnly: true });
  await backup(database, at('backup.db'));
  database.close();
}

/** Puts the copy back as an operator does, anchors and artifacts as they are, and starts the plane on it. */
async function restored(plane: RestorablePlane): Promise<RestorablePlane> {
  await stop(plane);
  for (const name of readdirSync(directory)) if (/^plane\.db/.test(name)) rmSync(at(name), { recursive: true });
  copyFileSync(at('backup.db'), at('plane.db'));
  return start(plane.tenant);
}

const accept = async (plane: RestorablePlane, reason = 'the disk was lost') => {
  const { last } = await lookAtRestore(plane.restore);
  const named = { sequence: last!.statement.sequence, digest: last!.payloadDigest };
  return { named, declarations: await acceptRestore(plane.restore, plane.operator, { ...named, reason }) };
};

/** A request whose effector has begun to push; the copy of the database is of that moment. */
async function pushing(plane: RestorablePlane): Promise<{ request: RequestId; claim: ClaimAnswer }> {
  const application = await plane.register();
  await plane.install(application, await plane.publish(plane.bundle));
  const request = await plane.submit(application);
  await workToValidation(plane);
  await sealAll(plane);
  await plane.decide({ request }, plane.approver, 'approve');
  const claim = await plane.claim('effect');
  const job = parseId('job', claim.job)!;
  const { effect: effector } = plane.workers;
  const target = `shop:refs/heads/factory/${request}`;
  const body = {
    kind: 'git_push',
    ordinal: 0,
    target,
    tree: HEAD.tree,
    expectedBefore: '',
    rollback: 'Delete it.',
  } as const;
  const { id } = await plane.run('intend', (context) => intendEffect(context, effector, job, claim.leaseToken, body));
  await plane.run('record', (context) =>
    recordEffect(context, effector, job, claim.leaseToken, {
      effect: parseId('effect', id)!,
      event: 'started',
      observed: 'push',
    }),
  );
  return { request, claim };
}

const effectsOf = (plane: RestorablePlane, request: RequestId) =>
  plane.store.read('effects', () => rows(effectsOfRequest({ tenant: plane.tenant, request })));

async function verified(plane: RestorablePlane, streams: readonly string[]) {
  let text = '';
  for await (const line of exportText(
    exportAudit({
      store: plane.store,
      streams: streams as never,
      trust: plane.anchorTrust,
      incarnation: await plane.incarnation(),
      at: Date.now(),
    }),
  ))
    text += line;
  writeFileSync(at('audit.jsonl'), text);
  return verifyExport(at('audit.jsonl'), {
    keys: plane.anchorTrust,
    anchors: readAnchorFiles(plane.anchorDirectory),
  });
}

it('accepted, a restore ends every lease, doubts every begun effect, and lets the request go on to its one delivery', async () => {
  const before = await start();
  const { request, claim } = await pushing(before);
  expect(await before.restore.watch.anchor()).toBe(1);
  await copyDatabase();
  // What the copy does not know: the lease goes on, and more was decided.
  await before.run('renew', (context) =>
    renewLease(context, before.workers.effect, parseId('job', claim.job)!, claim.leaseToken),
  );
  const second = await before.submit((await before.request(request)).application_id);
  expect(await before.restore.watch.anchor()).toBe(2);

  const plane = await restored(before);
  const application = (await plane.request(request)).application_id;
  const old = await plane.incarnation();
  const stopped = { status: 503, code: 'FACTORY-AUDIT-REWOUND' };
  await expect(plane.run('advance', (context) => advanceRequest(context, request))).rejects.toMatchObject(stopped);
  expect(await plane.restore.watch.anchor()).toBeUndefined();
  expect(await plane.request(second)).toBeUndefined();
  const found = await lookAtRestore(plane.restore);
  expect(found).toMatchObject({ sound: false, losses: [{ stream: application }] });
  const [loss] = found.losses;
  await expect(
    acceptRestore(plane.restore, plane.operator, { sequence: 1, digest: found.last!.payloadDigest, reason: 'x' }),
  ).rejects.toMatchObject({ status: 409, code: 'FACTORY-RESTORE-MOVED' });

  const { named, declarations } = await accept(plane);
  const incarnation = await plane.incarnation();
  expect(incarnation).not.toBe(old);
  expect(declarations).toMatchObject([
    {
      statement: {
        sequence: 3,
        incarnation,
        previous: found.last!.payloadDigest,
        restore: { of: old, last: anchorName(2), acceptedBy: plane.operator.principal, reason: 'the disk was lost' },
      },
      heads: [{ stream: application, seq: loss!.seq, lostTo: loss!.lostTo }],
    },
  ]);
  // The same again is the same answer, and opens nothing.
  expect(
    (await acceptRestore(plane.restore, plane.operator, { ...named, reason: 'again' })).map(({ text }) => text),
  ).toEqual(declarations.map(({ text }) => text));
  expect(await plane.incarnation()).toBe(incarnation);

  const job = (await plane.store.read('job', () =>
    one(readJob({ tenant: plane.tenant, job: parseId('job', claim.job)! })),
  ))!;
  expect(job).toMatchObject({ state: 'queued', attempt: 1, lease_token_hash: null, lease_epoch: claim.epoch });
  await expect(
    plane.run('renew', (context) =>
      renewLease(context, plane.workers.effect, parseId('job', claim.job)!, claim.leaseToken),
    ),
  ).rejects.toMatchObject({ status: 409, code: 'FACTORY-LEASE-LOST' });
  expect(await effectsOf(plane, request)).toMatchObject([{ kind: 'git_push', state: 'uncertain' }]);
  plane.pass(1);
  const now = plane.now();
  expect((await plane.request(request)).next_wake_at).toBeLessThan(now);
  const hinted = await plane.store.run('hints', () => rows(jobsToHint({ limit: 10, next_hint_at: now + 1_000 })));
  expect(hinted.map(({ id }) => id)).toEqual([claim.job]);

  const events = await plane.store.read('events', () =>
    rows(readAuditEvents({ tenant: plane.tenant, stream: plane.tenant, from: 1, limit: 1_000 })),
  );
  const told = events.map(({ bytes }) => JSON.parse(bytes)).filter(({ action }) => action === 'plane.restore_accepted');
  expect(told).toMatchObject([
    {
      actor: plane.operator.principal,
      digests: { anchor: named.digest },
      changes: { incarnation, of: old, anchor: anchorName(2), streams: 1, requests: 1, leases: 1, effects: 1 },
    },
  ]);

  // The next holder takes the effect over, looks, and finds it done: it is recorded, not made again.
  const again = await plane.claim('effect');
  expect(again).toMatchObject({ job: claim.job, epoch: claim.epoch + 1 });
  const body = {
    kind: 'git_push',
    ordinal: 0,
    target: `shop:refs/heads/factory/${request}`,
    tree: HEAD.tree,
    expectedBefore: '',
    rollback: 'Delete it.',
  } as const;
  const { effect: effector } = plane.workers;
  const adopted = await plane.run('intend', (context) =>
    intendEffect(context, effector, job.id, again.leaseToken, body),
  );
  expect(adopted.state).toBe('uncertain');
  await plane.run('record', (context) =>
    recordEffect(context, effector, job.id, again.leaseToken, {
      effect: parseId('effect', adopted.id)!,
      event: 'verified',
      observed: 'it is there',
    }),
  );

  expect(await plane.restore.watch.anchor()).toBe(4);
  const verdict = await verified(plane, [application, plane.tenant]);
  expect(verdict).toMatchObject({
    ok: true,
    anchors: { restores: [{ anchor: 3, of: old, incarnation }] },
  });
  expect(verdict.streams.find(({ stream }) => stream === application)).toMatchObject({
    losses: [{ anchor: 3, from: loss!.seq + 1, to: loss!.lostTo }],
    notYetAnchored: 0,
  });
});

it('a database that has everything needs no acceptance, and one behind unsound anchors gets none', async () => {
  const plane = await start();
  await plane.register();
  await plane.restore.watch.anchor();
  const { last } = await lookAtRestore(plane.restore);
  const named = { sequence: 1, digest: last!.payloadDigest, reason: 'to be sure' };
  await expect(acceptRestore(plane.restore, plane.operator, named)).rejects.toMatchObject({
    status: 409,
    code: 'FACTORY-NOT-REWOUND',
  });
  await copyDatabase();
  await plane.register({ name: 'store' });
  await plane.restore.watch.anchor();
  const again = await restored(plane);
  writeFileSync(path.join(again.anchorDirectory, anchorName(3)), '{}');
  await expect(lookAtRestore(again.restore)).rejects.toMatchObject({ status: 409, code: 'FACTORY-ANCHORS-UNSOUND' });
  expect(readdirSync(again.anchorDirectory)).toHaveLength(3);
});

it('another process of the plane finds at its next anchor that the restore was accepted', async () => {
  const before = await start();
  await before.register();
  await before.restore.watch.anchor();
  await copyDatabase();
  await before.register({ name: 'store' });
  await before.restore.watch.anchor();
  const plane = await restored(before);
  // A second watch over the same database stands for the other process.
  const other = createAnchorWatch(plane.restore.anchoring);
  await other.check();
  const run = whileSound(other, plane.restore.run);
  const tried = () => run('advance', (context) => advanceRequest(context, 'req_none' as RequestId));
  await expect(tried()).rejects.toMatchObject({ code: 'FACTORY-AUDIT-REWOUND' });
  expect(await other.anchor()).toBeUndefined();
  await accept(plane);
  await other.anchor();
  expect(await tried()).toBe(false);
  expect(other.incarnation()).toBe(await plane.incarnation());
});

it.each(['anchor.write.after', 'incarnation.open.before', 'incarnation.open.after'])(
  'an acceptance that died at %s is finished by the next one, once',
  async (crashAt) => {
    const before = await start();
    const { request } = await pushing(before);
    await before.restore.watch.anchor();
    await copyDatabase();
    await before.register({ name: 'store' });
    await before.restore.watch.anchor();
    const stopped = await restored(before);
    const { last } = await lookAtRestore(stopped.restore);
    const old = await stopped.incarnation();
    await stop(stopped);
    const child = spawnSync(
      process.execPath,
      [path.join(import.meta.dirname, 'accepting-process.ts'), directory, stopped.tenant],
      { env: { ...process.env, FACTORY_CRASH_AT: crashAt }, encoding: 'utf8' },
    );
    expect([child.signal, child.stdout], child.stderr).toEqual(['SIGKILL', '']);
    expect(readdirSync(at('anchors'))).toHaveLength(3);

    const plane = await start(stopped.tenant);
    const opened = crashAt === 'incarnation.open.after';
    expect(plane.restore.watch.rewound() === undefined).toBe(opened);
    expect((await plane.incarnation()) !== old).toBe(opened);
    const named = { sequence: last!.statement.sequence, digest: last!.payloadDigest, reason: 'second try' };
    const declarations = await acceptRestore(plane.restore, plane.operator, named);
    // The first declaration stands: it was signed, and may have been read.
    expect(declarations).toMatchObject([{ statement: { sequence: 3, restore: { reason: 'the disk was lost' } } }]);
    expect(await plane.incarnation()).toBe(declarations[0]!.statement.incarnation);
    expect(readAnchor(declarations[0]!.text, plane.anchorTrust)).not.toBeTypeOf('string');
    expect(readdirSync(at('anchors'))).toHaveLength(3);
    expect(await effectsOf(plane, request)).toMatchObject([{ state: 'uncertain' }]);
    plane.restore.watch.requireSound();
    expect(await plane.restore.watch.anchor()).toBe(4);
    expect(await verified(plane, [plane.tenant, (await plane.request(request)).application_id])).toMatchObject({
      ok: true,
    });
  },
);
