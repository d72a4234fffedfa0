import { existsSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { CheckOptions } from '../actions/packet.ts';
import { CommandFailure } from '../failure.ts';
import { DEFAULT_DEFINITIONS } from '../options.ts';
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
      note(
        `Wrote ${options.out}. Replace every FILL-IN, look with: factory packet check ${options.out}, then: factory run ${options.out} --repository PATH`,
      );
    });
  packet
    .command('check <file>')
    .description('whether a plane would take a task packet, and what is wrong with it; needs no plane')
    .option('--declaration <file>', 'application declaration that it is checked against')
    .option('--definitions <directory>', 'definitions with the product lines', DEFAULT_DEFINITIONS)
    .addHelpText(
      'after',
      '\nExit codes\n  0  a plane would take it      1  it has faults, or is not there      2  wrong use',
    )
    .action(async (file: string, options: CheckOptions, command: Command) =>
      (await import('../actions/packet.ts')).checkPacket(file, options, command),
    );
}
