import type { Id, TenantId } from '../domain/ids.ts';
import { type Command, write } from '../store/command.ts';
import { insertOutbox } from '../store/delivery/outbox.ts';
import type { OutboxEntry } from './entry.ts';

/** Writes what a command has to tell, each row born claimed by this process unless it is due only later. */
export function* writeOutbox({
  context,
  now,
  outbox,
}: {
  readonly context: { readonly tenant: TenantId; readonly outboxClaimMs: number };
  readonly now: number;
  readonly outbox: readonly OutboxEntry[];
}): Command<void> {
  if (outbox.length === 0) return;
  yield* write(
    insertOutbox(
      outbox.map((entry) => ({
        id: entry.id as Id<'outbox'>,
        tenant_id: context.tenant,
        kind: entry.body.kind,
        aggregate: entry.aggregate,
        body: JSON.stringify(entry.body),
        state: 'pending' as const,
        available_at: entry.availableAt > now ? entry.availableAt : now + context.outboxClaimMs,
        attempts: 0,
        last_error: null,
        created_at: now,
      })),
    ),
  );
}
