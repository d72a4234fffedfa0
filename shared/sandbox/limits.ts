import type { SandboxLimits } from './driver.ts';

const MiB = 1024 * 1024;
const second = 1000;
const minute = 60 * second;

/** One run in a sandbox, where the caller sets nothing else. */
export const defaultSandboxLimits: SandboxLimits = {
  wallMs: 10 * minute,
  cpuSeconds: 600,
  memoryBytes: 2048 * MiB,
  processes: 256,
  fileBytes: 512 * MiB,
  openFiles: 4096,
  outputBytes: 4 * MiB,
  diskBytes: 8192 * MiB,
};

/** A program that goes on writing past its kept output is ended at this many times `outputBytes`. */
export const outputFloodFactor = 16;

/** How often the memory of a running sandbox is added up and the free disk is looked at. */
export const watchMs = 100;

/** One look in so many is also for files without a name, in memory or on disk. */
export const unnamedEvery = 5;

/** What one process may map beyond `memoryBytes`; mapped is not used. */
export const mappedReserveBytes = 16 * 1024 * MiB;

/** A sandbox is ended when the disk under one of its read-write mounts has less than this left. */
export const diskReserveBytes = 512 * MiB;

/** … or fewer free files (inodes) than this, where the file system counts them. */
export const diskReserveEntries = 50_000;

/** How long after its end a sandbox's pipes may stay open before they are closed from outside. */
export const drainMs = 2 * second;

/** Private /tmp and HOME of a sandbox; they live in memory. */
export const scratchBytes = 512 * MiB;

/** Bytes of standard input handed to a program. */
export const stdinBytes = 64 * MiB;

/** One call of git. */
export type GitLimits = { readonly wallMs: number; readonly outputBytes: number };
export const defaultGitLimits: GitLimits = { wallMs: 2 * minute, outputBytes: 64 * MiB };

/** A source as it is fetched. */
export type SourceLimits = {
  readonly wallMs: number;
  /** All objects together, on disk. */
  readonly packBytes: number;
  /** One file of the commit's tree. */
  readonly blobBytes: number;
  /** Files and links of the commit's tree. */
  readonly entries: number;
};
export const defaultSourceLimits: SourceLimits = {
  wallMs: 10 * minute,
  packBytes: 2048 * MiB,
  blobBytes: 100 * MiB,
  entries: 200_000,
};

/** A tree that is read from or written to a workspace. */
export type TreeLimits = {
  readonly entries: number;
  readonly blobBytes: number;
  readonly totalBytes: number;
  /** Components of one path. */
  readonly depth: number;
  /** UTF-8 bytes of one path. */
  readonly pathBytes: number;
};
export const defaultTreeLimits: TreeLimits = {
  entries: 200_000,
  blobBytes: 100 * MiB,
  totalBytes: 2048 * MiB,
  depth: 64,
  pathBytes: 4096,
};

/** A diff or a patch. */
export const diffBytes = 32 * MiB;
export const patchBytes = 32 * MiB;

/** Entries that a program may keep in one read-write mount, ignored files included. */
export const workspaceEntries = 1_000_000;
