alter table "artifacts" add "closed_at" bigint null;
create table "holdout_sets" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "submitted_by" nvarchar(40) collate Latin1_General_100_BIN2 null,
  "submitted_at" bigint not null,
  "ended_at" bigint null,
  constraint "pk_holdout_sets" primary key ("tenant_id", "digest")
);
create unique index "ux_holdout_sets_current" on "holdout_sets" ("tenant_id", "application_id") where ended_at is null;
create index "ix_holdout_sets_application" on "holdout_sets" ("tenant_id", "application_id", "submitted_at");
create table "request_holdouts" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  constraint "pk_request_holdouts" primary key ("tenant_id", "request_id")
);
create table "declaration_replacements" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "replaced_by" nvarchar(71) collate Latin1_General_100_BIN2 null,
  "looked_at" bigint not null,
  constraint "pk_declaration_replacements" primary key ("tenant_id", "digest")
);
create index "ix_declaration_replacements_by" on "declaration_replacements" ("tenant_id", "replaced_by");
