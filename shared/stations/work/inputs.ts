import type { z } from 'zod';
import { type ApplicationDeclaration, applicationDeclaration } from '../../domain/application/declaration.ts';
import { LINE_NAMES, type LineInput, type LineName } from '../../domain/packet/line-input.ts';
import { type Packet, packetSchema } from '../../domain/packet/schema.ts';
import { type TaskContext, TaskFailure } from '../../jobs/task.ts';

/** The packet of the job's request. Throws a terminal `INPUT-MALFORMED` failure: intake let it through, so trying again can't help. */
export async function readPacket(context: TaskContext): Promise<Packet> {
  return parseInput('packet', packetSchema, await context.input('packet'));
}

/** What the application declared about itself, pinned into the request. */
export async function readDeclaration(context: TaskContext): Promise<ApplicationDeclaration> {
  return parseInput('declaration', applicationDeclaration, await context.input('declaration'));
}

/** An earlier job's JSON output, checked against its schema. The worker that made it may be hostile. */
export async function readJsonInput<T extends z.ZodType>(
  context: TaskContext,
  name: string,
  schema: T,
): Promise<z.infer<T>> {
  return parseInput(name, schema, await context.input(name));
}

function parseInput<T extends z.ZodType>(name: string, schema: T, bytes: Uint8Array): z.infer<T> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw malformed(name, error instanceof Error ? error.message : 'it is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw malformed(
    name,
    `/${issue?.path.map(String).join('/') ?? ''}: ${issue?.message ?? 'it does not fit its schema'}`,
  );
}

function malformed(name: string, why: string): TaskFailure {
  return new TaskFailure({
    kind: 'terminal',
    code: 'INPUT-MALFORMED',
    message: `The input ${name} can't be read: ${why.slice(0, 500)}`,
  });
}

/** The packet's line, when it is one that stations and the verifier have work for. */
export function lineOf(packet: Packet): LineName {
  const name = LINE_NAMES.find((known) => known === packet.line.name);
  if (name !== undefined) return name;
  throw new TaskFailure({
    kind: 'terminal',
    code: 'STATION-UNFIT',
    message: `There is no work of this kind for the line ${packet.line.name}; correct the blueprint's tasks.`,
  });
}

/** The packet's part for one line. A job that names another line's station was put together wrongly. */
export function requireLine<N extends LineName>(packet: Packet, name: N): Extract<LineInput, { name: N }> {
  if (packet.line.name === name) return packet.line as Extract<LineInput, { name: N }>;
  throw new TaskFailure({
    kind: 'terminal',
    code: 'STATION-UNFIT',
    message: `The station ${name} was given a packet of the line ${packet.line.name}; correct the blueprint's station.`,
  });
}
