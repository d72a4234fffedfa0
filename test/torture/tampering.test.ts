import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tamperWith } from '../../scripts/torture/checks/tampering.ts';
import { signAnchor } from '../../shared/audit/anchor/document.ts';
import { proofOf } from '../../shared/audit/verify/record.ts';
import type { Digest } from '../../shared/domain/digest.ts';
import { chain, testSigner } from '../audit/stream.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'factory-tampering-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('finds every way of tampering by the anchors, and tells when one is not found without them', async () => {
  const events = chain(40);
  const last = events.at(-1)!;
  const signer = testSigner();
  const anchor = await signAnchor(
    {
      previous: undefined,
      incarnation: 'inc_1',
      at: 1_700_000_100_000,
      heads: [{ stream: last.stream, seq: last.seq, hash: last.hash as Digest }],
    },
    signer,
  );
  const header = {
    type: 'header',
    format: 'factory-audit-export/v1',
    exportedAt: '2030-01-01T00:00:00.000Z',
    incarnation: 'inc_1',
    streams: [last.stream],
  };
  const file = path.join(directory, 'export.jsonl');
  writeFileSync(
    file,
    `${[header, { type: 'keys', trust: signer.trust }, ...events].map((line) => JSON.stringify(line)).join('\n')}\n`,
  );

  const anchored = await tamperWith(file, { keys: signer.trust, anchors: [proofOf(anchor, new Set([last.stream]))] });
  expect(anchored.missed).toEqual([]);
  expect(anchored.caught).toHaveLength(6);
  // Who can write the whole database and is never anchored leaves no trace: the check must say so, not pass.
  expect((await tamperWith(file, { keys: signer.trust, anchors: [] })).missed).toEqual(['cut tail', 'rewritten chain']);
});
