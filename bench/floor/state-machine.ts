import type { DatabaseSync } from 'node:sqlite';
import { committing } from './database.ts';

const STEPS = ['planned', 'plan_done', 'approved', 'building', 'build_done', 'verifying', 'verified'] as const;

/**
 * The least a workflow of three jobs and an approval can do: one row, its insertion and seven guarded changes of state, each its own
 * commit; eight in all.
 */
export function createStateMachine(database: DatabaseSync): { runWorkflow(): void } {
  database.exec('create table workflow (id integer primary key, state text not null, version integer not null) strict');
  const insert = database.prepare(`insert into workflow (state, version) values ('submitted', 1)`);
  const step = database.prepare('update workflow set state = ?, version = version + 1 where id = ? and version = ?');
  const once = committing(database);
  return {
    runWorkflow() {
      let id: number | bigint = 0;
      once(() => {
        id = insert.run().lastInsertRowid;
      });
      STEPS.forEach((state, index) => {
        once(() => {
          if (step.run(state, id, index + 1).changes !== 1)
            throw new Error(`workflow ${id} of the floor is not at ${index + 1}`);
        });
      });
    },
  };
}
