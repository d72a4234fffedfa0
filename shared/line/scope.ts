import { appendAudit } from '../audit/append.ts';
import type { AuditStream, AuditValue } from '../audit/event.ts';
import type { Digest } from '../domain/digest.ts';
import { parseId, type RequestId } from '../domain/ids.ts';
import type { OutboxBody, OutboxEntry } from '../outbox/entry.ts';
import { writeOutbox } from '../outbox/write.ts';
import type { Command } from '../store/command.ts';
import type { Fact } from '../telemetry/facts.ts';
import { chargeAttempts } from './charge.ts';
import type { Actor, PlaneContext } from './context.ts';
import type { LeasedJob } from './end-attempt.ts';

/** What a command gathers while it runs and writes at its end: outbox rows and the changes for its one audit event. */
export type Scope = {
  readonly context: PlaneContext;
  readonly now: number;
  readonly actor: Actor;
  readonly outbox: OutboxEntry[];
  /** What advance did, a short line each. */
  readonly changes: string[];
  /** Ids whose observers are to be woken after the commit. */
  readonly touched: Set<string>;
  /** What is counted after the commit. */
  readonly facts: Fact[];
  /** Attempts that this command ended, and how long their leases were held: the commit charges them. */
  readonly ended: { readonly job: LeasedJob; readonly heldMs: number }[];
};

/** What a command answers: its answer, and what the plane does after the commit. */
export type Committed<T> = {
  readonly answer: T;
  readonly outbox: readonly OutboxEntry[];
  readonly touched: readonly string[];
  readonly facts?: readonly Fact[];
  /** What people may like to see go by; absent where nothing was recorded. */
  readonly happened?: Happening;
};

/** A command in a few words, for the activity feed: never the truth, which is its audit event. */
export type Happening = {
  readonly stream: AuditStream;
  /** Database time, epoch milliseconds. */
  readonly at: number;
  /** The audit event's action. */
  readonly what: string;
  readonly request: RequestId | null;
  readonly text: string;
};

export function openScope(context: PlaneContext, now: number, actor: Actor): Scope {
  return { context, now, actor, outbox: [], changes: [], touched: new Set(), facts: [], ended: [] };
}

/** Adds an outbox row, born claimed by this process unless it is due only later. */
export function tell(scope: Scope, aggregate: string, body: OutboxBody, availableAt = scope.now): void {
  scope.outbox.push({
    id: scope.context.newId('outbox', scope.now),
    tenant: scope.context.tenant,
    aggregate,
    body,
    attempts: 0,
    availableAt,
  });
}

/** Changes that the activity feed tells one by one. */
const HAPPENED_CHANGES = 5;

export type AuditFact = {
  /** Application id, tenant id or `platform`. */
  readonly stream: AuditStream;
  /** Unique: the same command recorded twice is refused by the database. */
  readonly commandId: string;
  readonly action: string;
  readonly subjects: Readonly<Record<string, string | null>>;
  readonly digests?: Readonly<Record<string, Digest | null>>;
  readonly values?: Readonly<Record<string, AuditValue>>;
};

/** Writes the outbox rows, what ended attempts cost and, last, the audit event (the audit head is the last lock of the order), and ends the command. */
export function* commit<T>(scope: Scope, fact: AuditFact, answer: T): Command<Committed<T>> {
  const { context, now } = scope;
  yield* writeOutbox(scope);
  yield* chargeAttempts(scope);
  yield* appendAudit({
    tenantId: context.tenant,
    stream: fact.stream,
    commandId: fact.commandId,
    at: now,
    actor: scope.actor.principal,
    action: fact.action,
    subjects: present(fact.subjects),
    digests: present(fact.digests ?? {}),
    changes: fact.values ?? {},
    steps: scope.changes,
  });
  return {
    answer,
    outbox: scope.outbox.filter((entry) => entry.availableAt <= now),
    touched: [...scope.touched],
    facts: scope.facts,
    happened: {
      stream: fact.stream,
      at: now,
      what: fact.action,
      request: parseId('request', fact.subjects['request'] ?? '') ?? null,
      text: scope.changes.slice(0, HAPPENED_CHANGES).join('; '),
    },
  };
}

function present<V>(values: Readonly<Record<string, V | null>>): Record<string, V> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, V] => entry[1] !== null));
}
