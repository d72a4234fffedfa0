import { z } from 'zod';
import { canonicalJson } from '../domain/digest.ts';

/** Versioned predicate types. A change of meaning is a new version; a verifier refuses those it does not know. */
export const PREDICATE_TYPE = {
  changeEvidence: 'https://agent-factory.dev/change-evidence/v1',
  evidenceBundle: 'https://agent-factory.dev/evidence-bundle/v1',
} as const;

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** An in-toto Statement v1 (in-toto/attestation, spec/v1/statement.md): what is spoken of, by digest, and what is said. */
export const statementSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(100),
        digest: z.record(z.string(), z.string().regex(/^[0-9a-f]{40,64}$/)),
      }),
    )
    .min(1)
    .max(16),
  predicateType: z.string().max(200),
  predicate: z.record(z.string(), z.unknown()),
});

export type Statement<P> = {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType: string;
  readonly predicate: P;
};

/** A subject by its plaintext digest `sha256:…`, in in-toto's form. */
export const sha256Subject = (
  name: string,
  digest: string,
): { readonly name: string; readonly digest: Readonly<Record<string, string>> } => ({
  name,
  digest: { sha256: digest.slice('sha256:'.length) },
});

export function statementOf<P>(predicateType: string, subject: Statement<P>['subject'], predicate: P): Statement<P> {
  return { _type: STATEMENT_TYPE, subject, predicateType, predicate };
}

/** The bytes that are signed: canonical JSON (RFC 8785), so the same facts always give the same statement. */
export const statementBytes = (statement: Statement<unknown>): Buffer => Buffer.from(canonicalJson(statement));
