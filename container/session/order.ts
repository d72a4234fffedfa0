import { isAbsolute } from 'node:path';
import type { SandboxLimits } from '../../shared/sandbox/driver.ts';
import { MOUNT_BYTES, MOUNTS, type OrderedMount, type RunOrder } from '../../shared/sandbox/sessions/protocol.ts';

/** An order that no worker of this protocol gives. */
export class OrderRefused extends Error {}

const socketName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;
/** Linux takes some 2 MiB of arguments and environment together (execve(2)); this is the order's own bound. */
const TEXTS = 4_096;

/** @throws OrderRefused by hand, as the agent carries no packages. What mounts may be named is asked when they are placed. */
export function readOrder(value: unknown): RunOrder {
  const order = record(value, 'the order');
  const argv = list(order['argv'], 'argv').map((each) => text(each, 'argv'));
  if (argv.length === 0 || argv.length > TEXTS || argv[0] === '') throw new OrderRefused('argv names no program');
  const workingDirectory = text(order['workingDirectory'], 'workingDirectory');
  if (!isAbsolute(workingDirectory)) throw new OrderRefused('workingDirectory is not an absolute path');
  const environment = record(order['environment'], 'environment');
  if (Object.keys(environment).length > TEXTS) throw new OrderRefused('environment has too many entries');
  const mounts = list(order['mounts'], 'mounts').map(readMount);
  if (mounts.length > MOUNTS) throw new OrderRefused(`there are more than ${MOUNTS} mounts`);
  return {
    argv,
    workingDirectory,
    environment: Object.fromEntries(
      Object.entries(environment).map(([name, each]) => {
        if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new OrderRefused('environment has a name that is none');
        return [name, text(each, 'environment')];
      }),
    ),
    limits: readLimits(record(order['limits'], 'limits')),
    mounts,
    stdinBytes: count(order['stdinBytes'], 'stdinBytes'),
  };
}

function readMount(value: unknown): OrderedMount {
  const mount = record(value, 'a mount');
  const { mode, kind } = mount;
  if (mode !== 'read-only' && mode !== 'read-write') throw new OrderRefused('a mount has a mode that is none');
  if (kind !== 'directory' && kind !== 'file') throw new OrderRefused('a mount is of a kind that is none');
  if (kind === 'file' && mode === 'read-write') throw new OrderRefused('a file can only be mounted read-only');
  const bytes = count(mount['bytes'], 'bytes');
  if (bytes > MOUNT_BYTES) throw new OrderRefused('a mount is too large');
  const sockets = list(mount['sockets'], 'sockets').map((each) => text(each, 'sockets'));
  if (sockets.length > 16 || !sockets.every((name) => socketName.test(name)))
    throw new OrderRefused('a socket has a name that is none');
  return { target: text(mount['target'], 'target'), mode, kind, bytes, sockets };
}

function readLimits(limits: Readonly<Record<string, unknown>>): SandboxLimits {
  const of = (name: keyof SandboxLimits): number => {
    const value = count(limits[name], name);
    if (value === 0) throw new OrderRefused(`${name} is nothing`);
    return value;
  };
  return {
    wallMs: of('wallMs'),
    cpuSeconds: of('cpuSeconds'),
    memoryBytes: of('memoryBytes'),
    processes: of('processes'),
    fileBytes: of('fileBytes'),
    openFiles: of('openFiles'),
    outputBytes: of('outputBytes'),
    diskBytes: of('diskBytes'),
  };
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new OrderRefused(`${what} is no object`);
  return Object.fromEntries(Object.entries(value));
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new OrderRefused(`${what} is no list`);
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value.includes('\0')) throw new OrderRefused(`${what} is no text`);
  return value;
}

function count(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new OrderRefused(`${what} is no count`);
  return value;
}
