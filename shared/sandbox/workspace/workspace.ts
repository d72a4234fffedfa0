import { chmod, chown, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileOwner } from '../driver.ts';
import { SandboxRefusal } from '../refusal.ts';
import { processStatus } from '../running/processes.ts';
import { removeTree } from './remove-tree.ts';

/** The private directories of one job under one lease epoch. */
export type Workspace = {
  readonly directory: string;
  /** The tree under work; mounted read-write. */
  readonly tree: string;
  /** Bare repositories of the job; never mounted. */
  readonly repositories: string;
  /** The offline package cache of the job; mounted read-only, so its files have to be readable by all. */
  readonly packages: string;
  /** Reporter files and sockets between sandboxes; mounted read-write, and outside the tree. */
  readonly exchange: string;
  /** Removes it all, whatever a program left in it; harmless to call again. */
  remove(): Promise<void>;
};

/** Where a data directory keeps its workspaces. */
export function workspacesDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'workspaces');
}

/** The file that names the worker process a workspace belongs to: its pid and start time. */
export const ownerFile = 'owner';

/**
 * Makes the workspace `<data>/workspaces/<job>.<epoch>`, closed to other users (0700). The directories that programs write to
 * belong to `owner`, the driver's fileOwner. Throws `WORKSPACE-EXISTS`, as a job is worked on once an epoch, and
 * `WORKSPACE-NAME-REFUSED`.
 */
export async function createWorkspace(request: {
  readonly dataDirectory: string;
  readonly job: string;
  readonly epoch: number;
  readonly owner: FileOwner;
}): Promise<Workspace> {
  const { job, epoch, owner } = request;
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(job) || !Number.isSafeInteger(epoch) || epoch < 0) {
    throw new SandboxRefusal(
      'WORKSPACE-NAME-REFUSED',
      `a workspace is named by a job id and an epoch, not by ${JSON.stringify(`${job}.${epoch}`)}`,
    );
  }
  const parent = workspacesDirectory(request.dataDirectory);
  const directory = join(parent, `${job}.${epoch}`);
  // Made under another name first: a sweep never meets a workspace without its owner file.
  const draft = join(parent, `.${job}.${epoch}.${process.pid}`);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await removeTree(draft);
  await mkdir(draft, { mode: 0o700 });
  await writeFile(join(draft, ownerFile), `${process.pid} ${processStatus(process.pid)?.startedAt ?? ''}`);
  for (const name of ['repositories', 'packages', 'tree', 'exchange']) {
    const made = join(draft, name);
    await mkdir(made);
    // Whatever the worker's umask is: the sandbox's user passes by "others" where it is not the owner.
    await chmod(made, name === 'repositories' ? 0o700 : 0o755);
    if (owner !== null && (name === 'tree' || name === 'exchange')) await chown(made, owner.uid, owner.gid);
  }
  try {
    await rename(draft, directory);
  } catch (cause) {
    await removeTree(draft);
    throw new SandboxRefusal('WORKSPACE-EXISTS', `job ${job} already has a workspace for epoch ${epoch}`, {
      path: directory,
      cause,
    });
  }
  return {
    directory,
    tree: join(directory, 'tree'),
    repositories: join(directory, 'repositories'),
    packages: join(directory, 'packages'),
    exchange: join(directory, 'exchange'),
    remove: () => removeTree(directory),
  };
}
