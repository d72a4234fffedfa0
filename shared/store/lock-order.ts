import { type BoundStatement, LOCK_ORDER, type LockTarget } from './command.ts';

/** A command took locks in a wrong order: on Azure SQL two such commands can deadlock, and SQLite would never show it. */
export class LockOrderViolation extends Error {
  override readonly name = 'LockOrderViolation';
}

/**
 * Rows that belong to one request. Whoever waits for one of them holds its request's row already (what touches a job alone, a
 * renewal or a hint, waits for nothing else), so under the request's lock they may come in any order.
 */
const OF_A_REQUEST: ReadonlySet<LockTarget> = new Set<LockTarget>(['node', 'job', 'approval', 'effect']);

/**
 * Watches one command's statements: a kind of row not yet held may only be locked or written after kinds of lower rank.
 * Throws `LockOrderViolation` naming both statements.
 */
export function lockOrderWatch(label: string): (statement: BoundStatement<unknown>) => void {
  const held = new Set<LockTarget>();
  let highest: LockTarget | undefined;
  let by = '';
  return (statement) => {
    const target = statement.locks;
    if (target === undefined || held.has(target)) return;
    if (highest !== undefined && LOCK_ORDER.indexOf(target) < LOCK_ORDER.indexOf(highest)) {
      const owned = held.has('request') && OF_A_REQUEST.has(target) && OF_A_REQUEST.has(highest);
      if (!owned) {
        throw new LockOrderViolation(
          `command ${label}: statement ${statement.name} locks "${target}" after ${by} locked "${highest}"; the order is ${LOCK_ORDER.join(', ')}. Lock "${target}" first.`,
        );
      }
      held.add(target);
      return;
    }
    held.add(target);
    highest = target;
    by = statement.name;
  };
}
