import { SandboxRefusal } from '../refusal.ts';
import type { TreeId } from './object-id.ts';
import { type CarriedEntry, splitTree } from './tree-list.ts';

/**
 * Holds a changed tree against its base: what is carried has to be there with the same mode, path and object, and nothing else of such a kind.
 * An entry that came, went or changed is refused by the code of its kind, with its path; so is one that stands above or below a
 * carried path, as it takes that path's place.
 */
export async function requireSameCarried(request: {
  readonly repository: string;
  readonly base: TreeId;
  readonly tree: TreeId;
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const { repository, signal } = request;
  const { carried } = await splitTree({ repository, tree: request.tree, signal });
  const before =
    request.base === request.tree ? carried : (await splitTree({ repository, tree: request.base, signal })).carried;
  const known = new Map(before.map((entry) => [entry.rawPath, identity(entry)]));
  for (const entry of carried) {
    if (known.get(entry.rawPath) !== identity(entry))
      throw new SandboxRefusal(entry.code, entry.why, { path: entry.path });
    known.delete(entry.rawPath);
  }
  const gone = before.find(({ rawPath }) => known.has(rawPath));
  if (gone !== undefined)
    throw new SandboxRefusal(
      gone.code,
      `what is carried unchanged was removed or replaced; it has to stay as it is (${gone.why})`,
      {
        path: gone.path,
      },
    );
}

const identity = ({ mode, object }: CarriedEntry): string => `${mode} ${object}`;
