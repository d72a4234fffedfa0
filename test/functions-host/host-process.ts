import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Management, readManagement } from '../../local/functions-host/admin/management-file.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A host that runs as its own process, as people run it. */
export interface HostProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** The ready line. */
  readonly ready: string;
  /** Everything written to stderr so far. */
  errors(): string;
  fetch(route: string, init?: RequestInit): Promise<Response>;
  /** Fetches JSON; fails the test on any other answer than `status`. */
  json(route: string, init?: RequestInit, status?: number): Promise<unknown>;
  /** Where its own API answers, and the key. */
  readonly management: Management;
  /** Fetches from its own API, with the key. */
  manage(route: string, init?: RequestInit): Promise<Response>;
  /** Ends it in order; gives the exit code. */
  stop(): Promise<number | null>;
  /** kill -9 of the host; resolves when it is gone. */
  kill(): Promise<void>;
  /** The processes the host began. */
  children(): number[];
}

export interface HostOptions {
  readonly app: string;
  readonly data: string;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
}

export function appDirectory(app: string): string {
  return path.join(root, 'test/functions-host/apps', app);
}

/** A directory that is gone after the run, with what is in it. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const made = mkdtempSync(path.join(tmpdir(), 'functions-host-'));
  return { path: made, remove: () => rmSync(made, { recursive: true, force: true }) };
}

const left = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of left) child.kill('SIGKILL');
});

/** Spawns the host without waiting for it to be ready. */
export function spawnHost({ app, data, args = [], env = {} }: HostOptions): ChildProcess {
  const main = path.join(root, 'local/functions-host/main.ts');
  const child = spawn(process.execPath, [main, '--app', appDirectory(app), '--data', data, '--port', '0', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  left.add(child);
  child.once('exit', () => left.delete(child));
  return child;
}

/** Runs the host to its end; for starts that are to be refused. */
export async function runHost(
  options: HostOptions,
): Promise<{ readonly code: number | null; readonly errors: string; readonly output: string }> {
  const child = spawnHost(options);
  let errors = '';
  let output = '';
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await once(child, 'close');
  return { code: child.exitCode, errors, output };
}

export async function startHost(options: HostOptions): Promise<HostProcess> {
  const child = spawnHost(options);
  let errors = '';
  let output = '';
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await eventually(() => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The host ended at its start: ${errors}`);
    return output.includes('\n');
  });
  const ready = output.trim();
  const url = /http:\/\/\S+/.exec(ready)?.[0] ?? '';
  const fetchRoute = (route: string, init?: RequestInit) => fetch(`${url}${route}`, init);
  const exited = once(child, 'exit');
  const management = readManagement(options.data);
  return {
    url,
    management,
    manage: (route, init) =>
      fetch(`${management.url}${route}`, {
        ...init,
        headers: { ...Object.fromEntries(new Headers(init?.headers)), 'x-functions-key': management.key },
      }),
    process: child,
    ready,
    errors: () => errors,
    fetch: fetchRoute,
    async json(route, init, status = 200) {
      const response = await fetchRoute(route, init);
      const text = await response.text();
      if (response.status !== status) throw new Error(`${route} answered ${response.status}: ${text}\n${errors}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    children: () =>
      readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
        .split(' ')
        .filter((pid) => pid.trim() !== '')
        .map(Number),
  };
}

/** Waits until `condition` holds; the limit is for hangs. */
export async function eventually(condition: () => boolean | Promise<boolean>, limit = 240_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not within ${limit} ms: ${condition}`);
    await setTimeout(15);
  }
}

/** A status payload of the management API. */
export interface InstanceStatus {
  readonly instanceId: string;
  readonly runtimeStatus: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly customStatus: unknown;
  readonly historyEvents?: readonly Record<string, unknown>[];
}

const api = '/runtime/webhooks/durabletask';

/** The management API as people's tools call it. */
export function durableApi(host: () => HostProcess) {
  return {
    async start(name: string, id: string, input?: unknown): Promise<Response> {
      return host().manage(`${api}/orchestrators/${name}/${id}`, {
        method: 'POST',
        body: input === undefined ? '' : JSON.stringify(input),
      });
    },
    async status(id: string, query = ''): Promise<InstanceStatus> {
      const response = await host().manage(`${api}/instances/${id}${query}`);
      return (await response.json()) as InstanceStatus;
    },
    raise(id: string, event: string, body: unknown): Promise<Response> {
      return host().manage(`${api}/instances/${id}/raiseEvent/${event}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    },
    post: (path: string): Promise<Response> => host().manage(`${api}/${path}`, { method: 'POST' }),
    request: (path: string, init?: RequestInit): Promise<Response> => host().manage(`${api}/${path}`, init),
    /** Waits for the end; gives the last status. */
    async finished(id: string): Promise<InstanceStatus> {
      let last: InstanceStatus | undefined;
      await eventually(async () => {
        last = await this.status(id);
        return ['Completed', 'Failed', 'Terminated'].includes(last.runtimeStatus);
      });
      return last as InstanceStatus;
    },
  };
}
