import type { Packet } from '../domain/packet/schema.ts';
import type { TreeId } from '../sandbox/git/object-id.ts';
import { runClaim } from './checks/run-check.ts';
import type { RunClaim } from './receipt.ts';
import type { Bench } from './runs/bench.ts';
import { checkOut } from './runs/checkout.ts';
import { runProgram } from './runs/run-program.ts';

/** The packet's reproduction command, if it has one. */
export function reproductionCommand(packet: Packet): readonly [string, ...string[]] | undefined {
  return packet.reproduction !== undefined && 'command' in packet.reproduction
    ? packet.reproduction.command
    : undefined;
}

/** Why the packet has no reproduction, in its own words or for want of any. */
export function reasonForNone(packet: Packet): string | null {
  if (packet.reproduction === undefined) return 'the packet names none, and its line does not ask for one';
  return 'none' in packet.reproduction ? packet.reproduction.none.slice(0, 2_000) : null;
}

const defaultMs = 120_000;

/** Runs a command of the packet on a tree: as long as the application's longest check may take. */
export async function runPacketCommand(
  bench: Bench,
  repository: string,
  tree: TreeId,
  argv: readonly [string, ...string[]],
  of: string,
): Promise<RunClaim> {
  const timeoutMs =
    Math.max(0, ...bench.declaration.checks.map(({ timeoutSeconds }) => timeoutSeconds * 1000)) || defaultMs;
  const checkout = await checkOut(bench, repository, tree, of);
  return runClaim(argv, await runProgram(bench, checkout, { of, argv, timeoutMs }));
}
