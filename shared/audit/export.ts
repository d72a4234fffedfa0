import type { TenantId } from '../domain/ids.ts';
import type { Trust } from '../evidence/signing/trust.ts';
import { readAuditEvents } from '../store/audit/read.ts';
import { one, rows } from '../store/command.ts';
import { auditAnchorsFrom, lastAuditAnchor } from '../store/platform/anchors.ts';
import { headOfStream } from '../store/platform/sealed.ts';
import type { Store } from '../store/store.ts';
import { readAnchor } from './anchor/document.ts';
import type { AuditStream } from './event.ts';
import { type ExportLine, type HeadRecord, proofOf } from './verify/record.ts';

const EVENT_PAGE = 500;
const ANCHOR_PAGE = 20;

/**
 * The lines of an audit export, in order (see `verify/record.ts`), read in pages: memory does not grow with the streams. Of each anchor only the
 * heads of the exported streams are shown. Ends with an error when a recorded anchor does not verify.
 */
export async function* exportAudit(input: {
  readonly store: Store;
  readonly streams: readonly AuditStream[];
  readonly trust: Trust;
  readonly incarnation: string;
  readonly at: number;
}): AsyncGenerator<ExportLine> {
  const { store, streams, trust } = input;
  yield {
    type: 'header',
    format: 'factory-audit-export/v1',
    exportedAt: new Date(input.at).toISOString(),
    incarnation: input.incarnation,
    streams: [...streams],
  };
  yield { type: 'keys', trust: { format: trust.format, keys: trust.keys.filter((key) => key.purpose === 'anchor') } };
  // The newest anchor before the heads: what it seals is there or was lost to a restore. Heads before the events: one appended during the export lies
  // behind its head and is left for the next one.
  const upTo = (await store.read('audit.lastAnchor', () => one(lastAuditAnchor({}))))?.sequence ?? 0;
  const heads = new Map<AuditStream, { readonly tenant: TenantId; readonly head: HeadRecord }>();
  for (const stream of streams) {
    const head = await store.read('audit.headOfStream', () => one(headOfStream({ stream })));
    if (head !== undefined)
      heads.set(stream, { tenant: head.tenant_id, head: { type: 'head', stream, seq: head.seq, hash: head.hash } });
  }
  const shown = new Set<string>(streams);
  for (let from = 1; from <= upTo; ) {
    const page = await store.read('audit.anchorsFrom', () =>
      rows(auditAnchorsFrom({ sequence: from, limit: ANCHOR_PAGE })),
    );
    if (page.length === 0) break;
    for (const { sequence, document } of page) {
      const anchor = readAnchor(document, trust);
      if (typeof anchor === 'string')
        throw new Error(
          `The recorded anchor ${sequence} does not verify: ${anchor}. Compare it with the anchor store before exporting.`,
        );
      if (sequence <= upTo) yield proofOf(anchor, shown);
      from = sequence + 1;
    }
  }
  for (const [stream, { tenant, head }] of heads) {
    for (let from = 1; from <= head.seq; ) {
      const page = await store.read('audit.readEvents', () =>
        rows(readAuditEvents({ tenant, stream, from, limit: EVENT_PAGE })),
      );
      if (page.length === 0) break;
      for (const event of page) {
        if (event.seq <= head.seq)
          yield { type: 'event', stream, seq: event.seq, bytes: event.bytes, hash: event.hash };
        from = event.seq + 1;
      }
    }
    yield head;
  }
}

/** Each line as JSON text with its line feed. */
export async function* exportText(lines: AsyncIterable<ExportLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}
