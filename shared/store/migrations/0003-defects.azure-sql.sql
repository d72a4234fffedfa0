create table "escaped_defects" (
  "id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "principal_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "class" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_escaped_defects_class" check ("class" in ('regression', 'wrong_behaviour', 'incomplete', 'security', 'performance')),
  "signature" nvarchar(128) collate Latin1_General_100_BIN2 not null,
  "summary" nvarchar(max) not null,
  "content_digest" nvarchar(71) collate Latin1_General_100_BIN2 not null,
  "recorded_at" bigint not null,
  constraint "pk_escaped_defects" primary key ("request_id", "principal_id", "content_digest"),
  constraint "fk_escaped_defects_request_id" foreign key ("request_id") references "requests" ("id")
);
create index "ix_escaped_defects_request" on "escaped_defects" ("request_id", "id");
