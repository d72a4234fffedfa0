import { z } from 'zod';
import type { SandboxLimits } from '../driver.ts';
import { SandboxRefusal } from '../refusal.ts';
import {
  MOUNT_BYTES,
  type OrderedMount,
  OUTPUT_PART_BYTES,
  type RunState,
  SESSION_PROTOCOL,
  type SessionHello,
} from './protocol.ts';

/** What an agent says is what a program that took over its session could say: it is measured here against the order, and never believed beyond that. */
const count = z.int().min(0);
const output = z.base64().max(Math.ceil(OUTPUT_PART_BYTES / 3) * 4);

const hello = z.strictObject({
  protocol: z.literal(SESSION_PROTOCOL),
  agent: z.string().regex(/^[0-9A-Za-z.+-]{1,64}$/),
  instance: z.string().regex(/^[0-9a-f]{32}$/),
  used: z.literal(false),
});

const place = z.strictObject({ mount: count, name: z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/) });

const end = z
  .strictObject({
    exitCode: z.int().min(0).max(255).nullable(),
    signal: z
      .string()
      .regex(/^SIG[A-Z0-9]{2,10}$/)
      .nullable(),
    endedBy: z.enum(['itself', 'wall', 'memory', 'output', 'disk', 'stopped']),
    outputTruncated: z.boolean(),
    durationMs: z.number().min(0),
    changes: z.array(z.strictObject({ mount: count, bytes: z.int().min(1).max(MOUNT_BYTES) })).max(64),
  })
  // Ended by itself: by a code or a signal. Ended by a limit: by SIGKILL, and no code was seen.
  .refine(({ endedBy, exitCode, signal }) =>
    endedBy === 'itself' ? exitCode !== null || signal !== null : exitCode === null && signal === 'SIGKILL',
  )
  .refine(({ endedBy, changes }) => endedBy === 'itself' || changes.length === 0);

const runState = z
  .strictObject({
    phase: z.enum(['running', 'ended', 'failed']),
    stdout: output,
    stderr: output,
    made: z.array(place).max(16),
    end: end.nullable(),
    fault: z.strictObject({ of: z.enum(['setup', 'result']), message: z.string().max(1_000) }).nullable(),
  })
  .refine(
    ({ phase, end, fault }) => (phase === 'ended') === (end !== null) && (phase === 'failed') === (fault !== null),
  );

/** @throws SandboxRefusal `SANDBOX-ANSWER-REFUSED`, as do the others. */
export const readHello = (bytes: Buffer): SessionHello => read(hello, bytes);

/** The state of a run, as far as it can be that of the run that was ordered. */
export function readRunState(bytes: Buffer, mounts: readonly OrderedMount[], stopping: boolean): RunState {
  const state = read(runState, bytes);
  const writable = (mount: number): boolean => mounts[mount]?.mode === 'read-write';
  const changed = state.end?.changes.map(({ mount }) => mount) ?? [];
  if (!changed.every(writable) || new Set(changed).size !== changed.length)
    throw refused('it tells of changes where none can be');
  if (!state.made.every(({ mount }) => writable(mount))) throw refused('it tells of sockets where none can be');
  if (state.end?.endedBy === 'stopped' && !stopping)
    throw refused('it says that the program was stopped, which nobody asked for');
  return state;
}

/** Appends a part of an output, within what the order lets be kept. */
export function appended(kept: Buffer, part: string, { outputBytes }: SandboxLimits): Buffer {
  if (part === '') return kept;
  const whole = Buffer.concat([kept, Buffer.from(part, 'base64')]);
  if (whole.length > outputBytes)
    throw refused(`its output is longer than the ${outputBytes} bytes that were to be kept`);
  return whole;
}

const accepted = z.strictObject({ bytes: count });
export const readAccepted = (bytes: Buffer): number => read(accepted, bytes).bytes;

function read<T>(schema: z.ZodType<T>, bytes: Buffer): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw refused('it is no JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw refused(`${parsed.error.issues[0]?.path.join('.') ?? ''} is not as agreed`);
  return parsed.data;
}

export function refused(why: string): SandboxRefusal {
  return new SandboxRefusal(
    'SANDBOX-ANSWER-REFUSED',
    `a session answered as its agent does not, ${why}. Look whether the pool's image is of this release, and at what ran in it`,
  );
}
