import type { Command, Unchanged } from './command.ts';

/** The plane's only way to the database. */
export type Store = {
  readonly dialect: 'sqlite' | 'azure-sql';
  /**
   * Runs a command as one transaction and answers after it is durable. `label` names it in metrics and crash points.
   * A command that returns `unchanged(value)` or throws is rolled back. Throws `Refusal` 503 `FACTORY-STORE-UNAVAILABLE`
   * when the disk is full or the database can't be reached after its retries; nothing is half-written.
   */
  run<T>(label: string, command: () => Command<T | Unchanged<T>>): Promise<T>;
  /** Reads outside any transaction that writes; sees committed state only. */
  read<T>(label: string, query: () => Command<T>): Promise<T>;
  /** Database time in milliseconds since the epoch, monotonic within this process. */
  statistics(): { readonly commands: number; readonly commits: number; readonly refused: number };
  close(): Promise<void>;
};
