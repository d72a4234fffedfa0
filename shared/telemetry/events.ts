/**
 * Every event that is logged, by its stable id: how grave it is, and in words. Queries and alerts ask for the id; the words may be
 * bettered. A line of the log has `event`, `msg` and the fields of its call: ids, codes and figures, never content.
 */
export const EVENTS = {
  'control.failed': { level: 'error', words: 'a fault that its caller was told nothing about' },
  'worker.claim.failed': { level: 'error', words: 'a job could not be claimed' },
  'worker.claim.late': { level: 'warn', words: 'a claim was answered too late to use its lease' },
  'worker.hint.dropped': { level: 'warn', words: 'a message that is no hint for this pool was dropped' },
  'worker.job.unreported': { level: 'warn', words: 'a job ended without a report' },
  'worker.handler.overdue': {
    level: 'error',
    words: 'a handler went on after it was told to stop; its place stays taken until it ends',
  },
  'worker.directory.kept': {
    level: 'warn',
    words: 'the directory of a job could not be removed; the next start of a worker tries again',
  },
  'container.ended': { level: 'info', words: 'the work of a container ended' },
  'container.hint.kept': { level: 'warn', words: 'a hint could not be taken off its queue' },
  'container.hint.lost': { level: 'warn', words: 'the lock of a hint was lost; its job goes on under its lease' },
  'migration.again': { level: 'warn', words: 'the migration is tried again' },
  'migration.done': { level: 'info', words: 'the database is migrated' },
  'effect.unanswered': { level: 'warn', words: 'an effect ended without an answer' },
  'telemetry.dropped': { level: 'warn', words: 'spans or metrics were dropped, since they could not be delivered' },
} as const satisfies Readonly<Record<string, { readonly level: 'info' | 'warn' | 'error'; readonly words: string }>>;

export type EventName = keyof typeof EVENTS;
