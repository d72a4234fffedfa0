import type { Command } from 'commander';
import type { z } from 'zod';
import { openPlaneApi, type PlaneApi } from '../api/plane-api.ts';
import { readResource, understood } from '../api/read.ts';
import { acceptedRestore, restoreStatus as status } from '../api/restore.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { confirmed } from '../output/ask.ts';
import { bold, plainText, print, printJson } from '../output/terminal.ts';

export type AcceptOptions = { readonly reason: string; readonly yes: boolean };

const operator = (command: Command): Promise<PlaneApi> =>
  openPlaneApi({ data: globalOptions(command).data, as: 'operator' });

/** Prints whether the database has everything that is sealed, or what it lacks; the exit code is 1 when it lacks something. */
export async function restoreStatus(command: Command): Promise<void> {
  const found = await readResource(await operator(command), status, '/restore');
  if (!found.sound) process.exitCode = 1;
  if (globalOptions(command).json) return printJson(found);
  for (const line of statusLines(found)) print(line);
  if (!found.sound)
    print('Put a newer database in its place, or go on without it: factory restore accept --reason TEXT');
}

/** Accepts what is missing, as it is at this moment, and prints what was declared. */
export async function acceptRestore(options: AcceptOptions, command: Command): Promise<void> {
  const { json } = globalOptions(command);
  const api = await operator(command);
  const found = await readResource(api, status, '/restore');
  if (found.sound || found.anchor === undefined)
    throw new CommandFailure('The database has everything that the anchors sealed: there is no restore to accept.');
  if (!json) for (const line of statusLines(found)) print(line);
  const question = 'Go on without these events? Every lease ends, and effects begun before are looked at again.';
  if (!options.yes && !(await confirmed(question)))
    throw new CommandFailure('Nothing was accepted. Give --yes to accept without being asked.');
  const { sequence, digest } = found.anchor;
  const body = { anchor: { sequence, digest }, reason: options.reason };
  const done = understood(
    acceptedRestore,
    await api.call('POST', '/restore/accept', { json: body }),
    '/restore/accept',
  );
  if (json) return printJson(done);
  print(
    `${bold('accepted')}: ${done.incarnation} follows ${done.of}. ${done.declaration.name} declares the losses; keep it with the other anchors.`,
  );
  print('The plane takes commands again; open requests and queued jobs are looked after within seconds.');
}

function statusLines({ sound, incarnation, anchor: last, begun, missing }: z.infer<typeof status>): string[] {
  const upTo = last === undefined ? 'no anchor was taken yet' : `the newest anchor is ${last.name}`;
  if (sound) return [`The database (${incarnation}) has everything that was sealed; ${upTo}.`];
  return [
    `The database (${incarnation}) is behind its anchors; ${upTo}. The plane takes no commands.`,
    ...(missing?.streams ?? []).map(
      ({ stream, keptTo, lostFrom, lostTo, replaced }) =>
        `  ${plainText(stream)}: kept up to event ${keptTo}, events ${lostFrom} to ${lostTo} are ${replaced === true ? 'others now' : 'gone'}`,
    ),
    ...(missing !== undefined && missing.more > 0 ? [`  and ${missing.more} more streams`] : []),
    ...(begun === undefined ? [] : [`  Somebody began to accept this and did not finish (${begun}): accept it again.`]),
  ];
}
