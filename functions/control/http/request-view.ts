import { z } from 'zod';
import type { RequestConclusion } from '../../../shared/domain/request/conclusion.ts';
import { type Phase, phaseOf } from '../../../shared/domain/request/phase.ts';
import { entityTag } from '../../../shared/http/etag.ts';
import { approvalsOfRequest } from '../../../shared/store/approvals/read.ts';
import { one, rows } from '../../../shared/store/command.ts';
import { costsOfRequest } from '../../../shared/store/costs/entries.ts';
import { countDefects } from '../../../shared/store/defects/defects.ts';
import { openNodes } from '../../../shared/store/nodes/read.ts';
import { readRequest } from '../../../shared/store/requests/read.ts';
import type { RequestRow } from '../../../shared/store/schema/rows.ts';
import type { Plane } from '../plane.ts';
import { money, moneyOf } from './money-view.ts';
import { iso, isoOrNull, recorded } from './render.ts';

export const requestSummary = z.object({
  id: z.string(),
  title: z.string(),
  state: z.string(),
  terminal: z.string().nullable(),
  line: z.string(),
  application: z.string(),
  session: z.string().nullable(),
  requestedBy: z.string(),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});

export const requestView = requestSummary.extend({
  phase: z.string(),
  /** How it ended and why; null while it is open. */
  conclusion: z.record(z.string(), z.unknown()).nullable(),
  retryOf: z.string().nullable(),
  /** Who set it going: another than `requestedBy` where somebody retried it for them. */
  submittedBy: z.string(),
  deadline: z.iso.datetime(),
  packet: z.string(),
  definitions: z.string(),
  evidence: z.string().nullable(),
  /** What its ended attempts cost; empty where nothing has a price. */
  costs: z.array(money),
  /** How often the change it delivered was found at fault. */
  defects: z.int(),
  /** Approvals that wait for people. */
  waitingFor: z.array(z.object({ approval: z.string(), type: z.string(), tier: z.string().nullable() })),
  version: z.int(),
  links: z.record(z.string(), z.string()),
});
export type RequestView = z.infer<typeof requestView>;

export function summaryOf(row: RequestRow): z.infer<typeof requestSummary> {
  return {
    id: row.id,
    title: row.title,
    state: row.state,
    terminal: row.terminal_state,
    line: row.line,
    application: row.application_id,
    session: row.session_id,
    requestedBy: row.requested_by,
    createdAt: iso(row.created_at),
    finishedAt: isoOrNull(row.finished_at),
  };
}

export type Seen = { readonly view: RequestView; readonly tag: string; readonly phase: Phase };

/** A request as it stands now; undefined when there is none. */
export async function seeRequest(plane: Plane, id: RequestRow['id']): Promise<Seen | undefined> {
  const found = await plane.store.read('requests.see', function* () {
    const row = yield* one(readRequest({ tenant: plane.tenant, request: id }));
    if (row === undefined) return undefined;
    const open = row.state === 'running' ? yield* rows(openNodes({ tenant: plane.tenant, request: id })) : [];
    const approvals = open.some((node) => node.kind === 'gate')
      ? yield* rows(approvalsOfRequest({ tenant: plane.tenant, request: id }))
      : [];
    const costs = yield* rows(costsOfRequest({ tenant: plane.tenant, request: id }));
    const delivered = row.terminal_state === 'PR_READY';
    const counted = delivered ? yield* one(countDefects({ tenant: plane.tenant, request: id })) : undefined;
    return {
      row,
      open,
      costs,
      defects: counted?.defects ?? 0,
      approvals: approvals.filter((approval) => approval.state === 'open'),
    };
  });
  if (found === undefined) return undefined;
  const { row, open, costs, defects, approvals } = found;
  const phase = phaseOf(row.state, open);
  const at = `/api/v1/requests/${row.id}`;
  const view: RequestView = {
    ...summaryOf(row),
    phase,
    conclusion: recorded<RequestConclusion>(row.conclusion),
    retryOf: row.retry_of,
    submittedBy: row.submitted_by,
    deadline: iso(row.deadline_at),
    packet: row.packet_digest,
    definitions: row.definitions_digest,
    evidence: row.evidence_digest,
    costs: costs.map(moneyOf),
    defects,
    waitingFor: approvals.map((approval) => ({ approval: approval.id, type: approval.type, tier: approval.tier })),
    version: row.version,
    links: {
      self: at,
      plan: `${at}/plan`,
      nodes: `${at}/nodes`,
      jobs: `${at}/jobs`,
      approvals: `${at}/approvals`,
      effects: `${at}/effects`,
      evidence: `${at}/evidence`,
      defects: `${at}/defects`,
      events: `${at}/events`,
    },
  };
  // A lease that is given back costs, a defect is found later: neither changes the row of the request.
  return { view, phase, tag: entityTag(row.id, row.version, defects, ...costs.map(({ amount }) => amount)) };
}
