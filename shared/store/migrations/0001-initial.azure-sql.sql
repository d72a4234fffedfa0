create table "migrations" (
  "number" int not null,
  "name" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "breaking" int not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "applied_at" bigint not null,
  constraint "pk_migrations" primary key ("number")
);
create table "plane" (
  "id" int not null,
  "incarnation" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "epoch" bigint not null,
  "heartbeat_at" bigint not null,
  "away_from" bigint null,
  "away_until" bigint null,
  "created_at" bigint not null,
  constraint "pk_plane" primary key ("id")
);
create table "tenants" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "name" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "entra_tid" nvarchar(64) collate Latin1_General_100_BIN2 null,
  "created_at" bigint not null,
  constraint "pk_tenants" primary key ("tenant_id")
);
create unique index "ux_tenants_name" on "tenants" ("name");
create table "principals" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tid" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "oid" nvarchar(128) collate Latin1_General_100_BIN2 not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_principals_kind" check ("kind" in ('user', 'workload', 'local')),
  "display" nvarchar(max) not null,
  "created_at" bigint not null,
  constraint "pk_principals" primary key ("id")
);
create unique index "ux_principals_subject" on "principals" ("tid", "oid");
create table "role_assignments" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "principal_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "role" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_key" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "assigned_at" bigint not null,
  "assigned_by" nvarchar(40) collate Latin1_General_100_BIN2 null,
  constraint "pk_role_assignments" primary key ("tenant_id", "principal_id", "role", "application_key"),
  constraint "fk_role_assignments_principal_id" foreign key ("principal_id") references "principals" ("id")
);
create table "delegations" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "principal_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "delegate_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "started_at" bigint not null,
  "ended_at" bigint null,
  "recorded_by" nvarchar(40) collate Latin1_General_100_BIN2 null,
  constraint "pk_delegations" primary key ("tenant_id", "principal_id", "delegate_id"),
  constraint "fk_delegations_principal_id" foreign key ("principal_id") references "principals" ("id"),
  constraint "fk_delegations_delegate_id" foreign key ("delegate_id") references "principals" ("id")
);
create index "ix_delegations_delegate" on "delegations" ("tenant_id", "delegate_id");
create table "applications" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "name" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "declaration_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "definitions_digest" nvarchar(71) collate Latin1_General_100_BIN2 null,
  "policy_digest" nvarchar(71) collate Latin1_General_100_BIN2 null,
  "installed_line_digests" nvarchar(max) not null constraint "ck_applications_installed_line_digests" check (isjson("installed_line_digests") = 1),
  "version" int not null,
  "created_at" bigint not null,
  "updated_at" bigint not null,
  constraint "pk_applications" primary key ("id")
);
create unique index "ux_applications_name" on "applications" ("tenant_id", "name");
create table "repositories" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "name" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "code_host" nvarchar(32) collate Latin1_General_100_BIN2 not null,
  "location" nvarchar(max) not null,
  "default_branch" nvarchar(max) not null,
  constraint "pk_repositories" primary key ("id"),
  constraint "fk_repositories_application_id" foreign key ("application_id") references "applications" ("id")
);
create unique index "ux_repositories_name" on "repositories" ("application_id", "name");
create table "sessions" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "principal_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "title" nvarchar(max) not null,
  "created_at" bigint not null,
  constraint "pk_sessions" primary key ("id")
);
create index "ix_sessions_principal" on "sessions" ("tenant_id", "principal_id", "id");
create table "requests" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "session_id" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "run" int not null,
  "state" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_requests_state" check ("state" in ('accepted', 'running', 'concluding', 'cancelling', 'terminal')),
  "terminal_state" nvarchar(32) collate Latin1_General_100_BIN2 null constraint "ck_requests_terminal_state" check ("terminal_state" in ('PR_READY', 'NO_OP', 'ESCALATE', 'RETRYABLE_FAILURE', 'CANCELLED', 'REJECTED')),
  "nudged" int not null constraint "ck_requests_nudged" check ("nudged" in (0, 1)),
  "next_wake_at" bigint null,
  "orchestrator_seen_at" bigint null,
  "retry_of" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "definitions_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "line" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "line_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "packet_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "declaration_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "policy_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "requested_by" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "submitted_by" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "policy_decision_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "title" nvarchar(max) not null,
  "priority" int not null,
  "deadline_at" bigint not null,
  "cancel_requested_at" bigint null,
  "cancelled_by" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "cancel_reason" nvarchar(max) null,
  "conclusion" nvarchar(max) null constraint "ck_requests_conclusion" check (isjson("conclusion") = 1),
  "evidence_digest" nvarchar(71) collate Latin1_General_100_BIN2 null,
  "traceparent" nvarchar(64) collate Latin1_General_100_BIN2 null,
  "version" int not null,
  "created_at" bigint not null,
  "started_at" bigint null,
  "finished_at" bigint null,
  constraint "pk_requests" primary key ("id"),
  constraint "fk_requests_application_id" foreign key ("application_id") references "applications" ("id")
);
create index "ix_requests_created" on "requests" ("tenant_id", "id");
create index "ix_requests_overdue" on "requests" ("next_wake_at") where state <> 'terminal';
create index "ix_requests_open" on "requests" ("tenant_id", "application_id") where state <> 'terminal';
create table "request_answers" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "ordinal" int not null,
  "principal_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "answer" nvarchar(max) not null,
  "at" bigint not null,
  constraint "pk_request_answers" primary key ("request_id", "ordinal"),
  constraint "fk_request_answers_request_id" foreign key ("request_id") references "requests" ("id")
);
create table "nodes" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "name" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "round" int not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null,
  "pool" nvarchar(32) collate Latin1_General_100_BIN2 null,
  "state" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_nodes_state" check ("state" in ('waiting', 'ready', 'active', 'succeeded', 'skipped', 'failed', 'superseded')),
  "needs_left" int not null,
  "verdict" nvarchar(64) collate Latin1_General_100_BIN2 null,
  "outcome" nvarchar(max) null constraint "ck_nodes_outcome" check (isjson("outcome") = 1),
  "fan_total" int not null,
  "fan_done" int not null,
  "fan_failed" int not null,
  "sealed" int not null constraint "ck_nodes_sealed" check ("sealed" in (0, 1)),
  "policy_decision_id" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "risk" nvarchar(max) null constraint "ck_nodes_risk" check (isjson("risk") = 1),
  "retry_count" int not null,
  "equal_signatures" int not null,
  "last_signature" nvarchar(200) collate Latin1_General_100_BIN2 null,
  "started_at" bigint null,
  "ended_at" bigint null,
  "ordinal" bigint not null,
  "version" int not null,
  constraint "pk_nodes" primary key ("id"),
  constraint "fk_nodes_request_id" foreign key ("request_id") references "requests" ("id")
);
create unique index "ux_nodes_round" on "nodes" ("request_id", "name", "round");
create index "ix_nodes_open" on "nodes" ("request_id") where state in ('ready', 'active');
create table "jobs" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "node_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "fan_index" int not null,
  "pool" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_jobs_pool" check ("pool" in ('plan', 'build', 'review', 'verify', 'fetch', 'packages', 'effect')),
  "task" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "station" nvarchar(64) collate Latin1_General_100_BIN2 null,
  "priority" int not null,
  "state" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_jobs_state" check ("state" in ('queued', 'leased', 'failed', 'completed', 'cancelled', 'dead')),
  "not_before" bigint not null,
  "next_hint_at" bigint null,
  "claim_id" nvarchar(128) collate Latin1_General_100_BIN2 null,
  "lease_epoch" int not null,
  "lease_token_hash" nvarchar(71) collate Latin1_General_100_BIN2 null,
  "lease_owner" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "lease_expires_at" bigint null,
  "leased_at" bigint null,
  "renewed" int not null constraint "ck_jobs_renewed" check ("renewed" in (0, 1)),
  "unrenewed_expiries" int not null,
  "attempt" int not null,
  "timeout_ms" int not null,
  "timeout_at" bigint null,
  "verdict" nvarchar(64) collate Latin1_General_100_BIN2 null,
  "outcome" nvarchar(max) null constraint "ck_jobs_outcome" check (isjson("outcome") = 1),
  "failure" nvarchar(max) null constraint "ck_jobs_failure" check (isjson("failure") = 1),
  "signature" nvarchar(200) collate Latin1_General_100_BIN2 null,
  "result_body_hash" nvarchar(71) collate Latin1_General_100_BIN2 null,
  "answer" nvarchar(max) null constraint "ck_jobs_answer" check (isjson("answer") = 1),
  "parameters" nvarchar(max) not null constraint "ck_jobs_parameters" check (isjson("parameters") = 1),
  "queued_at" bigint not null,
  "ended_at" bigint null,
  "version" int not null,
  constraint "pk_jobs" primary key ("id"),
  constraint "fk_jobs_request_id" foreign key ("request_id") references "requests" ("id"),
  constraint "fk_jobs_node_id" foreign key ("node_id") references "nodes" ("id")
);
create unique index "ux_jobs_node" on "jobs" ("node_id", "fan_index");
create index "ix_jobs_candidate" on "jobs" ("tenant_id", "pool", "priority" desc, "not_before", "id") where state = 'queued';
create index "ix_jobs_hint" on "jobs" ("next_hint_at") where state = 'queued';
create index "ix_jobs_lease" on "jobs" ("lease_expires_at") where state = 'leased';
create index "ix_jobs_timeout" on "jobs" ("timeout_at") where state = 'leased';
create index "ix_jobs_unfinished" on "jobs" ("node_id", "state") where state in ('leased', 'failed');
create index "ix_jobs_open" on "jobs" ("request_id", "state") where state in ('queued', 'leased', 'failed');
create index "ix_jobs_request" on "jobs" ("request_id", "id");
create table "job_attempts" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "epoch" int not null,
  "attempt" int not null,
  "owner" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "leased_at" bigint not null,
  "ended_at" bigint null,
  "ended_as" nvarchar(32) collate Latin1_General_100_BIN2 null constraint "ck_job_attempts_ended_as" check ("ended_as" in ('completed', 'failed', 'released', 'expired', 'timed_out', 'cancelled')),
  "signature" nvarchar(200) collate Latin1_General_100_BIN2 null,
  constraint "pk_job_attempts" primary key ("job_id", "epoch"),
  constraint "fk_job_attempts_job_id" foreign key ("job_id") references "jobs" ("id")
);
create table "job_inputs" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "name" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null,
  "media_type" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "size" bigint not null,
  constraint "pk_job_inputs" primary key ("job_id", "name"),
  constraint "fk_job_inputs_job_id" foreign key ("job_id") references "jobs" ("id")
);
create table "job_outputs" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "epoch" int not null,
  "name" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null,
  "media_type" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "size" bigint not null,
  constraint "pk_job_outputs" primary key ("job_id", "epoch", "name"),
  constraint "fk_job_outputs_job_id" foreign key ("job_id") references "jobs" ("id")
);
create table "checkpoints" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "epoch" int not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "created_at" bigint not null,
  constraint "pk_checkpoints" primary key ("job_id", "epoch", "digest"),
  constraint "fk_checkpoints_job_id" foreign key ("job_id") references "jobs" ("id")
);
create table "verifications" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "node_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "epoch" int not null,
  "principal_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tree" nvarchar(71) collate Latin1_General_100_BIN2 null,
  "claims_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "result" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "artifact_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "created_at" bigint not null,
  constraint "pk_verifications" primary key ("id")
);
create unique index "ux_verifications_job" on "verifications" ("job_id", "epoch");
create index "ix_verifications_request" on "verifications" ("request_id", "id");
create table "findings" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "severity" nvarchar(16) collate Latin1_General_100_BIN2 not null,
  "location" nvarchar(max) not null,
  "message" nvarchar(max) not null,
  "created_at" bigint not null,
  constraint "pk_findings" primary key ("id")
);
create table "failure_signatures" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "signature" nvarchar(200) collate Latin1_General_100_BIN2 not null,
  "count" bigint not null,
  "first_at" bigint not null,
  "last_at" bigint not null,
  constraint "pk_failure_signatures" primary key ("application_id", "signature")
);
create table "plans" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "created_at" bigint not null,
  constraint "pk_plans" primary key ("request_id", "digest")
);
create table "evidence_bundles" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_evidence_bundles_kind" check ("kind" in ('change_evidence', 'evidence_bundle')),
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "signed_by" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "created_at" bigint not null,
  constraint "pk_evidence_bundles" primary key ("id")
);
create unique index "ux_evidence_bundles_digest" on "evidence_bundles" ("request_id", "kind", "digest");
create table "signing_keys" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "purpose" nvarchar(32) collate Latin1_General_100_BIN2 not null,
  "public_jwk" nvarchar(max) not null,
  "state" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_signing_keys_state" check ("state" in ('active', 'retired')),
  "created_at" bigint not null,
  "retired_at" bigint null,
  constraint "pk_signing_keys" primary key ("id")
);
create index "ix_signing_keys_purpose" on "signing_keys" ("tenant_id", "purpose", "id");
create table "approval_subjects" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "installation_id" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "body" nvarchar(max) not null constraint "ck_approval_subjects_body" check (isjson("body") = 1),
  "created_at" bigint not null,
  constraint "pk_approval_subjects" primary key ("tenant_id", "digest")
);
create table "approvals" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "subject_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "installation_id" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "node" nvarchar(64) collate Latin1_General_100_BIN2 null,
  "round" int not null,
  "type" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_approvals_type" check ("type" in ('start', 'effect', 'installation')),
  "state" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_approvals_state" check ("state" in ('open', 'approved', 'rejected', 'expired', 'revoked', 'superseded')),
  "tier" nvarchar(32) collate Latin1_General_100_BIN2 null constraint "ck_approvals_tier" check ("tier" in ('low', 'medium', 'high', 'critical')),
  "required" int not null,
  "role" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "requires_fresh_auth" int not null constraint "ck_approvals_requires_fresh_auth" check ("requires_fresh_auth" in (0, 1)),
  "opened_at" bigint not null,
  "expires_at" bigint not null,
  "decided_at" bigint null,
  "version" int not null,
  constraint "pk_approvals" primary key ("id")
);
create index "ix_approvals_request" on "approvals" ("request_id", "id");
create index "ix_approvals_installation" on "approvals" ("installation_id", "id") where installation_id is not null;
create index "ix_approvals_open" on "approvals" ("tenant_id", "id") where state = 'open';
create table "approval_decisions" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "approval_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "principal_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "decision" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_approval_decisions_decision" check ("decision" in ('approve', 'reject')),
  "reason" nvarchar(max) not null,
  "policy_decision_id" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "at" bigint not null,
  constraint "pk_approval_decisions" primary key ("id"),
  constraint "fk_approval_decisions_approval_id" foreign key ("approval_id") references "approvals" ("id")
);
create unique index "ux_approval_decisions_principal" on "approval_decisions" ("approval_id", "principal_id");
create table "approval_uses" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "approval_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "effect_key" nvarchar(128) collate Latin1_General_100_BIN2 not null,
  "used_at" bigint not null,
  constraint "pk_approval_uses" primary key ("approval_id", "effect_key"),
  constraint "fk_approval_uses_approval_id" foreign key ("approval_id") references "approvals" ("id")
);
create table "policy_decisions" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "action" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "principal_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "resource" nvarchar(128) collate Latin1_General_100_BIN2 not null,
  "allowed" int not null constraint "ck_policy_decisions_allowed" check ("allowed" in (0, 1)),
  "policy_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "determining" nvarchar(max) not null constraint "ck_policy_decisions_determining" check (isjson("determining") = 1),
  "errors" nvarchar(max) not null constraint "ck_policy_decisions_errors" check (isjson("errors") = 1),
  "command_id" nvarchar(200) collate Latin1_General_100_BIN2 null,
  "at" bigint not null,
  constraint "pk_policy_decisions" primary key ("id")
);
create table "effects" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "epoch" int not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null,
  "ordinal" int not null,
  "target" nvarchar(max) not null,
  "effect_key" nvarchar(128) collate Latin1_General_100_BIN2 not null,
  "state" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_effects_state" check ("state" in ('intended', 'started', 'completed', 'uncertain', 'failed', 'verified', 'refuted', 'rolled_back')),
  "tree" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "expected_before" nvarchar(max) not null,
  "correlation_mark" nvarchar(128) collate Latin1_General_100_BIN2 not null,
  "act_until" bigint not null,
  "approval_id" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "policy_decision_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "rollback" nvarchar(max) not null,
  "observed" nvarchar(max) null,
  "intended_at" bigint not null,
  "started_at" bigint null,
  "ended_at" bigint null,
  "version" int not null,
  constraint "pk_effects" primary key ("id"),
  constraint "fk_effects_request_id" foreign key ("request_id") references "requests" ("id")
);
create unique index "ux_effects_key" on "effects" ("tenant_id", "effect_key");
create index "ix_effects_request" on "effects" ("request_id", "ordinal", "id");
create table "artifacts" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "size" bigint not null,
  "media_type" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "object_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "wrapped_key" nvarchar(max) not null,
  "key_version" nvarchar(200) collate Latin1_General_100_BIN2 not null,
  "retention_class" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_artifacts_retention_class" check ("retention_class" in ('standard', 'evidence', 'transient')),
  "legal_hold" int not null constraint "ck_artifacts_legal_hold" check ("legal_hold" in (0, 1)),
  "base_digest" nvarchar(71) collate Latin1_General_100_BIN2 null,
  "stored_bytes" bigint not null,
  "encoding" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_artifacts_encoding" check ("encoding" in ('identity', 'zstd', 'delta')),
  "created_at" bigint not null,
  constraint "pk_artifacts" primary key ("tenant_id", "digest")
);
create unique index "ux_artifacts_object" on "artifacts" ("object_id");
create table "artifact_references" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null,
  "owner_type" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_artifact_references_owner_type" check ("owner_type" in ('request', 'job', 'application', 'installation', 'definitions', 'tenant')),
  "owner_id" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "name" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "created_at" bigint not null,
  constraint "pk_artifact_references" primary key ("tenant_id", "owner_type", "owner_id", "kind", "name", "digest")
);
create index "ix_artifact_references_digest" on "artifact_references" ("tenant_id", "digest");
create table "uploads" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "epoch" int not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null,
  "media_type" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "size" bigint not null,
  "received" bigint not null,
  "object_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "state" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_uploads_state" check ("state" in ('open', 'complete', 'abandoned')),
  "created_at" bigint not null,
  "expires_at" bigint not null,
  constraint "pk_uploads" primary key ("id"),
  constraint "fk_uploads_job_id" foreign key ("job_id") references "jobs" ("id")
);
create unique index "ux_uploads_digest" on "uploads" ("job_id", "epoch", "digest", "kind");
create table "definitions" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "version" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "policy_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "line_digests" nvarchar(max) not null constraint "ck_definitions_line_digests" check (isjson("line_digests") = 1),
  "installed_by" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "created_at" bigint not null,
  constraint "pk_definitions" primary key ("tenant_id", "digest")
);
create table "installations" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "definitions_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "plan_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "policy_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "state" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_installations_state" check ("state" in ('planned', 'approved', 'applying', 'applied', 'drifted', 'failed', 'rejected', 'superseded', 'rolled_back')),
  "requested_by" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "run" int not null,
  "nudged" int not null constraint "ck_installations_nudged" check ("nudged" in (0, 1)),
  "next_wake_at" bigint null,
  "failure" nvarchar(max) null,
  "created_at" bigint not null,
  "finished_at" bigint null,
  "version" int not null,
  constraint "pk_installations" primary key ("id"),
  constraint "fk_installations_application_id" foreign key ("application_id") references "applications" ("id")
);
create index "ix_installations_application" on "installations" ("tenant_id", "application_id", "id");
create index "ix_installations_overdue" on "installations" ("next_wake_at") where next_wake_at is not null;
create index "ix_installations_applied" on "installations" ("tenant_id", "application_id") where state in ('applied', 'drifted');
create table "install_plans" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "from_digest" nvarchar(71) collate Latin1_General_100_BIN2 null,
  "to_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "created_at" bigint not null,
  constraint "pk_install_plans" primary key ("application_id", "digest")
);
create table "idempotency_keys" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "principal_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "route" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "idempotency_key" nvarchar(200) collate Latin1_General_100_BIN2 not null,
  "body_hash" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "status" int not null,
  "answer" nvarchar(max) not null constraint "ck_idempotency_keys_answer" check (isjson("answer") = 1),
  "expires_at" bigint not null,
  constraint "pk_idempotency_keys" primary key ("tenant_id", "principal_id", "route", "idempotency_key")
);
create index "ix_idempotency_keys_expiry" on "idempotency_keys" ("expires_at");
create table "outbox" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null,
  "aggregate" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "body" nvarchar(max) not null constraint "ck_outbox_body" check (isjson("body") = 1),
  "state" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_outbox_state" check ("state" in ('pending', 'dead')),
  "available_at" bigint not null,
  "attempts" int not null,
  "last_error" nvarchar(max) null,
  "created_at" bigint not null,
  constraint "pk_outbox" primary key ("id")
);
create index "ix_outbox_due" on "outbox" ("tenant_id", "available_at", "id") where state = 'pending';
create index "ix_outbox_dead" on "outbox" ("id") where state = 'dead';
create table "audit_events" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "stream" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "seq" bigint not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "command_id" nvarchar(200) collate Latin1_General_100_BIN2 not null,
  "at" bigint not null,
  "bytes" nvarchar(max) not null,
  "hash" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  constraint "pk_audit_events" primary key ("stream", "seq")
);
create unique index "ux_audit_events_command" on "audit_events" ("tenant_id", "command_id");
create index "ix_audit_events_request" on "audit_events" ("request_id", "seq") where request_id is not null;
create table "audit_heads" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "stream" nvarchar(100) collate Latin1_General_100_BIN2 not null,
  "seq" bigint not null,
  "hash" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "updated_at" bigint not null,
  constraint "pk_audit_heads" primary key ("stream")
);
create index "ix_audit_heads_updated" on "audit_heads" ("updated_at");
create table "audit_anchors" (
  "sequence" bigint not null,
  "document" nvarchar(max) not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "signature" nvarchar(max) not null,
  "key_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "object_name" nvarchar(200) collate Latin1_General_100_BIN2 not null,
  "created_at" bigint not null,
  constraint "pk_audit_anchors" primary key ("sequence")
);
