import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chainHash, genesisHash } from '../../../shared/audit/event.ts';
import { verifyExport } from '../../../shared/audit/verify/file.ts';
import type { AnchorProof, AuditRecord, ExportLine } from '../../../shared/audit/verify/record.ts';
import type { Digest } from '../../../shared/domain/digest.ts';
import { verifyBundleFile } from '../../../shared/evidence/bundle-file.ts';
import type { Trust } from '../../../shared/evidence/signing/trust.ts';

/** The ways in which somebody could change a stream's events, given the events in order. */
const TAMPERINGS: Readonly<Record<string, (events: readonly AuditRecord[], at: number) => AuditRecord[]>> = {
  'changed byte': (events, at) =>
    events.map((event, index) => (index === at ? { ...event, bytes: `${event.bytes} ` } : event)),
  deleted: (events, at) => events.toSpliced(at, 1),
  inserted: (events, at) => events.toSpliced(at, 0, ...events.slice(at, at + 1)),
  swapped: (events, at) => events.toSpliced(at, 2, ...events.slice(at, at + 2).reverse()),
  'cut tail': (events, at) => events.slice(0, at),
  'rewritten chain': (events, at) => rechained(events.toSpliced(at, 1)),
};

/** The same events numbered and hashed anew, as one who can write the whole database would. */
function rechained(events: readonly AuditRecord[]): AuditRecord[] {
  let previous: Digest = genesisHash(events[0]?.stream ?? '');
  return events.map((event, index) => {
    const bytes = JSON.stringify({ ...(JSON.parse(event.bytes) as object), seq: index + 1 });
    previous = chainHash(previous, bytes);
    return { ...event, seq: index + 1, bytes, hash: previous };
  });
}

/**
 * Tampers with an honest export in each way and verifies each copy. Heads are taken along with the change, so that what finds it is
 * the chain and the anchors. Answers the ways that were caught, and those that were not.
 */
export async function tamperWith(
  file: string,
  given: { readonly keys: Trust; readonly anchors: readonly AnchorProof[] },
): Promise<{ readonly caught: string[]; readonly missed: string[] }> {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text) as ExportLine);
  const events = lines.filter((line): line is AuditRecord => line.type === 'event');
  const others = lines.filter((line) => line.type !== 'event' && line.type !== 'head');
  const at = Math.floor(events.length / 2);
  const caught: string[] = [];
  const missed: string[] = [];
  for (const [name, tamper] of Object.entries(TAMPERINGS)) {
    const changed = tamper(events, at);
    const copy = path.join(path.dirname(file), 'tampered.jsonl');
    const last = changed.at(-1);
    const head = last === undefined ? [] : [{ type: 'head', stream: last.stream, seq: last.seq, hash: last.hash }];
    writeFileSync(copy, `${[...others, ...changed, ...head].map((line) => JSON.stringify(line)).join('\n')}\n`);
    const verdict = await verifyExport(copy, given);
    const code = verdict.streams.flatMap((stream) => stream.faults)[0]?.code;
    if (verdict.ok || code === undefined) missed.push(name);
    else caught.push(`${name} (${code})`);
  }
  return { caught, missed };
}

type Envelope = { payload: string; signatures: unknown };

/** Puts one bundle's signature on another's content; it must not verify. */
export function exchangeSignature(one: string, other: string, keys: Trust): boolean {
  const [bundle, donor] = [one, other].map((text) => JSON.parse(text) as { evidence: string });
  if (bundle === undefined || donor === undefined) return false;
  const envelope = JSON.parse(bundle.evidence) as Envelope;
  const { signatures } = JSON.parse(donor.evidence) as Envelope;
  const forged = JSON.stringify({ ...bundle, evidence: JSON.stringify({ ...envelope, signatures }) });
  return !verifyBundleFile(forged, { keys }).ok;
}
