import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Trust } from '../../evidence/signing/trust.ts';
import { type AnchorProof, type AuditRecord, type ExportLine, exportLine, type HeadRecord } from './record.ts';
import { type AuditVerdict, verifyAudit } from './verify.ts';

/** A line that is no line of an export; says which. */
export class ExportMalformed extends Error {
  override readonly name = 'ExportMalformed';
}

/** An event of 16 KiB, escaped twice, with room. An anchor with all its heads is the longest line. */
const LINE_LENGTH = 8 * 1024 * 1024;

async function* linesOf(file: string): AsyncGenerator<ExportLine> {
  const input = createReadStream(file);
  let number = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (text.length > LINE_LENGTH)
        throw new ExportMalformed(`Line ${number} of the audit export has more than ${LINE_LENGTH} characters.`);
      const parsed = exportLine.safeParse(parseJson(text));
      if (!parsed.success)
        throw new ExportMalformed(
          `Line ${number} of the audit export is not one of its records. Export it again; nothing was verified.`,
        );
      if ((number === 1) !== (parsed.data.type === 'header'))
        throw new ExportMalformed(`Line ${number}: a header is the first line of an audit export, and only the first.`);
      yield parsed.data;
    }
  } finally {
    input.destroy();
  }
  if (number === 0) throw new ExportMalformed('The audit export is empty.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How an export was verified. `trust`: by keys the caller gave, or only by those inside the export, which prove no more than that it agrees with itself. */
export type ExportVerdict = AuditVerdict & { readonly trust: 'given' | 'from_export'; readonly exportedAt: string };

/**
 * Verifies an export file. Give `keys` (a trust file) and, when at hand, `anchors` read from where they are kept: anchors that the export leaves
 * out are found only with them. Reads the file twice, in a stream. Throws `ExportMalformed` for a file that is no export.
 */
export async function verifyExport(
  file: string,
  given: { readonly keys?: Trust; readonly anchors?: readonly AnchorProof[] } = {},
): Promise<ExportVerdict> {
  const anchors: AnchorProof[] = [];
  const heads: HeadRecord[] = [];
  let keys: Trust = { format: 'factory-trust/v1', keys: [] };
  let exportedAt = '';
  let streams: ReadonlySet<string> = new Set();
  for await (const line of linesOf(file)) {
    if (line.type === 'keys') keys = line.trust;
    else if (line.type === 'anchor') anchors.push(line);
    else if (line.type === 'head') heads.push(line);
    else if (line.type === 'header') {
      exportedAt = line.exportedAt;
      streams = new Set(line.streams);
    }
  }
  async function* events(): AsyncGenerator<AuditRecord> {
    for await (const line of linesOf(file)) if (line.type === 'event') yield line;
  }
  const scope = { streams, until: Date.parse(exportedAt) };
  const verdict = await verifyAudit({
    events: events(),
    heads,
    anchors: given.anchors ?? anchors,
    keys: given.keys ?? keys,
    scope,
  });
  return { ...verdict, trust: given.keys === undefined ? 'from_export' : 'given', exportedAt };
}
