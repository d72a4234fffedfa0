import type { Command } from 'commander';
import { openPlaneApi } from '../api/plane-api.ts';
import { readList, understood } from '../api/read.ts';
import { defectResource, recordedDefectResource } from '../api/resources.ts';
import { globalOptions } from '../options.ts';
import { plainText, print, printJson } from '../output/terminal.ts';

/** Records that the change a request delivered was at fault, and prints the id of the record. */
export async function recordDefect(
  request: string,
  summary: string,
  options: { class: string },
  command: Command,
): Promise<void> {
  const plane = await openPlaneApi(globalOptions(command));
  const path = `/requests/${request}/defects`;
  const answer = await plane.call('POST', path, { json: { class: options.class, summary } });
  const recorded = understood(recordedDefectResource, answer, path);
  if (globalOptions(command).json) return printJson(recorded);
  print(recorded.id);
}

/** Prints what was found wrong with the change a request delivered. */
export async function listDefects(request: string, command: Command): Promise<void> {
  const found = await readList(
    await openPlaneApi(globalOptions(command)),
    defectResource,
    `/requests/${request}/defects`,
  );
  if (globalOptions(command).json) return printJson(found);
  for (const { id, class: kind, recordedAt, summary } of found)
    print(`${id}  ${recordedAt}  ${kind.padEnd(16)} ${plainText(summary)}`);
}
