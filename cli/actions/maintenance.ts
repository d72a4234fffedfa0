import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { Command } from 'commander';
import { z } from 'zod';
import { openPlaneApi } from '../api/plane-api.ts';
import { existingDataDirectory } from '../data/data-directory.ts';
import { layoutOf } from '../data/layout.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { print, printJson } from '../output/terminal.ts';
import { supervisorOf } from '../supervision/supervisor-lock.ts';

const DATABASE = 'plane.sqlite';

const reconciled = z.object({ revived: z.int(), looked: z.int(), reruns: z.int() });

/**
 * Anchors and keys first, then the database, then the artifacts: an anchor newer than the database would read as a database that was
 * rewound, and an artifact is always older than the row that names it.
 */
async function copyPlane(from: string, to: string): Promise<void> {
  const last = ['artifacts'];
  const skipped = (name: string): boolean => name.startsWith(DATABASE) || name === 'staging' || last.includes(name);
  for (const name of readdirSync(from))
    if (!skipped(name))
      cpSync(path.join(from, name), path.join(to, name), { recursive: true, preserveTimestamps: true });
  const database = new DatabaseSync(path.join(from, DATABASE), { readOnly: true });
  try {
    await backup(database, path.join(to, DATABASE));
  } finally {
    database.close();
  }
  for (const name of last)
    if (existsSync(path.join(from, name)))
      cpSync(path.join(from, name), path.join(to, name), { recursive: true, preserveTimestamps: true });
}

/** Copies what the plane knows to a new directory. */
export async function backupPlane(directory: string, _options: unknown, command: Command): Promise<void> {
  const from = existingDataDirectory(globalOptions(command).data);
  if (existsSync(directory) && readdirSync(directory).length > 0)
    throw new CommandFailure(`${directory} is not empty. Give a new directory; nothing was copied.`);
  const to = layoutOf(directory);
  mkdirSync(to.plane, { recursive: true, mode: 0o700 });
  await copyPlane(from.plane, to.plane);
  cpSync(from.marker, to.marker);
  if (globalOptions(command).json) return printJson({ copy: to.root });
  print(
    `Copied to ${to.root}. It holds keys: keep it as safe as ${from.root}. Run it with: factory up --data ${directory}`,
  );
}

/** Asks the plane to reconcile, and prints what it did. */
export async function reconcilePlane(command: Command): Promise<void> {
  const { data, json } = globalOptions(command);
  if (supervisorOf(existingDataDirectory(data)) === undefined)
    throw new CommandFailure('Nothing runs on this data directory. Start it with "factory up", then reconcile.');
  const api = await openPlaneApi({ data, as: 'operator' });
  const done = reconciled.parse(await api.call('POST', '/reconcile'));
  if (json) return printJson(done);
  print(
    `${done.revived} messages put back to work; ${done.looked} open requests looked up, ${done.reruns} supervisors started. "factory doctor" shows what is left.`,
  );
}
