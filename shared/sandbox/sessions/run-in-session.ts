import { randomBytes } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EndedBy, Mount, SandboxHandle, SandboxResult, SandboxRun } from '../driver.ts';
import { workspaceEntries } from '../limits.ts';
import { resolveMounts } from '../mounts.ts';
import { SandboxRefusal } from '../refusal.ts';
import { requireRunnable } from '../running/supervise.ts';
import { appended, readAccepted, readHello, readRunState, refused } from './answers.ts';
import {
  LONGEST_WAIT_MS,
  MESSAGE_BYTES,
  MOUNT_BYTES,
  MOUNTS,
  nestedIn,
  type OrderedMount,
  PART_BYTES,
  type RunEnd,
  type RunOrder,
} from './protocol.ts';
import { type RelayedSockets, relaySockets, socketsOf } from './relay-sockets.ts';
import type { PoolSession } from './session-pool.ts';
import { packFile, packTree } from './tree-pack.ts';
import { TreeRefused } from './tree-records.ts';
import { unpackTree } from './tree-unpack.ts';

/** Times in milliseconds. */
export type RunTimes = {
  /** What a run may take beside the program's own wall limit: mounts unpacked before, changes packed after. */
  readonly around: number;
  /** How long a program that is told to stop may go on before its session is ended with it. */
  readonly stop: number;
};
export const runTimes: RunTimes = { around: 10 * 60_000, stop: 20_000 };

/** The shortest time between two questions for the state of a run, whatever an agent answers. */
const askMs = 20;

/**
 * One run in one session of its own, which is ended with it, however it ends. What is read of the session's answers is checked; nothing of the run is believed that its
 * order does not allow. @throws SandboxRefusal at once for mounts and settings that no driver takes
 */
export function runInSession(
  run: SandboxRun,
  sessionOf: (identifier: string) => PoolSession,
  times: RunTimes,
  heard: (agent: string) => void,
): SandboxHandle {
  requireRunnable(run);
  const mounts = resolveMounts(run.mounts, null);
  if (mounts.length > MOUNTS)
    throw new SandboxRefusal('SANDBOX-MOUNT-REFUSED', `a session takes ${MOUNTS} mounts`, { limit: MOUNTS });
  // Never used before and never again: two runs can't meet in one session.
  const session = sessionOf(randomBytes(24).toString('hex'));
  const startedAt = performance.now();
  const local = new AbortController();
  let why: EndedBy | undefined;
  let broken: unknown;
  let stopping = false;
  let over = false;
  let ordered: { readonly instance: string; readonly at: number } | undefined;
  let stdout: Buffer = Buffer.alloc(0);
  let stderr: Buffer = Buffer.alloc(0);

  const endHere = (reason: EndedBy): void => {
    why ??= reason;
    local.abort();
  };
  const signal = local.signal;

  const work = async (): Promise<SandboxResult> => {
    const hello = readHello(await session.allocate({ method: 'GET', path: '/v1/session', signal }));
    heard(hello.agent);
    const { instance } = hello;
    const order = await send(session, instance, run, mounts, signal);
    // Not repeated: should only the answer have been lost, the program is at work.
    const body = Buffer.from(JSON.stringify(order));
    if (body.length > MESSAGE_BYTES)
      throw new SandboxRefusal('SANDBOX-SETUP-FAILED', 'arguments and environment are too long', {
        limit: MESSAGE_BYTES,
      });
    await session.once({ method: 'POST', path: '/v1/run', query: { instance }, body, signal });
    ordered = { instance, at: performance.now() };
    const late = setTimeout(() => endHere('wall'), run.limits.wallMs + times.around);
    const sockets = relaySockets({
      session,
      instance,
      mounts,
      offered: order.mounts.flatMap((each, mount) => each.sockets.map((name) => ({ mount, name }))),
      signal,
      broken: (reason) => {
        broken ??= reason;
        local.abort();
      },
    });
    try {
      const end = await follow(order, instance, sockets);
      for (const { mount, bytes } of end.changes) await take(session, instance, mount, bytes);
      return told(end, ordered.at);
    } finally {
      clearTimeout(late);
      await sockets.close();
    }
  };

  const follow = async (order: RunOrder, instance: string, sockets: RelayedSockets): Promise<RunEnd> => {
    for (let made = 0; ; ) {
      const query = { instance, stdout: stdout.length, stderr: stderr.length, made, wait: LONGEST_WAIT_MS };
      const asked = performance.now();
      const answer = await session.repeat({ method: 'GET', path: '/v1/run', query, waitMs: LONGEST_WAIT_MS, signal });
      const state = readRunState(answer, order.mounts, stopping);
      stdout = appended(stdout, state.stdout, run.limits);
      stderr = appended(stderr, state.stderr, run.limits);
      if (state.fault?.of === 'setup')
        throw new SandboxRefusal('SANDBOX-SETUP-FAILED', `nothing ran in the session: ${state.fault.message}`);
      if (state.fault !== null)
        throw new SandboxRefusal(
          'SANDBOX-RESULT-REFUSED',
          `what the program left can't be taken: ${state.fault.message}`,
        );
      if (state.end !== null && state.stdout === '' && state.stderr === '') return state.end;
      await sockets.made(state.made);
      made = state.made.length;
      await sleep(Math.max(0, askMs - (performance.now() - asked)));
    }
  };

  const take = async (from: PoolSession, instance: string, index: number, bytes: number): Promise<void> => {
    const mount = mounts[index];
    if (mount === undefined) return;
    await unpackTree(mount.source, partsOf(from, instance, index, bytes, signal), {
      limits: { entries: workspaceEntries, bytes: run.limits.diskBytes },
      owner: null,
      closed: nestedIn(mount, mounts),
    }).catch((error: unknown) => {
      throw error instanceof TreeRefused ? refused(`${mount.target} came back as no tree (${error.message})`) : error;
    });
  };

  const result = (end: Omit<RunEnd, 'changes'>): SandboxResult => ({
    exitCode: end.exitCode,
    signal: end.signal,
    endedBy: end.endedBy,
    timedOut: end.endedBy === 'wall',
    cancelled: end.endedBy === 'cancelled',
    stdout,
    stderr,
    outputTruncated: end.outputTruncated,
    durationMs: end.durationMs,
  });
  const told = (end: RunEnd, since: number): SandboxResult =>
    result({ ...end, durationMs: Math.min(end.durationMs, performance.now() - since) });
  const endedHere = (endedBy: EndedBy): SandboxResult =>
    result({
      exitCode: null,
      signal: 'SIGKILL',
      endedBy,
      outputTruncated: false,
      durationMs: performance.now() - startedAt,
    });

  const cancel = (): void => endHere('cancelled');
  run.signal?.addEventListener('abort', cancel, { once: true });
  if (run.signal?.aborted === true) cancel();
  const exited = work()
    .catch((error: unknown) => {
      if (why !== undefined) return endedHere(why);
      throw asRefusal(broken ?? error);
    })
    .finally(async () => {
      run.signal?.removeEventListener('abort', cancel);
      // No call may come after the stop: the pool would give it a new session.
      over = true;
      local.abort();
      await session.end();
    });
  exited.catch(() => undefined);

  return {
    exited,
    captured: () => ({ stdout, stderr }),
    stop() {
      if (stopping || over) return exited;
      stopping = true;
      if (ordered === undefined) endHere('stopped');
      else {
        const query = { instance: ordered.instance };
        session.repeat({ method: 'POST', path: '/v1/stop', query, signal }).catch(() => endHere('stopped'));
        const late = setTimeout(() => endHere('stopped'), times.stop);
        const done = (): void => clearTimeout(late);
        exited.then(done, done);
      }
      return exited;
    },
  };
}

/** Brings mounts and standard input into the session; answers the order for them. */
async function send(
  session: PoolSession,
  instance: string,
  run: SandboxRun,
  mounts: readonly Mount[],
  signal: AbortSignal,
): Promise<RunOrder> {
  const ordered: OrderedMount[] = [];
  for (const [index, mount] of mounts.entries()) {
    const { source, target, mode } = mount;
    const isDirectory = (await lstat(source)).isDirectory();
    if (!isDirectory && mode === 'read-write')
      throw new SandboxRefusal('SANDBOX-MOUNT-REFUSED', 'a file can only be mounted read-only', { path: target });
    const limits = { entries: workspaceEntries, bytes: MOUNT_BYTES };
    const records = isDirectory
      ? packTree(source, { leave: nestedIn(mount, mounts), limits })
      : packFile(source, basename(target), limits);
    const bytes = await upload(session, instance, `/v1/mounts/${index}`, records, signal).catch((error: unknown) => {
      if (!(error instanceof TreeRefused)) throw error;
      throw new SandboxRefusal('SANDBOX-MOUNT-REFUSED', `${target} can't be brought into a session: ${error.message}`, {
        path: error.path ?? target,
        cause: error,
      });
    });
    const kind = isDirectory ? 'directory' : 'file';
    ordered.push({ target, mode, kind, bytes, sockets: isDirectory ? await socketsOf(mount) : [] });
  }
  const input = run.stdin ?? new Uint8Array();
  if (input.length > 0) await upload(session, instance, '/v1/stdin', [Buffer.from(input)], signal);
  const { argv, workingDirectory, environment, limits } = run;
  return { argv, workingDirectory, environment, limits, mounts: ordered, stdinBytes: input.length };
}

/** In parts of equal length, so that one that is lost can be sent again. */
async function upload(
  session: PoolSession,
  instance: string,
  path: string,
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
  signal: AbortSignal,
): Promise<number> {
  let sent = 0;
  let gathered: Buffer[] = [];
  let length = 0;
  const flush = async (body: Buffer<ArrayBuffer>): Promise<void> => {
    const call = { method: 'PUT', path, query: { instance, at: sent }, body, signal } as const;
    sent += body.length;
    if (readAccepted(await session.repeat(call)) !== sent) throw refused('it has not the bytes that it was given');
  };
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + PART_BYTES - length);
      at += part.length;
      length += part.length;
      gathered.push(part);
      if (length < PART_BYTES) continue;
      await flush(Buffer.concat(gathered));
      gathered = [];
      length = 0;
    }
  }
  if (length > 0) await flush(Buffer.concat(gathered));
  return sent;
}

async function* partsOf(
  session: PoolSession,
  instance: string,
  mount: number,
  bytes: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes; ) {
    const call = {
      method: 'GET',
      path: `/v1/mounts/${mount}`,
      query: { instance, at },
      most: PART_BYTES,
      signal,
    } as const;
    const part = await session.repeat(call);
    at += part.length;
    if (part.length === 0 || at > bytes) throw refused('a part of the changes is not as long as it was said to be');
    yield part;
  }
}

function asRefusal(error: unknown): SandboxRefusal {
  if (error instanceof SandboxRefusal) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new SandboxRefusal('SANDBOX-SETUP-FAILED', `the run could not be brought into a session or back: ${what}`, {
    cause: error,
  });
}
