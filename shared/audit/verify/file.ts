import type { Trust } from '../../evidence/signing/trust.ts';
import type { AnchorFault } from './anchors.ts';
import { readExport } from './lines.ts';
import { ExportMalformed } from './malformed.ts';
import type { AnchorProof, AuditRecord, HeadRecord } from './record.ts';
import { type AuditVerdict, type StreamVerdict, verifyAudit } from './verify.ts';

/**
 * How an export was verified. `trust`: by keys the caller gave, or only by those inside the export, which prove no more than that it agrees with
 * itself. `anchored`: against anchors from where they are kept, or only those that the export shows.
 */
export type ExportVerdict = AuditVerdict & {
  readonly trust: 'given' | 'from_export';
  readonly anchored: 'given' | 'from_export';
  readonly exportedAt: string;
};

type Contents = {
  readonly exportedAt: string;
  readonly streams: ReadonlySet<string>;
  readonly keys: Trust;
  readonly anchors: readonly AnchorProof[];
  readonly heads: ReadonlyMap<string, HeadRecord>;
};

/**
 * Verifies an export file. Give `keys` (a trust file) and `anchors` from where they are kept, ascending: anchors that the export leaves out are found
 * only with them. Reads the file twice, in a stream. Throws `ExportMalformed` for a file that is no export.
 */
export async function verifyExport(
  file: string,
  given: { readonly keys?: Trust; readonly anchors?: Iterable<AnchorProof> } = {},
): Promise<ExportVerdict> {
  const contents = await contentsOf(file);
  const { streams, exportedAt, heads } = contents;
  async function* events(): AsyncGenerator<AuditRecord> {
    for await (const line of readExport(file)) if (line.type === 'event') yield line;
  }
  const shown = new Set(contents.anchors.map(({ anchor }) => anchor.payload));
  const verdict = await verifyAudit({
    events: events(),
    heads: heads.values(),
    anchors: given.anchors === undefined ? contents.anchors : seen(given.anchors, shown),
    keys: given.keys ?? contents.keys,
    scope: { streams, until: Date.parse(exportedAt) },
  });
  const trust = given.keys === undefined ? 'from_export' : 'given';
  const anchored = given.anchors === undefined ? 'from_export' : 'given';
  // What is left of the shown ones was not among those that are kept.
  const strange: AnchorFault[] =
    anchored === 'from_export' || shown.size === 0
      ? []
      : [{ anchor: null, message: `${shown.size} anchors that the export shows are not among those given` }];
  const listed = verdict.streams.map((stream) => whole(stream, heads));
  return {
    ...verdict,
    ok: verdict.ok && strange.length === 0 && listed.every((stream) => stream.faults.length === 0),
    streams: [...listed, ...absent(streams, listed)],
    anchors: { ...verdict.anchors, faults: [...verdict.anchors.faults, ...strange] },
    trust,
    anchored,
    exportedAt,
  };
}

/** All but the events, each once and where it belongs: of two records of one thing, two readers would believe another. */
async function contentsOf(file: string): Promise<Contents> {
  const anchors: AnchorProof[] = [];
  const heads = new Map<string, HeadRecord>();
  let keys: Trust | undefined;
  let exportedAt = '';
  let streams: ReadonlySet<string> = new Set();
  for await (const line of readExport(file)) {
    if ((line.type === 'event' || line.type === 'head') && !streams.has(line.stream))
      throw new ExportMalformed(
        `The audit export holds records of ${line.stream}, which its header does not name. Nothing was verified.`,
      );
    if (line.type === 'header') {
      exportedAt = line.exportedAt;
      streams = new Set(line.streams);
    } else if (line.type === 'keys') {
      if (keys !== undefined) throw new ExportMalformed('The audit export holds its keys twice. Nothing was verified.');
      keys = line.trust;
    } else if (line.type === 'head') {
      if (heads.has(line.stream))
        throw new ExportMalformed(`The audit export holds the head of ${line.stream} twice. Nothing was verified.`);
      heads.set(line.stream, line);
    } else if (line.type === 'anchor') anchors.push(line);
  }
  return { anchors, heads, keys: keys ?? { format: 'factory-trust/v1', keys: [] }, exportedAt, streams };
}

/** Passes anchors on and strikes them off those that are waited for. */
function* seen(anchors: Iterable<AnchorProof>, waited: Set<string>): Generator<AnchorProof> {
  for (const proof of anchors) {
    waited.delete(proof.anchor.payload);
    yield proof;
  }
}

/** A stream's head is its last line: without it the export was cut short, whatever else is in it. */
function whole(stream: StreamVerdict, heads: ReadonlyMap<string, HeadRecord>): StreamVerdict {
  if (stream.faults.length > 0 || stream.events === 0 || heads.has(stream.stream)) return stream;
  const message = `it goes on to event ${stream.events} and has no head: the export was cut short`;
  return { ...stream, faults: [{ seq: stream.events + 1, code: 'no_head', message }] };
}

/** Streams that were asked for and of which nothing is there: nothing has happened in them. */
function absent(asked: ReadonlySet<string>, listed: readonly StreamVerdict[]): StreamVerdict[] {
  return [...asked]
    .filter((stream) => !listed.some((each) => each.stream === stream))
    .map((stream) => ({
      stream,
      events: 0,
      provedTo: 0,
      provedBy: null,
      goesOnTo: null,
      notYetAnchored: 0,
      faults: [],
      losses: [],
    }));
}
