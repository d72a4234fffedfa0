import type { Artifacts } from '../artifacts/artifacts.ts';
import { parseDigest } from '../domain/digest.ts';
import { parseId, type RequestId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { Refusal } from '../domain/refusal.ts';
import type { RequestConclusion } from '../domain/request/conclusion.ts';
import { buildChangeEvidence, buildEvidenceBundle } from '../evidence/build.ts';
import { envelopeSchema } from '../evidence/dsse/envelope.ts';
import type { EvidenceFacts } from '../evidence/facts/bundle-facts.ts';
import { changeEvidenceFacts } from '../evidence/facts/change-evidence-facts.ts';
import { ENVELOPE_MEDIA_TYPE, seal as sign } from '../evidence/seal.ts';
import type { Signer } from '../evidence/signing/signer.ts';
import { type Statement, statementSchema } from '../evidence/statement.ts';
import { DocumentNotLoaded, type PlaneContext } from '../line/context.ts';
import { recordBundle, recordChangeEvidence, refuseChangeEvidence } from '../line/record-seal.ts';
import { bundleFactsOf, type SealedChange } from '../line/seal/bundle-facts.ts';
import { changeEvidenceOf } from '../line/seal/change-facts.ts';
import { readChangeDocuments } from '../line/seal/documents.ts';
import { inWords, isNotMet, isUnprovable } from '../line/seal/missing.ts';
import { type RequestRecords, readRecords } from '../line/seal/records.ts';
import type { OutboxBody } from '../outbox/entry.ts';
import type { Relay } from '../outbox/relay.ts';
import { unchanged } from '../store/command.ts';
import type { Store } from '../store/store.ts';
import type { RunCommand } from './run.ts';

type SealBody = OutboxBody & { readonly kind: 'seal' };

export type SealerParts = {
  readonly store: Store;
  /** A runner over `unawaited(relay)`. */
  readonly run: RunCommand;
  readonly artifacts: Artifacts;
  /** A key that signs evidence and nothing else. */
  readonly signer: Signer;
  readonly context: PlaneContext;
};

export type Sealer = {
  /**
   * Builds, signs and records the evidence that an outbox row asks for. May be repeated for the same row, also at once: the first
   * recorded counts. Throws when the store, the artifacts or the key can't be reached; the row is then tried again.
   */
  seal(body: SealBody): Promise<void>;
};

/**
 * The relay for a runner whose commands are called by the relay itself: rows are handed over and not waited for. Its lanes are few, and a
 * lane that seals would wait for a lane to deliver what it committed, up to `LIMITS.outbox.drainMs` when all of them seal.
 */
export function unawaited(relay: Relay): Relay {
  return {
    ...relay,
    async drain(entries) {
      void relay.drain(entries);
    },
  };
}

/** Code of the question a request ends with when what it claims can't be shown from the records. */
const INCOMPLETE = 'evidence_incomplete';
/** Code of the question when all that is missing is evidence that the packet requires. */
const NOT_MET = 'required_evidence_missing';

export function createSealer(parts: SealerParts): Sealer {
  return {
    async seal(body) {
      const request = parseId('request', body.request);
      if (request === undefined)
        throw new Refusal(
          422,
          'FACTORY-SEAL-UNKNOWN',
          `A seal was asked for "${body.request.slice(0, 64)}", which is no request.`,
        );
      if (body.subject === 'evidence_bundle') await sealBundle(parts, request);
      else if (body.node !== null) await sealChange(parts, { request, node: body.node, round: body.round });
      else
        throw new Refusal(
          422,
          'FACTORY-SEAL-UNKNOWN',
          `Change evidence was asked for request ${request} without the node that seals it.`,
        );
    },
  };
}

/** Reads the records outside any write; only where a pinned document is not in memory, through the command runner, which loads it. */
async function recordsOf(
  { store, run, context }: SealerParts,
  request: RequestId,
): Promise<RequestRecords | undefined> {
  try {
    return await store.read('seal.records', () => readRecords(context, request));
  } catch (error) {
    if (!(error instanceof DocumentNotLoaded)) throw error;
    return await run('seal.records', function* (loaded) {
      return unchanged({ answer: yield* readRecords(loaded, request), outbox: [], touched: [] });
    });
  }
}

async function sealChange(
  parts: SealerParts,
  seal: { readonly request: RequestId; readonly node: string; readonly round: number },
): Promise<void> {
  const { artifacts, context, run } = parts;
  const records = await recordsOf(parts, seal.request);
  const node = records?.nodes.find((candidate) => candidate.name === seal.node && candidate.round === seal.round);
  if (records === undefined || records.request.state !== 'running' || node?.state !== 'active' || node.sealed === 1)
    return;
  let statement: Statement<unknown>;
  try {
    const documents = await readChangeDocuments(records, artifacts.bytes);
    statement = buildChangeEvidence(changeEvidenceOf(records, documents, context.incarnation));
  } catch (error) {
    if (!isUnprovable(error)) throw error;
    await run('seal.refuse', (plane) =>
      refuseChangeEvidence(plane, seal, unproven('change evidence', seal.node, error)),
    );
    return;
  }
  const { digest, bytes, signedBy } = await signed(parts, statement);
  // A transaction of its own: going on with the request hands the artifact to jobs, whose rows come earlier in the lock order.
  await artifacts.put(bytes, {
    kind: 'change_evidence',
    mediaType: ENVELOPE_MEDIA_TYPE,
    owner: { type: 'request', id: seal.request, name: `change_evidence.${seal.round}` },
  });
  await run('seal.change', (plane) => recordChangeEvidence(plane, seal, { digest, signedBy }));
}

async function sealBundle(parts: SealerParts, request: RequestId): Promise<void> {
  const { artifacts, run } = parts;
  const records = await recordsOf(parts, request);
  const stored = records?.request.conclusion ?? null;
  if (records === undefined || records.request.state !== 'concluding' || stored === null) return;
  const { statement, conclusion } = await provenBundle(parts, records, JSON.parse(stored) as RequestConclusion);
  const { digest, bytes, signedBy } = await signed(parts, statement);
  const artifact = await artifacts.seal(bytes, {
    kind: 'evidence_bundle',
    mediaType: ENVELOPE_MEDIA_TYPE,
    owner: { type: 'request', id: request, name: 'evidence_bundle' },
  });
  let counts = false;
  const answer = await run('seal.bundle', (plane) =>
    recordBundle(plane, { request, stored, conclusion }, { digest, signedBy }, function* () {
      counts = yield* artifacts.record(artifact);
    }),
  );
  await artifacts.settle(artifact, answer === 'recorded' && counts);
}

/** The bundle for what the request concluded as; where the records don't show that, the bundle of a question that says so. */
async function provenBundle(
  parts: SealerParts,
  records: RequestRecords,
  conclusion: RequestConclusion,
): Promise<{ statement: Statement<EvidenceFacts>; conclusion: RequestConclusion }> {
  const { incarnation } = parts.context;
  const change = await sealedChange(parts, records);
  try {
    return { statement: buildEvidenceBundle(bundleFactsOf(records, conclusion, change, incarnation)), conclusion };
  } catch (error) {
    if (!isUnprovable(error)) throw error;
    const asked = unproven(conclusion.state, 'node' in conclusion ? conclusion.node : 'request', error);
    return { statement: buildEvidenceBundle(bundleFactsOf(records, asked, change, incarnation)), conclusion: asked };
  }
}

/** The newest change evidence of the request as it was signed. */
async function sealedChange({ artifacts }: SealerParts, records: RequestRecords): Promise<SealedChange | undefined> {
  const row = records.bundles.findLast((bundle) => bundle.kind === 'change_evidence');
  const digest = row === undefined ? undefined : parseDigest(row.digest);
  if (digest === undefined) return undefined;
  const bytes = await artifacts.bytes(digest, LIMITS.artifact.chunkBytes);
  const envelope = envelopeSchema.parse(JSON.parse(bytes.toString('utf8')));
  const statement = statementSchema.parse(JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8')));
  return { digest, facts: changeEvidenceFacts.parse(statement.predicate) };
}

async function signed(
  { signer }: SealerParts,
  statement: Statement<unknown>,
): Promise<{ digest: Awaited<ReturnType<typeof sign>>['digest']; bytes: Buffer; signedBy: Signer['keyId'] }> {
  const { digest, bytes } = await sign(statement, signer);
  return { digest, bytes, signedBy: signer.keyId };
}

function unproven(what: string, node: string, refusal: Refusal): RequestConclusion {
  const question = isNotMet(refusal)
    ? `The packet requires evidence that was not recorded: ${inWords(refusal)} Submit again with a check or reproduction that brings it, or without requiring it?`
    : `The ${what} of this request can't be shown from what is recorded: ${inWords(refusal)}. Which worker left it out, and should the request be retried?`;
  return {
    state: 'ESCALATE',
    code: isNotMet(refusal) ? NOT_MET : INCOMPLETE,
    question: question.slice(0, 2_000),
    tried: [`building the ${what}: ${refusal.code}`],
    node,
  };
}
