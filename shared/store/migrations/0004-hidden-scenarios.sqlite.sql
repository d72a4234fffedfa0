alter table "artifacts" add column "closed_at" integer null;
create table "holdout_sets" (
  "tenant_id" text not null,
  "digest" text not null,
  "application_id" text not null,
  "submitted_by" text null,
  "submitted_at" integer not null,
  "ended_at" integer null,
  constraint "pk_holdout_sets" primary key ("tenant_id", "digest")
) strict;
create unique index "ux_holdout_sets_current" on "holdout_sets" ("tenant_id", "application_id") where ended_at is null;
create index "ix_holdout_sets_application" on "holdout_sets" ("tenant_id", "application_id", "submitted_at");
create table "request_holdouts" (
  "tenant_id" text not null,
  "request_id" text not null,
  "digest" text not null,
  constraint "pk_request_holdouts" primary key ("tenant_id", "request_id")
) strict;
create table "declaration_replacements" (
  "tenant_id" text not null,
  "digest" text not null,
  "replaced_by" text null,
  "looked_at" integer not null,
  constraint "pk_declaration_replacements" primary key ("tenant_id", "digest")
) strict;
create index "ix_declaration_replacements_by" on "declaration_replacements" ("tenant_id", "replaced_by");
