import type { Packet } from '../domain/packet/schema.ts';
import type { TreeId } from '../sandbox/git/object-id.ts';
import { runClaim, verdictOf } from './checks/run-check.ts';
import type { Ending } from './endings/ending.ts';
import { judgeEnding } from './endings/judge-ending.ts';
import type { RunClaim } from './receipt.ts';
import { judgeTogether, REPRODUCTION_RUNS, type Together } from './reproduction-verdict.ts';
import type { Bench } from './runs/bench.ts';
import { checkOut } from './runs/checkout.ts';
import { lastLines, outputText } from './runs/output-text.ts';
import { runProgram } from './runs/run-program.ts';
import type { OwnCode } from './trees/own-code.ts';

export type Command = readonly [string, ...string[]];

/** The packet's reproduction command, if it has one. */
export function reproductionCommand(packet: Packet): Command | undefined {
  return packet.reproduction !== undefined && 'command' in packet.reproduction
    ? packet.reproduction.command
    : undefined;
}

/** Why the packet has no reproduction, in its own words or for want of any. */
export function reasonForNone(packet: Packet): string | null {
  if (packet.reproduction === undefined) return 'the packet names none, and its line does not ask for one';
  return 'none' in packet.reproduction ? packet.reproduction.none.slice(0, 2_000) : null;
}

export type CommandRun = { readonly claim: RunClaim; readonly ending: Ending; readonly lastLines: string };

const defaultMs = 120_000;

/** Runs a command of the packet on a tree: as long as the application's longest check may take. */
export async function runPacketCommand(
  bench: Bench,
  repository: string,
  tree: TreeId,
  argv: Command,
  of: string,
  own: OwnCode,
): Promise<CommandRun> {
  const timeoutMs =
    Math.max(0, ...bench.declaration.checks.map(({ timeoutSeconds }) => timeoutSeconds * 1000)) || defaultMs;
  const checkout = await checkOut(bench, repository, tree, of);
  const result = await runProgram(bench, checkout, { of, argv, timeoutMs });
  await checkout.discard();
  const seen = { ...result, argv, output: outputText(result), reported: null, workspace: checkout.workingDirectory };
  const ending = judgeEnding({ ...seen, scriptOf: own.scriptOf }, own.code);
  const run = runClaim(argv, result);
  return { claim: { ...run, ...verdictOf(ending, run) }, ending, lastLines: lastLines(result) };
}

export type Reproduced = {
  readonly claim: RunClaim;
  readonly together: Together;
  readonly lastLines: string;
};

/** Runs the reproduction three times, each in a fresh checkout; one that did not do its work is not tried again. */
export async function reproduce(
  bench: Bench,
  repository: string,
  tree: TreeId,
  command: Command,
  of: string,
  own: OwnCode,
): Promise<Reproduced> {
  const runs: CommandRun[] = [];
  while (runs.length < REPRODUCTION_RUNS) {
    const time = runs.length === 0 ? '' : `, run ${runs.length + 1}`;
    const run = await runPacketCommand(bench, repository, tree, command, `${of}${time}`, own);
    runs.push(run);
    if (!['passed', 'failed', 'load_failure'].includes(run.ending.kind)) break;
  }
  const together = judgeTogether(runs.map(({ ending }) => ending));
  const passed = runs.filter(({ ending }) => ending.kind === 'passed').length;
  // What stands for all is the run that says no: a pass among failures is told by its count.
  const shown = runs.find(({ claim }) => !claim.passed) ?? runs[0];
  if (shown === undefined) throw new Error('a reproduction was run no time');
  const faults =
    together.says === 'unstable'
      ? [`it passed in ${passed} of ${runs.length} runs`, ...shown.claim.faults]
      : shown.claim.faults;
  const claim: RunClaim = {
    ...shown.claim,
    passed: together.says === 'passes',
    faults,
    repeated: { runs: runs.length, passed },
  };
  return { claim, together, lastLines: shown.lastLines };
}
