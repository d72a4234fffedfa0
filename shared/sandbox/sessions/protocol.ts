import { posix } from 'node:path';
import type { EndedBy, SandboxLimits } from '../driver.ts';

/**
 * What a worker and the agent inside a session say to each other. Every call is started by the worker, as a session has no way out. All but `POST /v1/run` may be
 * repeated: uploads and downloads name their offset, polls what was already had. A call that reaches another instance of the agent than the first is answered 410.
 *
 * | call | what |
 * |---|---|
 * | `GET /v1/session` | {@link SessionHello}; allocates the session |
 * | `PUT /v1/mounts/<n>?at=` | a part of the records of mount n (`tree-records.ts`) |
 * | `PUT /v1/stdin?at=` | a part of standard input |
 * | `POST /v1/run` | {@link RunOrder}: unpacks the mounts and starts the program, once in the life of a session |
 * | `GET /v1/run?stdout=&stderr=&made=&wait=` | {@link RunState}; waits until there is more than the bytes and the sockets that were had |
 * | `POST /v1/relay?at=`, `GET /v1/relay?after=&wait=` | frames of connections in and out (`multiplex.ts`) |
 * | `POST /v1/stop` | ends the program |
 * | `GET /v1/mounts/<n>?at=` | a part of the records of what changed in mount n, once the program ended |
 */
export const SESSION_PROTOCOL = 1;

/** Where the pool sends a session's calls: `targetPort` of infra/modules/session-pool.bicep. */
export const SESSION_PORT = 8080;

const MiB = 1024 * 1024;
/** One part of an upload or a download. */
export const PART_BYTES = 4 * MiB;
/** One order, and one answer that is no part. */
export const MESSAGE_BYTES = 8 * MiB;
/** Bytes of an output told in one answer. */
export const OUTPUT_PART_BYTES = MiB;
/** The records of one mount, on their way in. */
export const MOUNT_BYTES = 4096 * MiB;
export const MOUNTS = 32;
/** The longest an agent keeps a call waiting; well below the 240 s after which an ingress of Container Apps gives up. */
export const LONGEST_WAIT_MS = 15_000;
/** An agent that nobody called for so long ends its program: its worker is gone. */
export const ORPHANED_MS = 90_000;

/** Answer of `GET /v1/session`. */
export type SessionHello = {
  readonly protocol: number;
  readonly agent: string;
  /** Names this process of the agent; each later call gives it back. Empty once a run was ordered. */
  readonly instance: string;
  readonly used: boolean;
};

export type OrderedMount = {
  readonly target: string;
  readonly mode: 'read-only' | 'read-write';
  readonly kind: 'directory' | 'file';
  /** Length of its uploaded records; a file's hold that one file under its last name. */
  readonly bytes: number;
  /** Sockets that are to be found in it; who connects to one is connected to the worker's. */
  readonly sockets: readonly string[];
};

export type RunOrder = {
  readonly argv: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  readonly mounts: readonly OrderedMount[];
  /** Length of the uploaded standard input. */
  readonly stdinBytes: number;
};

/** A socket at the top of a mount: the mount's place in the order, and its name. */
export type SocketPlace = { readonly mount: number; readonly name: string };

export type RunEnd = {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly endedBy: EndedBy;
  readonly outputTruncated: boolean;
  readonly durationMs: number;
  /** Length of the records of what changed, by read-write mount; only where something did, and where the program ended by itself. */
  readonly changes: readonly { readonly mount: number; readonly bytes: number }[];
};

/** Answer of `GET /v1/run`; outputs in base64, from where the call asked. */
export type RunState = {
  readonly phase: 'running' | 'ended' | 'failed';
  readonly stdout: string;
  readonly stderr: string;
  /** Sockets that the program made at the top of a read-write mount. */
  readonly made: readonly SocketPlace[];
  /** With `ended`. Its outputs are whole once an answer with it brings no more. */
  readonly end: RunEnd | null;
  /** With `failed`: why nothing ran, or why what it left can't be handed over. */
  readonly fault: { readonly of: 'setup' | 'result'; readonly message: string } | null;
};

/** Paths in a mount at which other mounts begin: neither side packs what lies there with it, or takes it. */
export function nestedIn(
  mount: { readonly target: string },
  mounts: readonly { readonly target: string }[],
): Set<string> {
  return new Set(
    mounts
      .filter(({ target }) => target.startsWith(`${mount.target}/`))
      .map(({ target }) => posix.relative(mount.target, target)),
  );
}
