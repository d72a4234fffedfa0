import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../digest.ts';
import { type ApplicationDeclaration, type Scenario, scenario } from './declaration.ts';

/**
 * The hidden scenarios of an application are an artifact of their own, apart from the declaration that jobs, requesters and approvers read. Its digest
 * is salted, so that it binds the scenarios and tells nothing of them: an auditor may hold it against the bytes, and nobody finds them by guessing.
 */
const salt = z.string().regex(/^[0-9a-f]{64}$/);

export const holdoutSet = z.strictObject({
  format: z.literal('factory-holdouts/v1'),
  salt,
  scenarios: z.array(scenario).min(1).max(50),
});
export type HoldoutSet = z.infer<typeof holdoutSet>;

/** What came of each scenario, for policy owners alone. `base` is null unless a scenario failed on the change: only then the base is tried too. */
export const holdoutReport = z.strictObject({
  format: z.literal('factory-holdout-report/v1'),
  salt,
  /** Digest of the set that ran. */
  holdouts: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** Git's id of the tree they ran against. */
  gitTree: z.string(),
  results: z.array(z.strictObject({ name: scenario.shape.name, changed: z.boolean(), base: z.boolean().nullable() })),
});
export type HoldoutReport = z.infer<typeof holdoutReport>;

/** All that a receipt, and so anybody but a policy owner, learns: `not_run` when a boundary was crossed before anything ran. */
export const HOLDOUT_RESULTS = ['passed', 'failed', 'none', 'not_run'] as const;
export type HoldoutResult = (typeof HOLDOUT_RESULTS)[number];

/** Kinds of artifacts that no policy opens: code decides before policy is asked. */
const HIDDEN_KINDS: readonly string[] = ['holdout', 'holdout_report'];
export const isHiddenKind = (kind: string): boolean => HIDDEN_KINDS.includes(kind);

export const newSalt = (): string => randomBytes(32).toString('hex');

export const newHoldoutSet = (scenarios: readonly Scenario[]): HoldoutSet => ({
  format: 'factory-holdouts/v1',
  salt: newSalt(),
  scenarios: [...scenarios],
});

export const sameScenarios = (one: readonly Scenario[], other: readonly Scenario[]): boolean =>
  canonicalJson(one) === canonicalJson(other);

export const hasHoldouts = ({ scenarios, holdouts }: ApplicationDeclaration): boolean =>
  scenarios.length > 0 || holdouts === true;

/** The declaration as it is kept and read. It is the same whatever the scenarios are. */
export function withoutScenarios(declaration: ApplicationDeclaration): ApplicationDeclaration {
  const { holdouts: _, ...rest } = declaration;
  return { ...rest, scenarios: [], ...(hasHoldouts(declaration) ? { holdouts: true as const } : {}) };
}
