import type { Packet } from '../../domain/packet/schema.ts';
import { patchBytesOf } from '../../domain/patch/line-patch.ts';
import { applyPacketPatch } from '../../sandbox/git/patch/apply-packet-patch.ts';
import { SandboxRefusal } from '../../sandbox/refusal.ts';
import type { Snapshot } from '../work/base.ts';
import { isFault } from './locked.ts';
import { type Project, readProject } from './project.ts';

/**
 * What the tree that a packet itself determines says of its packages, where that differs from the base. Undefined where the change is
 * not known before it is built, where the patch does not apply (the baseline asks about that), and where it leaves packages alone.
 */
export async function intendedProject(
  { line }: Packet,
  base: Snapshot,
  project: Project,
  signal: AbortSignal,
): Promise<Project | undefined> {
  if (line.name !== 'patch') return undefined;
  const { repository, tree: baseTree } = base;
  const applied = await applyPacketPatch({ repository, baseTree, patch: patchBytesOf(line), signal }).catch(
    (error: unknown) => {
      if (error instanceof SandboxRefusal) return undefined;
      throw error;
    },
  );
  if (applied === undefined || applied.tree === baseTree) return undefined;
  const intended = await readProject(repository, applied.tree, signal);
  return intended === undefined || isFault(intended) || saysOf(intended) === saysOf(project) ? undefined : intended;
}

const saysOf = ({ manifests, lockfile }: Project): string =>
  JSON.stringify([[...manifests].map(([path, { text }]) => [path, text]), lockfile?.file, lockfile?.text]);
