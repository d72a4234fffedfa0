import type { Command } from 'commander';
import { type BundleFault, examine, readDefinitions } from '../../shared/definitions/read.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { bold, dim, print, printJson } from '../output/terminal.ts';
import { definitionsIn } from './definitions-directory.ts';

/** Prints the faults of definitions, or that there are none; the exit code says which. */
export function tellFaults(faults: readonly BundleFault[], digest: string, json: boolean): void {
  if (faults.length > 0) process.exitCode = 1;
  if (json) {
    printJson({ digest, faults });
    return;
  }
  for (const { file, pointer, code, message } of faults) print(`${file}${pointer}: ${message} (${code})`);
  print(faults.length === 0 ? `Good: ${digest}` : `${faults.length} faults; nothing of it can be installed.`);
}

/** Prints the product lines. */
export async function listLines(options: { definitions: string }, command: Command): Promise<void> {
  const { lines } = readDefinitions(await definitionsIn(options.definitions));
  const found = [...lines.values()].map(({ digest, line: of }) => ({
    line: of.line,
    title: of.title,
    nodes: of.nodes.length,
    digest,
  }));
  if (globalOptions(command).json) return printJson(found);
  for (const { line: name, title, nodes } of found)
    print(`${bold(name.padEnd(20))} ${title} ${dim(`(${nodes} nodes)`)}`);
}

/** Prints the steps of a line. */
export async function showLine(name: string, options: { definitions: string }, command: Command): Promise<void> {
  const { lines } = readDefinitions(await definitionsIn(options.definitions));
  const found = lines.get(name);
  if (found === undefined)
    throw new CommandFailure(`There is no product line "${name}" here. Known: ${[...lines.keys()].join(', ')}.`);
  if (globalOptions(command).json) return printJson(found);
  print(`${bold(found.line.title)} ${dim(found.digest)}`);
  for (const node of found.line.nodes) {
    const after = node.needs.length > 0 ? ` after ${node.needs.join(', ')}` : '';
    print(`  ${node.id.padEnd(18)} ${node.kind === 'job' ? `job in pool ${node.pool}` : node.kind}${dim(after)}`);
  }
}

/** Prints what is wrong with definitions; the exit code says whether something is. */
export async function checkLines(options: { definitions: string }, command: Command): Promise<void> {
  const bundle = await definitionsIn(options.definitions);
  tellFaults(examine(bundle).faults, bundle.digest, globalOptions(command).json);
}
