create table "escaped_defects" (
  "id" text not null,
  "tenant_id" text not null,
  "application_id" text not null,
  "request_id" text not null,
  "principal_id" text not null,
  "class" text not null constraint "ck_escaped_defects_class" check ("class" in ('regression', 'wrong_behaviour', 'incomplete', 'security', 'performance')),
  "signature" text not null,
  "summary" text not null,
  "content_digest" text not null,
  "recorded_at" integer not null,
  constraint "pk_escaped_defects" primary key ("request_id", "principal_id", "content_digest"),
  constraint "fk_escaped_defects_request_id" foreign key ("request_id") references "requests" ("id")
) strict;
create index "ix_escaped_defects_request" on "escaped_defects" ("request_id", "id");
