import type { DatabaseSync } from 'node:sqlite';
import type { FinalStatus, InstanceRecord } from './instance-record.ts';
import { instanceColumns, toInstanceRecord } from './instance-record.ts';

/** A task that has begun and not ended: what a start has to begin again. */
export interface OpenTask {
  readonly taskId: number;
  readonly kind: 'activity' | 'timer';
  /** The activity's name; '' for a timer. */
  readonly name: string;
  readonly input: string | null;
  /** Milliseconds since the epoch; null for an activity. */
  readonly fireAt: number | null;
}

/** An event that waits for its instance's next turn. */
export interface InboxEntry {
  readonly seq: number;
  /** JSON text. */
  readonly event: string;
}

/** What a turn leaves behind. */
export interface TurnRecord {
  readonly instanceId: string;
  readonly executionId: string;
  readonly number: number;
  /** The turn's events as JSON texts joined by commas. */
  readonly events: string;
  /** The last inbox entry the turn took; 0 when it took none. */
  readonly takenUpTo: number;
  readonly at: number;
  readonly customStatus: string | null;
  readonly begun: readonly OpenTask[];
  readonly cancelled: readonly number[];
}

export type HubStore = ReturnType<typeof openHubStore>;

/**
 * The statements over a hub's tables. Each call is one or a few statements; the caller groups them into transactions.
 * Work is linear: a turn adds one row of its own events and never rewrites what came before.
 */
export function openHubStore(database: DatabaseSync) {
  const sql = {
    create:
      database.prepare(`insert into instances (id, execution_id, name, version, status, input, output, custom_status, created_at, updated_at, finished_at)
      values (?, ?, ?, ?, 'Pending', ?, null, null, ?, ?, null)`),
    find: database.prepare(`select ${instanceColumns} from instances where id = ?`),
    open: database.prepare('select 1 as open from instances where id = ? and finished_at is null'),
    listOpen: database.prepare(`select ${instanceColumns} from instances where finished_at is null`),
    turned: database.prepare(`update instances set status = 'Running', updated_at = ?, custom_status = ? where id = ?`),
    finished: database.prepare(
      'update instances set status = ?, updated_at = ?, finished_at = ?, output = ?, custom_status = ? where id = ?',
    ),
    continued: database.prepare(
      `update instances set execution_id = ?, input = ?, status = 'Running', updated_at = ?, custom_status = ? where id = ?`,
    ),
    addTurn: database.prepare('insert into turns (instance_id, number, events) values (?, ?, ?)'),
    turns: database.prepare('select events from turns where instance_id = ? order by number'),
    countTurns: database.prepare('select count(*) as count from turns where instance_id = ?'),
    dropTurns: database.prepare('delete from turns where instance_id = ?'),
    addInbox: database.prepare('insert into inbox (instance_id, event) values (?, ?)'),
    inbox: database.prepare('select seq, event from inbox where instance_id = ? order by seq'),
    takeInbox: database.prepare('delete from inbox where instance_id = ? and seq <= ?'),
    dropInbox: database.prepare('delete from inbox where instance_id = ?'),
    addTask: database.prepare(
      'insert into open_tasks (instance_id, execution_id, task_id, kind, name, input, fire_at) values (?, ?, ?, ?, ?, ?, ?)',
    ),
    endTask: database.prepare('delete from open_tasks where instance_id = ? and execution_id = ? and task_id = ?'),
    tasks: database.prepare(
      'select task_id as taskId, kind, name, input, fire_at as fireAt from open_tasks where instance_id = ? order by task_id',
    ),
    dropTasks: database.prepare('delete from open_tasks where instance_id = ?'),
    dropInstance: database.prepare('delete from instances where id = ?'),
    expired: database.prepare('select id from instances where finished_at < ? order by finished_at limit ?'),
  };

  const drop = (id: string) => {
    sql.dropTurns.run(id);
    sql.dropInbox.run(id);
    sql.dropTasks.run(id);
    sql.dropInstance.run(id);
  };

  return {
    find(id: string): InstanceRecord | undefined {
      const row = sql.find.get(id);
      return row === undefined ? undefined : toInstanceRecord(row);
    },
    listOpen: (): InstanceRecord[] => sql.listOpen.all().map(toInstanceRecord),
    history: (id: string): string =>
      sql.turns
        .all(id)
        .map((row) => String(row['events']))
        .join(','),
    turnCount: (id: string): number => Number(sql.countTurns.get(id)?.['count'] ?? 0),
    inbox: (id: string): InboxEntry[] => sql.inbox.all(id) as unknown as InboxEntry[],
    openTasks: (id: string): OpenTask[] => sql.tasks.all(id) as unknown as OpenTask[],

    /** Adds a new instance, in place of a finished one with its id. False when one with that id is running. */
    create(record: InstanceRecord): boolean {
      if (sql.open.get(record.id) !== undefined) return false;
      drop(record.id);
      const { id, executionId, name, version, input, createdAt } = record;
      sql.create.run(id, executionId, name, version, input, createdAt, createdAt);
      return true;
    },

    /** Puts an event in an instance's inbox. Undefined when the instance is absent or has ended. */
    deliver(id: string, event: string): number | undefined {
      if (sql.open.get(id) === undefined) return undefined;
      return Number(sql.addInbox.run(id, event).lastInsertRowid);
    },

    /** Ends a task and delivers its event. Undefined when the task is not open: cancelled, or its execution is over. */
    endTask(id: string, executionId: string, taskId: number, event: string): number | undefined {
      if (sql.endTask.run(id, executionId, taskId).changes === 0) return undefined;
      return Number(sql.addInbox.run(id, event).lastInsertRowid);
    },

    /** Records a turn that leaves its instance running. */
    addTurn(turn: TurnRecord): void {
      const { instanceId: id, executionId } = turn;
      sql.addTurn.run(id, turn.number, turn.events);
      if (turn.takenUpTo > 0) sql.takeInbox.run(id, turn.takenUpTo);
      for (const taskId of turn.cancelled) sql.endTask.run(id, executionId, taskId);
      for (const task of turn.begun) {
        sql.addTask.run(id, executionId, task.taskId, task.kind, task.name, task.input, task.fireAt);
      }
      sql.turned.run(turn.at, turn.customStatus, id);
    },

    /** Records an instance's last turn. Nothing of it stays open. */
    finish(turn: TurnRecord, status: FinalStatus, output: string | null): void {
      sql.addTurn.run(turn.instanceId, turn.number, turn.events);
      sql.dropInbox.run(turn.instanceId);
      sql.dropTasks.run(turn.instanceId);
      sql.finished.run(status, turn.at, turn.at, output, turn.customStatus, turn.instanceId);
    },

    /**
     * Ends an execution and begins the next under the same id. `carried` comes first in its inbox, then what arrived
     * since the turn began, as far as `keep` lets it through. Returns the new inbox.
     */
    continueAsNew(
      turn: TurnRecord,
      next: { readonly executionId: string; readonly input: string },
      carried: readonly string[],
      keep: (event: string) => boolean,
    ): InboxEntry[] {
      const id = turn.instanceId;
      if (turn.takenUpTo > 0) sql.takeInbox.run(id, turn.takenUpTo);
      const arrived = (sql.inbox.all(id) as unknown as InboxEntry[]).map((entry) => entry.event).filter(keep);
      sql.dropInbox.run(id);
      sql.dropTurns.run(id);
      sql.dropTasks.run(id);
      sql.continued.run(next.executionId, next.input, turn.at, turn.customStatus, id);
      return [...carried, ...arrived].map((event) => ({
        seq: Number(sql.addInbox.run(id, event).lastInsertRowid),
        event,
      }));
    },

    /** Removes a finished instance. False when it is absent or running. */
    purge(id: string): boolean {
      const record = sql.find.get(id);
      if (record === undefined || record['finishedAt'] === null) return false;
      drop(id);
      return true;
    },

    /** Removes up to `limit` instances that finished before `before`; returns how many. */
    purgeFinished(before: number, limit: number): number {
      const ids = sql.expired.all(before, limit);
      for (const row of ids) drop(String(row['id']));
      return ids.length;
    },
  };
}
