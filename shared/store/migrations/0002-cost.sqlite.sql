create table "cost_entries" (
  "tenant_id" text not null,
  "application_id" text not null,
  "request_id" text not null,
  "job_id" text not null,
  "epoch" integer not null,
  "kind" text not null constraint "ck_cost_entries_kind" check ("kind" in ('compute')),
  "pool" text not null constraint "ck_cost_entries_pool" check ("pool" in ('plan', 'build', 'review', 'verify', 'fetch', 'packages', 'effect')),
  "quantity" integer not null,
  "price" integer not null,
  "price_version" text not null,
  "currency" text not null,
  "amount" integer not null,
  "month" text not null,
  "at" integer not null,
  constraint "pk_cost_entries" primary key ("job_id", "epoch", "kind"),
  constraint "fk_cost_entries_request_id" foreign key ("request_id") references "requests" ("id"),
  constraint "fk_cost_entries_job_id" foreign key ("job_id") references "jobs" ("id")
) strict;
create index "ix_cost_entries_request" on "cost_entries" ("request_id", "currency");
create table "monthly_costs" (
  "tenant_id" text not null,
  "application_id" text not null,
  "month" text not null,
  "currency" text not null,
  "amount" integer not null,
  constraint "pk_monthly_costs" primary key ("application_id", "month", "currency"),
  constraint "fk_monthly_costs_application_id" foreign key ("application_id") references "applications" ("id")
) strict;
create table "budgets" (
  "tenant_id" text not null,
  "application_id" text not null,
  "monthly" integer not null,
  "currency" text not null,
  "declared_at" integer not null,
  constraint "pk_budgets" primary key ("tenant_id", "application_id"),
  constraint "fk_budgets_application_id" foreign key ("application_id") references "applications" ("id")
) strict;
