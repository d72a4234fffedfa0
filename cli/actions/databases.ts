import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { contentFaults, headerFault, isDamage } from '../../shared/store/sqlite/soundness.ts';
import { type Layout, PROCESSES } from '../data/layout.ts';
import { messageOf } from '../failure.ts';

export type DatabaseState = { readonly file: string; readonly fault: string | undefined; readonly wayOut: string };

const OF_PLANE =
  'end the plane, put a backup in its place (docs/runbooks/restore-database.md), then "factory restore status"';
const OF_BROKER = 'end the plane and move the folder away: jobs are hinted again';
const OF_HOST = 'end the plane and move the folder away: requests get another run (docs/runbooks/lost-task-hub.md)';

/**
 * Looks through the databases of a data directory, whole: every page, and every row against its indexes. The broker's and the hosts' are locked
 * while they run, and are looked through at their start instead. The time is linear in their sizes.
 */
export function lookThroughDatabases(layout: Layout, running: boolean): readonly DatabaseState[] {
  const files = [
    { file: path.join(layout.plane, 'plane.sqlite'), wayOut: OF_PLANE, open: true },
    { file: path.join(layout.broker, 'service-bus.sqlite'), wayOut: OF_BROKER, open: !running },
    ...PROCESSES.filter((name) => name !== 'broker').map((name) => ({
      file: path.join(layout.host(name), 'functions-host.sqlite'),
      wayOut: OF_HOST,
      open: !running,
    })),
  ];
  return files
    .filter(({ file, open }) => open && existsSync(file))
    .map(({ file, wayOut }) => ({ file, wayOut, fault: faultOf(file) }));
}

function faultOf(file: string): string | undefined {
  const header = headerFault(file);
  if (header !== undefined) return header;
  if (statSync(file).size === 0) return 'it is empty';
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    return contentFaults(database, 'whole')[0];
  } catch (error) {
    return isDamage(error) ? messageOf(error) : `it can't be read: ${messageOf(error)}`;
  } finally {
    database?.close();
  }
}
