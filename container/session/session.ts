import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxHandle } from '../../shared/sandbox/driver.ts';
import { SandboxRefusal } from '../../shared/sandbox/refusal.ts';
import {
  OUTPUT_PART_BYTES,
  type RunEnd,
  type RunOrder,
  type RunState,
} from '../../shared/sandbox/sessions/protocol.ts';
import { TreeRefused } from '../../shared/sandbox/sessions/tree-records.ts';
import { keepChanges, type PlacedMount, placeMounts } from './mounts.ts';
import { OrderRefused } from './order.ts';
import { startProgram } from './program.ts';
import { openRelay, type Relay } from './relay.ts';
import type { Spool } from './spool.ts';

/** What of a run the worker has: bytes of its outputs, and how many sockets. */
export type Had = { readonly stdout: number; readonly stderr: number; readonly made: number };

/** The one run of a session. */
export type Session = {
  state(had: Had, waitMs: number): Promise<RunState>;
  relay(): Relay | undefined;
  stop(): void;
};

export const STDIN = 'stdin';
const lookMs = 20;

/** Begins the ordered run; whatever goes wrong from here on is told by {@link Session.state}. */
export function beginSession(order: RunOrder, spool: Spool): Session {
  let handle: SandboxHandle | undefined;
  let relay: Relay | undefined;
  let end: RunEnd | null = null;
  let fault: RunState['fault'] = null;
  let stopped = false;
  const nothing = { stdout: new Uint8Array(), stderr: new Uint8Array() };

  const work = async (): Promise<void> => {
    let placed: readonly PlacedMount[];
    try {
      placed = await placeMounts(spool, order.mounts);
      const stdin = await readStdin(spool, order.stdinBytes);
      relay = await openRelay(order.mounts);
      handle = await startProgram(order, stdin);
    } catch (error) {
      fault = { of: 'setup', message: reasonOf(error) };
      return;
    }
    if (stopped) void handle.stop();
    try {
      const result = await handle.exited;
      relay.look();
      relay.close();
      const changes: { mount: number; bytes: number }[] = [];
      // A program that was ended left its work half done, and possibly more of it than there is place for: nobody asks for that.
      const whole = result.endedBy === 'itself';
      for (const each of placed.filter(({ mount }) => whole && mount.mode === 'read-write')) {
        const bytes = await keepChanges(spool, each, order.limits.diskBytes);
        if (bytes > 0) changes.push({ mount: each.index, bytes });
      }
      const { exitCode, signal, endedBy, outputTruncated, durationMs } = result;
      end = { exitCode, signal, endedBy, outputTruncated, durationMs, changes };
    } catch (error) {
      // Nothing ran when the program could not be started; what it left is refused when it is no tree.
      fault = { of: error instanceof TreeRefused ? 'result' : 'setup', message: reasonOf(error) };
    }
  };
  const done = work().finally(() => relay?.close());

  const state = (had: Had): RunState => {
    const { stdout, stderr } = handle?.captured() ?? nothing;
    const part = (bytes: Uint8Array, at: number): string =>
      Buffer.from(bytes.subarray(at, at + OUTPUT_PART_BYTES)).toString('base64');
    return {
      phase: fault !== null ? 'failed' : end !== null ? 'ended' : 'running',
      stdout: part(stdout, had.stdout),
      stderr: part(stderr, had.stderr),
      made: relay?.look() ?? [],
      end,
      fault,
    };
  };
  return {
    relay: () => relay,
    stop() {
      stopped = true;
      void handle?.stop();
    },
    async state(had, waitMs) {
      const until = performance.now() + waitMs;
      for (;;) {
        const now = state(had);
        const news = now.phase !== 'running' || now.stdout !== '' || now.stderr !== '' || now.made.length > had.made;
        if (news || performance.now() >= until) return now;
        await Promise.race([done, sleep(lookMs)]);
      }
    },
  };
}

async function readStdin(spool: Spool, bytes: number): Promise<Buffer> {
  if ((await spool.size(STDIN)) !== bytes) throw new OrderRefused('standard input did not arrive whole');
  return bytes === 0 ? Buffer.alloc(0) : await spool.part(STDIN, 0, bytes);
}

function reasonOf(error: unknown): string {
  if (error instanceof SandboxRefusal || error instanceof TreeRefused || error instanceof OrderRefused)
    return error.message.slice(0, 1_000);
  return `the agent failed: ${error instanceof Error ? error.message : String(error)}`.slice(0, 1_000);
}
