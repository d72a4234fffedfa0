import type { TreeId } from '../../sandbox/git/object-id.ts';
import { forbiddenMoves } from '../../stations/packages/change-of-packages.ts';
import { copiesOf, isFault } from '../../stations/packages/locked.ts';
import { projectEntries } from '../../stations/packages/manifest-edits.ts';
import { movesBetween } from '../../stations/packages/moves.ts';
import { type Project, readProject } from '../../stations/packages/project.ts';
import type { Bench } from '../runs/bench.ts';

/**
 * Packages that the packet's `mustNotChange.packages` names and that a change moves: by the lockfiles of both trees, and by what
 * their manifests say where a lockfile does not tell. What can't be compared counts as changed.
 */
export async function changedPackages(
  { packet, context }: Bench,
  repository: string,
  from: TreeId,
  to: TreeId,
): Promise<string[]> {
  const closed = packet.mustNotChange?.packages ?? [];
  if (closed.length === 0) return [];
  const [old, now] = await Promise.all([from, to].map((tree) => readProject(repository, tree, context.signal)));
  if (old === undefined && now === undefined) return [];
  if (old === undefined || now === undefined || isFault(old) || isFault(now))
    return ['package.json can not be read on both sides, so mustNotChange.packages can not be measured'];
  return [
    ...movedInLockfiles(closed, old, now),
    ...closed.filter((name) => asked(old, name) !== asked(now, name)).map(askedOtherwise),
  ];
}

const askedOtherwise = (name: string): string => `${name} is asked for otherwise, which mustNotChange.packages names`;

function movedInLockfiles(closed: readonly string[], old: Project, now: Project): string[] {
  const [before, after] = [old.lockfile?.lock, now.lockfile?.lock];
  if (before === undefined && after === undefined) return [];
  if (before === undefined || after === undefined || isFault(before) || isFault(after))
    return old.lockfile?.text === now.lockfile?.text
      ? []
      : ['the lockfiles can not be compared, so mustNotChange.packages can not be measured'];
  // An alias is a name that a packet may use, too.
  const names = closed.flatMap((name) => [
    name,
    ...[before, after].flatMap((lock) => copiesOf(lock, name).map((copy) => copy.name)),
  ]);
  return forbiddenMoves(names, movesBetween(before, after));
}

function asked(project: Project, name: string): string {
  return JSON.stringify(
    projectEntries(project, name)
      .map(({ path, location, text }) => [path, ...location, text])
      .sort(),
  );
}
