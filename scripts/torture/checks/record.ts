import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { exportStream } from '../../../cli/actions/audit.ts';
import { gatherBundleFile, readKeys } from '../../../cli/request/evidence-file.ts';
import { readAnchor } from '../../../shared/audit/anchor/document.ts';
import { type ExportVerdict, verifyExport } from '../../../shared/audit/verify/file.ts';
import { type AnchorProof, proofOf } from '../../../shared/audit/verify/record.ts';
import { verifyBundleFile } from '../../../shared/evidence/bundle-file.ts';
import type { Trust } from '../../../shared/evidence/signing/trust.ts';
import { look } from '../plane/database.ts';
import type { TorturePlane } from '../plane/plane.ts';
import { each, until } from '../wait.ts';

const ANCHOR_LIMIT_MS = 90_000;

export type AuditCheck = {
  readonly file: string;
  readonly verdict: ExportVerdict;
  readonly events: number;
  readonly anchored: number;
  readonly faults: readonly string[];
};

/**
 * Exports a stream once it is anchored up to its end, and verifies the export offline against the anchor files themselves, by keys
 * that were had apart from it.
 */
export async function checkAudit(plane: TorturePlane, stream: string, directory: string): Promise<AuditCheck> {
  const auditor = await plane.as('auditor');
  const keys = await readKeys(auditor);
  const file = path.join(directory, `${stream}.jsonl`);
  const verdict = await until(
    `that stream ${stream} is anchored up to its end`,
    ANCHOR_LIMIT_MS,
    async () => {
      await exportStream(auditor, stream, file);
      const found = await verifyExport(file, {
        keys,
        anchors: keptAnchors(plane, keys, new Set(await streamsOf(file))),
      });
      return !found.ok || found.streams.every((one) => one.notYetAnchored === 0) ? found : undefined;
    },
    2_000,
  );
  const faults = verdict.ok ? [] : [`I20 stream ${stream} does not verify: ${JSON.stringify(verdict).slice(0, 500)}`];
  const sum = (of: 'events' | 'provedTo'): number => verdict.streams.reduce((total, one) => total + one[of], 0);
  if (sum('events') === 0) faults.push(`I2 stream ${stream} has no events`);
  return { file, verdict, events: sum('events'), anchored: sum('provedTo'), faults };
}

async function streamsOf(file: string): Promise<string[]> {
  const [header = '{}'] = readFileSync(file, 'utf8').split('\n', 1);
  return (JSON.parse(header) as { streams?: string[] }).streams ?? [];
}

/** The anchors as they lie in their own files, beside whatever the database says. */
export function keptAnchors(plane: TorturePlane, keys: Trust, streams: ReadonlySet<string>): AnchorProof[] {
  const directory = path.join(plane.layout.plane, 'anchors');
  return readdirSync(directory)
    .filter((name) => /^anchor-\d+\.json$/.test(name))
    .sort()
    .map((name) => {
      const anchor = readAnchor(readFileSync(path.join(directory, name), 'utf8'), keys);
      if (typeof anchor === 'string') throw new Error(`the anchor ${name} does not verify: ${anchor}`);
      return proofOf(anchor, streams);
    });
}

/** Verifies each ended request's evidence bundle offline (I3), from a file that holds nothing but itself and the public keys. */
export async function checkEvidence(
  plane: TorturePlane,
): Promise<{ readonly verified: number; readonly faults: readonly string[]; readonly bundles: readonly string[] }> {
  const auditor = await plane.as('auditor');
  const keys = await readKeys(auditor);
  const faults: string[] = [];
  let verified = 0;
  const bundles: string[] = [];
  const ended = look(plane.database, "select id, evidence_digest from requests where state = 'terminal'");
  await each(ended, 4, async (row) => {
    const id = String(row['id']);
    const evidence = row['evidence_digest'] === null ? null : String(row['evidence_digest']);
    if (evidence === null) return void faults.push(`I3 ${id} has ended without evidence`);
    const text = await gatherBundleFile(auditor, { id, evidence });
    const verdict = verifyBundleFile(text, { keys });
    if (verdict.ok) verified += 1;
    else faults.push(`I3 the evidence of ${id} does not verify: ${JSON.stringify(verdict.faults).slice(0, 400)}`);
    if (bundles.length < 2) bundles.push(text);
  });
  return { verified, faults, bundles };
}
