import { requestMachine, TERMINAL_STATES } from '../../../domain/request/machine.ts';
import { digest, flag, id, int, json, name, nullable, oneOf, stateOf, text, time } from '../column.ts';
import { table } from '../table.ts';

export const requests = table(
  'requests',
  {
    id: id('request'),
    tenant_id: id('tenant'),
    session_id: nullable(id('session')),
    application_id: id('application'),
    /** Generation of the supervising orchestrator: its instance id is `<request>.<run>`. */
    run: int(),
    state: stateOf(requestMachine),
    terminal_state: nullable(oneOf(TERMINAL_STATES)),
    /** 1 while a nudge is on its way to the orchestrator; cleared as advance begins. */
    nudged: flag(),
    next_wake_at: nullable(time()),
    orchestrator_seen_at: nullable(time()),
    retry_of: nullable(id('request')),
    definitions_digest: digest(),
    line: name(64),
    line_digest: digest(),
    packet_digest: digest(),
    declaration_digest: digest(),
    policy_digest: digest(),
    requested_by: id('principal'),
    /** Who set it going: another than `requested_by` where somebody retried it for them. */
    submitted_by: id('principal'),
    /** The policy decision that let it be submitted. */
    policy_decision_id: id('policyDecision'),
    title: text(200),
    priority: int(),
    deadline_at: time(),
    cancel_requested_at: nullable(time()),
    cancelled_by: nullable(id('principal')),
    cancel_reason: nullable(text(2_000)),
    conclusion: nullable(json()),
    evidence_digest: nullable(digest()),
    traceparent: nullable(name(64)),
    version: int(),
    created_at: time(),
    started_at: nullable(time()),
    finished_at: nullable(time()),
  },
  {
    indexes: [
      { name: 'ix_requests_created', columns: ['tenant_id', 'id'], serves: ['requests.list'] },
      {
        name: 'ix_requests_overdue',
        columns: ['next_wake_at'],
        where: `state <> 'terminal'`,
        serves: ['platform.overdueRequests'],
      },
      {
        name: 'ix_requests_open',
        columns: ['tenant_id', 'application_id'],
        where: `state <> 'terminal'`,
        serves: ['requests.countOpen'],
      },
    ],
    references: { application_id: 'applications' },
  },
);

/** What a person answered to a request's question. */
export const requestAnswers = table(
  'request_answers',
  {
    tenant_id: id('tenant'),
    request_id: id('request'),
    ordinal: int(),
    principal_id: id('principal'),
    answer: text(8_000),
    at: time(),
  },
  { primaryKey: ['request_id', 'ordinal'], references: { request_id: 'requests' } },
);
