import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { applyPatch } from '../../sandbox/git/patch.ts';
import { runGit } from '../../sandbox/git/spawn.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { requireLine } from '../../stations/work/inputs.ts';
import type { Bench } from '../runs/bench.ts';
import type { Before, LineVerifier } from './line-verifier.ts';

/** A patch is already in when its reverse applies, and fits when it applies; one that does neither was made for other bytes. */
export const patchVerifier: LineVerifier = {
  before,
  after: async (bench, base, head) => {
    const intended = await apply(bench, base);
    const faults = intended === head.tree ? [] : ["the change is not what the packet's patch makes of the base"];
    return { claims: { line: 'patch', patchAlreadyIn: false }, faults };
  },
};

async function before(bench: Bench, base: Snapshot): Promise<Before> {
  const { patch } = requireLine(bench.packet, 'patch');
  if (await appliesInReverse(base, patch, bench.context.signal)) {
    const because = `every hunk of the packet's patch is already in commit ${base.commit}`;
    return {
      claims: { line: 'patch', patchAlreadyIn: true },
      stop: { verdict: 'already_true', because },
      intended: null,
    };
  }
  const claims = { line: 'patch', patchAlreadyIn: false } as const;
  try {
    return { claims, stop: null, intended: await apply(bench, base) };
  } catch (error) {
    if (!(error instanceof SandboxRefusal) || !error.code.startsWith('PATCH-')) throw error;
    const question = `The packet's patch does not fit commit ${base.commit}: ${error.message.slice(0, 1_000)}. Make it against that commit and submit again, or name the ref it was made for?`;
    return { claims, stop: { verdict: 'needs_human', code: error.code, question }, intended: null };
  }
}

function apply(bench: Bench, base: Snapshot): Promise<TreeId> {
  const patch = new TextEncoder().encode(requireLine(bench.packet, 'patch').patch);
  return applyPatch({ repository: base.repository, baseTree: base.tree, patch, signal: bench.context.signal });
}

async function appliesInReverse(base: Snapshot, patch: string, signal: AbortSignal): Promise<boolean> {
  const scratch = await mkdtemp(join(tmpdir(), 'factory-reverse-'));
  const variables = { GIT_INDEX_FILE: join(scratch, 'index') };
  const { repository } = base;
  try {
    await runGit({ repository, arguments: ['read-tree', base.tree], variables, signal });
    const call = {
      repository,
      arguments: ['apply', '--cached', '--check', '--reverse', '--whitespace=nowarn', '-p1', '-'],
      stdin: patch,
      variables,
      answers: [1, 128],
      signal,
    };
    return (await runGit(call)).exitCode === 0;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
