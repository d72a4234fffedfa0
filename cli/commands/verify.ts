import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { verifyBundleFile } from '../../shared/evidence/bundle-file.ts';
import { type Trust, trustSchema } from '../../shared/evidence/signing/trust.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { bold, dim, plainText, print, printJson } from '../output/terminal.ts';

/** The keys of a trust file, or undefined when none is given. */
export function trustFrom(file: string | undefined): Trust | undefined {
  if (file === undefined) return undefined;
  const parsed = trustSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success)
    throw new CommandFailure(
      `${file} is no trust file (factory-trust/v1). Get one with "factory audit keys --out FILE".`,
    );
  return parsed.data;
}

export function registerVerifyCommand(program: Command): void {
  program
    .command('verify <bundle>')
    .description('verify an evidence bundle offline: signatures, digest chain, artifacts')
    .option('--keys <file>', 'trust file that was had by another way than the bundle')
    .action((file: string, options: { keys?: string }, command: Command) => {
      const keys = trustFrom(options.keys);
      const verdict = verifyBundleFile(readFileSync(file, 'utf8'), keys === undefined ? {} : { keys });
      if (!verdict.ok) process.exitCode = 1;
      if (globalOptions(command).json) return printJson(verdict);
      print(`${bold(verdict.ok ? 'verified' : 'NOT verified')} ${file}`);
      for (const { pointer, message } of verdict.faults) print(`  ${pointer}: ${plainText(message)}`);
      if (verdict.signedBy.length > 0) print(`  signed by ${verdict.signedBy.join(', ')}`);
      print(
        `  ${verdict.artifacts.checked.length} artifacts have their digests, ${verdict.artifacts.absent.length} are not in the file`,
      );
      if (verdict.trust === 'from_bundle')
        print(dim('  by the keys inside the bundle, which prove no more than that it agrees with itself; give --keys'));
    });
}
