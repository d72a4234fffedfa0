import { createWriteStream, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Command } from 'commander';
import type { ExportVerdict } from '../../shared/audit/verify/file.ts';
import { ExportMalformed, verifyExport } from '../../shared/audit/verify/file.ts';
import { openPlaneApi, type PlaneApi } from '../api/plane-api.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { bold, dim, plainText, print, printJson } from '../output/terminal.ts';
import { readKeys } from '../request/evidence-file.ts';
import { trustFrom } from './verify.ts';

/** audit export|verify|keys: the record, taken along and proved offline. */
export function registerAuditCommands(program: Command): void {
  const audit = program.command('audit').description('the audit record');
  audit
    .command('export <stream>')
    .description('write one stream (an application, or the tenant) with its anchors and keys; acts as auditor')
    .requiredOption('--out <file>', 'file of JSON lines to write')
    .action(async (stream: string, options: { out: string }, command: Command) => {
      await exportStream(await openPlaneApi({ ...globalOptions(command), as: 'auditor' }), stream, options.out);
      print(`Wrote ${options.out}. Verify it anywhere with: factory audit verify ${options.out}`);
    });
  audit
    .command('keys')
    .description('the public keys that verify evidence and audit; acts as auditor')
    .requiredOption('--out <file>', 'trust file to write')
    .action(async (options: { out: string }, command: Command) => {
      const keys = await readKeys(await openPlaneApi({ ...globalOptions(command), as: 'auditor' }));
      writeFileSync(options.out, `${JSON.stringify(keys, null, 2)}\n`);
      print(`Wrote ${options.out}.`);
    });
  audit
    .command('verify <file>')
    .description('verify an export offline: chain, heads, anchors')
    .option('--keys <file>', 'trust file that was had by another way than the export')
    .action(async (file: string, options: { keys?: string }, command: Command) => {
      const keys = trustFrom(options.keys);
      const verdict = await verifyExport(file, keys === undefined ? {} : { keys }).catch((error: unknown) => {
        throw error instanceof ExportMalformed ? new CommandFailure(error.message) : error;
      });
      if (!verdict.ok) process.exitCode = 1;
      if (globalOptions(command).json) return printJson(verdict);
      for (const line of auditLines(verdict)) print(line);
    });
}

export async function exportStream(auditor: PlaneApi, stream: string, file: string): Promise<void> {
  const answer = await auditor.fetch('GET', `/audit/${stream}/export`);
  if (answer.body === null) throw new CommandFailure(`The plane answered the export of ${stream} with nothing.`);
  await pipeline(Readable.fromWeb(answer.body as ReadableStream), createWriteStream(file, { mode: 0o600 }));
}

export function auditLines(verdict: ExportVerdict): string[] {
  const lines = [
    `${bold(verdict.ok ? 'verified' : 'NOT verified')} audit as of ${verdict.exportedAt}, ${verdict.anchors.count} anchors`,
  ];
  for (const fault of verdict.anchors.faults) lines.push(`  anchor: ${plainText(JSON.stringify(fault))}`);
  for (const { stream, events, provedTo, notYetAnchored, faults } of verdict.streams) {
    lines.push(`  ${stream}: ${events} events, proved up to ${provedTo}, ${notYetAnchored} not yet anchored`);
    for (const { seq, code, message } of faults) lines.push(`    event ${seq} ${code}: ${plainText(message)}`);
  }
  if (verdict.trust === 'from_export')
    lines.push(
      dim('  by the keys inside the export, which prove no more than that it agrees with itself; give --keys'),
    );
  return lines;
}
