import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Change } from '../core/message-store.ts';

export interface Statements {
  apply(change: Change): void;
  readonly content: StatementSync;
  readonly page: StatementSync;
  readonly load: StatementSync;
}

/** The statements of the store, compiled once. */
export function prepareStatements(database: DatabaseSync): Statements {
  const insert = database.prepare(
    'insert into messages (sequence_number, queue_id, enqueued_at, expires_at, size, content) values (?, ?, ?, ?, ?, ?)',
  );
  const remove = database.prepare('delete from messages where sequence_number = ?');
  const lock = database.prepare('update messages set locked = 1, delivery_count = ? where sequence_number = ?');
  const unlock = database.prepare('update messages set locked = 0, delivery_count = ? where sequence_number = ?');
  const amend = database.prepare('update messages set size = ?, content = ? where sequence_number = ?');
  const move = database.prepare(
    'update messages set queue_id = ?, locked = 0, expires_at = null, delivery_count = ?, dead_letter_source = ?, size = ?, content = ? where sequence_number = ?',
  );
  return {
    apply(change) {
      switch (change.kind) {
        case 'insert':
          for (const { sequenceNumber, enqueuedAt, expiresAt, content } of change.records) {
            const expires = expiresAt === Number.POSITIVE_INFINITY ? null : expiresAt;
            insert.run(sequenceNumber, change.queueId, enqueuedAt, expires, content.byteLength, content);
          }
          return;
        case 'delete':
          remove.run(change.sequenceNumber);
          return;
        case 'lock':
          lock.run(change.deliveryCount, change.sequenceNumber);
          return;
        case 'unlock':
          unlock.run(change.deliveryCount, change.sequenceNumber);
          if (change.content) amend.run(change.content.byteLength, change.content, change.sequenceNumber);
          return;
        case 'move': {
          const { queueId, deliveryCount, deadLetterSource, content, sequenceNumber } = change;
          move.run(queueId, deliveryCount, deadLetterSource, content.byteLength, content, sequenceNumber);
        }
      }
    },
    content: database.prepare('select content from messages where sequence_number = ?'),
    page: database.prepare(
      'select sequence_number from messages where queue_id = ? and sequence_number >= ? order by sequence_number limit ?',
    ),
    load: database.prepare(
      'select sequence_number, enqueued_at, expires_at, delivery_count, locked, dead_letter_source, size from messages where queue_id = ? order by sequence_number',
    ),
  };
}
