import { existsSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { note } from '../output/terminal.ts';

export function registerPacketCommands(program: Command): void {
  const packet = program.command('packet').description('task packets');
  packet
    .command('new')
    .description('a task packet to fill in, with a comment at every field')
    .requiredOption('--line <name>', 'product line: patch, api-migration, dependency-update or azure-deployment')
    .option('--out <file>', 'write it to a new file instead of standard output')
    .action(async (options: { line: string; out?: string }) => {
      const { packetTemplate } = await import('../../shared/intake/template.ts');
      const text = packetTemplate(options.line);
      if (options.out === undefined) {
        process.stdout.write(text);
        return;
      }
      if (existsSync(options.out))
        throw new CommandFailure(`${options.out} is there already. Give another name; it was not changed.`);
      writeFileSync(options.out, text);
      note(`Wrote ${options.out}. Replace every FILL-IN, then: factory run ${options.out} --repository PATH`);
    });
}
