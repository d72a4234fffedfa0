import { z } from 'zod';
import { canonicalJson, digestOfBytes } from '../domain/digest.ts';
import { LIMITS } from '../domain/limits.ts';
import { readJson } from '../intake/json.ts';
import { type Trust, trustSchema } from './signing/trust.ts';
import { type ArtifactSource, type EvidenceVerdict, verifyEvidence } from './verify.ts';

export const BUNDLE_FILE_BYTES = 64 * 1024 * 1024;
const DEPTH = 16;

/** A bundle as one self-contained JSON file: the stored envelopes as they are, the public keys, and small artifacts it refers to. */
const bundleFile = z.strictObject({
  format: z.literal('factory-bundle/v1'),
  evidence: z.string(),
  changeEvidence: z.string().nullable(),
  keys: trustSchema,
  artifacts: z
    .array(z.strictObject({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), content: z.base64() }))
    .max(2_000),
});

/** Artifacts over this size are named by their digest only. */
export const BUNDLED_ARTIFACT_BYTES = LIMITS.artifact.inlineBytes;

/** Writes a bundle file. `evidence` and `changeEvidence` are the artifacts' exact bytes; larger artifacts than BUNDLED_ARTIFACT_BYTES are left out. */
export function writeBundleFile(input: {
  readonly evidence: Uint8Array;
  readonly changeEvidence: Uint8Array | null;
  readonly keys: Trust;
  readonly artifacts: Iterable<Uint8Array>;
}): string {
  const artifacts = [...input.artifacts]
    .filter((bytes) => bytes.byteLength <= BUNDLED_ARTIFACT_BYTES)
    .map((bytes) => ({ digest: digestOfBytes(bytes), content: Buffer.from(bytes).toString('base64') }))
    .sort((a, b) => (a.digest < b.digest ? -1 : 1));
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
  return canonicalJson({
    format: 'factory-bundle/v1',
    evidence: text(input.evidence),
    changeEvidence: input.changeEvidence === null ? null : text(input.changeEvidence),
    keys: input.keys,
    artifacts,
  });
}

/** `trust`: verified by keys the caller brought, or only by those inside the file, which prove no more than that it agrees with itself. */
export type BundleVerdict = EvidenceVerdict & { readonly trust: 'given' | 'from_bundle' };

/** Verifies a bundle file offline. Give `keys` from a trust file that was had by another way than the bundle. */
export function verifyBundleFile(
  text: string,
  given: { readonly keys?: Trust; readonly artifacts?: ArtifactSource } = {},
): BundleVerdict {
  const trust = given.keys === undefined ? 'from_bundle' : 'given';
  const refused = (message: string): BundleVerdict => ({
    ok: false,
    faults: [{ pointer: '/', message }],
    signedBy: [],
    facts: undefined,
    artifacts: { checked: [], absent: [] },
    trust,
  });
  if (text.length > BUNDLE_FILE_BYTES) return refused(`The bundle has more than ${BUNDLE_FILE_BYTES} characters.`);
  const read = readJson(Buffer.from(text), DEPTH);
  if ('fault' in read) return refused(`The file is not a factory-bundle/v1 bundle: ${read.fault.message}`);
  const parsed = bundleFile.safeParse(read.value);
  if (!parsed.success) return refused('The file is not a factory-bundle/v1 bundle.');
  const { evidence, changeEvidence, keys, artifacts } = parsed.data;
  const contents = new Map<string, Uint8Array>(
    artifacts.map((artifact) => [artifact.digest, Buffer.from(artifact.content, 'base64')]),
  );
  if (changeEvidence !== null) contents.set(digestOfBytes(changeEvidence), Buffer.from(changeEvidence));
  const verdict = verifyEvidence(evidence, {
    keys: given.keys ?? keys,
    artifacts: (digest) => contents.get(digest) ?? given.artifacts?.(digest),
  });
  const faults = verdict.ok
    ? [
        ...artifactFaults(artifacts, new Set(verdict.artifacts.checked)),
        ...changeEvidenceFaults(verdict, changeEvidence),
      ]
    : [];
  return faults.length > 0 ? { ...verdict, ok: false, faults, trust } : { ...verdict, trust };
}

/** Every artifact in the file is what it is filed under, is in it once, and belongs to the evidence: nothing rides along. */
function artifactFaults(
  artifacts: readonly { readonly digest: string; readonly content: string }[],
  referenced: ReadonlySet<string>,
): EvidenceVerdict['faults'] {
  const seen = new Set<string>();
  return artifacts.flatMap(({ digest, content }, index) => {
    const pointer = `/artifacts/${index}`;
    const twice = seen.has(digest);
    seen.add(digest);
    if (digestOfBytes(Buffer.from(content, 'base64')) !== digest)
      return [{ pointer, message: `its content is not that of ${digest}` }];
    if (twice) return [{ pointer, message: `${digest} is in the file twice` }];
    return referenced.has(digest) ? [] : [{ pointer, message: `the evidence refers to no artifact ${digest}` }];
  });
}

/** The change evidence in the file is the very one that the bundle refers to, and is there for a delivered change. */
function changeEvidenceFaults(verdict: EvidenceVerdict, held: string | null): EvidenceVerdict['faults'] {
  if (verdict.facts?.kind !== 'evidence_bundle') return [];
  const { facts } = verdict.facts;
  const named = 'changeEvidence' in facts ? facts.changeEvidence : null;
  if (held === null) {
    if (facts.state !== 'PR_READY') return [];
    return [{ pointer: '/changeEvidence', message: 'the bundle does not hold the change evidence that it refers to' }];
  }
  if (digestOfBytes(held) === named) return [];
  return [
    {
      pointer: '/changeEvidence',
      message: `it is not the change evidence that the bundle refers to (${named ?? 'none'})`,
    },
  ];
}
