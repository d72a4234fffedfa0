import { canonicalJson, digestOfBytes } from '../domain/digest.ts';
import { readJson } from '../intake/json.ts';
import { buildChangeEvidence, buildEvidenceBundle } from './build.ts';
import { bundleFaults, type ChainFault, changeEvidenceFaults } from './chain.ts';
import { IN_TOTO_PAYLOAD } from './dsse/envelope.ts';
import { verifyEnvelope } from './dsse/verify.ts';
import { bundleFacts, type EvidenceFacts } from './facts/bundle-facts.ts';
import { type ChangeEvidenceFacts, changeEvidenceFacts } from './facts/change-evidence-facts.ts';
import { changeFacts } from './facts/parts.ts';
import { type Trust, validAt } from './signing/trust.ts';
import { PREDICATE_TYPE, statementBytes, statementSchema } from './statement.ts';

/** Bytes of an artifact by its digest, or undefined when they are not at hand. */
export type ArtifactSource = (digest: string) => Uint8Array | undefined;

export type EvidenceVerdict = {
  readonly ok: boolean;
  /** Each broken thing, with a pointer into the statement's predicate (or `/` for the envelope itself). */
  readonly faults: readonly ChainFault[];
  readonly signedBy: readonly string[];
  readonly facts:
    | { readonly kind: 'change_evidence'; readonly facts: ChangeEvidenceFacts }
    | { readonly kind: 'evidence_bundle'; readonly facts: EvidenceFacts }
    | undefined;
  /** Referenced artifacts whose bytes were at hand and have the named digest, and those that were not at hand. */
  readonly artifacts: { readonly checked: readonly string[]; readonly absent: readonly string[] };
};

const refused = (message: string, pointer = '/'): EvidenceVerdict => ({
  ok: false,
  faults: [{ pointer, message }],
  signedBy: [],
  facts: undefined,
  artifacts: { checked: [], absent: [] },
});

type Parsed = NonNullable<EvidenceVerdict['facts']>;

function parsePredicate(predicateType: string, predicate: unknown): Parsed | string {
  if (predicateType === PREDICATE_TYPE.changeEvidence) {
    const parsed = changeEvidenceFacts.safeParse(predicate);
    return parsed.success
      ? { kind: 'change_evidence', facts: parsed.data }
      : `its content is incomplete at /${parsed.error.issues[0]?.path.map(String).join('/') ?? ''}`;
  }
  if (predicateType === PREDICATE_TYPE.evidenceBundle) {
    const parsed = bundleFacts.safeParse(predicate);
    return parsed.success
      ? { kind: 'evidence_bundle', facts: parsed.data }
      : `its content is incomplete at /${parsed.error.issues[0]?.path.map(String).join('/') ?? ''}`;
  }
  return `its predicate type ${predicateType} is not known to this version`;
}

/** Every digest the facts refer to as an artifact. Digests of trees, subjects and policies are not artifacts. */
function referenced(facts: Parsed): string[] {
  const digests = new Set<string>([facts.facts.task.packet]);
  for (const job of facts.facts.jobs) for (const output of job.outputs) digests.add(output.digest);
  if ('changeEvidence' in facts.facts && facts.facts.changeEvidence !== null) digests.add(facts.facts.changeEvidence);
  return [...digests].sort();
}

function artifactFaults(
  digests: readonly string[],
  source: ArtifactSource,
): { checked: string[]; absent: string[]; faults: ChainFault[] } {
  const checked: string[] = [];
  const absent: string[] = [];
  const faults: ChainFault[] = [];
  for (const digest of digests) {
    const bytes = source(digest);
    if (bytes === undefined) absent.push(digest);
    else if (digestOfBytes(bytes) === digest) checked.push(digest);
    else faults.push({ pointer: '/', message: `the bytes at hand for artifact ${digest} have another digest` });
  }
  return { checked, absent, faults };
}

/** The change evidence a bundle refers to must be whole, signed by a trusted key, and say the same of the change. */
function changeEvidenceOf(facts: EvidenceFacts, trust: Trust, source: ArtifactSource): ChainFault[] {
  if (facts.state !== 'PR_READY') return [];
  const bytes = source(facts.changeEvidence);
  if (bytes === undefined) return [];
  if (digestOfBytes(bytes) !== facts.changeEvidence)
    return [{ pointer: '/changeEvidence', message: 'the change evidence at hand has another digest' }];
  const verdict = verifyEvidence(Buffer.from(bytes).toString('utf8'), { keys: trust });
  if (!verdict.ok || verdict.facts?.kind !== 'change_evidence') {
    return [
      {
        pointer: '/changeEvidence',
        message: `the change evidence does not verify: ${verdict.faults[0]?.message ?? 'it is another kind of statement'}`,
      },
    ];
  }
  const earlier = verdict.facts.facts;
  const faults: ChainFault[] = [];
  for (const part of Object.keys(changeFacts.shape) as (keyof typeof changeFacts.shape)[]) {
    if (canonicalJson(earlier[part]) !== canonicalJson(facts[part]))
      faults.push({ pointer: `/${part}`, message: `the change evidence says something else of the ${part}` });
  }
  return faults;
}

/**
 * Verifies a stored envelope offline: signature first, then form, the time stated against the key's validity, the digest chain packet →
 * plan → approval → job → effect → evidence, and the bytes of every referenced artifact that is at hand. `keys` may hold retired keys.
 */
export function verifyEvidence(
  envelopeText: string,
  options: { readonly keys: Trust; readonly artifacts?: ArtifactSource },
): EvidenceVerdict {
  const envelope = parseJson(envelopeText);
  if (typeof envelope === 'string') return refused(`The envelope is refused: ${envelope}`);
  const signed = verifyEnvelope(envelope, IN_TOTO_PAYLOAD, 'evidence', options.keys);
  if (!signed.ok) return refused(`The envelope is refused: ${signed.because}.`);
  // Its digest is what the audit has and others refer to: other bytes that say the same are another artifact.
  if (canonicalJson(envelope) !== envelopeText)
    return refused('The envelope is refused: it is not in canonical form, so its digest is not the recorded one.');
  const statement = statementSchema.safeParse(parseJson(signed.payload.toString('utf8')));
  if (!statement.success) return refused('The signed payload is not an in-toto Statement v1.');
  const parsed = parsePredicate(statement.data.predicateType, statement.data.predicate);
  if (typeof parsed === 'string') return refused(`The statement is refused: ${parsed}.`);

  const faults: ChainFault[] = [];
  const statedAt = parsed.kind === 'change_evidence' ? parsed.facts.createdAt : parsed.facts.endedAt;
  for (const key of signed.keys) {
    if (!validAt(key, Date.parse(statedAt)))
      faults.push({
        pointer: parsed.kind === 'change_evidence' ? '/createdAt' : '/endedAt',
        message: `it states ${statedAt}, when the key ${key.keyId} was not valid`,
      });
  }
  const chain = parsed.kind === 'change_evidence' ? changeEvidenceFaults(parsed.facts) : bundleFaults(parsed.facts);
  faults.push(...chain);
  if (chain.length === 0) {
    const rebuilt =
      parsed.kind === 'change_evidence' ? buildChangeEvidence(parsed.facts) : buildEvidenceBundle(parsed.facts);
    if (!statementBytes(rebuilt).equals(signed.payload))
      faults.push({
        pointer: '/',
        message: 'its subjects are not those of its content, or it is not in canonical form',
      });
  }
  const source = options.artifacts ?? (() => undefined);
  const artifacts = artifactFaults(referenced(parsed), source);
  faults.push(...artifacts.faults);
  if (parsed.kind === 'evidence_bundle') faults.push(...changeEvidenceOf(parsed.facts, options.keys, source));
  return {
    ok: faults.length === 0,
    faults,
    signedBy: signed.keys.map((key) => key.keyId),
    facts: parsed,
    artifacts: { checked: artifacts.checked, absent: artifacts.absent },
  };
}

const DEPTH = 16;

/** The value, or why there is none as a text; no envelope and no statement is a text. */
function parseJson(text: string): unknown {
  const read = readJson(Buffer.from(text), DEPTH);
  return 'fault' in read ? read.fault.message : read.value;
}
