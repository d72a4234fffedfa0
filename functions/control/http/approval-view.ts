import { z } from 'zod';
import type { HoldoutResult } from '../../../shared/domain/application/holdouts.ts';
import type { ApprovalSubject } from '../../../shared/domain/approval/subject.ts';
import type { Digest } from '../../../shared/domain/digest.ts';
import { parseDigest } from '../../../shared/domain/digest.ts';
import type { Outcome } from '../../../shared/domain/job/outcome.ts';
import { Refusal } from '../../../shared/domain/refusal.ts';
import { CONCERNS, concernInWords } from '../../../shared/domain/risk/concern.ts';
import type { Risk } from '../../../shared/domain/risk/tier.ts';
import { planSchema } from '../../../shared/stations/plan.ts';
import type { ApprovalRow, NodeRow } from '../../../shared/store/schema/rows.ts';
import { type ReceiptClaims, receiptSchema } from '../../../shared/verify/receipt.ts';
import { reproductionInWords } from '../../../shared/verify/reproduction-in-words.ts';
import type { Plane } from '../plane.ts';
import { iso, isoOrNull, recorded } from './render.ts';

/** What an approver is shown is cut to this; the artifacts behind the links are whole. */
const SHOWN = 50;
const ARTIFACT_BYTES = 4 * 1024 * 1024;

export const approvalSummary = z.object({
  id: z.string(),
  type: z.string(),
  state: z.string(),
  tier: z.string().nullable(),
  request: z.string().nullable(),
  installation: z.string().nullable(),
  subject: z.string(),
  required: z.int(),
  role: z.string().nullable(),
  freshAuthentication: z.boolean(),
  openedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  decidedAt: z.iso.datetime().nullable(),
  links: z.object({ self: z.string() }),
});

export function summaryOfApproval(row: ApprovalRow): z.infer<typeof approvalSummary> {
  return {
    id: row.id,
    type: row.type,
    state: row.state,
    tier: row.tier,
    request: row.request_id,
    installation: row.installation_id,
    subject: row.subject_digest,
    required: row.required,
    role: row.role,
    freshAuthentication: row.requires_fresh_auth === 1,
    openedAt: iso(row.opened_at),
    expiresAt: iso(row.expires_at),
    decidedAt: isoOrNull(row.decided_at),
    links: { self: `/api/v1/approvals/${row.id}` },
  };
}

/** What of an approval's subject a person is to look at, out of the artifacts that the subject names. */
export async function renderSubject(
  plane: Plane,
  subject: ApprovalSubject,
  nodes: { readonly gate: NodeRow | undefined; readonly facts: NodeRow | undefined },
): Promise<Record<string, unknown>> {
  if (subject.type === 'installation')
    return { plan: await installPlanOf(plane, subject.plan), links: { plan: link(subject.plan) } };
  if (subject.type === 'declaration')
    return {
      changes: changedParts(subject.changes, await jsonOf(plane, subject.from), await jsonOf(plane, subject.to)),
      links: { before: link(subject.from), after: link(subject.to) },
    };
  const risk = recorded<Risk>(nodes.gate?.risk ?? null);
  const outcome = recorded<Outcome>(nodes.facts?.outcome ?? null);
  const packet = await jsonOf(plane, subject.packet);
  return {
    risk: risk === null ? null : { tier: risk.tier, reasons: risk.reasons.slice(0, SHOWN) },
    packet: packetSummary(packet),
    plan: await planOf(plane, subject.plan),
    change: outcome === null ? null : changeOf(outcome),
    links: {
      packet: link(subject.packet),
      plan: link(subject.plan),
      ...(subject.type === 'effect' ? { changeEvidence: link(subject.changeEvidence) } : {}),
    },
  };
}

/** The parts of a declaration that change, each as it is and as it would be. Of scenarios the names alone: what they do is nobody's to see here. */
function changedParts(names: readonly string[], before: unknown, after: unknown): unknown[] {
  const part = (declaration: unknown, name: string): unknown => {
    const value: unknown =
      typeof declaration === 'object' && declaration !== null ? Reflect.get(declaration, name) : null;
    if (name !== 'scenarios' || !Array.isArray(value)) return value ?? null;
    return value.map((scenario: { readonly name?: unknown }) => scenario.name ?? null);
  };
  return names.map((field) => ({ field, before: part(before, field), after: part(after, field) }));
}

const link = (digest: string): string => `/api/v1/artifacts/${digest}`;

async function jsonOf(plane: Plane, digest: Digest): Promise<unknown> {
  try {
    return JSON.parse((await plane.artifacts.bytes(digest, ARTIFACT_BYTES)).toString('utf8'));
  } catch (error) {
    // A line without a plan binds the digest of `null` in its place: there is nothing to show.
    if (error instanceof Refusal && error.status === 404) return null;
    throw error;
  }
}

function packetSummary(packet: unknown): unknown {
  const fields = z
    .object({
      goal: z.string(),
      intent: z.string(),
      acceptance: z.array(z.unknown()),
      scope: z.record(z.string(), z.unknown()),
      nonGoals: z.array(z.string()),
      mustNotChange: z.unknown().optional(),
      validation: z.object({ testsMayChange: z.array(z.string()) }).loose(),
      evidenceRequired: z.array(z.string()),
      rollback: z.string().optional(),
      output: z.unknown(),
    })
    .safeParse(packet);
  if (!fields.success) return null;
  const { acceptance, nonGoals, validation, rollback, ...shown } = fields.data;
  return {
    ...shown,
    acceptance: acceptance.slice(0, SHOWN),
    nonGoals: nonGoals.slice(0, SHOWN),
    testsMayChange: validation.testsMayChange,
    rollback: rollback ?? null,
  };
}

async function planOf(plane: Plane, digest: Digest): Promise<unknown> {
  const parsed = planSchema.safeParse(await jsonOf(plane, digest));
  if (!parsed.success) return null;
  const { base, changes, decisions, tests, manifests, counts } = parsed.data;
  return {
    base,
    counts,
    changes: changes.slice(0, SHOWN),
    manifests: manifests.slice(0, SHOWN),
    testsFirst: tests.moveFirst.slice(0, SHOWN),
    untested: tests.untested,
    decisions: decisions.slice(0, SHOWN),
  };
}

function changeOf({ verdict, summary, facts, unknowns }: Outcome): unknown {
  const { paths, testPaths, manifests, pathCount, linesAdded, linesRemoved, binaryFiles, sandbox } = facts;
  return {
    verdict,
    summary,
    paths: paths.slice(0, SHOWN),
    testPaths: testPaths.slice(0, SHOWN),
    manifests: manifests.slice(0, SHOWN),
    pathCount,
    linesAdded,
    linesRemoved,
    binaryFiles,
    sandbox,
    unknowns: unknowns.slice(0, SHOWN),
  };
}

/** What the verifier found: for the tree that is being approved, or for the base before anything is built. */
export async function checksOf(plane: Plane, receipt: string): Promise<unknown> {
  const digest = parseDigest(receipt);
  const parsed = digest === undefined ? undefined : receiptSchema.safeParse(await jsonOf(plane, digest));
  if (parsed?.success !== true) return null;
  const { claims } = parsed.data;
  const { verdict, checks, commands, scenarios, holdouts, tests, faults, notVerified, sandbox, reproduction } = claims;
  return {
    verdict,
    checks: checks.map(({ name, kind, passed, ending, counts, faults: why }) => ({
      name,
      kind,
      passed,
      ...(ending === undefined ? {} : { ending }),
      faults: why,
      counts:
        counts === null
          ? null
          : { tests: counts.tests, passed: counts.passed, failed: counts.failed, skipped: counts.skipped },
    })),
    commands: commands.map(({ passed, exitCode }) => ({ passed, exitCode })),
    // A receipt of a former release names its scenarios; here they are one.
    holdouts: holdouts ?? formerHoldouts(scenarios),
    reproduction: {
      before: reproduction.before?.passed ?? null,
      after: reproduction.after?.passed ?? null,
      words: reproductionInWords(claims),
    },
    concerns: (claims.concerns ?? []).map((each) => ({
      kind: each.kind,
      tier: CONCERNS[each.kind].tier,
      because: concernInWords(each),
    })),
    testFilesFromChange: tests.fromChange,
    sandbox: { kind: sandbox.kind, isolation: sandbox.isolation },
    faults: faults.slice(0, SHOWN),
    notVerified: notVerified.slice(0, SHOWN),
  };
}

function formerHoldouts(scenarios: ReceiptClaims['scenarios']): HoldoutResult {
  if (scenarios.length === 0) return 'none';
  if (scenarios.some(({ after }) => after === false)) return 'failed';
  return scenarios.every(({ after }) => after === true) ? 'passed' : 'not_run';
}

async function installPlanOf(plane: Plane, digest: Digest): Promise<unknown> {
  const plan = z
    .object({
      version: z.unknown(),
      policy: z.unknown(),
      lines: z.array(z.unknown()),
      files: z.array(z.object({ file: z.string(), change: z.string() }).loose()),
    })
    .safeParse(await jsonOf(plane, digest));
  if (!plan.success) return null;
  return {
    version: plan.data.version,
    policy: plan.data.policy,
    lines: plan.data.lines.slice(0, SHOWN),
    files: plan.data.files.slice(0, SHOWN).map(({ file, change }) => ({ file, change })),
  };
}
