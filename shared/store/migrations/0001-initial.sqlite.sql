create table "migrations" (
  "number" integer not null,
  "name" text not null,
  "breaking" integer not null,
  "digest" text not null,
  "applied_at" integer not null,
  constraint "pk_migrations" primary key ("number")
) strict;
create table "plane" (
  "id" integer not null,
  "incarnation" text not null,
  "epoch" integer not null,
  "heartbeat_at" integer not null,
  "away_from" integer null,
  "away_until" integer null,
  "created_at" integer not null,
  constraint "pk_plane" primary key ("id")
) strict;
create table "tenants" (
  "tenant_id" text not null,
  "name" text not null,
  "entra_tid" text null,
  "created_at" integer not null,
  constraint "pk_tenants" primary key ("tenant_id")
) strict;
create unique index "ux_tenants_name" on "tenants" ("name");
create table "principals" (
  "id" text not null,
  "tenant_id" text not null,
  "tid" text not null,
  "oid" text not null,
  "kind" text not null constraint "ck_principals_kind" check ("kind" in ('user', 'workload', 'local')),
  "display" text not null,
  "created_at" integer not null,
  constraint "pk_principals" primary key ("id")
) strict;
create unique index "ux_principals_subject" on "principals" ("tid", "oid");
create table "role_assignments" (
  "tenant_id" text not null,
  "principal_id" text not null,
  "role" text not null,
  "application_key" text not null,
  "assigned_at" integer not null,
  "assigned_by" text null,
  constraint "pk_role_assignments" primary key ("tenant_id", "principal_id", "role", "application_key"),
  constraint "fk_role_assignments_principal_id" foreign key ("principal_id") references "principals" ("id")
) strict;
create table "delegations" (
  "tenant_id" text not null,
  "principal_id" text not null,
  "delegate_id" text not null,
  "started_at" integer not null,
  "ended_at" integer null,
  "recorded_by" text null,
  constraint "pk_delegations" primary key ("tenant_id", "principal_id", "delegate_id"),
  constraint "fk_delegations_principal_id" foreign key ("principal_id") references "principals" ("id"),
  constraint "fk_delegations_delegate_id" foreign key ("delegate_id") references "principals" ("id")
) strict;
create index "ix_delegations_delegate" on "delegations" ("tenant_id", "delegate_id");
create table "applications" (
  "id" text not null,
  "tenant_id" text not null,
  "name" text not null,
  "declaration_digest" text not null,
  "definitions_digest" text null,
  "policy_digest" text null,
  "installed_line_digests" text not null constraint "ck_applications_installed_line_digests" check (json_valid("installed_line_digests")),
  "version" integer not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "pk_applications" primary key ("id")
) strict;
create unique index "ux_applications_name" on "applications" ("tenant_id", "name");
create table "repositories" (
  "id" text not null,
  "tenant_id" text not null,
  "application_id" text not null,
  "name" text not null,
  "code_host" text not null,
  "location" text not null,
  "default_branch" text not null,
  constraint "pk_repositories" primary key ("id"),
  constraint "fk_repositories_application_id" foreign key ("application_id") references "applications" ("id")
) strict;
create unique index "ux_repositories_name" on "repositories" ("application_id", "name");
create table "sessions" (
  "id" text not null,
  "tenant_id" text not null,
  "principal_id" text not null,
  "title" text not null,
  "created_at" integer not null,
  constraint "pk_sessions" primary key ("id")
) strict;
create index "ix_sessions_principal" on "sessions" ("tenant_id", "principal_id", "id");
create table "requests" (
  "id" text not null,
  "tenant_id" text not null,
  "session_id" text null,
  "application_id" text not null,
  "run" integer not null,
  "state" text not null constraint "ck_requests_state" check ("state" in ('accepted', 'running', 'concluding', 'cancelling', 'terminal')),
  "terminal_state" text null constraint "ck_requests_terminal_state" check ("terminal_state" in ('PR_READY', 'NO_OP', 'ESCALATE', 'RETRYABLE_FAILURE', 'CANCELLED', 'REJECTED')),
  "nudged" integer not null constraint "ck_requests_nudged" check ("nudged" in (0, 1)),
  "next_wake_at" integer null,
  "orchestrator_seen_at" integer null,
  "retry_of" text null,
  "definitions_digest" text not null,
  "line" text not null,
  "line_digest" text not null,
  "packet_digest" text not null,
  "declaration_digest" text not null,
  "policy_digest" text not null,
  "requested_by" text not null,
  "submitted_by" text not null,
  "policy_decision_id" text not null,
  "title" text not null,
  "priority" integer not null,
  "deadline_at" integer not null,
  "cancel_requested_at" integer null,
  "cancelled_by" text null,
  "cancel_reason" text null,
  "conclusion" text null constraint "ck_requests_conclusion" check (json_valid("conclusion")),
  "evidence_digest" text null,
  "traceparent" text null,
  "version" integer not null,
  "created_at" integer not null,
  "started_at" integer null,
  "finished_at" integer null,
  constraint "pk_requests" primary key ("id"),
  constraint "fk_requests_application_id" foreign key ("application_id") references "applications" ("id")
) strict;
create index "ix_requests_created" on "requests" ("tenant_id", "id");
create index "ix_requests_overdue" on "requests" ("next_wake_at") where state <> 'terminal';
create index "ix_requests_open" on "requests" ("tenant_id", "application_id") where state <> 'terminal';
create table "request_answers" (
  "tenant_id" text not null,
  "request_id" text not null,
  "ordinal" integer not null,
  "principal_id" text not null,
  "answer" text not null,
  "at" integer not null,
  constraint "pk_request_answers" primary key ("request_id", "ordinal"),
  constraint "fk_request_answers_request_id" foreign key ("request_id") references "requests" ("id")
) strict;
create table "nodes" (
  "id" text not null,
  "tenant_id" text not null,
  "request_id" text not null,
  "name" text not null,
  "round" integer not null,
  "kind" text not null,
  "pool" text null,
  "state" text not null constraint "ck_nodes_state" check ("state" in ('waiting', 'ready', 'active', 'succeeded', 'skipped', 'failed', 'superseded')),
  "needs_left" integer not null,
  "verdict" text null,
  "outcome" text null constraint "ck_nodes_outcome" check (json_valid("outcome")),
  "fan_total" integer not null,
  "fan_done" integer not null,
  "fan_failed" integer not null,
  "sealed" integer not null constraint "ck_nodes_sealed" check ("sealed" in (0, 1)),
  "policy_decision_id" text null,
  "risk" text null constraint "ck_nodes_risk" check (json_valid("risk")),
  "retry_count" integer not null,
  "equal_signatures" integer not null,
  "last_signature" text null,
  "started_at" integer null,
  "ended_at" integer null,
  "ordinal" integer not null,
  "version" integer not null,
  constraint "pk_nodes" primary key ("id"),
  constraint "fk_nodes_request_id" foreign key ("request_id") references "requests" ("id")
) strict;
create unique index "ux_nodes_round" on "nodes" ("request_id", "name", "round");
create index "ix_nodes_open" on "nodes" ("request_id") where state in ('ready', 'active');
create table "jobs" (
  "id" text not null,
  "tenant_id" text not null,
  "request_id" text not null,
  "application_id" text not null,
  "node_id" text not null,
  "fan_index" integer not null,
  "pool" text not null constraint "ck_jobs_pool" check ("pool" in ('plan', 'build', 'review', 'verify', 'fetch', 'packages', 'effect')),
  "task" text not null,
  "station" text null,
  "priority" integer not null,
  "state" text not null constraint "ck_jobs_state" check ("state" in ('queued', 'leased', 'failed', 'completed', 'cancelled', 'dead')),
  "not_before" integer not null,
  "next_hint_at" integer null,
  "claim_id" text null,
  "lease_epoch" integer not null,
  "lease_token_hash" text null,
  "lease_owner" text null,
  "lease_expires_at" integer null,
  "leased_at" integer null,
  "renewed" integer not null constraint "ck_jobs_renewed" check ("renewed" in (0, 1)),
  "unrenewed_expiries" integer not null,
  "attempt" integer not null,
  "timeout_ms" integer not null,
  "timeout_at" integer null,
  "verdict" text null,
  "outcome" text null constraint "ck_jobs_outcome" check (json_valid("outcome")),
  "failure" text null constraint "ck_jobs_failure" check (json_valid("failure")),
  "signature" text null,
  "result_body_hash" text null,
  "answer" text null constraint "ck_jobs_answer" check (json_valid("answer")),
  "parameters" text not null constraint "ck_jobs_parameters" check (json_valid("parameters")),
  "queued_at" integer not null,
  "ended_at" integer null,
  "version" integer not null,
  constraint "pk_jobs" primary key ("id"),
  constraint "fk_jobs_request_id" foreign key ("request_id") references "requests" ("id"),
  constraint "fk_jobs_node_id" foreign key ("node_id") references "nodes" ("id")
) strict;
create unique index "ux_jobs_node" on "jobs" ("node_id", "fan_index");
create index "ix_jobs_candidate" on "jobs" ("tenant_id", "pool", "priority" desc, "not_before", "id") where state = 'queued';
create index "ix_jobs_hint" on "jobs" ("next_hint_at") where state = 'queued';
create index "ix_jobs_lease" on "jobs" ("lease_expires_at") where state = 'leased';
create index "ix_jobs_timeout" on "jobs" ("timeout_at") where state = 'leased';
create index "ix_jobs_unfinished" on "jobs" ("node_id", "state") where state in ('leased', 'failed');
create index "ix_jobs_open" on "jobs" ("request_id", "state") where state in ('queued', 'leased', 'failed');
create index "ix_jobs_request" on "jobs" ("request_id", "id");
create table "job_attempts" (
  "tenant_id" text not null,
  "job_id" text not null,
  "epoch" integer not null,
  "attempt" integer not null,
  "owner" text not null,
  "leased_at" integer not null,
  "ended_at" integer null,
  "ended_as" text null constraint "ck_job_attempts_ended_as" check ("ended_as" in ('completed', 'failed', 'released', 'expired', 'timed_out', 'cancelled')),
  "signature" text null,
  constraint "pk_job_attempts" primary key ("job_id", "epoch"),
  constraint "fk_job_attempts_job_id" foreign key ("job_id") references "jobs" ("id")
) strict;
create table "job_inputs" (
  "tenant_id" text not null,
  "job_id" text not null,
  "name" text not null,
  "digest" text not null,
  "kind" text not null,
  "media_type" text not null,
  "size" integer not null,
  constraint "pk_job_inputs" primary key ("job_id", "name"),
  constraint "fk_job_inputs_job_id" foreign key ("job_id") references "jobs" ("id")
) strict;
create table "job_outputs" (
  "tenant_id" text not null,
  "job_id" text not null,
  "epoch" integer not null,
  "name" text not null,
  "digest" text not null,
  "kind" text not null,
  "media_type" text not null,
  "size" integer not null,
  constraint "pk_job_outputs" primary key ("job_id", "epoch", "name"),
  constraint "fk_job_outputs_job_id" foreign key ("job_id") references "jobs" ("id")
) strict;
create table "checkpoints" (
  "tenant_id" text not null,
  "job_id" text not null,
  "epoch" integer not null,
  "digest" text not null,
  "created_at" integer not null,
  constraint "pk_checkpoints" primary key ("job_id", "epoch", "digest"),
  constraint "fk_checkpoints_job_id" foreign key ("job_id") references "jobs" ("id")
) strict;
create table "verifications" (
  "id" text not null,
  "tenant_id" text not null,
  "request_id" text not null,
  "node_id" text not null,
  "job_id" text not null,
  "epoch" integer not null,
  "principal_id" text not null,
  "tree" text null,
  "claims_digest" text not null,
  "result" text not null,
  "artifact_digest" text not null,
  "created_at" integer not null,
  constraint "pk_verifications" primary key ("id")
) strict;
create unique index "ux_verifications_job" on "verifications" ("job_id", "epoch");
create index "ix_verifications_request" on "verifications" ("request_id", "id");
create table "findings" (
  "id" text not null,
  "tenant_id" text not null,
  "request_id" text not null,
  "job_id" text not null,
  "severity" text not null,
  "location" text not null,
  "message" text not null,
  "created_at" integer not null,
  constraint "pk_findings" primary key ("id")
) strict;
create table "failure_signatures" (
  "tenant_id" text not null,
  "application_id" text not null,
  "signature" text not null,
  "count" integer not null,
  "first_at" integer not null,
  "last_at" integer not null,
  constraint "pk_failure_signatures" primary key ("application_id", "signature")
) strict;
create table "plans" (
  "tenant_id" text not null,
  "request_id" text not null,
  "digest" text not null,
  "job_id" text not null,
  "created_at" integer not null,
  constraint "pk_plans" primary key ("request_id", "digest")
) strict;
create table "evidence_bundles" (
  "id" text not null,
  "tenant_id" text not null,
  "request_id" text not null,
  "kind" text not null constraint "ck_evidence_bundles_kind" check ("kind" in ('change_evidence', 'evidence_bundle')),
  "digest" text not null,
  "signed_by" text not null,
  "created_at" integer not null,
  constraint "pk_evidence_bundles" primary key ("id")
) strict;
create unique index "ux_evidence_bundles_digest" on "evidence_bundles" ("request_id", "kind", "digest");
create table "signing_keys" (
  "id" text not null,
  "tenant_id" text not null,
  "purpose" text not null,
  "public_jwk" text not null,
  "state" text not null constraint "ck_signing_keys_state" check ("state" in ('active', 'retired')),
  "created_at" integer not null,
  "retired_at" integer null,
  constraint "pk_signing_keys" primary key ("id")
) strict;
create index "ix_signing_keys_purpose" on "signing_keys" ("tenant_id", "purpose", "id");
create table "approval_subjects" (
  "tenant_id" text not null,
  "digest" text not null,
  "request_id" text null,
  "installation_id" text null,
  "body" text not null constraint "ck_approval_subjects_body" check (json_valid("body")),
  "created_at" integer not null,
  constraint "pk_approval_subjects" primary key ("tenant_id", "digest")
) strict;
create table "approvals" (
  "id" text not null,
  "tenant_id" text not null,
  "subject_digest" text not null,
  "request_id" text null,
  "installation_id" text null,
  "node" text null,
  "round" integer not null,
  "type" text not null constraint "ck_approvals_type" check ("type" in ('start', 'effect', 'installation')),
  "state" text not null constraint "ck_approvals_state" check ("state" in ('open', 'approved', 'rejected', 'expired', 'revoked', 'superseded')),
  "tier" text null constraint "ck_approvals_tier" check ("tier" in ('low', 'medium', 'high', 'critical')),
  "required" integer not null,
  "role" text null,
  "requires_fresh_auth" integer not null constraint "ck_approvals_requires_fresh_auth" check ("requires_fresh_auth" in (0, 1)),
  "opened_at" integer not null,
  "expires_at" integer not null,
  "decided_at" integer null,
  "version" integer not null,
  constraint "pk_approvals" primary key ("id")
) strict;
create index "ix_approvals_request" on "approvals" ("request_id", "id");
create index "ix_approvals_installation" on "approvals" ("installation_id", "id") where installation_id is not null;
create index "ix_approvals_open" on "approvals" ("tenant_id", "id") where state = 'open';
create table "approval_decisions" (
  "id" text not null,
  "tenant_id" text not null,
  "approval_id" text not null,
  "principal_id" text not null,
  "decision" text not null constraint "ck_approval_decisions_decision" check ("decision" in ('approve', 'reject')),
  "reason" text not null,
  "policy_decision_id" text null,
  "at" integer not null,
  constraint "pk_approval_decisions" primary key ("id"),
  constraint "fk_approval_decisions_approval_id" foreign key ("approval_id") references "approvals" ("id")
) strict;
create unique index "ux_approval_decisions_principal" on "approval_decisions" ("approval_id", "principal_id");
create table "approval_uses" (
  "tenant_id" text not null,
  "approval_id" text not null,
  "effect_key" text not null,
  "used_at" integer not null,
  constraint "pk_approval_uses" primary key ("approval_id", "effect_key"),
  constraint "fk_approval_uses_approval_id" foreign key ("approval_id") references "approvals" ("id")
) strict;
create table "policy_decisions" (
  "id" text not null,
  "tenant_id" text not null,
  "action" text not null,
  "principal_id" text not null,
  "resource" text not null,
  "allowed" integer not null constraint "ck_policy_decisions_allowed" check ("allowed" in (0, 1)),
  "policy_digest" text not null,
  "determining" text not null constraint "ck_policy_decisions_determining" check (json_valid("determining")),
  "errors" text not null constraint "ck_policy_decisions_errors" check (json_valid("errors")),
  "command_id" text null,
  "at" integer not null,
  constraint "pk_policy_decisions" primary key ("id")
) strict;
create table "effects" (
  "id" text not null,
  "tenant_id" text not null,
  "request_id" text not null,
  "job_id" text not null,
  "epoch" integer not null,
  "kind" text not null,
  "ordinal" integer not null,
  "target" text not null,
  "effect_key" text not null,
  "state" text not null constraint "ck_effects_state" check ("state" in ('intended', 'started', 'completed', 'uncertain', 'failed', 'verified', 'refuted', 'rolled_back')),
  "tree" text not null,
  "expected_before" text not null,
  "correlation_mark" text not null,
  "act_until" integer not null,
  "approval_id" text null,
  "policy_decision_id" text not null,
  "rollback" text not null,
  "observed" text null,
  "intended_at" integer not null,
  "started_at" integer null,
  "ended_at" integer null,
  "version" integer not null,
  constraint "pk_effects" primary key ("id"),
  constraint "fk_effects_request_id" foreign key ("request_id") references "requests" ("id")
) strict;
create unique index "ux_effects_key" on "effects" ("tenant_id", "effect_key");
create index "ix_effects_request" on "effects" ("request_id", "ordinal", "id");
create table "artifacts" (
  "tenant_id" text not null,
  "digest" text not null,
  "size" integer not null,
  "media_type" text not null,
  "object_id" text not null,
  "wrapped_key" text not null,
  "key_version" text not null,
  "retention_class" text not null constraint "ck_artifacts_retention_class" check ("retention_class" in ('standard', 'evidence', 'transient')),
  "legal_hold" integer not null constraint "ck_artifacts_legal_hold" check ("legal_hold" in (0, 1)),
  "base_digest" text null,
  "stored_bytes" integer not null,
  "encoding" text not null constraint "ck_artifacts_encoding" check ("encoding" in ('identity', 'zstd', 'delta')),
  "created_at" integer not null,
  constraint "pk_artifacts" primary key ("tenant_id", "digest")
) strict;
create unique index "ux_artifacts_object" on "artifacts" ("object_id");
create table "artifact_references" (
  "tenant_id" text not null,
  "digest" text not null,
  "kind" text not null,
  "owner_type" text not null constraint "ck_artifact_references_owner_type" check ("owner_type" in ('request', 'job', 'application', 'installation', 'definitions', 'tenant')),
  "owner_id" text not null,
  "name" text not null,
  "created_at" integer not null,
  constraint "pk_artifact_references" primary key ("tenant_id", "owner_type", "owner_id", "kind", "name", "digest")
) strict;
create index "ix_artifact_references_digest" on "artifact_references" ("tenant_id", "digest");
create table "uploads" (
  "id" text not null,
  "tenant_id" text not null,
  "job_id" text not null,
  "epoch" integer not null,
  "digest" text not null,
  "kind" text not null,
  "media_type" text not null,
  "size" integer not null,
  "received" integer not null,
  "object_id" text not null,
  "state" text not null constraint "ck_uploads_state" check ("state" in ('open', 'complete', 'abandoned')),
  "created_at" integer not null,
  "expires_at" integer not null,
  constraint "pk_uploads" primary key ("id"),
  constraint "fk_uploads_job_id" foreign key ("job_id") references "jobs" ("id")
) strict;
create unique index "ux_uploads_digest" on "uploads" ("job_id", "epoch", "digest", "kind");
create table "definitions" (
  "tenant_id" text not null,
  "digest" text not null,
  "version" text not null,
  "policy_digest" text not null,
  "line_digests" text not null constraint "ck_definitions_line_digests" check (json_valid("line_digests")),
  "installed_by" text not null,
  "created_at" integer not null,
  constraint "pk_definitions" primary key ("tenant_id", "digest")
) strict;
create table "installations" (
  "id" text not null,
  "tenant_id" text not null,
  "application_id" text not null,
  "definitions_digest" text not null,
  "plan_digest" text not null,
  "policy_digest" text not null,
  "state" text not null constraint "ck_installations_state" check ("state" in ('planned', 'approved', 'applying', 'applied', 'drifted', 'failed', 'rejected', 'superseded', 'rolled_back')),
  "requested_by" text not null,
  "run" integer not null,
  "nudged" integer not null constraint "ck_installations_nudged" check ("nudged" in (0, 1)),
  "next_wake_at" integer null,
  "failure" text null,
  "created_at" integer not null,
  "finished_at" integer null,
  "version" integer not null,
  constraint "pk_installations" primary key ("id"),
  constraint "fk_installations_application_id" foreign key ("application_id") references "applications" ("id")
) strict;
create index "ix_installations_application" on "installations" ("tenant_id", "application_id", "id");
create index "ix_installations_overdue" on "installations" ("next_wake_at") where next_wake_at is not null;
create index "ix_installations_applied" on "installations" ("tenant_id", "application_id") where state in ('applied', 'drifted');
create table "install_plans" (
  "tenant_id" text not null,
  "application_id" text not null,
  "digest" text not null,
  "from_digest" text null,
  "to_digest" text not null,
  "created_at" integer not null,
  constraint "pk_install_plans" primary key ("application_id", "digest")
) strict;
create table "idempotency_keys" (
  "tenant_id" text not null,
  "principal_id" text not null,
  "route" text not null,
  "idempotency_key" text not null,
  "body_hash" text not null,
  "status" integer not null,
  "answer" text not null constraint "ck_idempotency_keys_answer" check (json_valid("answer")),
  "expires_at" integer not null,
  constraint "pk_idempotency_keys" primary key ("tenant_id", "principal_id", "route", "idempotency_key")
) strict;
create index "ix_idempotency_keys_expiry" on "idempotency_keys" ("expires_at");
create table "outbox" (
  "id" text not null,
  "tenant_id" text not null,
  "kind" text not null,
  "aggregate" text not null,
  "body" text not null constraint "ck_outbox_body" check (json_valid("body")),
  "state" text not null constraint "ck_outbox_state" check ("state" in ('pending', 'dead')),
  "available_at" integer not null,
  "attempts" integer not null,
  "last_error" text null,
  "created_at" integer not null,
  constraint "pk_outbox" primary key ("id")
) strict;
create index "ix_outbox_due" on "outbox" ("tenant_id", "available_at", "id") where state = 'pending';
create index "ix_outbox_dead" on "outbox" ("id") where state = 'dead';
create table "audit_events" (
  "tenant_id" text not null,
  "stream" text not null,
  "seq" integer not null,
  "request_id" text null,
  "command_id" text not null,
  "at" integer not null,
  "bytes" text not null,
  "hash" text not null,
  constraint "pk_audit_events" primary key ("stream", "seq")
) strict;
create unique index "ux_audit_events_command" on "audit_events" ("tenant_id", "command_id");
create index "ix_audit_events_request" on "audit_events" ("request_id", "seq") where request_id is not null;
create table "audit_heads" (
  "tenant_id" text not null,
  "stream" text not null,
  "seq" integer not null,
  "hash" text not null,
  "updated_at" integer not null,
  constraint "pk_audit_heads" primary key ("stream")
) strict;
create index "ix_audit_heads_updated" on "audit_heads" ("updated_at");
create table "audit_anchors" (
  "sequence" integer not null,
  "document" text not null,
  "digest" text not null,
  "signature" text not null,
  "key_id" text not null,
  "object_name" text not null,
  "created_at" integer not null,
  constraint "pk_audit_anchors" primary key ("sequence")
) strict;
