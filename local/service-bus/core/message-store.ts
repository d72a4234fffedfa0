/** How the core keeps messages; implemented over SQLite in ../store. */

/** A message as it is first written. */
export interface NewRecord {
  readonly sequenceNumber: number;
  /** Milliseconds since 1970. */
  readonly enqueuedAt: number;
  /** Milliseconds since 1970; Infinity when it never expires. */
  readonly expiresAt: number;
  readonly content: Uint8Array;
}

/** What is read back of a message when the broker starts; its content stays on disk. */
export interface SavedMessage {
  readonly sequenceNumber: number;
  readonly enqueuedAt: number;
  readonly expiresAt: number;
  readonly deliveryCount: number;
  /** It was locked when the broker ended: that delivery counts, for its outcome will never be known. */
  readonly locked: boolean;
  /** Bytes of content. */
  readonly size: number;
  readonly deadLetterSource: string | undefined;
}

export type Change =
  | { readonly kind: 'insert'; readonly queueId: number; readonly records: readonly NewRecord[] }
  | { readonly kind: 'delete'; readonly sequenceNumber: number }
  | { readonly kind: 'lock'; readonly sequenceNumber: number; readonly deliveryCount: number }
  | {
      readonly kind: 'unlock';
      readonly sequenceNumber: number;
      readonly deliveryCount: number;
      readonly content?: Uint8Array;
    }
  | {
      readonly kind: 'move';
      readonly sequenceNumber: number;
      readonly queueId: number;
      readonly deliveryCount: number;
      readonly deadLetterSource: string;
      readonly content: Uint8Array;
    };

/** Called once a change is on disk, or with the reason why nothing of it was written. */
export type Written = (failure?: Error) => void;

export interface MessageStore {
  /** The number of the queue with this name, given on first use and kept for ever. */
  queueId(name: string): number;
  /** Every message of a queue in order of sequence number. */
  load(queueId: number): Iterable<SavedMessage>;
  /** The next unused sequence number; never handed out twice, restarts included. */
  nextSequenceNumber(): number;
  /** Queues a change for the next group commit and calls `written` after it is synced to disk. All of a change is written, or nothing. */
  write(change: Change, written: Written): void;
  /** As `write`, but only handed to the operating system, not synced: it survives a crash of the process, not of the machine. */
  note(change: Change): void;
  /** The content of a stored message, or undefined when it is gone. */
  content(sequenceNumber: number): Uint8Array | undefined;
  /** Up to `limit` sequence numbers of a queue from `from` on, ascending. */
  page(queueId: number, from: number, limit: number): number[];
}
