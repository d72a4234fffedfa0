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

type Sealing = {
  readonly heads: readonly Head[];
  readonly incarnation: string;
  readonly restore?: { readonly acceptedBy: string; readonly reason: string };
};

async function sealed(sealings: readonly Sealing[], by = signer): Promise<Anchor[]> {
  const made: Anchor[] = [];
  for (const [index, sealing] of sealings.entries())
    made.push(await signAnchor({ previous: made.at(-1), at: 1_700_000_000_000 + index * 60_000, ...sealing }, by));
  return made;
}

const anchored = (heads: readonly (readonly Head[])[], by = signer): Promise<Anchor[]> =>
  sealed(
    heads.map((sealing) => ({ heads: sealing, incarnation: 'inc_1' })),
    by,
  );

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
          goesOnTo: null,
          notYetAnchored: 10,
          faults: [],
          losses: [],
        },
      ],
      anchors: { count: 3, first: 1, last: 3, restores: [], faults: [] },
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

  it('holds what is said to be of an earlier time against the anchors since', async () => {
    const as = (records: readonly AuditRecord[]): Promise<AuditVerdict> =>
      verifyAudit({ events: records, anchors: proofs, keys: signer.trust, scope: { until: 1_600_000_000_000 } });
    // Before the first anchor: a part of the stream is no fault, and that it goes on is told.
    expect(await as(events.slice(0, 5_000))).toMatchObject({
      ok: true,
      streams: [{ events: 5_000, provedTo: 4_000, provedBy: 1, goesOnTo: 9_990, faults: [] }],
    });
    expect(await as(events)).toMatchObject({ ok: true, streams: [{ provedTo: 9_990, goesOnTo: null }] });
    // A date that is set back excuses no other content.
    const rewritten = rechained(
      events.slice(0, 5_000).with(9, { ...events[9]!, bytes: events[9]!.bytes.replace('accepted', 'rejected') }),
    );
    expect((await as(rewritten)).streams[0]!.faults).toMatchObject([{ code: 'contradicts_anchor', seq: 4_000 }]);
  });

  it('holds nothing of a later restore against an export of before', async () => {
    const lost = chain(50);
    const made = await sealed([
      { heads: [headAt(lost, 40)], incarnation: 'inc_1' },
      {
        heads: [{ ...headAt(lost, 20), lostTo: 40 }],
        incarnation: 'inc_2',
        restore: { acceptedBy: 'usr_1', reason: 'the disk was lost' },
      },
      { heads: [headAt(rechained([...lost.slice(0, 20), ...chain(10)]), 30)], incarnation: 'inc_2' },
    ]);
    const verdict = await verifyAudit({
      events: lost,
      anchors: made.map((anchor) => proofOf(anchor)),
      keys: signer.trust,
      scope: { until: 1_700_000_000_001 },
    });
    expect(verdict).toMatchObject({ ok: true, streams: [{ events: 50, provedTo: 40, goesOnTo: null, losses: [] }] });
  });

  it('finds a stream passed off as another', async () => {
    const foreign = chain(10, tenantId).map((record) => ({ ...record, stream: application }));
    expect(await fault(foreign, [])).toEqual({ code: 'changed', seq: 1 });
    const named = rechained(foreign);
    expect(await fault(named, [])).toEqual({ code: 'malformed', seq: 1 });
  });

  it('believes no anchor of another key, purpose, time or content', async () => {
    const stranger = testSigner();
    const forged = (await anchored([[headAt(events, 4_000)]], stranger)).map((anchor) => proofOf(anchor));
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

  it('accepts a restore that was declared, in words, and none that was not', async () => {
    const lost = chain(50);
    const kept = lost.slice(0, 20);
    // The restored plane continues the chain from what was kept.
    const continued = rechained([...kept, ...chain(10)]);
    const restore = { acceptedBy: 'usr_1', reason: 'the disk was lost' };
    const declares = (to: number, more: Partial<Sealing> = {}): Sealing => ({
      heads: [{ ...headAt(kept, 20), lostTo: to }],
      incarnation: 'inc_2',
      restore,
      ...more,
    });
    const before: Sealing = { heads: [headAt(lost, 40)], incarnation: 'inc_1' };
    const after: Sealing = { heads: [headAt(continued, 30)], incarnation: 'inc_2' };
    const verdictOf = async (sealings: readonly Sealing[]): Promise<AuditVerdict> =>
      verify(
        continued,
        (await sealed(sealings)).map((anchor) => proofOf(anchor)),
      );
    const said = async (sealings: readonly Sealing[]): Promise<string> => {
      const verdict = await verdictOf(sealings);
      expect(verdict.ok).toBe(false);
      return [...verdict.anchors.faults, ...verdict.streams[0]!.faults].map(({ message }) => message).join('; ');
    };

    expect(await verdictOf([before, declares(40), after])).toMatchObject({
      ok: true,
      streams: [{ provedTo: 30, provedBy: 3, losses: [{ anchor: 2, from: 21, to: 40 }], faults: [] }],
      anchors: { restores: [{ anchor: 2, of: 'inc_1', incarnation: 'inc_2', ...restore }], faults: [] },
    });
    // Undeclared: the anchors alone, or another incarnation that nobody opened.
    expect(await said([before, { ...after, incarnation: 'inc_1' }])).toContain('the tail was cut');
    expect(await said([before, after])).toMatch(/no restore was declared.*the tail was cut/);
    // A loss that is smaller than what is gone, or a stream that is not named, excuses nothing.
    expect(await said([before, declares(39), after])).toContain('understated');
    expect(await said([before, declares(40, { heads: [{ ...other('app_b', 3), lostTo: 9 }] }), after])).toContain(
      'the tail was cut',
    );
    // What it says was kept must be there.
    expect(await said([before, declares(40, { heads: [{ ...headAt(lost, 30), lostTo: 40 }] }), after])).toContain(
      'the chain up to it was rewritten',
    );
    // A second rewind behind the first needs a declaration of its own; and an incarnation that ended is not opened again.
    const twice = rechained([...kept, ...chain(4)]);
    const again = declares(30, { incarnation: 'inc_3' });
    const last: Sealing = { heads: [headAt(twice, 24)], incarnation: 'inc_3' };
    const verdict = await verify(
      twice,
      (await sealed([before, declares(40), after, again, last])).map((anchor) => proofOf(anchor)),
    );
    expect(verdict).toMatchObject({
      ok: true,
      streams: [
        {
          provedTo: 24,
          losses: [
            { anchor: 2, from: 21, to: 40 },
            { anchor: 4, from: 21, to: 30 },
          ],
        },
      ],
    });
    const rewound = await verify(
      twice,
      (await sealed([before, declares(40), after])).map((anchor) => proofOf(anchor)),
    );
    expect(rewound).toMatchObject({ ok: false, streams: [{ faults: [{ code: 'cut', seq: 25 }] }] });
    expect(await said([before, declares(40), after, { ...again, incarnation: 'inc_1' }])).toContain('was open before');
    expect(
      await said([before, { ...declares(40), incarnation: 'inc_1' }, { ...after, incarnation: 'inc_1' }]),
    ).toContain('was open before');
  });

  it('believes no declaration of another anchor, another key or another content', async () => {
    const lost = chain(50);
    const continued = rechained([...lost.slice(0, 20), ...chain(10)]);
    const declaration: Sealing = {
      heads: [{ ...headAt(lost, 20), lostTo: 40 }],
      incarnation: 'inc_2',
      restore: { acceptedBy: 'usr_1', reason: 'the disk was lost' },
    };
    const before: Sealing = { heads: [headAt(lost, 40)], incarnation: 'inc_1' };
    const after: Sealing = { heads: [headAt(continued, 30)], incarnation: 'inc_2' };
    const honest = (await sealed([before, declaration, after])).map((anchor) => proofOf(anchor));
    const said = async (shown: readonly AnchorProof[]): Promise<string> => {
      const verdict = await verify(continued, shown);
      expect(verdict.ok).toBe(false);
      return [...verdict.anchors.faults, ...verdict.streams[0]!.faults].map(({ message }) => message).join('; ');
    };
    const [first, second, third] = honest as [AnchorProof, AnchorProof, AnchorProof];
    expect((await verify(continued, honest)).ok).toBe(true);
    // One that follows another anchor, and one that a stranger signed.
    const elsewhere = (await sealed([{ ...before, heads: [headAt(lost, 41)] }, declaration])).map((anchor) =>
      proofOf(anchor),
    );
    expect(await said([first, elsewhere[1]!, third])).toMatch(/does not follow.*the tail was cut/);
    const stranger = (await sealed([before, declaration], testSigner())).map((anchor) => proofOf(anchor));
    expect(await said([first, stranger[1]!, third])).toContain('not among the trusted keys');
    expect(await said([first, third])).toContain('does not follow');
    expect(await said([first, third, second])).toContain('does not follow');
    // Heads are proved with what they say was lost.
    const [head] = second.heads;
    for (const changed of [
      { ...head!, lostTo: 45 },
      { ...head!, seq: 19 },
      { ...head!, lostTo: undefined },
    ])
      expect(await said([first, { ...second, heads: [changed] }, third])).toContain('not under the signed root');
    // A loss in an anchor that declares no restore.
    const silent = (await sealed([before, { heads: declaration.heads, incarnation: 'inc_1' }])).map((anchor) =>
      proofOf(anchor),
    );
    expect(await said(silent)).toContain('declares no restore');
  });
});
