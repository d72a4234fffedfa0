import { lchown, mkdir, open, readdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileOwner } from '../driver.ts';
import type { TreeLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import { readBlobs } from './blobs.ts';
import type { TreeId } from './object-id.ts';
import { checkLink } from './path-rules.ts';
import { listTree } from './tree-list.ts';

/**
 * Writes a tree's raw blobs into an empty directory: never a checkout, so no filter, attribute, line-end change or hook. Files get
 * mode 0644 or 0755 and `owner`. Links come last, when nothing is written through them any more. Throws what listTree throws, and
 * `TREE-LINK-ESCAPES`.
 */
export async function materialiseTree(request: {
  readonly repository: string;
  readonly tree: TreeId;
  readonly directory: string;
  readonly owner?: FileOwner;
  readonly limits?: TreeLimits;
  readonly signal?: AbortSignal | undefined;
}): Promise<{ readonly entries: number; readonly bytes: number }> {
  const { repository, directory, signal } = request;
  const owner = request.owner ?? null;
  if ((await readdir(directory)).length > 0) {
    throw new SandboxRefusal('WORKSPACE-EXISTS', 'a tree is only written into an empty directory', { path: directory });
  }
  const entries = [...(await listTree(request))].sort(
    (a, b) => Number(a.mode === '120000') - Number(b.mode === '120000'),
  );
  const made = new Set(['.']);
  let bytes = 0;
  let index = 0;
  for await (const content of readBlobs(
    repository,
    entries.map(({ blob }) => blob),
    signal,
  )) {
    const entry = entries[index++];
    if (entry === undefined) break;
    await makeDirectories(directory, dirname(entry.path), made, owner);
    const path = join(directory, entry.path);
    if (entry.mode === '120000') {
      const target = content.toString('utf8');
      checkLink(entry.path, target);
      await symlink(target, path);
      if (owner !== null) await lchown(path, owner.uid, owner.gid);
    } else {
      const file = await open(path, 'wx', 0o600);
      try {
        await file.writeFile(content);
        await file.chmod(entry.mode === '100755' ? 0o755 : 0o644);
        if (owner !== null) await file.chown(owner.uid, owner.gid);
      } finally {
        await file.close();
      }
    }
    bytes += content.length;
  }
  return { entries: entries.length, bytes };
}

async function makeDirectories(root: string, path: string, made: Set<string>, owner: FileOwner): Promise<void> {
  if (made.has(path)) return;
  await makeDirectories(root, dirname(path), made, owner);
  const directory = join(root, path);
  await mkdir(directory, { mode: 0o755 });
  if (owner !== null) await lchown(directory, owner.uid, owner.gid);
  made.add(path);
}
