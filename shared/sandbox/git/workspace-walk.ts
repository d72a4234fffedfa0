import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TreeLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import type { IgnoreRules } from './ignore-rules.ts';
import { checkComponent, pathChecker } from './path-rules.ts';

export type WalkedEntry = { readonly path: string; readonly kind: 'file' | 'link' };

/**
 * The files and links of a workspace that belong to its tree, by lstat, in sorted order. What `tracked` holds is never ignored; an
 * ignored directory without tracked files is not entered. A `.git` at the top is a station's own and no part of the tree.
 */
export async function* walkWorkspace(
  root: string,
  tracked: readonly string[],
  rules: IgnoreRules,
  limits: TreeLimits,
): AsyncGenerator<WalkedEntry> {
  const trackedPaths = new Set(tracked);
  for (const path of tracked)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      trackedPaths.add(path.slice(0, at));
  const check = pathChecker(limits);
  const open = [''];
  let directories = 0;
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    directories += 1;
    if (directories > limits.entries) {
      throw new SandboxRefusal('TREE-TOO-MANY-ENTRIES', `the workspace has more than ${limits.entries} directories`, {
        path: parent,
        limit: limits.entries,
      });
    }
    const entries = await readNames(root, parent);
    const verdicts = await rules.ignored(entries.map(({ path, found }) => ({ path, directory: found.isDirectory() })));
    const kept = entries.filter(({ path }, index) => trackedPaths.has(path) || verdicts[index] === false);
    for (const { path, found } of kept) {
      if (found.isDirectory()) {
        if (path.split('/').length >= limits.depth) {
          throw new SandboxRefusal('TREE-TOO-DEEP', `a directory has more than ${limits.depth} components`, {
            path,
            limit: limits.depth,
          });
        }
        open.push(path);
      } else if (found.isFile() || found.isSymbolicLink()) {
        check(path);
        yield { path, kind: found.isFile() ? 'file' : 'link' };
      } else {
        throw new SandboxRefusal('TREE-SPECIAL-FILE', `${kindOf(found)} can't be part of a change; remove it`, {
          path,
        });
      }
    }
  }
}

type Found = { readonly path: string; readonly found: Dirent<Buffer> };

async function readNames(root: string, parent: string): Promise<Found[]> {
  const listed = await readdir(join(root, parent), { withFileTypes: true, encoding: 'buffer' }).catch(
    (cause: unknown) => {
      throw new SandboxRefusal('TREE-NOT-READABLE', 'a directory of the workspace is closed to the worker', {
        path: parent,
        cause,
      });
    },
  );
  const decoder = new TextDecoder('utf-8');
  return listed
    .map((found) => {
      const name = decoder.decode(found.name);
      return { name, path: parent === '' ? name : `${parent}/${name}`, found };
    })
    .filter(({ path }) => path !== '.git')
    .map(({ name, path, found }) => {
      checkComponent(name, path);
      return { path, found };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function kindOf(found: Dirent<Buffer>): string {
  if (found.isFIFO()) return 'a named pipe';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}
