import type { Command } from 'commander';

const load = () => import('../actions/audit.ts');

/** audit export|verify|keys: the record, taken along and proved offline. */
export function registerAuditCommands(program: Command): void {
  const audit = program.command('audit').description('the audit record');
  audit
    .command('export <stream>')
    .description('write one stream (an application, or the tenant) with its anchors and keys; acts as auditor')
    .requiredOption('--out <file>', 'file of JSON lines to write')
    .action(async (stream: string, options: { out: string }, command: Command) =>
      (await load()).exportAuditStream(stream, options, command),
    );
  audit
    .command('keys')
    .description('the public keys that verify evidence and audit; acts as auditor')
    .requiredOption('--out <file>', 'trust file to write')
    .action(async (options: { out: string }, command: Command) => (await load()).exportKeys(options, command));
  audit
    .command('verify <file>')
    .description('verify an export offline: chain, heads, anchors')
    .option('--keys <file>', 'trust file that was had by another way than the export')
    .option('--anchors <directory>', 'the anchors from where they are kept: an export can leave some out')
    .action(async (file: string, options: { keys?: string; anchors?: string }, command: Command) =>
      (await load()).verifyAuditExport(file, options, command),
    );
}
