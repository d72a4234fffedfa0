import type { Digest } from '../../domain/digest.ts';
import type { Trust } from '../../evidence/signing/trust.ts';
import { chainHash, genesisHash } from '../event.ts';
import {
  type AnchorFault,
  type AuditScope,
  type DeclaredLoss,
  type DeclaredRestore,
  type SealedHead,
  verifyAnchors,
} from './anchors.ts';
import type { AnchorProof, AuditRecord, HeadRecord } from './record.ts';

/** What is wrong in a stream and where: `seq` is the first event that can't be believed. */
export type StreamFault = {
  readonly seq: number;
  readonly code:
    | 'out_of_order'
    | 'malformed'
    | 'changed'
    | 'contradicts_anchor'
    | 'cut'
    | 'contradicts_head'
    | 'no_head';
  readonly message: string;
};

export type StreamVerdict = {
  readonly stream: string;
  readonly events: number;
  /** Every event up to this one is proved by an anchor outside the database; 0 when none is. */
  readonly provedTo: number;
  readonly provedBy: number | null;
  /** The last event that anchors later than the time asked for seal, when it is not among these; null otherwise. */
  readonly goesOnTo: number | null;
  /** Events behind the last anchor: chained, but not yet anchored. */
  readonly notYetAnchored: number;
  readonly faults: readonly StreamFault[];
  /** Events that were sealed and then lost to a restore that an operator accepted: no fault, and never hidden. */
  readonly losses: readonly DeclaredLoss[];
};

export type AuditVerdict = {
  readonly ok: boolean;
  readonly streams: readonly StreamVerdict[];
  readonly anchors: {
    readonly count: number;
    readonly first: number | null;
    readonly last: number | null;
    readonly restores: readonly DeclaredRestore[];
    readonly faults: readonly AnchorFault[];
  };
};

type Progress = {
  stream: string;
  events: number;
  hash: Digest;
  sealed: readonly SealedHead[];
  next: number;
  provedTo: number;
  provedBy: number | null;
  faults: StreamFault[];
};

/** Each stream stops at its first broken event: what follows rests on it, so further faults would say nothing. */
const broken = (state: Progress): boolean => state.faults.length > 0;

function namesItself(record: AuditRecord): boolean {
  try {
    const value: unknown = JSON.parse(record.bytes);
    return (
      typeof value === 'object' &&
      value !== null &&
      'stream' in value &&
      'seq' in value &&
      value.stream === record.stream &&
      value.seq === record.seq
    );
  } catch {
    return false;
  }
}

/** What an event's own bytes and place show to be wrong; undefined when it continues the chain. */
function brokenBy(state: Progress, record: AuditRecord, hash: Digest): StreamFault | undefined {
  const expected = state.events + 1;
  const { seq } = record;
  if (seq !== expected) {
    return {
      seq: expected,
      code: 'out_of_order',
      message: `event ${expected} was due and ${seq} is there: one was deleted, inserted or moved`,
    };
  }
  if (hash !== record.hash) {
    const message = `event ${seq} does not hash to what is recorded: it or the one before was changed, inserted or exchanged`;
    return { seq, code: 'changed', message };
  }
  if (!namesItself(record))
    return { seq, code: 'malformed', message: `event ${seq} does not name this stream and place` };
  return undefined;
}

function take(state: Progress, record: AuditRecord): void {
  if (broken(state)) return;
  const hash = chainHash(state.hash, record.bytes);
  const fault = brokenBy(state, record, hash);
  if (fault !== undefined) {
    state.faults.push(fault);
    return;
  }
  state.events = record.seq;
  state.hash = hash;
  for (
    let sealed = state.sealed[state.next];
    sealed !== undefined && sealed.seq === record.seq;
    sealed = state.sealed[++state.next]
  ) {
    if (sealed.hash === hash) {
      state.provedTo = record.seq;
      state.provedBy = sealed.anchor;
    } else {
      const message = `event ${record.seq} is not the one that anchor ${sealed.anchor} sealed: the chain up to it was rewritten`;
      state.faults.push({ seq: record.seq, code: 'contradicts_anchor', message });
      return;
    }
  }
}

function end(state: Progress, head: HeadRecord | undefined, losses: readonly DeclaredLoss[]): StreamVerdict {
  if (!broken(state)) {
    const sealed = state.sealed.slice(state.next).find(({ later }) => !later);
    if (sealed !== undefined)
      state.faults.push({
        seq: state.events + 1,
        code: 'cut',
        message: `it ends at event ${state.events}, and anchor ${sealed.anchor} sealed event ${sealed.seq}: the tail was cut`,
      });
  }
  if (
    !broken(state) &&
    head !== undefined &&
    (head.seq !== state.events || (head.seq > 0 && head.hash !== state.hash))
  ) {
    state.faults.push({
      seq: Math.min(head.seq, state.events) + 1,
      code: 'contradicts_head',
      message: `its head says event ${head.seq}, and its events end at ${state.events} with another hash or number`,
    });
  }
  const { stream, events, provedTo, provedBy, faults } = state;
  const last = state.sealed.at(-1);
  const goesOnTo = last?.later === true && last.seq > events ? last.seq : null;
  return { stream, events, provedTo, provedBy, goesOnTo, notYetAnchored: events - provedTo, faults, losses };
}

/**
 * Verifies audit streams offline: the chain of each, and against the anchors, which are kept outside the database. Proves every event up to a
 * stream's last anchored head and reports the rest as not yet anchored. Events come in ascending order within a stream; streams may
 * be mixed. Memory follows the number of streams and anchored heads, not of events.
 *
 * Whoever holds only this input can't know of anchors that were left out: give the anchors from where they are kept.
 */
export async function verifyAudit(input: {
  readonly events: AsyncIterable<AuditRecord> | Iterable<AuditRecord>;
  readonly heads?: Iterable<HeadRecord>;
  readonly anchors: Iterable<AnchorProof>;
  readonly keys: Trust;
  readonly scope?: AuditScope;
}): Promise<AuditVerdict> {
  const anchors = verifyAnchors(input.anchors, input.keys, input.scope);
  const states = new Map<string, Progress>();
  const stateOf = (stream: string): Progress => {
    const known = states.get(stream);
    if (known !== undefined) return known;
    const state: Progress = {
      stream,
      events: 0,
      hash: genesisHash(stream),
      sealed: anchors.sealed.get(stream) ?? [],
      next: 0,
      provedTo: 0,
      provedBy: null,
      faults: [],
    };
    states.set(stream, state);
    return state;
  };
  // A stream that is anchored and has no event left is the largest cut of all.
  for (const stream of anchors.sealed.keys()) stateOf(stream);
  for await (const record of input.events) take(stateOf(record.stream), record);
  const heads = new Map([...(input.heads ?? [])].map((head) => [head.stream, head]));
  for (const stream of heads.keys()) stateOf(stream);
  const streams = [...states.values()]
    .map((state) => end(state, heads.get(state.stream), anchors.losses.get(state.stream) ?? []))
    .sort((a, b) => (a.stream < b.stream ? -1 : 1));
  return {
    ok: anchors.faults.length === 0 && streams.every((stream) => stream.faults.length === 0),
    streams,
    anchors: {
      count: anchors.count,
      first: anchors.first,
      last: anchors.last,
      restores: anchors.restores,
      faults: anchors.faults,
    },
  };
}
