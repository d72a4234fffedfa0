import { z } from 'zod';
import type { PlaneApi } from '../api/plane-api.ts';
import { readResource, understood } from '../api/read.ts';
import { approvalResource } from '../api/resources.ts';
import { bold, dim, plainText } from '../output/terminal.ts';

const text = z.string();
const rendered = z
  .object({
    risk: z.object({ tier: text, reasons: z.array(z.object({ signal: text, tier: text, because: text })) }).nullable(),
    packet: z
      .object({
        goal: text,
        intent: text,
        nonGoals: z.array(text).default([]),
        acceptance: z.array(z.object({ given: text, when: text, then: text })).catch([]),
        testsMayChange: z.array(text),
        rollback: text.nullish(),
      })
      .nullable(),
    change: z
      .object({
        summary: text.nullish(),
        paths: z.array(text),
        testPaths: z.array(text),
        pathCount: z.number().nullish(),
        linesAdded: z.number().nullish(),
        linesRemoved: z.number().nullish(),
      })
      .nullable(),
    plan: z.unknown(),
    changes: z.array(z.object({ field: text, before: z.unknown(), after: z.unknown() })),
    links: z.record(text, text),
  })
  .partial();
const checks = z
  .object({
    verdict: text,
    checks: z.array(
      z.object({
        name: text,
        kind: text,
        passed: z.boolean(),
        ending: text.optional(),
        counts: z.object({ passed: z.number(), tests: z.number() }).nullish(),
      }),
    ),
    reproduction: z.object({ words: text }).catch({ words: '' }),
    concerns: z.array(z.object({ tier: text, because: text })),
    holdouts: text,
    notVerified: z.array(z.unknown()),
  })
  .partial();

const shownApproval = approvalResource.extend({
  body: z.record(text, z.unknown()),
  rendered: rendered.catch({}),
  checks: checks.nullable().catch(null),
  /** What was found of the base, at a start gate of a plane that tells. */
  baseline: checks.nullish().catch(null),
  decisions: z.array(z.object({ by: text, decision: text, reason: text, at: text })),
});
export type ShownApproval = z.infer<typeof shownApproval>;

export const readApproval = (api: PlaneApi, id: string): Promise<ShownApproval> =>
  readResource(api, shownApproval, `/approvals/${id}`);

/** A value of a declaration in one line; the links have the whole. */
function inShort(value: unknown): string {
  const whole = value === null || value === undefined ? 'nothing' : JSON.stringify(value);
  return whole.length > 1_000 ? `${whole.slice(0, 1_000)}…` : whole;
}

/** What a person is to look at before deciding, a line each. */
export function approvalLines(approval: ShownApproval): string[] {
  const { rendered: shown } = approval;
  const lines = [
    bold(`Approval ${approval.id}: ${approval.type}${approval.tier === null ? '' : `, risk ${approval.tier}`}`),
  ];
  const say = (label: string, value: string): void => {
    lines.push(`  ${label.padEnd(12)} ${plainText(value)}`);
  };
  say('subject', approval.subject);
  say(
    'needs',
    `${approval.required} people${approval.role === null ? '' : ` with the role ${approval.role}`}, until ${approval.expiresAt}`,
  );
  for (const [key, value] of Object.entries(approval.body))
    if (typeof value === 'string' && key !== 'type') lines.push(dim(`    ${key}: ${plainText(value)}`));
  if (Array.isArray(approval.body['effects'])) say('effects', approval.body['effects'].join(', then '));
  for (const { field, before, after } of shown.changes ?? [])
    say(field, `${inShort(before)} becomes ${inShort(after)}`);
  if (shown.packet) {
    say('goal', shown.packet.goal);
    say('intent', shown.packet.intent);
    for (const { given, when, then } of shown.packet.acceptance) say('done when', `${given}; ${when}; ${then}`);
    if (shown.packet.nonGoals.length > 0) say('not asked', shown.packet.nonGoals.join('; '));
    if (shown.packet.rollback) say('rollback', shown.packet.rollback);
    if (shown.packet.testsMayChange.length > 0) say('tests', `may change: ${shown.packet.testsMayChange.join(', ')}`);
  }
  if (shown.change) {
    say(
      'change',
      `${shown.change.pathCount ?? shown.change.paths.length} files, +${shown.change.linesAdded ?? '?'} -${shown.change.linesRemoved ?? '?'}: ${shown.change.paths.join(', ')}`,
    );
  }
  for (const reason of shown.risk?.reasons ?? []) say('risk', `${reason.tier}: ${reason.because}`);
  const { baseline } = approval;
  if (baseline?.reproduction?.words) say('reproduction', baseline.reproduction.words);
  for (const check of baseline?.checks ?? [])
    say('base', `${check.name} (${check.kind}) ${wordOf(check)}${countOf(check)}`);
  for (const { tier, because } of baseline?.concerns ?? []) say('base', `${tier}: ${because}`);
  if (approval.checks?.reproduction?.words) say('reproduction', approval.checks.reproduction.words);
  for (const check of approval.checks?.checks ?? [])
    say('check', `${check.name} (${check.kind}) ${wordOf(check)}${countOf(check)}`);
  if (approval.checks?.holdouts !== undefined) say('hidden', `scenarios: ${approval.checks.holdouts}`);
  for (const decision of approval.decisions) say(decision.decision, `${decision.by}: ${decision.reason}`);
  return lines;
}

/** What a receipt says of a check whose run says nothing about the tree, which is neither passed nor failed. */
const SAID_NOTHING: ReadonlyMap<string | undefined, string> = new Map([
  ['no_tests', 'collected no test'],
  ['idle', 'checks nothing'],
  ['did_not_run', 'did not run'],
]);

const wordOf = ({ passed, ending }: { readonly passed: boolean; readonly ending?: string | undefined }): string =>
  SAID_NOTHING.get(ending) ?? (passed ? 'passed' : 'FAILED');

const countOf = ({
  counts,
}: {
  readonly counts?: { readonly passed: number; readonly tests: number } | null | undefined;
}) => (counts ? `, ${counts.passed} of ${counts.tests} tests passed` : '');

const decided = z.object({ approval: text, state: text, approvals: z.number(), required: z.number() });
export type Decided = z.infer<typeof decided>;

/** Decides on the subject that was shown, named by its digest; another one in its place is refused by the plane. */
export async function decide(
  api: PlaneApi,
  approval: { readonly id: string; readonly subject: string },
  decision: 'approve' | 'reject',
  reason: string,
): Promise<Decided> {
  const path = `/approvals/${approval.id}/decisions`;
  return understood(
    decided,
    await api.call('POST', path, { json: { decision, subject: approval.subject, reason } }),
    path,
  );
}
