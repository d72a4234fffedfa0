import { spawnSync } from 'node:child_process';
import { chmod, cp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { anchorName } from '../../shared/audit/anchor/anchor-store.ts';
import { readAnchor } from '../../shared/audit/anchor/document.ts';
import { openFileAnchors } from '../../shared/audit/anchor/file-anchors.ts';
import { merkleTree, rootByPath } from '../../shared/audit/anchor/merkle.ts';
import { AuditRewound } from '../../shared/audit/anchor/rewound.ts';
import { type Anchoring, checkAnchors, recordAnchors, takeAnchor } from '../../shared/audit/anchor/take.ts';
import { appendAudit } from '../../shared/audit/append.ts';
import { type AuditEvent, chainHash, genesisHash } from '../../shared/audit/event.ts';
import { exportAudit, exportText } from '../../shared/audit/export.ts';
import { declareRestore } from '../../shared/audit/restore/declare.ts';
import { findRestore } from '../../shared/audit/restore/find.ts';
import { readAnchorFiles } from '../../shared/audit/verify/anchor-files.ts';
import { verifyExport } from '../../shared/audit/verify/file.ts';
import { ExportMalformed } from '../../shared/audit/verify/malformed.ts';
import { proofOf } from '../../shared/audit/verify/record.ts';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { newId } from '../../shared/domain/ids.ts';
import { openLocalSigner } from '../../shared/evidence/signing/local-signer.ts';
import type { Trust } from '../../shared/evidence/signing/trust.ts';
import { readAuditEvents } from '../../shared/store/audit/read.ts';
import { one, rows } from '../../shared/store/command.ts';
import { lastAuditAnchor } from '../../shared/store/platform/anchors.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import type { Store } from '../../shared/store/store.ts';
import { application, event, temporaryDirectory, tenantId } from './stream.ts';

type Bench = Anchoring & {
  readonly path: string;
  readonly append: (...events: AuditEvent[]) => Promise<void>;
  readonly keys: Trust;
};

async function bench(path: string): Promise<Bench> {
  const store: Store = openSqliteStore({ file: join(path, 'plane.db') });
  onTestFinished(() => store.close());
  const signer = await openLocalSigner(join(path, 'anchor-key.json'), 'anchor');
  const keys: Trust = {
    format: 'factory-trust/v1',
    keys: [
      { keyId: signer.keyId, purpose: 'anchor', jwk: signer.publicJwk, notBefore: signer.createdAt, notAfter: null },
    ],
  };
  return {
    path,
    store,
    signer,
    keys,
    anchors: await openFileAnchors(join(path, 'anchors')),
    trust: () => Promise.resolve(keys),
    incarnation: () => Promise.resolve('inc_1'),
    now: Date.now,
    async append(...events) {
      for (const each of events) await store.run('test', () => appendAudit({ ...each, at: Date.now() }));
    },
  };
}

async function exportTo(file: string, from: Bench, stream = application): Promise<string> {
  const lines = exportAudit({
    store: from.store,
    streams: [stream],
    trust: from.keys,
    incarnation: 'inc_1',
    at: Date.now(),
  });
  let text = '';
  for await (const line of exportText(lines)) text += line;
  await writeFile(file, text);
  return text;
}

const eventsOf = (store: Store, stream: AuditEvent['stream'] = application) =>
  store.read('test', () => rows(readAuditEvents({ tenant: tenantId, stream, from: 1, limit: 1_000 })));

/** As the runbook has it: the file goes, and the backup's bytes are another file in its place. */
async function putBack(path: string, backup: Uint8Array): Promise<void> {
  await rm(join(path, 'plane.db'));
  await writeFile(join(path, 'plane.db'), backup);
}

describe('appending', () => {
  it('chains exact bytes per stream, in the order of their commits', async () => {
    const { store, append } = await bench(await temporaryDirectory());
    await append(
      event(),
      event({ stream: tenantId, action: 'session.created' }),
      event({ action: 'request.cancelled' }),
    );
    const [first, second] = await eventsOf(store);
    expect(first).toMatchObject({ seq: 1, hash: chainHash(genesisHash(application), first!.bytes) });
    expect(second).toMatchObject({ seq: 2, hash: chainHash(first!.hash, second!.bytes) });
    expect(JSON.parse(second!.bytes)).toMatchObject({ v: 1, stream: application, seq: 2, action: 'request.cancelled' });
    expect(await eventsOf(store, tenantId)).toHaveLength(1);
  });

  it('gives no number twice and leaves no gap when many append at once', async () => {
    const { store } = await bench(await temporaryDirectory());
    await Promise.all(Array.from({ length: 200 }, () => store.run('test', () => appendAudit(event()))));
    expect((await eventsOf(store)).map((row) => row.seq)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });

  it('records one command once, and nothing of a command that failed', async () => {
    const { store, append } = await bench(await temporaryDirectory());
    const once = event();
    await append(once);
    await expect(append(once)).rejects.toThrow();
    await expect(
      store.run('test', function* () {
        yield* appendAudit(event());
        throw new Error('a later step failed');
      }),
    ).rejects.toThrow('a later step failed');
    expect(await eventsOf(store)).toHaveLength(1);
  });

  it('holds digests in place of bodies, and is bounded', async () => {
    const { store, append } = await bench(await temporaryDirectory());
    const body = `SECRET ${'x'.repeat(5_000)}`;
    await append(event({ changes: { reason: body, state: 'cancelled' } }));
    const [row] = await eventsOf(store);
    expect(row!.bytes).not.toContain('SECRET');
    expect(JSON.parse(row!.bytes).changes).toEqual({ reason: digestOfBytes(body), state: 'cancelled' });
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`key${index}`, 'v'.repeat(100)]));
    await expect(append(event({ changes: many }))).rejects.toThrow(/at most 16384/);
  });
});

describe('anchors', () => {
  it('seals the heads that moved, once, each anchor naming the one before', async () => {
    const made = await bench(await temporaryDirectory());
    expect(await takeAnchor(made)).toBeUndefined();
    await made.append(event(), event({ stream: tenantId }));
    expect(await takeAnchor(made)).toBe(1);
    expect(await takeAnchor(made)).toBeUndefined();
    await made.append(event());
    expect(await takeAnchor(made)).toBe(2);

    const names = await readdir(join(made.path, 'anchors'));
    expect(names.sort()).toEqual([anchorName(1), anchorName(2)]);
    expect((await stat(join(made.path, 'anchors', anchorName(1)))).mode & 0o777).toBe(0o400);
    const [first, second] = await Promise.all(
      [1, 2].map(async (sequence) =>
        readAnchor(await readFile(join(made.path, 'anchors', anchorName(sequence)), 'utf8'), made.keys),
      ),
    );
    if (typeof first === 'string' || typeof second === 'string' || first === undefined || second === undefined)
      throw new Error('an anchor does not verify');
    expect(first.heads.map((head) => [head.stream, head.seq])).toEqual(
      [
        [application, 1],
        [tenantId, 1],
      ].sort(),
    );
    expect(second.heads.map((head) => [head.stream, head.seq])).toEqual([[application, 2]]);
    expect(second.statement.previous).toBe(first.payloadDigest);
    expect(await made.store.read('test', () => one(lastAuditAnchor({})))).toMatchObject({
      sequence: 2,
      object_name: anchorName(2),
      digest: second.payloadDigest,
    });
  });

  it('meets itself when two planes seal at once', async () => {
    const made = await bench(await temporaryDirectory());
    await made.append(event());
    await Promise.all([takeAnchor(made), takeAnchor(made), takeAnchor(made)]);
    expect(await readdir(join(made.path, 'anchors'))).toEqual([anchorName(1)]);
    expect(await checkAnchors(made)).toBe(1);
  });

  it('adopts the anchor of a process that was killed between writing and recording it', async () => {
    const path = await temporaryDirectory();
    const made = await bench(path);
    await made.append(event());
    await made.store.close();
    const child = spawnSync(
      process.execPath,
      [fileURLToPath(new URL('./anchoring-process.ts', import.meta.url)), path],
      { env: { ...process.env, FACTORY_CRASH_AT: 'anchor.write.after' }, encoding: 'utf8' },
    );
    expect(child.signal, child.stderr).toBe('SIGKILL');
    expect(await readdir(join(path, 'anchors'))).toEqual([anchorName(1)]);

    const again = await bench(path);
    expect(await again.store.read('test', () => one(lastAuditAnchor({})))).toBeUndefined();
    expect(await checkAnchors(again)).toBe(1);
    expect(await again.store.read('test', () => one(lastAuditAnchor({})))).toMatchObject({ sequence: 1 });
    expect(await takeAnchor(again)).toBeUndefined();
  });

  it('stops at a database that was restored from a backup, until what was lost is declared and its incarnation opened', async () => {
    const path = await temporaryDirectory();
    const made = await bench(path);
    await made.append(event(), event(), event({ stream: tenantId }));
    await takeAnchor(made);
    await made.store.close();
    const backup = await readFile(join(path, 'plane.db'));

    const later = await bench(path);
    await later.append(event());
    await takeAnchor(later);
    await later.append(event(), event());
    await takeAnchor(later);
    await later.store.close();
    await putBack(path, backup);

    const restored = await bench(path);
    await expect(checkAnchors(restored)).rejects.toBeInstanceOf(AuditRewound);
    await expect(takeAnchor(restored)).rejects.toMatchObject({
      anchor: 2,
      stream: application,
      message: expect.stringContaining('was at event 3 and is now at 2'),
    });
    const found = await findRestore(restored);
    expect(found).toMatchObject({
      current: 'inc_1',
      sound: false,
      last: { statement: { sequence: 3 } },
      begun: [],
      losses: [{ stream: application, seq: 2, lostTo: 5, replaced: false }],
    });
    const accepted = { acceptedBy: 'usr_1', reason: 'the disk was lost' };
    const declared = await declareRestore(restored, found, { ...accepted, incarnation: 'inc_2' });
    expect(declared).toMatchObject({ sound: false, losses: [], begun: [{ statement: { sequence: 4 } }] });
    // Declared and not opened: the database still says the old incarnation, and nothing goes on. Who declares again takes over what there is.
    await expect(checkAnchors(restored)).rejects.toBeInstanceOf(AuditRewound);
    await declareRestore(restored, await findRestore(restored), { ...accepted, incarnation: 'inc_3' });
    expect(await readdir(join(path, 'anchors'))).toHaveLength(4);

    const reopened = { ...restored, incarnation: () => Promise.resolve('inc_2') };
    await recordAnchors(reopened, declared.begun[0]!);
    expect(await checkAnchors(reopened)).toBe(4);
    await restored.append(event());
    expect(await takeAnchor(reopened)).toBe(5);
    const lines = join(path, 'audit.jsonl');
    await exportTo(lines, restored);
    expect(await verifyExport(lines, { keys: restored.keys })).toMatchObject({
      ok: true,
      streams: [{ events: 3, provedTo: 3, losses: [{ anchor: 4, from: 3, to: 5 }] }],
      anchors: { last: 5, restores: [{ anchor: 4, of: 'inc_1', incarnation: 'inc_2', ...accepted }] },
    });
    expect(
      await verifyExport(lines, { keys: restored.keys, anchors: readAnchorFiles(join(path, 'anchors')) }),
    ).toMatchObject({ ok: true, anchored: 'given' });

    // The same backup once more: the incarnation that it is of has ended, whatever was sealed since.
    await restored.store.close();
    await putBack(path, backup);
    const again = await bench(path);
    await expect(takeAnchor(again)).rejects.toBeInstanceOf(AuditRewound);
    expect(await findRestore(again)).toMatchObject({
      sound: false,
      last: { statement: { sequence: 5 } },
      begun: [],
      losses: [{ stream: application, seq: 2, lostTo: 3 }],
    });
  });

  it('tells what was lost of a stream that went on differently, and of one that is gone', async () => {
    const path = await temporaryDirectory();
    const made = await bench(path);
    const gone = newId('application', 7);
    await made.append(event(), event());
    await takeAnchor(made);
    await made.store.close();
    const backup = await readFile(join(path, 'plane.db'));
    const later = await bench(path);
    await later.append(event(), event(), event({ stream: gone }));
    await takeAnchor(later);
    await later.store.close();
    await putBack(path, backup);
    // As one who did not wait: other events took the places before anybody compared.
    const restored = await bench(path);
    await restored.append(event(), event(), event());
    const { losses } = await findRestore(restored);
    expect(losses.map(({ stream, seq, lostTo, replaced }) => ({ stream, seq, lostTo, replaced }))).toEqual(
      [
        { stream: application, seq: 2, lostTo: 4, replaced: true },
        { stream: gone, seq: 0, lostTo: 1, replaced: false },
      ].sort((a, b) => (a.stream < b.stream ? -1 : 1)),
    );
    expect(losses.find(({ stream }) => stream === gone)!.hash).toBe(genesisHash(gone));
  });

  it('stops at a database whose anchored event was rewritten, and at an anchor file that was exchanged', async () => {
    const path = await temporaryDirectory();
    const made = await bench(path);
    await made.append(event());
    await takeAnchor(made);
    await made.store.close();
    const database = new DatabaseSync(join(path, 'plane.db'));
    database.prepare('update audit_events set hash = ?').run(digestOfBytes('rewritten'));
    database.close();
    const rewritten = await bench(path);
    await expect(checkAnchors(rewritten)).rejects.toMatchObject({
      message: expect.stringContaining('has another hash'),
    });

    const second = await bench(await temporaryDirectory());
    await second.append(event());
    const foreign = join(second.path, 'anchors', anchorName(1));
    await writeFile(foreign, await readFile(join(path, 'anchors', anchorName(1))));
    await chmod(foreign, 0o400);
    await expect(takeAnchor(second)).rejects.toMatchObject({ message: expect.stringContaining('does not verify') });
  });

  it('covers more heads than one anchor holds by the next ones', async () => {
    const made = await bench(await temporaryDirectory());
    const streams = Array.from({ length: 4_100 }, (_, index) => newId('application', index));
    await Promise.all(
      streams.map((stream) => made.store.run('test', () => appendAudit(event({ stream, at: Date.now() })))),
    );
    expect([await takeAnchor(made), await takeAnchor(made), await takeAnchor(made)]).toEqual([1, 2, undefined]);
    const seen = new Set<string>();
    for (const sequence of [1, 2]) {
      const anchor = readAnchor(await readFile(join(made.path, 'anchors', anchorName(sequence)), 'utf8'), made.keys);
      if (typeof anchor === 'string') throw new Error(anchor);
      for (const head of anchor.heads) seen.add(head.stream);
    }
    expect(seen.size).toBe(streams.length);
  });

  it('finds the root from every leaf of every tree, and from no other place', () => {
    for (let size = 1; size <= 33; size++) {
      const heads = Array.from({ length: size }, (_, index) => ({
        stream: `app_${String(index).padStart(2, '0')}`,
        seq: index + 1,
        hash: digestOfBytes(`${index}`),
      }));
      const tree = merkleTree(heads);
      for (const [index, head] of heads.entries()) {
        expect(rootByPath(head, index, size, tree.path(index))).toBe(tree.root);
        if (size > 1) expect(rootByPath(head, (index + 1) % size, size, tree.path(index))).not.toBe(tree.root);
      }
    }
  });
});

describe('the export', () => {
  it('verifies offline, shows the asked streams only, and says what is not yet anchored', async () => {
    const made = await bench(await temporaryDirectory());
    await made.append(...Array.from({ length: 30 }, () => event()), event({ stream: tenantId }));
    await takeAnchor(made);
    await made.append(event(), event());
    const file = join(made.path, 'audit.jsonl');
    const text = await exportTo(file, made);
    expect(text).not.toContain(tenantId);
    expect(await verifyExport(file)).toMatchObject({
      ok: true,
      trust: 'from_export',
      streams: [{ stream: application, events: 32, provedTo: 30, notYetAnchored: 2 }],
    });
    expect(await verifyExport(file, { keys: made.keys })).toMatchObject({ ok: true, trust: 'given' });

    // Anchors left out of the export are found with those from where they are kept.
    const cut = text
      .split('\n')
      .filter((line) => !line.startsWith('{"type":"anchor"'))
      .filter((line) => !/"seq":(2\d|3\d)/.test(line) || line.startsWith('{"type":"header"'));
    const events = (await eventsOf(made.store)).slice(0, 19);
    const head = JSON.stringify({ type: 'head', stream: application, seq: 19, hash: events.at(-1)!.hash });
    await writeFile(
      file,
      [...cut.filter((line) => line !== '' && !line.startsWith('{"type":"head"')), head].join('\n'),
    );
    expect(await verifyExport(file, { keys: made.keys })).toMatchObject({ ok: true, streams: [{ provedTo: 0 }] });
    const kept = readAnchor(await readFile(join(made.path, 'anchors', anchorName(1)), 'utf8'), made.keys);
    if (typeof kept === 'string') throw new Error(kept);
    expect(await verifyExport(file, { keys: made.keys, anchors: [proofOf(kept)] })).toMatchObject({
      ok: false,
      streams: [{ stream: application, faults: [{ code: 'cut' }] }],
    });
  });

  it('keeps what only looks like the end of a line', async () => {
    const made = await bench(await temporaryDirectory());
    await made.append(event({ changes: { reason: 'one\u2028two\u2029three\u0085four\rfive' } }));
    const file = join(made.path, 'audit.jsonl');
    await exportTo(file, made);
    expect(await verifyExport(file)).toMatchObject({ ok: true, streams: [{ events: 1 }] });
  });

  it('finds what was added to an export, left out of it, or said twice', async () => {
    const made = await bench(await temporaryDirectory());
    await made.append(event(), event(), event());
    await takeAnchor(made);
    await made.append(event());
    const file = join(made.path, 'audit.jsonl');
    const lines = (await exportTo(file, made)).trimEnd().split('\n');
    const [header, keys, anchor, first] = lines as [string, string, string, string];
    const head = lines.at(-1)!;
    const outcome = async (changed: readonly string[]): Promise<string> => {
      await writeFile(file, `${changed.join('\n')}\n`);
      return await verifyExport(file, { keys: made.keys }).then(
        (verdict) =>
          verdict.ok
            ? 'verified'
            : [...verdict.anchors.faults, ...verdict.streams.flatMap(({ faults }) => faults)]
                .map(({ message }) => message)
                .join('; '),
        (error: unknown) => String(error),
      );
    };
    expect(await outcome(lines)).toBe('verified');
    expect(await outcome([...lines, head])).toContain(`holds the head of ${application} twice`);
    expect(await outcome([header, keys, ...lines.slice(1)])).toContain('holds its keys twice');
    expect(await outcome(lines.slice(0, -1))).toContain('has no head: the export was cut short');
    const stranger = { type: 'event', stream: tenantId, seq: 1, bytes: '{}', hash: 'sha256:00' };
    expect(await outcome([...lines, JSON.stringify(stranger)])).toContain('which its header does not name');
    expect(await outcome([...lines, '{"type":"note","text":"trust me"}'])).toContain(`Line ${lines.length + 1}`);
    expect(await outcome([header, keys, anchor, anchor, ...lines.slice(3)])).toContain('does not follow anchor 1');
    const twice = first.replace('"bytes":', '"bytes":"another reader sees this","bytes":');
    expect(await outcome(lines.with(3, twice))).toContain('The key "bytes" appears twice');
    expect(await outcome(lines.with(3, first.replace('"seq":1', '"seq":"1"')))).toContain('Line 4');
    expect(await outcome(lines.with(3, first.replace('"seq":1', '"seq":1e999')))).toContain('Line 4');
    expect(await outcome(lines.with(3, `${'['.repeat(100_000)}`))).toContain('Line 4');
    // Nothing of the stream at all, and nothing that says so.
    expect(await outcome([header, keys])).toBe('verified');
    expect(await verifyExport(file, { keys: made.keys })).toMatchObject({
      streams: [{ stream: application, events: 0, provedTo: 0 }],
    });
    await writeFile(
      file,
      Buffer.concat([Buffer.from(`${lines.slice(0, 3).join('\n')}\n`), Buffer.alloc(9 * 1024 * 1024, 0x20)]),
    );
    await expect(verifyExport(file)).rejects.toThrow('Line 4 of the audit export has more than');
    await writeFile(file, Buffer.concat([Buffer.from(`${header}\n`), Buffer.from([0x22, 0xff, 0x22])]));
    await expect(verifyExport(file)).rejects.toThrow('Line 2 of the audit export');
  });

  it('holds an export against the anchors from where they are kept', async () => {
    const made = await bench(await temporaryDirectory());
    for (let round = 0; round < 4; round++) {
      await made.append(event());
      await takeAnchor(made);
    }
    const file = join(made.path, 'audit.jsonl');
    await exportTo(file, made);
    const kept = join(made.path, 'anchors');
    const copy = await temporaryDirectory();
    const outcome = async (change: (directory: string) => Promise<void>): Promise<string> => {
      await rm(copy, { recursive: true, force: true });
      await cp(kept, copy, { recursive: true });
      for (const name of await readdir(copy)) await chmod(join(copy, name), 0o600);
      await change(copy);
      return await verifyExport(file, { keys: made.keys, anchors: readAnchorFiles(copy) }).then(
        (verdict) => (verdict.ok ? 'verified' : verdict.anchors.faults.map(({ message }) => message).join('; ')),
        (error: unknown) => String(error),
      );
    };
    const at = (directory: string, sequence: number): string => join(directory, anchorName(sequence));
    expect(await outcome(async (directory) => writeFile(join(directory, 'README'), 'ours'))).toBe('verified');
    expect(await outcome((directory) => rm(at(directory, 2)))).toContain('anchor 3 does not follow anchor 1');
    expect(await outcome((directory) => rm(at(directory, 4)))).toContain(
      '1 anchors that the export shows are not among',
    );
    expect(
      await outcome(async (directory) => {
        await rename(at(directory, 2), join(directory, 'other'));
        await rename(at(directory, 3), at(directory, 2));
        await rename(join(directory, 'other'), at(directory, 3));
      }),
    ).toContain('anchor 3 lies under that name');
    expect(await outcome((directory) => writeFile(at(directory, 3), '{}'))).toContain('is not a stored anchor');
    expect(
      await outcome(async (directory) => {
        const text = await readFile(at(directory, 3), 'utf8');
        await writeFile(at(directory, 3), text.replace(/"seq":\d+/, '"seq":9'));
      }),
    ).toContain('not under the signed root');
    expect(
      await outcome(async (directory) => {
        for (const name of await readdir(directory)) await rm(join(directory, name));
      }),
    ).toContain('There is no anchor in');
  });

  it('refuses a file that is no export, naming the line', async () => {
    const file = join(await temporaryDirectory(), 'audit.jsonl');
    for (const [text, message] of [
      ['', 'empty'],
      ['not json\n', 'Line 1'],
      ['{"type":"head","stream":"a","seq":0,"hash":"sha256:00"}\n', 'Line 1'],
    ] as const) {
      await writeFile(file, text);
      const error: unknown = await verifyExport(file).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ExportMalformed);
      expect(String(error)).toContain(message);
    }
  });
});
