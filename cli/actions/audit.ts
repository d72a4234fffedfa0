import { createWriteStream, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Command } from 'commander';
import { readAnchorFiles } from '../../shared/audit/verify/anchor-files.ts';
import { type ExportVerdict, verifyExport } from '../../shared/audit/verify/file.ts';
import { ExportMalformed } from '../../shared/audit/verify/malformed.ts';
import { openPlaneApi, type PlaneApi } from '../api/plane-api.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { bold, dim, plainText, print, printJson } from '../output/terminal.ts';
import { readKeys } from '../request/evidence-file.ts';
import { trustFrom } from './verify.ts';

export async function exportStream(auditor: PlaneApi, stream: string, file: string): Promise<void> {
  const answer = await auditor.fetch('GET', `/audit/${stream}/export`);
  if (answer.body === null) throw new CommandFailure(`The plane answered the export of ${stream} with nothing.`);
  await pipeline(Readable.fromWeb(answer.body as ReadableStream), createWriteStream(file, { mode: 0o600 }));
}

export function auditLines(verdict: ExportVerdict): string[] {
  const { anchors } = verdict;
  const span = anchors.first === null ? 'no anchors' : `anchors ${anchors.first} to ${anchors.last}`;
  const lines = [`${bold(verdict.ok ? 'verified' : 'NOT verified')} audit as of ${verdict.exportedAt}, ${span}`];
  for (const { message } of anchors.faults) lines.push(`  anchor: ${plainText(message)}`);
  for (const { anchor, at, of, incarnation, acceptedBy, reason } of anchors.restores)
    lines.push(
      `  anchor ${anchor}: a restore was accepted on ${at} by ${acceptedBy} (${plainText(reason)}); ${incarnation} followed ${of}`,
    );
  for (const { stream, events, provedTo, goesOnTo, notYetAnchored, faults, losses } of verdict.streams) {
    lines.push(
      `  ${stream}: ${events} events, ${provedTo === 0 ? 'none proved' : `proved up to ${provedTo}`}, ${notYetAnchored} not yet anchored`,
    );
    if (goesOnTo !== null)
      lines.push(
        `    it goes on to event ${goesOnTo} at least, by anchors later than this export: get a newer one to see the rest`,
      );
    for (const { anchor, from, to } of losses)
      lines.push(
        `    events ${from} to ${to} as they were before were lost to the restore that anchor ${anchor} declares`,
      );
    for (const { seq, code, message } of faults) lines.push(`    event ${seq} ${code}: ${plainText(message)}`);
  }
  if (verdict.trust === 'from_export')
    lines.push(
      dim('  by the keys inside the export, which prove no more than that it agrees with itself; give --keys'),
    );
  if (verdict.anchored === 'from_export')
    lines.push(dim('  against the anchors inside the export, which can leave some out; give --anchors'));
  return lines;
}

/** Writes one stream as an export file. */
export async function exportAuditStream(stream: string, options: { out: string }, command: Command): Promise<void> {
  await exportStream(await openPlaneApi({ ...globalOptions(command), as: 'auditor' }), stream, options.out);
  if (globalOptions(command).json) return printJson({ file: options.out });
  print(`Wrote ${options.out}. Verify it anywhere with: factory audit verify ${options.out}`);
}

/** Writes the trust file. */
export async function exportKeys(options: { out: string }, command: Command): Promise<void> {
  const keys = await readKeys(await openPlaneApi({ ...globalOptions(command), as: 'auditor' }));
  writeFileSync(options.out, `${JSON.stringify(keys, null, 2)}\n`);
  if (globalOptions(command).json) return printJson({ file: options.out });
  print(`Wrote ${options.out}.`);
}

/** Verifies an export; the exit code says whether it holds. */
export async function verifyAuditExport(
  file: string,
  options: { keys?: string; anchors?: string },
  command: Command,
): Promise<void> {
  const keys = trustFrom(options.keys);
  const verdict = await verifyExport(file, {
    ...(keys === undefined ? {} : { keys }),
    ...(options.anchors === undefined ? {} : { anchors: readAnchorFiles(options.anchors) }),
  }).catch((error: unknown) => {
    throw error instanceof ExportMalformed ? new CommandFailure(error.message) : error;
  });
  if (!verdict.ok) process.exitCode = 1;
  if (globalOptions(command).json) return printJson(verdict);
  for (const line of auditLines(verdict)) print(line);
}
