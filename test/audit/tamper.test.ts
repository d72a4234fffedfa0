import { beforeAll, describe, expect, it } from 'vitest';
import { type Anchor, signAnchor } from '../../shared/audit/anchor/document.ts';
import type { Head } from '../../shared/audit/anchor/merkle.ts';
import { type AnchorProof, type AuditRecord, proofOf } from '../../shared/audit/verify/record.ts';
import { type AuditVerdict, type StreamFault, verifyAudit } from '../../shared/audit/verify/verify.ts';
import { type Digest, digestOfBytes } from '../../shared/domain/digest.ts';
import { application, chain, rechained, tenantId, testSigner } from './stream.ts';

const COUNT = 10_000;
const signer = testSigner();
let events: AuditRecord[];
let anchors: Anchor[];
let proofs: AnchorProof[];

const headAt = (records: readonly AuditRecord[], seq: number): Head => ({
  stream: records[seq - 1]!.stream,
  seq,
  hash: records[seq - 1]!.hash as Digest,
});
const other = (stream: string, seq: number): Head => ({ stream, seq, hash: digestOfBytes(`${stream} ${seq}`) });

async function anchored(
  heads: readonly Head[][],
  incarnations: readonly string[] = [],
  by = signer,
): Promise<Anchor[]> {
  const made: Anchor[] = [];
  for (const [index, sealed] of heads.entries())
    made.push(
      await signAnchor(
        {
          previous: made.at(-1),
          incarnation: incarnations[index] ?? 'inc_1',
          at: 1_700_000_000_000 + index * 60_000,
          heads: sealed,
        },
        by,
      ),
    );
  return made;
}

beforeAll(async () => {
  events = chain(COUNT);
  anchors = await anchored([
    [headAt(events, 4_000), other('app_b', 3), other('app_a', 9)],
    [headAt(events, 8_000), other('app_b', 7)],
    [headAt(events, 9_990)],
  ]);
  proofs = anchors.map((anchor) => proofOf(anchor, new Set([application])));
});

const verify = (records: readonly AuditRecord[], shown: readonly AnchorProof[] = proofs): Promise<AuditVerdict> =>
  verifyAudit({ events: records, heads: [], anchors: shown, keys: signer.trust });

async function fault(
  records: readonly AuditRecord[],
  shown: readonly AnchorProof[] = proofs,
): Promise<{ code: StreamFault['code']; seq: number }> {
  const verdict = await verify(records, shown);
  expect(verdict.ok).toBe(false);
  const { code, seq } = verdict.streams.find((stream) => stream.stream === application)!.faults[0]!;
  return { code, seq };
}

describe('verifying 10,000 audit records', () => {
  it('proves what is anchored and reports the rest as not yet anchored', async () => {
    expect(await verify(events)).toEqual({
      ok: true,
      streams: [
        {
          stream: application,
          events: COUNT,
          provedTo: 9_990,
          provedBy: 3,
          notYetAnchored: 10,
          faults: [],
          restores: [],
        },
      ],
      anchors: { count: 3, last: 3, faults: [] },
    });
  });

  it('finds a changed byte anywhere, at its event', async () => {
    for (const seq of [1, 2, 3_999, 4_000, 4_001, 9_995, COUNT]) {
      const bytes = events[seq - 1]!.bytes;
      for (const at of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
        const changed = `${bytes.slice(0, at)}${bytes[at] === 'x' ? 'y' : 'x'}${bytes.slice(at + 1)}`;
        expect(await fault(events.with(seq - 1, { ...events[seq - 1]!, bytes: changed }))).toEqual({
          code: 'changed',
          seq,
        });
      }
    }
  });

  it('finds a changed hash at its event', async () => {
    const record = events[5_000]!;
    expect(await fault(events.with(5_000, { ...record, hash: digestOfBytes('x') }))).toEqual({
      code: 'changed',
      seq: 5_001,
    });
  });

  it('finds a deleted, an inserted and an exchanged event', async () => {
    expect(await fault(events.toSpliced(4_999, 1))).toEqual({ code: 'out_of_order', seq: 5_000 });
    expect(await fault(events.toSpliced(5_000, 0, events[4_999]!))).toEqual({ code: 'out_of_order', seq: 5_001 });
    expect(await fault(events.toSpliced(0, 1))).toEqual({ code: 'out_of_order', seq: 1 });
    const swapped = events.with(99, events[100]!).with(100, events[99]!);
    expect(await fault(swapped)).toEqual({ code: 'out_of_order', seq: 100 });
    // The same with the numbers put right: then the hashes say it.
    const renumbered = swapped.map((record, index) => ({ ...record, seq: index + 1 }));
    expect(await fault(renumbered)).toEqual({ code: 'changed', seq: 100 });
    const deleted = events.toSpliced(4_999, 1).map((record, index) => ({ ...record, seq: index + 1 }));
    expect(await fault(deleted)).toEqual({ code: 'changed', seq: 5_000 });
  });

  it('finds a cut tail by the anchor, and by the head where nothing is anchored yet', async () => {
    expect(await fault(events.slice(0, 9_989))).toEqual({ code: 'cut', seq: 9_990 });
    expect(await fault([])).toEqual({ code: 'cut', seq: 1 });
    const head = { type: 'head', stream: application, seq: COUNT, hash: events.at(-1)!.hash as Digest } as const;
    const verdict = await verifyAudit({
      events: events.slice(0, -1),
      heads: [head],
      anchors: proofs,
      keys: signer.trust,
    });
    expect(verdict.streams[0]!.faults).toMatchObject([{ code: 'contradicts_head', seq: COUNT }]);
    expect((await verifyAudit({ events, heads: [head], anchors: proofs, keys: signer.trust })).ok).toBe(true);
    // Without head or anchor a cut of the last few can't be seen: it is reported as what is proved.
    expect(await verify(events.slice(0, 9_995))).toMatchObject({
      ok: true,
      streams: [{ provedTo: 9_990, notYetAnchored: 5 }],
    });
  });

  it('finds a chain that was rewritten with all of its hashes', async () => {
    const rewrite = (seq: number): AuditRecord[] =>
      rechained(
        events.with(seq - 1, { ...events[seq - 1]!, bytes: events[seq - 1]!.bytes.replace('accepted', 'rejected') }),
      );
    // Every event hashes right; the first anchor behind the change contradicts.
    expect(await fault(rewrite(10))).toEqual({ code: 'contradicts_anchor', seq: 4_000 });
    expect(await fault(rewrite(8_001))).toEqual({ code: 'contradicts_anchor', seq: 9_990 });
    expect(await fault(rechained(events.toSpliced(500, 1)))).toEqual({ code: 'contradicts_anchor', seq: 4_000 });
  });

  it('finds a stream passed off as another', async () => {
    const foreign = chain(10, tenantId).map((record) => ({ ...record, stream: application }));
    expect(await fault(foreign, [])).toEqual({ code: 'changed', seq: 1 });
    const named = rechained(foreign);
    expect(await fault(named, [])).toEqual({ code: 'malformed', seq: 1 });
  });

  it('believes no anchor of another key, purpose, time or content', async () => {
    const stranger = testSigner();
    const forged = (await anchored([[headAt(events, 4_000)]], [], stranger)).map((anchor) => proofOf(anchor));
    expect((await verify(events, forged)).anchors.faults).toMatchObject([
      { message: expect.stringContaining('not among the trusted keys') },
    ]);

    const [first, second, third] = proofs as [AnchorProof, AnchorProof, AnchorProof];
    const swapped = { ...first, anchor: { ...first.anchor, signatures: second.anchor.signatures } };
    expect((await verify(events, [swapped, second, third])).anchors.faults[0]!.message).toContain(
      'does not hold over these bytes',
    );

    const evidenceKey = {
      ...signer.trust,
      keys: signer.trust.keys.map((key) => ({ ...key, purpose: 'evidence' as const })),
    };
    expect((await verifyAudit({ events, anchors: proofs, keys: evidenceKey })).ok).toBe(false);
    const retiredBefore = {
      ...signer.trust,
      keys: signer.trust.keys.map((key) => ({ ...key, notAfter: 1_650_000_000_000 })),
    };
    expect((await verifyAudit({ events, anchors: proofs, keys: retiredBefore })).anchors.faults[0]!.message).toContain(
      'was not valid',
    );
    const retiredAfter = {
      ...signer.trust,
      keys: signer.trust.keys.map((key) => ({ ...key, notAfter: 1_800_000_000_000 })),
    };
    expect((await verifyAudit({ events, anchors: proofs, keys: retiredAfter })).ok).toBe(true);
    // A public key put under the id of a trusted one.
    const impostor = { ...signer.trust, keys: signer.trust.keys.map((key) => ({ ...key, jwk: stranger.publicJwk })) };
    expect((await verifyAudit({ events, anchors: proofs, keys: impostor })).ok).toBe(false);
  });

  it('finds a break in the chain of anchors and heads that are not under their root', async () => {
    const [first, second, third] = proofs as [AnchorProof, AnchorProof, AnchorProof];
    expect((await verify(events, [first, third])).anchors.faults).toEqual([
      { anchor: 3, message: 'anchor 3 does not follow anchor 1: one between them is missing or was exchanged' },
    ]);
    const head = second.heads[0]!;
    for (const changed of [
      { ...head, seq: 7_999 },
      { ...head, hash: digestOfBytes('x') },
      { ...head, index: 1 - head.index },
      { ...head, path: [] },
      { ...head, path: [...head.path, 'ab'.repeat(32)] },
    ]) {
      expect((await verify(events, [first, { ...second, heads: [changed] }, third])).anchors.faults).toMatchObject([
        { anchor: 2, message: expect.stringContaining('not under the signed root') },
      ]);
    }
  });

  it('shows an auditor the own heads of an anchor and no other stream', () => {
    const text = JSON.stringify(proofs);
    expect(text).toContain(application);
    expect(Buffer.from(text).toString()).not.toMatch(/app_a|app_b/);
    for (const proof of proofs) expect(Buffer.from(proof.anchor.payload, 'base64').toString()).not.toContain('app_');
  });

  it('tells a restore that a later incarnation owns up to from a rewrite', async () => {
    const lost = chain(50);
    const kept = lost.slice(0, 20);
    const after = rechained([...kept, ...chain(10)]).map((record, index) => (index < 20 ? kept[index]! : record));
    // Continue the chain from the kept events as the restored plane does.
    const continued = rechained([...kept, ...chain(10)]);
    expect(after).toHaveLength(continued.length);
    const proofsOf = async (incarnations: string[]): Promise<AnchorProof[]> =>
      (await anchored([[headAt(lost, 40)], [headAt(continued, 30)]], incarnations)).map((anchor) => proofOf(anchor));
    expect(await fault(continued, await proofsOf(['inc_1', 'inc_1']))).toEqual({ code: 'cut', seq: 31 });
    const verdict = await verify(continued, await proofsOf(['inc_1', 'inc_2']));
    expect(verdict).toMatchObject({ ok: true, streams: [{ provedTo: 30, restores: [{ anchor: 1, seq: 40 }] }] });
  });
});
