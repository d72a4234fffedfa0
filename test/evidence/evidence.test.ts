import { describe, expect, it } from 'vitest';
import { canonicalJson, digestOfBytes } from '../../shared/domain/digest.ts';
import { Refusal } from '../../shared/domain/refusal.ts';
import { buildChangeEvidence, buildEvidenceBundle } from '../../shared/evidence/build.ts';
import { verifyBundleFile, writeBundleFile } from '../../shared/evidence/bundle-file.ts';
import type { Envelope } from '../../shared/evidence/dsse/envelope.ts';
import type { EvidenceFacts } from '../../shared/evidence/facts/bundle-facts.ts';
import type { ChangeEvidenceFacts } from '../../shared/evidence/facts/change-evidence-facts.ts';
import { type SealedEvidence, seal } from '../../shared/evidence/seal.ts';
import { statementOf } from '../../shared/evidence/statement.ts';
import { type EvidenceVerdict, verifyEvidence } from '../../shared/evidence/verify.ts';
import { testSigner } from '../audit/stream.ts';
import { CONTENT, changeEvidence, ended, prReady } from './facts.ts';

const signer = testSigner('evidence', Date.parse('2025-06-01T00:00:00.000Z'));
const keys = signer.trust;
const OTHER_ENDS = ['NO_OP', 'ESCALATE', 'RETRYABLE_FAILURE', 'CANCELLED', 'REJECTED'] as const;

type Sealed = { readonly change: SealedEvidence; readonly bundle: SealedEvidence };

async function sealedBundle(): Promise<Sealed> {
  const change = await seal(buildChangeEvidence(changeEvidence()), signer);
  return { change, bundle: await seal(buildEvidenceBundle(prReady(change.digest)), signer) };
}

const source =
  (...extra: SealedEvidence[]) =>
  (digest: string): Uint8Array | undefined =>
    [...Object.values(CONTENT), ...extra.map((sealed) => sealed.bytes)].find(
      (bytes) => digestOfBytes(bytes) === digest,
    );

const text = (envelope: Envelope): string => canonicalJson(envelope);
const refusal = (attempt: () => unknown): Refusal => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was built');
};

/** Every path to a value inside, as keys. */
function pathsOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value);
  return [...(path.length > 0 ? [path] : []), ...entries.flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function changedAt<T>(
  value: T,
  path: readonly (string | number)[],
  change: (holder: Record<string | number, unknown>, key: string | number) => void,
): T {
  const copy = structuredClone(value);
  let holder = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
  change(holder, path.at(-1)!);
  return copy;
}

describe('building evidence', () => {
  it('builds the same statement of the same facts, naming what it is about', () => {
    const statement = buildChangeEvidence(changeEvidence());
    expect(statement).toEqual(buildChangeEvidence(changeEvidence()));
    expect(statement).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://agent-factory.dev/change-evidence/v1',
    });
    expect(statement.subject.map((subject) => subject.name)).toEqual(['tree', 'diff', 'packet']);
    for (const state of OTHER_ENDS) expect(buildEvidenceBundle(ended(state)).predicate.state).toBe(state);
  });

  it('refuses facts that miss any single member, with a pointer to it', () => {
    for (const facts of [prReady(digestOfBytes('x')), ...OTHER_ENDS.map(ended)] as EvidenceFacts[]) {
      for (const key of Object.keys(facts)) {
        const missing = Object.fromEntries(
          Object.entries(facts).filter(([name]) => name !== key),
        ) as unknown as EvidenceFacts;
        const refused = refusal(() => buildEvidenceBundle(missing));
        expect(refused).toMatchObject({ status: 422, code: 'FACTORY-EVIDENCE-INCOMPLETE' });
        expect(refused.details.map((detail) => detail.pointer).join(' '), `${facts.state} without ${key}`).toContain(
          `/${key}`,
        );
      }
    }
    const facts = changeEvidence();
    for (const path of pathsOf(facts).filter((each) => typeof each.at(-1) === 'string')) {
      const missing = changedAt(facts, path, (holder, key) => delete holder[key]);
      expect(() => buildChangeEvidence(missing), path.join('/')).toThrow(Refusal);
    }
  });

  it('can never read missing evidence as NO_OP', () => {
    for (const state of [...OTHER_ENDS, 'PR_READY'] as const) {
      const facts = state === 'PR_READY' ? prReady(digestOfBytes('x')) : ended(state);
      if (state !== 'NO_OP')
        expect(() => buildEvidenceBundle({ ...facts, state: 'NO_OP' } as unknown as EvidenceFacts)).toThrow(Refusal);
    }
    const noOp = ended('NO_OP');
    expect(
      refusal(() =>
        buildEvidenceBundle({ ...noOp, proof: digestOfBytes('nothing that a job gave out') } as EvidenceFacts),
      ).details[0],
    ).toMatchObject({ pointer: '/proof' });
  });

  it('refuses facts whose digest chain does not hold', () => {
    const broken: [string, (facts: ChangeEvidenceFacts) => unknown][] = [
      ['/plan', (facts) => ({ ...facts, plan: { ...facts.plan, digest: digestOfBytes('edited after approval') } })],
      [
        '/validation/tree',
        (facts) => ({ ...facts, validation: { ...facts.validation, tree: digestOfBytes('another') } }),
      ],
      ['/policyDecisions', (facts) => ({ ...facts, policyDecisions: [] })],
      [
        '/approvals/0/decisions',
        (facts) => ({
          ...facts,
          policyDecisions: facts.policyDecisions.map((decision) => ({ ...decision, principal: 'pri_lead' })),
        }),
      ],
      [
        // Whoever held a job approves nothing, also when another finished it.
        '/approvals/0/decisions',
        (facts) => ({
          ...facts,
          jobs: facts.jobs.map((job) => ({
            ...job,
            attempts: [
              {
                epoch: 1,
                attempt: 1,
                principal: 'pri_lead',
                from: '2026-01-01T10:00:00.000Z',
                endedAs: 'expired',
                signature: null,
              },
            ],
          })),
        }),
      ],
      [
        '/change/tree',
        (facts) => ({
          ...facts,
          change: { ...facts.change, tree: facts.base.tree },
          validation: { ...facts.validation, tree: facts.base.tree },
        }),
      ],
      [
        '/validation/job',
        (facts) => ({ ...facts, jobs: facts.jobs.map((job) => ({ ...job, principal: 'pri_station' })) }),
      ],
      [
        '/approvals/0/subjectDigest',
        (facts) => ({
          ...facts,
          approvals: facts.approvals.map((approval) => ({
            ...approval,
            subject: { ...approval.subject, risk: 'low' },
          })),
        }),
      ],
      [
        '/approvals/0/decisions',
        (facts) => ({
          ...facts,
          approvals: facts.approvals.map((approval) => ({
            ...approval,
            decisions: [{ ...approval.decisions[0], by: 'pri_requester' }],
          })),
        }),
      ],
      [
        '/approvals/0/decisions',
        (facts) => ({
          ...facts,
          approvals: facts.approvals.map((approval) => ({
            ...approval,
            decisions: [{ ...approval.decisions[0], by: 'pri_station' }],
          })),
        }),
      ],
      [
        '/approvals/0/decisions',
        (facts) => ({
          ...facts,
          approvals: facts.approvals.map((approval) => ({
            ...approval,
            required: 2,
            decisions: [...approval.decisions, ...approval.decisions],
          })),
        }),
      ],
      [
        '/validation/checks/0/after',
        (facts) => ({
          ...facts,
          validation: {
            ...facts.validation,
            checks: facts.validation.checks.map((check) => ({ ...check, after: 'failed' })),
          },
        }),
      ],
    ];
    for (const [pointer, change] of broken) {
      const refused = refusal(() => buildChangeEvidence(change(changeEvidence()) as ChangeEvidenceFacts));
      expect(refused).toMatchObject({ status: 409, code: 'FACTORY-EVIDENCE-CHAIN-BROKEN' });
      expect(refused.details.map((detail) => detail.pointer)).toContain(pointer);
    }
  });

  it('refuses effects that were not approved, not seen, or of another tree', () => {
    const facts = prReady(digestOfBytes('evidence'));
    const withEffect = (change: object): EvidenceFacts =>
      ({ ...facts, effects: facts.effects.map((effect) => ({ ...effect, ...change })) }) as EvidenceFacts;
    for (const change of [
      { tree: digestOfBytes('x') },
      { approval: null },
      { approval: 'apr_start' },
      { approval: 'apr_none' },
      { policyDecision: 'pol_none' },
      { job: 'job_build' },
      { epoch: 2 },
      { ordinal: 5 },
      { state: 'completed' },
      { observed: null },
    ]) {
      expect(() => buildEvidenceBundle(withEffect(change)), JSON.stringify(change)).toThrow(Refusal);
    }
    expect(() => buildEvidenceBundle({ ...facts, effects: [] })).toThrow(Refusal);
    expect(() => buildEvidenceBundle({ ...facts, changeEvidence: digestOfBytes('other evidence') })).toThrow(Refusal);
    expect(buildEvidenceBundle(facts).predicate.state).toBe('PR_READY');
  });
});

describe('verifying evidence', () => {
  it('verifies the whole chain offline with the artifacts at hand', async () => {
    const { change, bundle } = await sealedBundle();
    const verdict = verifyEvidence(bundle.bytes.toString(), { keys, artifacts: source(change) });
    expect(verdict).toMatchObject({
      ok: true,
      faults: [],
      signedBy: [signer.keyId],
      facts: { kind: 'evidence_bundle' },
    });
    expect(verdict.artifacts.absent).toEqual([]);
    expect(verdict.artifacts.checked).toContain(change.digest);
    expect(verifyEvidence(bundle.bytes.toString(), { keys }).artifacts.checked).toEqual([]);
  });

  it('refuses any changed or dropped field of the payload under the old signature', async () => {
    const { bundle } = await sealedBundle();
    const statement: object = JSON.parse(Buffer.from(bundle.envelope.payload, 'base64').toString());
    for (const path of pathsOf(statement)) {
      for (const change of [
        (holder: Record<string | number, unknown>, key: string | number) => delete holder[key],
        (holder: Record<string | number, unknown>, key: string | number) => (holder[key] = 'changed'),
      ]) {
        const payload = Buffer.from(canonicalJson(changedAt(statement, path, change))).toString('base64');
        const verdict = verifyEvidence(text({ ...bundle.envelope, payload }), { keys });
        expect(verdict.ok, path.join('/')).toBe(false);
        expect(verdict.faults[0]!.message).toContain('does not hold over these bytes');
      }
    }
  });

  it('refuses contradicting facts even when they are signed', async () => {
    const { change } = await sealedBundle();
    const facts = prReady(change.digest);
    const forged: unknown[] = [
      { ...facts, plan: { ...facts.plan, digest: digestOfBytes('edited') } },
      { ...facts, validation: { ...facts.validation, result: 'invalid' } },
      { ...facts, effects: [] },
      { ...facts, rollback: undefined },
      { ...facts, state: 'NO_OP' },
      { ...facts, extra: 'member' },
    ];
    const honest = buildEvidenceBundle(facts);
    for (const predicate of forged) {
      const sealed = await seal({ ...honest, predicate }, signer);
      expect(verifyEvidence(sealed.bytes.toString(), { keys }).ok).toBe(false);
    }
    const unknownType = await seal(
      statementOf('https://agent-factory.dev/evidence-bundle/v2', honest.subject, facts),
      signer,
    );
    expect(verifyEvidence(unknownType.bytes.toString(), { keys }).faults[0]!.message).toContain(
      'not known to this version',
    );
    const otherSubject = await seal({ ...honest, subject: honest.subject.slice(1) }, signer);
    expect(verifyEvidence(otherSubject.bytes.toString(), { keys }).faults[0]!.message).toContain('subjects');
  });

  it('refuses exchanged signatures, unknown keys, other purposes, types and forms', async () => {
    const { change, bundle } = await sealedBundle();
    const stranger = testSigner('evidence', Date.parse('2025-06-01T00:00:00.000Z'));
    const refused = (envelope: unknown, trust = keys): EvidenceVerdict => {
      const verdict = verifyEvidence(JSON.stringify(envelope), { keys: trust });
      expect(verdict.ok).toBe(false);
      return verdict;
    };
    refused({ ...bundle.envelope, signatures: change.envelope.signatures });
    refused({ ...bundle.envelope, payload: change.envelope.payload });
    refused({ ...bundle.envelope, payloadType: 'application/json' });
    refused({ ...bundle.envelope, signatures: [] });
    refused({ ...bundle.envelope, signatures: [{ ...bundle.envelope.signatures[0], keyid: stranger.keyId }] });
    refused({
      ...bundle.envelope,
      signatures: [...bundle.envelope.signatures, { keyid: stranger.keyId, sig: bundle.envelope.signatures[0]!.sig }],
    });
    refused((await seal(buildChangeEvidence(changeEvidence()), stranger)).envelope);
    refused(bundle.envelope, { ...keys, keys: keys.keys.map((key) => ({ ...key, purpose: 'anchor' as const })) });
    refused(bundle.envelope, { ...keys, keys: [] });
    expect(verifyEvidence('not json', { keys }).ok).toBe(false);
    expect(
      verifyEvidence(bundle.bytes.toString(), { keys: { ...keys, keys: [...stranger.trust.keys, ...keys.keys] } }).ok,
    ).toBe(true);
  });

  it('believes a retired key for what it signed while it was valid', async () => {
    const { bundle } = await sealedBundle();
    const retired = (notAfter: string) => ({
      ...keys,
      keys: keys.keys.map((key) => ({ ...key, notAfter: Date.parse(notAfter) })),
    });
    expect(verifyEvidence(bundle.bytes.toString(), { keys: retired('2026-02-01T00:00:00.000Z') }).ok).toBe(true);
    expect(verifyEvidence(bundle.bytes.toString(), { keys: retired('2025-12-01T00:00:00.000Z') }).faults).toMatchObject(
      [{ pointer: '/endedAt' }],
    );
  });

  it('finds artifacts and change evidence that are not what is referred to', async () => {
    const { change, bundle } = await sealedBundle();
    const wrong = (digest: string): Uint8Array | undefined =>
      digest === digestOfBytes(CONTENT['diff']!) ? Buffer.from('another diff') : source(change)(digest);
    expect(verifyEvidence(bundle.bytes.toString(), { keys, artifacts: wrong }).faults).toMatchObject([
      { message: expect.stringContaining('have another digest') },
    ]);

    // Sound and signed, but it said something else of the change.
    const other = await seal(buildChangeEvidence({ ...changeEvidence(), rollback: 'None.' }), signer);
    const referring = await seal(buildEvidenceBundle(prReady(other.digest)), signer);
    expect(verifyEvidence(referring.bytes.toString(), { keys, artifacts: source(other) }).faults).toEqual([
      { pointer: '/rollback', message: 'the change evidence says something else of the rollback' },
    ]);
  });
});

describe('the bundle file', () => {
  it('verifies by itself and by keys that were brought, and says which', async () => {
    const { change, bundle } = await sealedBundle();
    const file = writeBundleFile({
      evidence: bundle.bytes,
      changeEvidence: change.bytes,
      keys,
      artifacts: [...Object.values(CONTENT), Buffer.alloc(100_000)],
    });
    expect(verifyBundleFile(file)).toMatchObject({ ok: true, trust: 'from_bundle' });
    expect(verifyBundleFile(file, { keys })).toMatchObject({ ok: true, trust: 'given' });
    expect(verifyBundleFile(file, { keys: testSigner('evidence').trust }).ok).toBe(false);
    expect(JSON.parse(file).artifacts).toHaveLength(Object.keys(CONTENT).length);
  });

  it('refuses one without its change evidence, with another one, with changed artifacts, and what is no bundle', async () => {
    const { change, bundle } = await sealedBundle();
    const other = await seal(buildChangeEvidence(changeEvidence()), signer);
    const parts = { evidence: bundle.bytes, changeEvidence: change.bytes, keys, artifacts: Object.values(CONTENT) };
    expect(verifyBundleFile(writeBundleFile({ ...parts, changeEvidence: null }), { keys }).faults).toMatchObject([
      { pointer: '/changeEvidence' },
    ]);
    // A copy of the right one among the artifacts does not make up for a wrong one in its place.
    const copied = { ...parts, changeEvidence: other.bytes, artifacts: [...parts.artifacts, change.bytes] };
    expect(verifyBundleFile(writeBundleFile(copied), { keys }).ok).toBe(false);
    // Nothing rides along: neither what the evidence does not refer to, nor anything twice.
    const unreferenced = writeBundleFile({ ...parts, artifacts: [...parts.artifacts, Buffer.from('more')] });
    expect(verifyBundleFile(unreferenced, { keys })).toMatchObject({
      ok: false,
      faults: [{ message: expect.stringContaining('the evidence refers to no artifact') }],
    });
    const whole = JSON.parse(writeBundleFile(parts)) as { artifacts: unknown[] };
    const doubled = JSON.stringify({ ...whole, artifacts: [...whole.artifacts, whole.artifacts[0]] });
    expect(verifyBundleFile(doubled, { keys })).toMatchObject({
      ok: false,
      faults: [{ message: expect.stringContaining('is in the file twice') }],
    });
    expect(verifyBundleFile(writeBundleFile({ ...parts, changeEvidence: other.bytes }), { keys }).ok).toBe(false);
    const file: { artifacts: { digest: string; content: string }[] } = JSON.parse(writeBundleFile(parts));
    const changed = {
      ...file,
      artifacts: file.artifacts.map((artifact) => ({
        ...artifact,
        content: Buffer.from('changed').toString('base64'),
      })),
    };
    expect(verifyBundleFile(JSON.stringify(changed), { keys }).ok).toBe(false);
    for (const text of ['', '{}', '[]', 'null']) expect(verifyBundleFile(text, { keys }).ok).toBe(false);
  });

  it('refuses what two readers could read as two documents, and what is signed by anybody besides', async () => {
    const { change, bundle } = await sealedBundle();
    const text = writeBundleFile({ evidence: bundle.bytes, changeEvidence: change.bytes, keys, artifacts: [] });
    const why = (changed: string): string => {
      const verdict = verifyBundleFile(changed, { keys });
      expect(verdict.ok).toBe(false);
      return verdict.faults[0]!.message;
    };
    expect(verifyBundleFile(text, { keys }).ok).toBe(true);
    expect(why(text.replace('{', '{"evidence":"another reader sees this",'))).toContain('"evidence" appears twice');
    const envelope = (changed: (of: string) => string): string =>
      JSON.stringify({ ...JSON.parse(text), evidence: changed(Buffer.from(bundle.bytes).toString('utf8')) });
    expect(why(envelope((of) => of.replace('{', '{"payload":"AAAA",')))).toContain('"payload" appears twice');
    const signedBy = (change: (signatures: unknown[]) => unknown[]): string =>
      envelope((of) => {
        const parsed = JSON.parse(of) as { signatures: unknown[] };
        return JSON.stringify({ ...parsed, signatures: change(parsed.signatures) });
      });
    expect(why(signedBy(() => []))).toContain('not a DSSE envelope');
    expect(why(signedBy(([first]) => [first, first]))).toContain('signs it twice');
    expect(why(signedBy(([first]) => [first, { ...(first as object), keyid: 'key_0' }]))).toContain(
      'not among the trusted keys',
    );
    expect(why(envelope((of) => of.replace('in-toto+json', 'in-toto+yaml')))).toContain('its payload type is');
    expect(why(envelope((of) => Buffer.from(JSON.parse(of).payload, 'base64').toString('utf8')))).toContain(
      'not a DSSE envelope',
    );
    for (const same of [(of: string) => `${of}\r\n`, (of: string) => of.replace(',', ', ')])
      expect(why(envelope(same))).toContain('not in canonical form');
    expect(why(`${'['.repeat(100_000)}`)).toContain('nested deeper');
    expect(why(text.replace('"artifacts":[', '"artifacts":{"length":0},"more":['))).toContain('not a factory-bundle');
  });
});
