create table "cost_entries" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "request_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "job_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "epoch" int not null,
  "kind" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_cost_entries_kind" check ("kind" in ('compute')),
  "pool" nvarchar(32) collate Latin1_General_100_BIN2 not null constraint "ck_cost_entries_pool" check ("pool" in ('plan', 'build', 'review', 'verify', 'fetch', 'packages', 'effect')),
  "quantity" bigint not null,
  "price" bigint not null,
  "price_version" nvarchar(64) collate Latin1_General_100_BIN2 not null,
  "currency" nvarchar(3) collate Latin1_General_100_BIN2 not null,
  "amount" bigint not null,
  "month" nvarchar(7) collate Latin1_General_100_BIN2 not null,
  "at" bigint not null,
  constraint "pk_cost_entries" primary key ("job_id", "epoch", "kind"),
  constraint "fk_cost_entries_request_id" foreign key ("request_id") references "requests" ("id"),
  constraint "fk_cost_entries_job_id" foreign key ("job_id") references "jobs" ("id")
);
create index "ix_cost_entries_request" on "cost_entries" ("request_id", "currency");
create table "monthly_costs" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "month" nvarchar(7) collate Latin1_General_100_BIN2 not null,
  "currency" nvarchar(3) collate Latin1_General_100_BIN2 not null,
  "amount" bigint not null,
  constraint "pk_monthly_costs" primary key ("application_id", "month", "currency"),
  constraint "fk_monthly_costs_application_id" foreign key ("application_id") references "applications" ("id")
);
create table "budgets" (
  "tenant_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "application_id" nvarchar(40) collate Latin1_General_100_BIN2 not null,
  "monthly" bigint not null,
  "currency" nvarchar(3) collate Latin1_General_100_BIN2 not null,
  "declared_at" bigint not null,
  constraint "pk_budgets" primary key ("tenant_id", "application_id"),
  constraint "fk_budgets_application_id" foreign key ("application_id") references "applications" ("id")
);
