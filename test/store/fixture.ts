import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { newId } from '../../shared/domain/ids.ts';
import { insertApplication } from '../../shared/store/applications/applications.ts';
import { write, writeOne } from '../../shared/store/command.ts';
import { insertJobs } from '../../shared/store/jobs/insert.ts';
import { insertNodes } from '../../shared/store/nodes/insert.ts';
import { insertRequest } from '../../shared/store/requests/insert.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import type { Store } from '../../shared/store/store.ts';

export const tenant = newId('tenant', 1);
export const principal = newId('principal', 1);
export const someDigest = digestOfBytes('something');

export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'factory-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function openStore(options: Partial<Parameters<typeof openSqliteStore>[0]> = {}): Store {
  const store = openSqliteStore({ file: path.join(temporaryDirectory(), 'factory.db'), ...options });
  onTestFinished(() => store.close());
  return store;
}

export const applicationRow = (name = 'shop') => ({
  id: newId('application', 1),
  tenant_id: tenant,
  name,
  declaration_digest: someDigest,
  definitions_digest: null,
  policy_digest: null,
  installed_line_digests: '{}',
  version: 1,
  created_at: 1,
  updated_at: 1,
});

export const requestRow = (application: ReturnType<typeof applicationRow>) => ({
  id: newId('request', 1),
  tenant_id: tenant,
  session_id: null,
  application_id: application.id,
  run: 1,
  state: 'accepted' as const,
  terminal_state: null,
  nudged: 0,
  next_wake_at: null,
  orchestrator_seen_at: null,
  retry_of: null,
  definitions_digest: someDigest,
  line: 'patch',
  line_digest: someDigest,
  packet_digest: someDigest,
  declaration_digest: someDigest,
  policy_digest: someDigest,
  requested_by: principal,
  submitted_by: principal,
  policy_decision_id: newId('policyDecision', 1),
  title: 'a change',
  priority: 0,
  deadline_at: 1_000_000,
  cancel_requested_at: null,
  cancelled_by: null,
  cancel_reason: null,
  conclusion: null,
  evidence_digest: null,
  traceparent: null,
  version: 1,
  created_at: 1,
  started_at: null,
  finished_at: null,
});

export const nodeRow = (
  request: ReturnType<typeof requestRow>,
  name: string,
  over: { state?: 'waiting' | 'ready' | 'active'; needs_left?: number; kind?: string; round?: number } = {},
) => ({
  id: newId('node', 1),
  tenant_id: tenant,
  request_id: request.id,
  name,
  round: 1,
  kind: 'job',
  pool: 'build',
  state: 'active' as const,
  needs_left: 0,
  verdict: null,
  outcome: null,
  fan_total: 0,
  fan_done: 0,
  fan_failed: 0,
  sealed: 0,
  policy_decision_id: null,
  risk: null,
  retry_count: 0,
  equal_signatures: 0,
  last_signature: null,
  started_at: 1,
  ended_at: null,
  ordinal: 0,
  version: 1,
  ...over,
});

export const jobRow = (
  request: ReturnType<typeof requestRow>,
  node: ReturnType<typeof nodeRow>,
  fan_index: number,
) => ({
  id: newId('job', 1),
  tenant_id: tenant,
  request_id: request.id,
  application_id: request.application_id,
  node_id: node.id,
  fan_index,
  pool: 'build' as const,
  task: 'implement',
  station: null,
  priority: 0,
  state: 'queued' as const,
  not_before: 0,
  next_hint_at: null,
  claim_id: null,
  lease_epoch: 0,
  lease_token_hash: null,
  lease_owner: null,
  lease_expires_at: null,
  leased_at: null,
  renewed: 0,
  unrenewed_expiries: 0,
  attempt: 1,
  timeout_ms: 60_000,
  timeout_at: null,
  verdict: null,
  outcome: null,
  failure: null,
  signature: null,
  result_body_hash: null,
  answer: null,
  parameters: '{}',
  queued_at: 1,
  ended_at: null,
  version: 1,
});

/** An application with one request, one active node and as many queued jobs as asked for. */
export async function seed(store: Store, jobs = 1) {
  const application = applicationRow();
  const request = requestRow(application);
  const node = nodeRow(request, 'implement');
  const rows = Array.from({ length: jobs }, (_, index) => jobRow(request, node, index));
  await store.run('seed', function* () {
    yield* writeOne(insertApplication(application));
    yield* writeOne(insertRequest(request));
    yield* write(insertNodes([node]));
    yield* write(insertJobs(rows));
  });
  return { application, request, node, jobs: rows };
}
