import { copiesOf, type Lock } from './locked.ts';
import type { Move } from './moves.ts';

/** The names that a package's update reaches: what it requires, what that requires, and who had to move to require it. */
export function reachedBy(name: string, before: Lock, after: Lock, moves: readonly Move[]): ReadonlySet<string> {
  const moved = new Set(moves.map((move) => move.name));
  const edges = [before, after].flatMap(edgesOf);
  const down = Map.groupBy(edges, ([from]) => from);
  const up = Map.groupBy(edges, ([, to]) => to);
  const targets = new Set([before, after].flatMap((lock) => copiesOf(lock, name)).map((copy) => copy.name));
  const above = walk(targets, (each) => (up.get(each) ?? []).map(([from]) => from));
  const movedAbove = [...above].filter((each) => moved.has(each));
  return walk(new Set([...targets, ...movedAbove]), (each) => (down.get(each) ?? []).map(([, to]) => to));
}

function edgesOf({ packages, requirements }: Lock): (readonly [from: string, to: string])[] {
  const nameAt = new Map(packages.map(({ place, name, source }) => [place, source === 'local' ? undefined : name]));
  return requirements.flatMap(({ from, to }) => {
    const pair = [nameAt.get(from), to === undefined ? undefined : nameAt.get(to)];
    return pair[0] === undefined || pair[1] === undefined ? [] : [[pair[0], pair[1]] as const];
  });
}

function walk(start: ReadonlySet<string>, next: (name: string) => readonly string[]): Set<string> {
  const seen = new Set(start);
  const queue = [...start];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    for (const each of next(name)) {
      if (seen.has(each)) continue;
      seen.add(each);
      queue.push(each);
    }
  }
  return seen;
}
